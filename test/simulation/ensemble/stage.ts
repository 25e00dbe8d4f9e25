/**
 * A simulated ensemble that does what a test says and nothing else: for scenarios that are known beforehand.
 */
import { Ensemble } from "../../../lib/broadcast/zab/ensemble.ts";
import type { KernelOptions } from "../../../lib/kernel/options.ts";
import type { ConnEffect } from "../../../lib/member/host.ts";
import type { Op, Outcome } from "../../../lib/model/ops.ts";
import type { ConnId, SessionId, Zxid } from "../../../lib/model/types.ts";
import { configOf } from "./conditions.ts";
import { Durability } from "./durability.ts";
import { beginning, CommittedHistory } from "./history.ts";
import { Network } from "./network.ts";
import { SimulatedMember } from "./simulated_member.ts";
import { Violation } from "./violation.ts";
import { World } from "./world.ts";

const TICK_MS = 1000;
const LIMITS = { tickMs: TICK_MS, initLimit: 10, syncLimit: 5, txnBytesMax: 2 ** 21 };
const WAIT_MS = 120_000;
/** Requests of a session have numbers of their own, on whichever connection: those of a later one begin so much later. */
const XIDS_APART = 100;

export interface StageOptions {
  readonly voters?: number;
  /** So many txns a leader may make before the zxids of its epoch are used up. */
  readonly txnsAnEpoch?: number;
}

export class Stage {
  readonly world: World = new World(1);
  readonly network: Network = new Network(this.world, { delayMsMax: 10, voteLoss: 0 });
  readonly committed: CommittedHistory = new CommittedHistory();
  readonly members: readonly SimulatedMember[];

  /** All members are up, and one of them leads. */
  constructor(kernel: KernelOptions, { voters = 3, txnsAnEpoch }: StageOptions = {}) {
    const config = configOf(voters, 0);
    const { world, network, committed } = this;
    const common = {
      ...{ world, network, committed, ensemble: new Ensemble(config), limits: LIMITS, bug: null },
      kernel: { ...kernel, tickTimeMs: TICK_MS, minSessionTimeoutMs: 2 * TICK_MS, maxSessionTimeoutMs: 20 * TICK_MS },
      durability: new Durability(),
      first: beginning(),
      diskMsMax: 8,
      txnsAnEpoch: txnsAnEpoch ?? null,
    };
    this.members = config.members.map(({ id }) => new SimulatedMember({ ...common, id }));
    for (const member of this.members) member.start();
    this.heal();
  }

  get leader(): SimulatedMember {
    return this.members.findLast(({ isLeading }) => isLeading)!;
  }

  get followers(): readonly SimulatedMember[] {
    return this.members.filter(({ isServing, isLeading }) => isServing && !isLeading);
  }

  until(what: string, done: () => boolean): void {
    this.world.run(this.world.mono + WAIT_MS, done);
    if (!done()) throw new Violation(`${what}: not within ${WAIT_MS} ms`);
  }

  pass(ms: number): void {
    this.world.run(this.world.mono + ms);
  }

  /** Who is down is started, and all have the same again. */
  heal(): void {
    for (const member of this.members) if (!member.isUp) member.start();
    this.until("all serve, and have the same", () => {
      const [first, ...others] = this.members;
      return this.members.every(({ isServing }) => isServing) && others.every(({ entry }) => entry === first!.entry);
    });
  }

  /** Nothing goes from one side to the other, until the returned function is called. */
  part(side: readonly SimulatedMember[]): () => void {
    const cuts = this.members.flatMap((from) =>
      this.members.filter((to) => side.includes(from) !== side.includes(to)).map((to) => [from.id, to.id] as const),
    );
    for (const [from, to] of cuts) this.network.cut(from, to);
    return () => {
      for (const [from, to] of cuts) this.network.mend(from, to);
    };
  }

  caller(member: SimulatedMember): Caller {
    return new Caller(this, member);
  }
}

/** A client in its member's process that does one thing after the other. */
export class Caller {
  readonly #stage: Stage;
  readonly member: SimulatedMember;
  readonly #conn: ConnId;
  readonly #replies = new Map<number, { readonly zxid: Zxid; readonly outcome: Outcome }>();
  #xid = 0;
  session: SessionId = 0n;
  passwd: Uint8Array = new Uint8Array(16);
  isClosed = false;
  /** null: there was no answer yet; false: its session is refused. */
  isWelcome: boolean | null = null;

  /** @param from whose session it takes over */
  constructor(stage: Stage, member: SimulatedMember, from: Caller | null = null, timeOut: number = 10 * TICK_MS) {
    this.#stage = stage;
    this.member = member;
    this.#conn = member.attach((effect) => this.#hear(effect));
    const { session: sessionId, passwd } = from ?? this;
    this.#xid = from === null ? 0 : from.lastXid + XIDS_APART;
    const hello = { lastZxidSeen: 0n, timeOut, sessionId, passwd, readOnly: false };
    const peer = { address: "127.0.0.1", label: "/127.0.0.1:1", authIds: [] };
    member.submit({ kind: "connect", conn: this.#conn, hello, peer });
  }

  /** The answer that opens or refuses the session has come. */
  opened(): this {
    this.#stage.until("an answer to the handshake", () => this.isWelcome !== null);
    return this;
  }

  /** Asks, and waits for nothing. */
  say(op: Op): number {
    const xid = op.kind === "ping" ? -2 : ++this.#xid;
    this.member.submit({ kind: "request", conn: this.#conn, xid, op });
    return xid;
  }

  ask(op: Op): Outcome {
    const xid = this.say(op);
    this.#stage.until(`an answer to ${op.kind}`, () => this.#replies.has(xid) || this.isClosed);
    const reply = this.#replies.get(xid);
    if (reply === undefined) throw new Violation(`${op.kind} was not answered`);
    return reply.outcome;
  }

  get lastXid(): number {
    return this.#xid;
  }

  hasAnswer(xid: number): boolean {
    return this.#replies.has(xid);
  }

  #hear(effect: ConnEffect): void {
    if (effect.kind === "close") this.isClosed = true;
    if (effect.kind === "reply") this.#replies.set(effect.xid, effect);
    if (effect.kind !== "welcome") return;
    const { sessionId, passwd, timeOut } = effect.welcome;
    this.isWelcome = timeOut > 0;
    this.session = sessionId;
    this.passwd = passwd;
  }
}
