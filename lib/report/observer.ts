/**
 * Events that an observer of a server is told as they happen: requests, txns, sessions, connections, roles, syncs.
 *
 * An observer is a plain object with the functions that it wants; one that throws is logged, and nothing comes of it. Not here: who calls it
 * (observation.ts).
 */
import type { ErrorCode } from "../model/errors.ts";
import type { Op, Outcome } from "../model/ops.ts";
import type { AuthId, SessionId, Zxid } from "../model/types.ts";
import { callback, objectOf, type Take } from "../options/shape.ts";
import type { ServerMode } from "./report.ts";

/** A request that has been answered. */
export interface RequestObserved {
  readonly session: SessionId;
  /** Where the client is: `/127.0.0.1:41712`. */
  readonly address: string;
  /** ZooKeeper's name of the operation, such as `create`. */
  readonly op: string;
  /** null for an operation without a path, such as a multi. */
  readonly path: string | null;
  readonly code: ErrorCode | "Ok";
  /** The last txn that the answer stands for. */
  readonly zxid: Zxid;
  /** From the request's arrival to its answer, milliseconds. */
  readonly durationMs: number;
}

/** @internal For observers of our own: it may hold what proves who somebody is. */
export interface RequestDetail {
  readonly op: Op;
  readonly outcome: Outcome;
  readonly address: string;
  readonly identities: readonly AuthId[];
}

/** A txn that goes to the log: decided here or by the leader. */
export interface TxnObserved {
  readonly zxid: Zxid;
  /** `0n` for the server itself. */
  readonly session: SessionId;
  /** Such as `create`, or `error` for a refused request. */
  readonly kind: string;
  readonly path: string | null;
  /** Wall clock of the leader, milliseconds. */
  readonly time: number;
}

/** Something that happened to a session. */
export interface SessionObserved {
  readonly what: "opened" | "resumed" | "refused" | "closed" | "expired";
  readonly session: SessionId;
  /** null where the session ends without a connection. */
  readonly address: string | null;
}

/** A connection that came, or is over. */
export interface ConnectionObserved {
  readonly what: "opened" | "closed";
  readonly address: string;
  /** `0n` for one that has none. */
  readonly session: SessionId;
}

/** What the server is from now on; null: it serves nobody, such as a member without a leader. */
export interface RoleObserved {
  readonly mode: ServerMode | null;
}

/** Txns that are on disk. */
export interface SyncObserved {
  readonly txns: number;
  readonly durationMs: number;
}

/**
 * Functions that are called as things happen, each where it is given. They are called within the server's own turn: what takes long is to be put off.
 *
 * @example
 * ```ts
 * await using server = await open({ observer: { request: ({ op, path, code }) => console.log(op, path, code) } });
 * ```
 */
export interface ServerObserver {
  readonly request?: (event: RequestObserved) => void;
  readonly txn?: (event: TxnObserved) => void;
  readonly session?: (event: SessionObserved) => void;
  readonly connection?: (event: ConnectionObserved) => void;
  readonly role?: (event: RoleObserved) => void;
  readonly sync?: (event: SyncObserved) => void;
}

const OBSERVED = callback<(event: unknown) => void>("(event) => console.log(event)");

/** Takes an observer that a caller hands in. */
export const OBSERVER: Take<ServerObserver> = objectOf<ServerObserver>(
  { request: OBSERVED, txn: OBSERVED, session: OBSERVED, connection: OBSERVED, role: OBSERVED, sync: OBSERVED },
  "{ request: (event) => console.log(event.op) }",
);
