/**
 * All a kernel ever hears (Input) and all it ever says (Effect).
 *
 * Invariant: effects are carried out in the order in which they stand. An event stands before any reply that shows
 * what it announces, and a reply stands after the commit it stands for.
 */
import type { Forwarded, Op, Outcome } from "../model/ops.ts";
import type { Proposal } from "../model/txns.ts";
import type { ConnId, SessionId, WatchedEvent, Zxid } from "../model/types.ts";

/** What a client says first: ZooKeeper's ConnectRequest. */
export interface Hello {
  /** Highest zxid the client has seen; a server that is behind it must not serve it. */
  readonly lastZxidSeen: Zxid;
  /** The session timeout it asks for, milliseconds. */
  readonly timeOut: number;
  /** `0n` for a new session. */
  readonly sessionId: SessionId;
  readonly passwd: Uint8Array | null;
  /** Whether a read-only server will do. */
  readonly readOnly: boolean;
}

/** What the server says first: ZooKeeper's ConnectResponse. A refused session has timeOut 0 and sessionId `0n`. */
export interface Welcome {
  readonly timeOut: number;
  readonly sessionId: SessionId;
  readonly passwd: Uint8Array;
  readonly readOnly: boolean;
}

/** Where a connection comes from: its address is an identity of scheme `ip`. */
export interface Peer {
  /** Textual IP address, without port. */
  readonly address: string;
  /** How the address is printed by `stat` and `cons`: `/127.0.0.1:41712`. */
  readonly label: string;
  /** Identities that the transport itself has proved, such as a TLS client certificate. */
  readonly authIds: readonly { readonly scheme: string; readonly id: string }[];
}

/** null for a token refuses it. */
export interface SaslAnswer {
  readonly token: Uint8Array | null;
  /** null: the exchange goes on, or has failed. */
  readonly username: string | null;
  /** Whether a client that fails may stay, as somebody who has proved nothing. */
  readonly mayFail: boolean;
}

export type Input =
  | { readonly kind: "connect"; readonly conn: ConnId; readonly hello: Hello; readonly peer: Peer }
  | { readonly kind: "request"; readonly conn: ConnId; readonly xid: number; readonly op: Op }
  /** A SASL token has been judged where its connection is: the answer to it, and whom the client has proved to be once the exchange is over. */
  | { readonly kind: "sasl"; readonly conn: ConnId; readonly xid: number; readonly answer: SaslAnswer }
  | { readonly kind: "disconnect"; readonly conn: ConnId }
  /** A client lives, although nothing is heard of it: it is not being read from. */
  | { readonly kind: "renew"; readonly conn: ConnId }
  | { readonly kind: "commit"; readonly proposal: Proposal }
  /** A session is to end now, as if it had fallen due. */
  | { readonly kind: "expire"; readonly session: SessionId }
  | { readonly kind: "tick" }
  | EnsembleInput;

/** Who asks the leader: a learner's stream. */
export type Origin = number;

/** What is heard from the other members of an ensemble. */
export type EnsembleInput =
  /** A learner passes a request on; leader only. */
  | { readonly kind: "forwarded"; readonly origin: Origin; readonly request: Forwarded }
  /** Sessions that a learner has heard of; leader only. */
  | { readonly kind: "touched"; readonly touched: readonly { readonly session: SessionId; readonly timeoutMs: number }[] }
  /** A learner asks whether a session lives, and takes it over; leader only. */
  | { readonly kind: "revalidation"; readonly origin: Origin; readonly session: SessionId; readonly timeoutMs: number }
  /** The answer to it; learner only. */
  | { readonly kind: "valid"; readonly session: SessionId; readonly valid: boolean }
  /** All that had been proposed when the next sync was asked for is committed. */
  | { readonly kind: "synced" };

/** What is said to them. */
export type EnsembleEffect =
  | { readonly kind: "forward"; readonly request: Forwarded }
  | { readonly kind: "touch"; readonly session: SessionId; readonly timeoutMs: number }
  | { readonly kind: "revalidate"; readonly session: SessionId; readonly timeoutMs: number }
  | { readonly kind: "revalidated"; readonly origin: Origin; readonly session: SessionId; readonly valid: boolean }
  | { readonly kind: "sync"; readonly request: Forwarded }
  | { readonly kind: "differs"; readonly zxid: Zxid };

export type Effect =
  | { readonly kind: "propose"; readonly proposal: Proposal }
  | EnsembleEffect
  | { readonly kind: "welcome"; readonly conn: ConnId; readonly welcome: Welcome }
  | { readonly kind: "reply"; readonly conn: ConnId; readonly xid: number; readonly zxid: Zxid; readonly outcome: Outcome }
  | { readonly kind: "event"; readonly conn: ConnId; readonly event: WatchedEvent }
  /** After everything that stands before it has been sent. */
  | { readonly kind: "close"; readonly conn: ConnId }
  /** For the log: serving one request has thrown, which ended that request or its connection alone. */
  | { readonly kind: "fault"; readonly what: string; readonly error: unknown };
