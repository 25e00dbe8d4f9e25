/**
 * The half of a kernel that does not decide, on a learner: it asks the leader for its clients, and remembers who waits for what.
 *
 * Not here: answering them (kernel.ts). Invariant: requests are committed in the order in which they were passed on, so that a commit is this
 * member's own if it is the one that is next.
 */
import { Fifo } from "../base/fifo.ts";
import type { CreateSessionOp, Forwarded, Op, SyncOp } from "../model/ops.ts";
import type { TxnHeader } from "../model/txns.ts";
import type { SessionId } from "../model/types.ts";
import type { Connection } from "../session/connection.ts";
import type { Session, Sessions } from "../session/sessions.ts";
import { becomesTxn, mustUpgrade } from "./classify.ts";
import type { KernelOptions } from "./options.ts";
import type { Step } from "./step.ts";

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

export class Forwarder {
  readonly #sessions: Sessions;
  readonly #options: KernelOptions;
  readonly #step: Step;
  readonly #passed: Fifo<Passed> = new Fifo<Passed>();
  readonly #syncs: Fifo<Connection> = new Fifo<Connection>();
  readonly #revalidations = new Map<SessionId, Revalidation>();

  constructor(sessions: Sessions, options: KernelOptions, step: Step) {
    this.#sessions = sessions;
    this.#options = options;
    this.#step = step;
  }

  /** Requests whose txns have not come. */
  get outstandingCount(): number {
    return this.#passed.length;
  }

  /** Passes a client's request on if it becomes a txn; says whether it does. */
  request(connection: Connection, session: Session, xid: number, op: Op): boolean {
    if (!becomesTxn(op, this.#options)) return false;
    if (op.kind === "closeSession") {
      this.#sessions.startClosing(session);
      if (session.local) return false;
    }
    if (mustUpgrade(session, op, this.#options)) {
      this.#sessions.makeGlobal(session, this.#step.now.mono);
      this.createSession(session.id, session.timeoutMs, null);
    }
    this.#pass(connection, { session: session.id, cxid: xid, op, authIds: connection.authIds });
    return true;
  }

  createSession(session: SessionId, timeOut: number, connection: Connection | null): void {
    const op: CreateSessionOp = { kind: "createSession", timeOut };
    this.#pass(connection, { session, cxid: 0, op, authIds: null });
  }

  #pass(connection: Connection | null, request: Forwarded): void {
    const { session, cxid } = request;
    this.#passed.push({ session, cxid, connection });
    this.#step.say({ kind: "forward", request });
  }

  /** Whose request this txn is; null for another member's. */
  committed({ session, cxid }: TxnHeader): Connection | null {
    const next = this.#passed.first;
    if (next === undefined || next.session !== session || next.cxid !== cxid) return null;
    this.#passed.shift();
    return next.connection;
  }

  /** Asks for what has been proposed so far. A leader asks itself. */
  sync(connection: Connection, session: Session, xid: number, op: SyncOp): void {
    this.#syncs.push(connection);
    this.#step.say({ kind: "sync", request: { session: session.id, cxid: xid, op, authIds: connection.authIds } });
  }

  /** Whose sync is answered: they are in their order. */
  synced(): Connection | null {
    return this.#syncs.shift() ?? null;
  }

  /** Asks whether a session lives. Says who waited for the same one: the later counts. */
  revalidate(session: SessionId, connection: Connection, timeoutMs: number): Connection | null {
    const before = this.#revalidations.get(session)?.connection ?? null;
    this.#revalidations.set(session, { connection, timeoutMs });
    this.#step.say({ kind: "revalidate", session, timeoutMs });
    return before;
  }

  /** Who waits for that answer. */
  revalidated(session: SessionId): Revalidation | null {
    const waiting = this.#revalidations.get(session) ?? null;
    this.#revalidations.delete(session);
    return waiting;
  }
}
