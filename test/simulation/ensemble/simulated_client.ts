/**
 * A client of a simulated ensemble: does random things, one at a time or several at once, moves from member to member, and watches its own rules.
 *
 * - Its replies come in the order of its requests, and their zxids never fall.
 * - What it was told to have written, it reads, until it writes again.
 * - What was cut off is unknown: it may have happened or not.
 */
import { OPEN_ACL_UNSAFE } from "../../../lib/acl/perms.ts";
import type { ConnEffect } from "../../../lib/host.ts";
import type { Op, Outcome } from "../../../lib/ops.ts";
import type { ConnId, SessionId, Zxid } from "../../../lib/types.ts";
import { type CommittedHistory, Violation } from "./history.ts";
import type { SimulatedMember } from "./simulated_member.ts";
import type { World } from "./world.ts";

interface Asked {
  readonly xid: number;
  readonly op: Op;
}

const TIMEOUT_MS = 4000;
const UTF8 = new TextEncoder();
const NO_PASSWORD = new Uint8Array(16);

export class SimulatedClient {
  readonly #world: World;
  readonly #members: readonly SimulatedMember[];
  readonly #committed: CommittedHistory;
  readonly #path: string;
  #member: SimulatedMember | null = null;
  #conn: ConnId = 0;
  #session: { readonly id: SessionId; readonly passwd: Uint8Array } | null = null;
  #isConnected = false;
  #attempts = 0;
  #xid = 0;
  #lastZxid: Zxid = 0n;
  readonly #asked: Asked[] = [];
  /** What its znode may hold; null: nothing is known. */
  #possible: Set<string> | null = null;
  acknowledged = 0;
  isQuiet = false;

  constructor(world: World, members: readonly SimulatedMember[], committed: CommittedHistory, name: string) {
    this.#world = world;
    this.#members = members;
    this.#committed = committed;
    this.#path = `/${name}`;
  }

  start(): void {
    this.#connect();
    this.#goOn();
  }

  #goOn(): void {
    this.#world.after(20 + this.#world.random() * 400, () => {
      if (!this.#isConnected && this.#world.random() < 0.3) this.#connect();
      else if (this.#isConnected && !this.isQuiet) this.#act();
      else if (this.#isConnected) this.#ask({ kind: "ping" });
      this.#goOn();
    });
  }

  #connect(): void {
    this.#leave();
    const member = this.#world.pick(this.#members);
    this.#member = member;
    // Members number their connections each for itself: the number alone would not tell whose it is.
    const attempt = ++this.#attempts;
    const conn = member.attach((effect) => {
      if (attempt === this.#attempts && this.#member === member) this.#hear(effect);
    });
    this.#conn = conn;
    const hello = {
      lastZxidSeen: this.#lastZxid,
      timeOut: TIMEOUT_MS,
      sessionId: this.#session?.id ?? 0n,
      passwd: this.#session?.passwd ?? NO_PASSWORD,
      readOnly: false,
    };
    member.submit({ kind: "connect", conn, hello, peer: { address: "127.0.0.1", label: "/127.0.0.1:1", authIds: [] } });
  }

  /** The connection is given up. What was on its way may happen or not. */
  #leave(): void {
    const member = this.#member;
    const conn = this.#conn;
    this.#member = null;
    this.#conn = 0;
    this.#isConnected = false;
    this.#asked.length = 0;
    if (member !== null) member.submit({ kind: "disconnect", conn });
  }

  #act(): void {
    const chance = this.#world.random();
    if (chance < 0.03) return this.#connect();
    for (let count = this.#world.random() < 0.2 ? 4 : 1; count > 0; count--) this.#ask(this.#anyOp());
  }

  #anyOp(): Op {
    const { random } = this.#world;
    const data = UTF8.encode(String(this.#world.below(1_000_000)));
    const chance = random();
    const path = this.#path;
    if (this.#possible === null || chance < 0.1) return create(path, data, 0);
    if (chance < 0.4) return { kind: "setData", path, data, version: -1 };
    if (chance < 0.6) return { kind: "getData", path, watch: false };
    if (chance < 0.7) return create(`${path}/e-`, data, 3);
    if (chance < 0.75) return { kind: "sync", path };
    if (chance < 0.8) return { kind: "setData", path: "/shared", data, version: this.#world.below(20) };
    if (chance < 0.85)
      return {
        kind: "multi",
        ops: [
          { kind: "check", path, version: -1 },
          { kind: "setData", path, data, version: -1 },
        ],
      };
    if (chance < 0.87) return { kind: "closeSession" };
    return { kind: "getChildren", path, watch: false };
  }

  #ask(op: Op): void {
    if (!this.#isConnected) return;
    const xid = op.kind === "ping" ? -2 : ++this.#xid;
    if (op.kind !== "ping") this.#asked.push({ xid, op });
    const written = dataFor(op, this.#path);
    if (written !== null) this.#possible?.add(written);
    this.#member!.submit({ kind: "request", conn: this.#conn, xid, op });
  }

  #hear(effect: ConnEffect): void {
    switch (effect.kind) {
      case "welcome": {
        const { sessionId, passwd, timeOut } = effect.welcome;
        if (timeOut === 0) {
          this.#session = null; // it has expired
          this.#lastZxid = 0n;
          return this.#leave();
        }
        this.#session = { id: sessionId, passwd };
        this.#isConnected = true;
        return;
      }
      case "close":
        this.#member = null;
        this.#conn = 0;
        this.#isConnected = false;
        this.#asked.length = 0;
        return;
      case "reply":
        if (effect.xid !== -2) this.#replied(effect.xid, effect.zxid, effect.outcome);
        return;
      case "event":
        return;
    }
  }

  #replied(xid: number, zxid: Zxid, outcome: Outcome): void {
    const asked = this.#asked.shift();
    if (asked?.xid !== xid) throw new Violation(`${this.#path} was answered ${xid} when it waited for ${asked?.xid}`);
    if (zxid < this.#lastZxid) throw new Violation(`${this.#path} saw ${zxid} after ${this.#lastZxid}`);
    this.#lastZxid = zxid;
    const { op } = asked;
    if (op.kind === "getData") return this.#read(outcome);
    if (op.kind === "getChildren" || op.kind === "sync") return;
    this.#committed.acknowledged({ zxid, session: this.#session!.id, cxid: xid });
    this.acknowledged++;
    if (op.kind === "closeSession") {
      this.#session = null;
      this.#lastZxid = 0n;
      return;
    }
    this.#wrote(op, outcome);
  }

  #wrote(op: Op, outcome: Outcome): void {
    const written = dataFor(op, this.#path);
    if (written === null) return;
    if (outcome.kind === "error") {
      if (outcome.code === "NodeExists") this.#possible ??= new Set();
      return;
    }
    // What it asked for before and after this one may still be seen, later ones only.
    const later = this.#asked.map(({ op: other }) => dataFor(other, this.#path)).filter((data) => data !== null);
    this.#possible = new Set([written, ...later, ...(this.#hasUnknown ? (this.#possible ?? []) : [])]);
    this.#isKnown = !this.#hasUnknown;
  }

  /** Whether something of it was cut off, and might still happen. */
  #hasUnknown = false;
  #isKnown = false;

  #read(outcome: Outcome): void {
    if (outcome.kind !== "data" || !this.#isKnown || this.#possible === null) return;
    const text = new TextDecoder().decode(outcome.data ?? new Uint8Array());
    if (!this.#possible.has(text)) throw new Violation(`${this.#path} holds ${text}, and never was to hold it`);
  }
}

function create(path: string, data: Uint8Array, flags: number): Op {
  return { kind: "create", path, data, acl: OPEN_ACL_UNSAFE, flags, ttl: 0 };
}

/** What an op writes into the client's own znode. */
function dataFor(op: Op, path: string): string | null {
  if (op.kind === "multi") return op.ops.map((sub) => dataFor(sub, path)).find((data) => data !== null) ?? null;
  if ((op.kind !== "setData" && op.kind !== "create") || op.path !== path) return null;
  return new TextDecoder().decode(op.data ?? new Uint8Array());
}
