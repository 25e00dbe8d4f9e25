/**
 * What a member has asked of the leader for its clients, and who waits for it: requests, syncs, sessions that come back.
 *
 * Not here: asking, and answering. Invariant: requests are committed in the order in which they were passed on, so that a commit is this member's
 * own if it is the one that is next.
 */
import { Fifo } from "../fifo.ts";
import type { Forwarded, OpKind } from "../ops.ts";
import type { Connection } from "../session/connection.ts";
import type { TxnHeader } from "../txns.ts";
import type { SessionId } from "../types.ts";

/** Ops that are the leader's to decide. Multis are, too, if they make sense. */
export const FORWARDED: ReadonlySet<OpKind> = new Set<OpKind>([
  "create",
  "create2",
  "createContainer",
  "createTTL",
  "delete",
  "deleteContainer",
  "setData",
  "setACL",
  "reconfig",
  "closeSession",
]);

interface Passed {
  readonly session: SessionId;
  readonly cxid: number;
  /** Who waits for it; null where nobody does. */
  readonly connection: Connection | null;
}

interface Revalidation {
  readonly connection: Connection;
  readonly timeoutMs: number;
}

export class Forwarding {
  readonly #passed: Fifo<Passed> = new Fifo<Passed>();
  readonly #syncs: Fifo<Connection> = new Fifo<Connection>();
  readonly #revalidations = new Map<SessionId, Revalidation>();

  /** Requests whose txns have not come. */
  get count(): number {
    return this.#passed.length;
  }

  add(connection: Connection | null, { session, cxid }: Forwarded): void {
    this.#passed.push({ session, cxid, connection });
  }

  /** Whose request this txn is; null for another member's. */
  takeIfNext({ session, cxid }: TxnHeader): Connection | null {
    const next = this.#passed.first;
    if (next === undefined || next.session !== session || next.cxid !== cxid) return null;
    this.#passed.shift();
    return next.connection;
  }

  addSync(connection: Connection): void {
    this.#syncs.push(connection);
  }

  /** They are answered in their order. */
  takeSync(): Connection | null {
    return this.#syncs.shift() ?? null;
  }

  /** Says who waited for the same session: the later one counts. */
  addRevalidation(session: SessionId, connection: Connection, timeoutMs: number): Connection | null {
    const before = this.#revalidations.get(session)?.connection ?? null;
    this.#revalidations.set(session, { connection, timeoutMs });
    return before;
  }

  takeRevalidation(session: SessionId): Revalidation | null {
    const waiting = this.#revalidations.get(session) ?? null;
    this.#revalidations.delete(session);
    return waiting;
  }
}
