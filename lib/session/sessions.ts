/**
 * The sessions this server keeps alive: who they are, when they fall due, and which connection serves each.
 *
 * Deadlines are rounded up to whole ticks, as in ZooKeeper, so that sessions expire in batches and touching one is nearly free: a session lives
 * between its timeout and its timeout plus one tick after it was last heard of.
 *
 * Not here: that a due session ends. It only says which are due; the kernel prepares their txns like any other.
 *
 * Invariant: every session whose time is kept, and that is not closing, stands in exactly one bucket, and `nextDeadline` is not later than the
 * first bucket.
 */
import type { SessionId } from "../model/types.ts";
import type { Connection } from "./connection.ts";

/** Owner of the sessions whose clients are this member's own. */
export const SELF = 0;

export class Session {
  readonly id: SessionId;
  timeoutMs: number;
  /** End of the tick in which it is due. */
  deadline = 0;
  /** Its end is on its way: nothing new is taken from it. */
  closing = false;
  /** Lives on this member alone: no txn made it. */
  local: boolean;
  /** On a leader, through whom its client came last: a learner's stream, or {@link SELF}; null if that is not known. */
  owner: number | null = null;
  /** Where its client is now; null while it is between connections. */
  connection: Connection | null = null;

  constructor(id: SessionId, timeoutMs: number, local: boolean) {
    this.id = id;
    this.timeoutMs = timeoutMs;
    this.local = local;
  }
}

/** Whose deadlines are kept: all, or on a learner those of its local sessions alone. The leader keeps those of the others. */
export type Timed = "all" | "local";

export class Sessions {
  readonly #tickMs: number;
  readonly #timed: Timed;
  readonly #byId = new Map<SessionId, Session>();
  readonly #buckets = new Map<number, Set<Session>>();
  #nextDeadline: number | null = null;

  constructor(tickMs: number, timed: Timed = "all") {
    this.#tickMs = tickMs;
    this.#timed = timed;
  }

  /** Sessions that are known from before, as of now: each has its whole timeout before it. */
  static starting(timeouts: ReadonlyMap<SessionId, number>, tickMs: number, mono: number, timed: Timed = "all"): Sessions {
    const sessions = new Sessions(tickMs, timed);
    for (const [id, timeoutMs] of timeouts) sessions.add(id, timeoutMs, false, mono);
    return sessions;
  }

  /** The local sessions and those that are `committed`, with the same deadlines, none of them connected. */
  fork(committed: ReadonlyMap<SessionId, number>): Sessions {
    const fork = new Sessions(this.#tickMs, this.#timed);
    for (const { id, timeoutMs, local, deadline } of this.#byId.values()) {
      if (!local && !committed.has(id)) continue;
      const session = new Session(id, timeoutMs, local);
      fork.#byId.set(id, session);
      fork.#place(session, deadline);
    }
    return fork;
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: SessionId): Session | undefined {
    return this.#byId.get(id);
  }

  all(): IterableIterator<Session> {
    return this.#byId.values();
  }

  /** Sessions by the time at which they are due, for the `dump` word. */
  buckets(): ReadonlyMap<number, ReadonlySet<Session>> {
    return this.#buckets;
  }

  /** When {@link due} has something to say, or earlier; null without sessions. */
  get nextDeadline(): number | null {
    return this.#nextDeadline;
  }

  add(id: SessionId, timeoutMs: number, local: boolean, mono: number): Session {
    const session = new Session(id, timeoutMs, local);
    this.#byId.set(id, session);
    this.#place(session, this.#deadlineFrom(session, mono));
    return session;
  }

  /** A local session becomes one like any other. */
  makeGlobal(session: Session, mono: number): void {
    this.#unplace(session);
    session.local = false;
    this.#place(session, this.#deadlineFrom(session, mono));
  }

  /** The client was heard of. */
  touch(session: Session, mono: number): void {
    const deadline = this.#deadlineFrom(session, mono);
    if (session.closing || deadline === session.deadline) return;
    this.#unplace(session);
    this.#place(session, deadline);
  }

  /** Takes the session out of expiry: its end has been prepared. */
  startClosing(session: Session): void {
    if (session.closing) return;
    session.closing = true;
    this.#unplace(session);
  }

  remove(id: SessionId): void {
    const session = this.#byId.get(id);
    if (session === undefined) return;
    if (!session.closing) this.#unplace(session);
    session.closing = true;
    this.#byId.delete(id);
  }

  /** Sessions not heard of for too long. */
  due(mono: number): Session[] {
    if (this.#nextDeadline === null || mono < this.#nextDeadline) return [];
    const due: Session[] = [];
    let next: number | null = null;
    for (const [deadline, sessions] of this.#buckets) {
      if (deadline <= mono) for (const session of sessions) due.push(session);
      else if (next === null || deadline < next) next = deadline;
    }
    this.#nextDeadline = next;
    return due;
  }

  #deadlineFrom(session: Session, mono: number): number {
    return (Math.floor((mono + session.timeoutMs) / this.#tickMs) + 1) * this.#tickMs;
  }

  #place(session: Session, deadline: number): void {
    session.deadline = deadline;
    if (this.#timed === "local" && !session.local) return;
    const bucket = this.#buckets.get(deadline);
    if (bucket === undefined) this.#buckets.set(deadline, new Set([session]));
    else bucket.add(session);
    if (this.#nextDeadline === null || deadline < this.#nextDeadline) this.#nextDeadline = deadline;
  }

  #unplace(session: Session): void {
    const bucket = this.#buckets.get(session.deadline);
    if (bucket?.delete(session) && bucket.size === 0) this.#buckets.delete(session.deadline);
    if (this.#buckets.size === 0) this.#nextDeadline = null;
  }
}
