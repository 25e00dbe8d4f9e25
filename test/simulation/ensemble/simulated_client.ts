/**
 * A client of a simulated ensemble: does random things, one at a time or several at once, moves from member to member, falls silent, and comes back
 * or not. Some are in the process of their member, others behind a network of their own.
 *
 * Not here: what it may be told (session_rules.ts).
 */
import { OPEN_ACL_UNSAFE } from "../../../lib/acl/perms.ts";
import type { ConnEffect } from "../../../lib/member/host.ts";
import type { MemberInput } from "../../../lib/member/member.ts";
import type { MultiWriteOp, Op } from "../../../lib/model/ops.ts";
import type { ConnId, SessionId } from "../../../lib/model/types.ts";
import type { CommittedHistory } from "./history.ts";
import { SessionRules } from "./session_rules.ts";
import type { SimulatedMember } from "./simulated_member.ts";
import type { World } from "./world.ts";

export interface SimulatedClientOptions {
  readonly world: World;
  readonly members: readonly SimulatedMember[];
  readonly committed: CommittedHistory;
  readonly name: string;
  readonly timeoutMs: number;
  /** Between two acts, on average. */
  readonly actEveryMs: number;
  /** Of a message between it and its member; 0: it lives in the member's process. */
  readonly delayMs: number;
}

type ToMember = Extract<MemberInput, { readonly conn: ConnId }>;

const UTF8 = new TextEncoder();
const NO_PASSWORD = new Uint8Array(16);
const PING_XID = -2;
/** Znodes that clients share. */
const TOPS = ["/a", "/b", "/c"];
const LEAVES = ["x", "y"];
const SEQUENTIAL = 2;
const EPHEMERAL = 1;
const NUMBERED_KEPT = 4;

export class SimulatedClient {
  readonly rules: SessionRules;
  readonly #options: SimulatedClientOptions;
  readonly #world: World;
  #member: SimulatedMember | null = null;
  #conn: ConnId = 0;
  #session: { readonly id: SessionId; readonly passwd: Uint8Array } | null = null;
  #isConnected = false;
  /** It has asked for the end of its session, and will not come back to it, answered or not. */
  #isClosing = false;
  #attempts = 0;
  #xid = 0;
  #lastArrival = 0;
  #heardMono = 0;
  /** Nothing is heard of it. */
  isSilent = false;
  /** Znodes with a number that it was told of. */
  readonly #numbered: string[] = [];
  /** Sessions that ended without its asking. */
  expired = 0;
  /** It does nothing any more but keep its session alive. */
  isQuiet = false;

  constructor(options: SimulatedClientOptions) {
    this.#options = options;
    this.#world = options.world;
    this.rules = new SessionRules(options.name, options.committed);
  }

  get session(): SessionId | null {
    return this.#session?.id ?? null;
  }

  start(): void {
    this.#connect();
    this.#goOn();
  }

  /** Its connection breaks. */
  drop(): void {
    this.#leave();
  }

  /** It asks for another membership, as an operator does. */
  reconfigure(joiningServers: string | null, leavingServers: string | null): void {
    this.#ask({ kind: "reconfig", joiningServers, leavingServers, newMembers: null, curConfigId: -1n });
  }

  #goOn(): void {
    const { actEveryMs, timeoutMs } = this.#options;
    this.#world.after(Math.min(this.#world.untilNext(actEveryMs), timeoutMs / 3), () => {
      if (!this.isSilent) this.#live();
      this.#goOn();
    });
  }

  #live(): void {
    const { timeoutMs } = this.#options;
    const isForgotten = this.#world.mono - this.#heardMono > (2 * timeoutMs) / 3;
    if (!this.#isConnected) {
      if (isForgotten || this.#world.chance(0.3)) this.#connect();
    } else if (isForgotten) this.#connect();
    else if (this.isQuiet) this.#ask({ kind: "ping" });
    else this.#act();
  }

  #connect(): void {
    this.#leave();
    const { members, timeoutMs } = this.#options;
    const member = this.#world.pick(members);
    this.#member = member;
    this.#heardMono = this.#world.mono;
    // Members number their connections each for itself: the number alone would not tell whose it is.
    const attempt = ++this.#attempts;
    const mine = (): boolean => attempt === this.#attempts && this.#member === member;
    const conn = member.attach((effect) => {
      const { epoch } = member;
      this.#carry(() => {
        if (mine()) this.#hear(effect, epoch);
      });
    });
    this.#conn = conn;
    const hello = {
      lastZxidSeen: this.rules.lastZxid,
      timeOut: timeoutMs,
      sessionId: this.#session?.id ?? 0n,
      passwd: this.#session?.passwd ?? NO_PASSWORD,
      readOnly: false,
    };
    this.#submit({ kind: "connect", conn, hello, peer: { address: "127.0.0.1", label: "/127.0.0.1:1", authIds: [] } });
  }

  /** The connection is given up. What was on its way may happen or not, and its member may not notice. */
  #leave(): void {
    const conn = this.#conn;
    if (this.#member !== null && this.#world.chance(0.7)) this.#submit({ kind: "disconnect", conn });
    this.#disconnected();
  }

  #disconnected(): void {
    this.#member = null;
    this.#conn = 0;
    this.#isConnected = false;
    this.rules.disconnected();
    if (this.#isClosing) this.#over();
  }

  #act(): void {
    if (this.#world.chance(0.03)) return this.#connect();
    for (let count = this.#world.chance(0.2) ? 4 : 1; count > 0; count--) this.#ask(this.#anyOp());
  }

  #anyOp(): Op {
    const world = this.#world;
    const top = world.pick(TOPS);
    const path = world.chance(0.5) ? `${top}/${world.pick(LEAVES)}` : top;
    const watch = world.chance(0.4);
    const chance = world.random();
    if (chance < 0.15) return { kind: "getData", path, watch };
    if (chance < 0.25) return { kind: "exists", path, watch };
    if (chance < 0.35) return { kind: "getChildren2", path: top, watch };
    if (chance < 0.4) return { kind: "sync", path };
    if (chance < 0.41) return { kind: "closeSession" };
    if (chance < 0.5) return this.#multi(path);
    if (chance < 0.6) return this.#numberedOp(top);
    return this.#write(path);
  }

  #write(path: string): MultiWriteOp {
    const world = this.#world;
    const isLeaf = path.lastIndexOf("/") > 0;
    const version = world.chance(0.7) ? -1 : world.below(5);
    const chance = world.random();
    if (chance < 0.45) return { kind: "setData", path, data: this.#anyData(), version };
    if (chance < 0.75) return this.#create(path, isLeaf && world.chance(0.6) ? EPHEMERAL : 0);
    return { kind: "delete", path: isLeaf || world.chance(0.1) ? path : `${path}/${world.pick(LEAVES)}`, version };
  }

  #multi(path: string): Op {
    const check: MultiWriteOp = { kind: "check", path, version: this.#world.chance(0.7) ? -1 : 0 };
    return { kind: "multi", ops: [check, this.#write(path), this.#write(this.#world.pick(TOPS))] };
  }

  #numberedOp(top: string): Op {
    if (this.#numbered.length > NUMBERED_KEPT) return { kind: "delete", path: this.#numbered.shift()!, version: -1 };
    return this.#create(`${top}/n-`, SEQUENTIAL + (this.#world.chance(0.5) ? EPHEMERAL : 0));
  }

  #create(path: string, flags: number): MultiWriteOp {
    return { kind: "create", path, data: this.#anyData(), acl: OPEN_ACL_UNSAFE, flags, ttl: 0 };
  }

  #anyData(): Uint8Array {
    return UTF8.encode(String(this.#world.below(1_000_000)));
  }

  #ask(op: Op): void {
    if (!this.#isConnected) return;
    const xid = op.kind === "ping" ? PING_XID : ++this.#xid;
    if (op.kind !== "ping") this.rules.asks(xid, op);
    if (op.kind === "closeSession") this.#isClosing = true;
    this.#submit({ kind: "request", conn: this.#conn, xid, op });
  }

  // ── the way between it and its member ──

  #submit(input: ToMember): void {
    const member = this.#member!;
    this.#carry(() => member.submit(input));
  }

  #carry(run: () => void): void {
    const { delayMs } = this.#options;
    if (delayMs === 0) return run();
    const { mono } = this.#world;
    this.#lastArrival = Math.max(this.#lastArrival, mono + this.#world.random() * delayMs);
    this.#world.after(this.#lastArrival - mono, run);
  }

  #hear(effect: ConnEffect, epoch: number | null): void {
    this.#heardMono = this.#world.mono;
    switch (effect.kind) {
      case "welcome": {
        const { sessionId, passwd, timeOut } = effect.welcome;
        if (timeOut === 0) {
          this.expired++;
          this.#over();
          return this.#leave();
        }
        if (this.#session?.id !== sessionId) this.rules.ends();
        this.#session = { id: sessionId, passwd };
        this.#isConnected = true;
        const watches = this.rules.setWatches();
        if (watches !== null) this.#ask(watches);
        return;
      }
      case "close":
        return this.#disconnected();
      case "event":
        return this.rules.event(effect.event);
      case "reply":
        if (effect.xid !== PING_XID) this.#replied(effect, epoch);
    }
  }

  #replied({ xid, zxid, outcome }: Extract<ConnEffect, { kind: "reply" }>, epoch: number | null): void {
    const op = this.rules.replied(xid, zxid, outcome, this.#session!.id, epoch);
    this.#world.note(xid);
    if (op.kind === "closeSession") this.#over();
    if (op.kind === "create" && (op.flags & SEQUENTIAL) !== 0 && outcome.kind === "path") this.#numbered.push(outcome.path!);
  }

  #over(): void {
    this.#session = null;
    this.#isClosing = false;
    this.rules.ends();
  }
}
