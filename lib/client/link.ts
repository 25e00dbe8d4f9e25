/**
 * Interface of a client handle to its connection, wherever its server is: in this process or at the end of a socket.
 *
 * Invariant: a link speaks for one connection. It calls `welcome` at most once and first, and `closed` exactly once and last.
 */
import type { Hello, Welcome } from "../kernel/messages.ts";
import type { Op, Outcome } from "../model/ops.ts";
import type { WatchedEvent, Zxid } from "../model/types.ts";

/** Who hears of what a link brings. */
export interface LinkHandlers {
  welcome(welcome: Welcome): void;
  reply(xid: number, zxid: Zxid, outcome: Outcome): void;
  event(event: WatchedEvent): void;
  /** The connection is gone, or never came about; `reason` is for people. */
  closed(reason: string): void;
}

/** One connection to one server. */
export interface Link {
  /** Begins. Nothing is called back before. */
  open(): void;
  /** Sends a request. Requests are answered in order. */
  request(xid: number, op: Op): void;
  /** Gives the connection up at once. */
  cut(): void;
}

/** Makes connections to whichever server is next. */
export interface Connector {
  link(hello: Hello, handlers: LinkHandlers): Link;
  /** How many servers there are: each gets its share of the time for connecting. */
  readonly serverCount: number;
  /** Why a request can't be sent at all, as far as that can be known here; null where nothing speaks against it. */
  refusal(op: Op): string | null;
  /** Whether all of them have been tried in vain: time to wait. */
  readonly isRoundDone: boolean;
  /** The link made last has been welcomed. */
  succeeded(): void;
  /** Asks the next server whether it takes writes; if it says so, the next link leads to it. The returned function gives up: no answer then. */
  probe(answer: (isReadWrite: boolean) => void): () => void;
  /** Replaces the list of servers, given as a connect string; true if the connection there is must be left for the sake of balance. */
  update(servers: string): boolean;
}
