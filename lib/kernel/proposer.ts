/**
 * The half of a kernel that decides, on a server that stands alone and on a leader: what requests become, in which order, and what falls due.
 *
 * Not here: who is answered, and what a commit does (kernel.ts). What orders the proposals and makes them durable it does not know.
 *
 * Invariants: each proposal has the zxid after the one before it. Nothing that falls due changes state by itself: a proposal is prepared for it.
 */

import { Fifo } from "../base/fifo.ts";
import { BrokenInvariant, type ErrorCode, invariant } from "../model/errors.ts";
import type { CheckOp, CreateSessionOp, Forwarded, Op, UnreadableOp, WriteOp } from "../model/ops.ts";
import type { Txn } from "../model/txns.ts";
import type { AuthId, SessionId, Zxid } from "../model/types.ts";
import type { Connection } from "../session/connection.ts";
import { SELF, Session, type Sessions } from "../session/sessions.ts";
import { isJudged, isWrite, mustUpgrade, takesZxid } from "./classify.ts";
import type { Database } from "./database.ts";
import type { Origin } from "./messages.ts";
import type { KernelOptions } from "./options.ts";
import { Pending, type PendingChanges } from "./pending.ts";
import { type Asked, type JudgeReconfig, Preparer } from "./prepare.ts";
import { Reaper } from "./reaper.ts";
import type { Step } from "./step.ts";

interface Outstanding {
  readonly zxid: Zxid;
  readonly changes: PendingChanges;
  /** Who waits for it; null if nobody does. */
  readonly connection: Connection | null;
}

export class Proposer {
  readonly #sessions: Sessions;
  readonly #options: KernelOptions;
  readonly #step: Step;
  readonly #pending: Pending;
  readonly #preparer: Preparer;
  readonly #reaper: Reaper;
  readonly #outstanding: Fifo<Outstanding> = new Fifo<Outstanding>();
  #lastProposed: Zxid;

  constructor(database: Database, sessions: Sessions, options: KernelOptions, step: Step, judgeReconfig: JudgeReconfig) {
    this.#sessions = sessions;
    this.#options = options;
    this.#step = step;
    this.#pending = new Pending(database.tree);
    this.#preparer = new Preparer(database, this.#pending, options, judgeReconfig);
    this.#reaper = new Reaper(database.tree, options, step.now);
    this.#lastProposed = database.lastZxid;
  }

  /** Takes over when containers and TTL znodes are looked at next. */
  continueFrom(before: Proposer): void {
    this.#reaper.nextCheck = before.#reaper.nextCheck;
  }

  /** Proposals that wait for their commit. */
  get outstandingCount(): number {
    return this.#outstanding.length;
  }

  /** When something of the tree falls due, in the clock's monotonic milliseconds; null: never, as things stand. */
  get deadline(): number | null {
    return this.#reaper.deadline;
  }

  // ── requests of this server's clients ──

  /** Proposes the txn that a request becomes, and says its zxid; null for requests that become none. */
  request(connection: Connection, session: Session, xid: number, op: Op): Zxid | null {
    if (op.kind === "multi" && !isJudged(op, this.#options)) {
      // As in ZooKeeper up to 3.8, it takes a zxid that nothing ever has.
      this.#lastProposed++;
      return null;
    }
    if (isWrite(op, this.#options)) {
      if (isMoved(session, SELF)) return this.#refuse(session, xid, "SessionMoved", connection);
      if (mustUpgrade(session, op, this.#options)) {
        this.#sessions.makeGlobal(session, this.#step.now.mono);
        this.createSession(session.id, session.timeoutMs, null);
      }
      return this.#propose(session.id, xid, this.#prepare(op, this.#asked(session, connection.authIds)), connection);
    }
    switch (op.kind) {
      case "closeSession":
        if (!session.local) return this.closeSession(session, xid, connection);
        this.#sessions.startClosing(session);
        return null;
      case "deleteContainer":
        return this.#refuse(session, xid, "BadArguments", connection);
      case "unreadable":
        return takesZxid(op, this.#options) ? this.#refuse(session, xid, refusalOf(op), connection) : null;
      case "check":
        return this.#loneCheck(connection, session, xid, op);
      default:
        return null;
    }
  }

  /**
   * A check outside a multi. Refusals are answered up to 3.8; a check that holds never becomes a txn, since no server could read it back from
   * its log.
   */
  #loneCheck(connection: Connection, session: Session, xid: number, op: CheckOp): Zxid | null {
    if (!this.#options.behaviour.refusesLoneCheckByResult) return null;
    const txn = this.#prepare(op, this.#asked(session, connection.authIds));
    return txn.kind === "error" ? this.#propose(session.id, xid, txn, connection) : null;
  }

  createSession(id: SessionId, timeOut: number, connection: Connection | null): Zxid {
    return this.#propose(id, 0, { kind: "createSession", timeOut }, connection);
  }

  closeSession(session: Session, cxid: number, connection: Connection | null): Zxid {
    this.#sessions.startClosing(session);
    return this.#propose(session.id, cxid, this.#preparer.closeSession(session.id, this.#next), connection);
  }

  // ── requests of other members ──

  /** What a learner passed on. Each becomes one txn, refused or not: the learner waits for it. */
  forwarded(origin: Origin, { session: id, cxid, op, authIds }: Forwarded): void {
    let session = this.#sessions.get(id);
    if (op.kind === "createSession") {
      session ??= this.#sessions.add(id, op.timeOut, false, this.#step.now.mono);
      session.owner = origin;
      this.#propose(id, cxid, op, null);
    } else if (op.kind === "closeSession") {
      if (session !== undefined) this.#sessions.startClosing(session);
      this.#propose(id, cxid, this.#preparer.closeSession(id, this.#next), null);
    } else if (session === undefined ? !this.#options.localSessions : session.closing) {
      this.#propose(id, cxid, { kind: "error", code: "SessionExpired" }, null);
    } else if (session !== undefined && isMoved(session, origin)) {
      this.#propose(id, cxid, { kind: "error", code: "SessionMoved" }, null);
    } else {
      // Its client was heard of. What the learner says of its sessions with the next ping may come too late for it.
      if (session !== undefined) this.#sessions.touch(session, this.#step.now.mono);
      // Where there are local sessions, one that is not known here may be another member's.
      const asker = session ?? new Session(id, 0, true);
      this.#propose(id, cxid, this.#txnOfForwarded(asker, op, authIds ?? []), null);
    }
  }

  #txnOfForwarded(
    session: Session,
    op: Exclude<Op | CreateSessionOp, { kind: "createSession" }>,
    authIds: readonly AuthId[],
  ): Txn {
    if (isWrite(op, this.#options)) return this.#prepare(op, this.#asked(session, authIds));
    // A check alone would be a txn that no server can read back.
    if (op.kind === "check") return { kind: "error", code: "Unimplemented" };
    if (op.kind === "deleteContainer") return { kind: "error", code: "BadArguments" };
    return { kind: "error", code: op.kind === "unreadable" ? refusalOf(op) : "MarshallingError" };
  }

  // ── what falls due ──

  reap(): void {
    for (const path of this.#reaper.candidates(this.#step.now)) {
      const txn = this.#preparer.reap(path, this.#next);
      if (txn !== null) this.#propose(0n, 0, txn, null);
    }
  }

  // ── proposals ──

  get #next(): Zxid {
    return this.#lastProposed + 1n;
  }

  /** What throws is refused, as in ZooKeeper, and leaves nothing behind; a broken invariant concerns all. */
  #prepare(op: WriteOp, asked: Asked): Txn {
    try {
      return this.#preparer.prepare(op, asked);
    } catch (error) {
      if (error instanceof BrokenInvariant) throw error;
      this.#pending.discard(Array.from(this.#outstanding, ({ changes }) => changes));
      const what = `The ${op.kind} of session 0x${BigInt.asUintN(64, asked.session).toString(16)} is refused, since preparing it has thrown`;
      this.#step.say({ kind: "fault", what, error });
      return { kind: "error", code: "MarshallingError" };
    }
  }

  #asked(session: Session, authIds: readonly AuthId[]): Asked {
    return { session: session.id, authIds, zxid: this.#next, time: this.#step.now.wall, localSession: session.local };
  }

  #refuse(session: Session, cxid: number, code: ErrorCode, connection: Connection): Zxid {
    return this.#propose(session.id, cxid, { kind: "error", code }, connection);
  }

  #propose(session: SessionId, cxid: number, txn: Txn, connection: Connection | null): Zxid {
    const zxid = this.#next;
    this.#lastProposed = zxid;
    const header = { session, cxid, zxid, time: this.#step.now.wall };
    const digest = txn.kind === "error" ? null : this.#pending.digest;
    this.#outstanding.push({ zxid, changes: this.#pending.takeChanges(), connection });
    this.#step.say({ kind: "propose", proposal: { header, txn, digest } });
    return zxid;
  }

  /** The next proposal is committed and applied, and the tree's digest has changed by so much. Says who waits for it. */
  committed(zxid: Zxid, digestChange: bigint): Connection | null {
    const outstanding = this.#outstanding.shift();
    invariant(outstanding?.zxid === zxid, `commit of ${zxid} when ${outstanding?.zxid} was next`);
    this.#pending.settle(outstanding.changes, digestChange);
    return outstanding.connection;
  }
}

/** deleteContainer's body came with 3.9: before, it is refused whatever it holds. */
function refusalOf({ op }: UnreadableOp): ErrorCode {
  return op === "deleteContainer" ? "BadArguments" : "MarshallingError";
}

/** Whether the session's client has gone to another member. Who uses it first, has it. */
function isMoved(session: Session, owner: number): boolean {
  session.owner ??= owner;
  return session.owner !== owner;
}
