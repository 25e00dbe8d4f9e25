/**
 * Records the history of a member: whatever goes into a step, and whatever comes out of it.
 *
 * Invariant: recording changes nothing. A recorder that is forked goes on from what has happened so far, without copying it.
 */
import { Perms } from "../acl/perms.ts";
import type { Broadcast } from "../broadcast/contract.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { ConnInput } from "../member/host.ts";
import { Member, type MemberEffect, type MemberInput } from "../member/member.ts";
import type { MultiWriteOp, Op, Outcome } from "../model/ops.ts";
import { parentOf } from "../model/path.ts";
import type { ConnId, Now, Role, SessionId, Zxid } from "../model/types.ts";
import type { Fault } from "./faults.ts";
import { History, type HistoryEntry, type Refusal } from "./history.ts";
import { opText } from "./text.ts";

const PING_XID = -2;
/** Entries that are kept and dropped together, at most. */
const SEGMENT_ENTRIES_MAX = 1024;

export class Recorder {
  /** When everything began, in monotonic milliseconds. */
  readonly #startMono: number;
  readonly #entriesMax: number;
  /** Sealed, oldest first: shared with forks. */
  #sealed: readonly (readonly HistoryEntry[])[] = [];
  #sealedCount = 0;
  #open: HistoryEntry[] = [];
  #count = 0;
  #happenings = 0;
  #isComplete = true;
  #nextConn: ConnId = 1;
  /** The highest that was recorded: members record the same txn, each for itself. */
  #lastZxid: Zxid = -1n;
  /** Of the connections that are open. */
  readonly #sessions = new Map<ConnId, SessionId>();
  /** Connections that a fault breaks. */
  readonly #broken = new Set<ConnId>();

  constructor(startMono: number, entriesMax: number) {
    this.#startMono = startMono;
    this.#entriesMax = entriesMax;
  }

  /** A recorder with the same past. */
  fork(): Recorder {
    this.#seal();
    const fork = new Recorder(this.#startMono, this.#entriesMax);
    fork.#sealed = this.#sealed;
    fork.#sealedCount = this.#sealedCount;
    fork.#count = this.#count;
    fork.#isComplete = this.#isComplete;
    fork.#nextConn = this.#nextConn;
    fork.#lastZxid = this.#lastZxid;
    return fork;
  }

  /** How much has happened, what is forgotten included. */
  get count(): number {
    return this.#count;
  }

  /** How much of that is more than connections that came and went. */
  get happenings(): number {
    return this.#happenings;
  }

  /** A number for a connection, that no other one has had in this history. */
  readonly takeConn = (): ConnId => this.#nextConn++;

  history(): History {
    return new History([...this.#sealed.flat(), ...this.#open], this.#isComplete);
  }

  /** The server began with something else than an empty tree. */
  startsElsewhere(): void {
    this.#isComplete = false;
    this.#lastZxid = -1n;
  }

  // ── what happens ──

  /** @param cause the txn that the step has applied; null for none */
  step(kernel: Kernel, input: MemberInput, effects: readonly MemberEffect[], now: Now, cause: Zxid | null): void {
    const at = now.mono - this.#startMono;
    this.#input(input, at);
    for (const effect of effects) this.#effect(kernel, effect, at, cause);
  }

  /** Something has happened to the ensemble itself. */
  tell(what: string, now: Now): void {
    this.#add({ kind: "ensemble", at: now.mono - this.#startMono, what });
  }

  struck(fault: Fault, input: ConnInput, now: Now): void {
    const { kind } = fault.action;
    if (kind === "disconnect" || kind === "loseReply") this.#broken.add(input.conn);
    this.#add({
      kind: "fault",
      at: now.mono - this.#startMono,
      conn: input.conn,
      session: this.#sessionOf(input.conn),
      what: input.kind === "request" ? opText(input.op) : input.kind,
      fault: fault.toString(),
      arrived: kind === "loseReply" || kind === "delay",
    });
  }

  #input(input: MemberInput, at: number): void {
    switch (input.kind) {
      case "connect": {
        const { sessionId, timeOut } = input.hello;
        this.#sessions.set(input.conn, 0n);
        return this.#add({ kind: "connect", at, conn: input.conn, session: sessionId, timeOut });
      }
      case "request": {
        const { conn, xid, op } = input;
        if (op.kind !== "ping") this.#add({ kind: "request", at, conn, session: this.#sessionOf(conn), xid, op });
        return;
      }
      case "disconnect":
        return this.#closed(input.conn, "client", at);
      case "expire":
        return this.#add({ kind: "expire", at, session: input.session });
      default:
        return;
    }
  }

  #effect(kernel: Kernel, effect: MemberEffect, at: number, cause: Zxid | null): void {
    switch (effect.kind) {
      case "append": {
        const { header, txn } = effect.proposal;
        if (header.zxid <= this.#lastZxid) return;
        this.#lastZxid = header.zxid;
        return this.#add({ kind: "txn", at, zxid: header.zxid, session: header.session, cxid: header.cxid, txn });
      }
      case "welcome": {
        const { sessionId: session, timeOut } = effect.welcome;
        this.#sessions.set(effect.conn, session);
        return this.#add({ kind: "welcome", at, conn: effect.conn, session, timeOut });
      }
      case "event": {
        const { type, path } = effect.event;
        return this.#add({ kind: "event", at, conn: effect.conn, session: this.#sessionOf(effect.conn), type, path, cause });
      }
      case "reply": {
        const { conn, xid, zxid, outcome } = effect;
        if (xid === PING_XID) return;
        const refusal = isNoAuth(outcome) ? this.#refusal(kernel, conn, xid, outcome) : null;
        return this.#add({ kind: "reply", at, conn, session: this.#sessionOf(conn), xid, zxid, outcome, refusal });
      }
      case "close":
        return this.#closed(effect.conn, "server", at);
    }
  }

  #closed(conn: ConnId, by: "client" | "server", at: number): void {
    const session = this.#sessions.get(conn);
    if (session === undefined) return; // told already
    this.#add({ kind: "close", at, conn, session, by: this.#broken.delete(conn) ? "fault" : by });
    this.#sessions.delete(conn);
  }

  #sessionOf(conn: ConnId): SessionId {
    return this.#sessions.get(conn) ?? 0n;
  }

  // ── refusals ──

  /** Now, since the ACL and the identities may change. */
  #refusal(kernel: Kernel, conn: ConnId, xid: number, outcome: Outcome): Refusal | null {
    const op = this.#asked(conn, xid);
    const wanted = op === null ? null : wantedBy(op, outcome);
    const connection = kernel.connections.get(conn);
    if (wanted === null || connection === undefined) return null;
    const acl = kernel.database.tree.get(wanted.path)?.acl ?? [];
    return { ...wanted, acl, identities: connection.authIds };
  }

  #asked(conn: ConnId, xid: number): Op | null {
    for (let at = this.#open.length - 1; at >= 0; at--) {
      const entry = this.#open[at]!;
      if (entry.kind === "request" && entry.conn === conn && entry.xid === xid) return entry.op;
    }
    return null;
  }

  // ── keeping ──

  #add(entry: HistoryEntry): void {
    this.#count++;
    if (entry.kind !== "connect" && entry.kind !== "close") this.#happenings++;
    this.#open.push(entry);
    if (this.#open.length === SEGMENT_ENTRIES_MAX) this.#seal();
  }

  #seal(): void {
    if (this.#open.length === 0) return;
    const sealed = [...this.#sealed, this.#open];
    this.#sealedCount += this.#open.length;
    this.#open = [];
    while (this.#sealedCount - sealed[0]!.length >= this.#entriesMax) {
      this.#sealedCount -= sealed.shift()!.length;
      this.#isComplete = false;
    }
    this.#sealed = sealed;
  }
}

/** A member that tells a recorder what it does, and one of an ensemble what it is. */
export class RecordedMember extends Member {
  readonly #recorder: Recorder;
  readonly #name: string;

  /** @param name what it is called where it is one of several */
  constructor(kernel: Kernel, broadcast: Broadcast, recorder: Recorder, name = "") {
    super(kernel, broadcast);
    this.#recorder = recorder;
    this.#name = name;
  }

  override step(input: MemberInput, now: Now): readonly MemberEffect[] {
    const { role } = this.kernel;
    const before = this.kernel.database.lastZxid;
    const effects = super.step(input, now);
    if (this.kernel.role !== role) this.#recorder.tell(`${this.#name} ${DOES[this.kernel.role]}`, now);
    const { lastZxid } = this.kernel.database;
    this.#recorder.step(this.kernel, input, effects, now, lastZxid === before ? null : lastZxid);
    return effects;
  }
}

const DOES: Readonly<Record<Role, string>> = {
  standalone: "stands alone",
  leader: "leads",
  follower: "follows",
  observer: "observes",
  looking: "looks for a leader",
  readOnly: "answers reads alone",
};

function isNoAuth(outcome: Outcome): boolean {
  if (outcome.kind === "multi") return outcome.results.some((result) => result.kind === "error" && result.code === "NoAuth");
  return outcome.kind === "error" && outcome.code === "NoAuth";
}

/** The permission that was missing, by ZooKeeper's rules. */
function wantedBy(op: Op, outcome: Outcome): { readonly path: string; readonly perms: number } | null {
  switch (op.kind) {
    case "multi": {
      const failed =
        outcome.kind === "multi" ? outcome.results.findIndex((one) => one.kind === "error" && one.code === "NoAuth") : -1;
      const sub: MultiWriteOp | undefined = op.ops[failed];
      return sub === undefined ? null : wantedBy(sub, outcome);
    }
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL":
      return op.path === null ? null : { path: parentOf(op.path), perms: Perms.CREATE };
    case "delete":
      return op.path === null ? null : { path: parentOf(op.path), perms: Perms.DELETE };
    case "setData":
      return op.path === null ? null : { path: op.path, perms: Perms.WRITE };
    case "setACL":
      return op.path === null ? null : { path: op.path, perms: Perms.ADMIN };
    case "getACL":
      return op.path === null ? null : { path: op.path, perms: Perms.READ | Perms.ADMIN };
    default:
      return "path" in op && op.path !== null ? { path: op.path, perms: Perms.READ } : null;
  }
}
