/**
 * One member of a simulated ensemble: the real kernel and the real Zab, with a simulated disk and network.
 */
import type { Broadcast, BroadcastEffect, BroadcastInput } from "../../../lib/broadcast/contract.ts";
import type { Ensemble } from "../../../lib/broadcast/zab/ensemble.ts";
import { History } from "../../../lib/broadcast/zab/history.ts";
import { Leader } from "../../../lib/broadcast/zab/leader.ts";
import type { LeaderPacket, LearnerPacket, LinkId, MemberId, Notification } from "../../../lib/broadcast/zab/messages.ts";
import { Zab } from "../../../lib/broadcast/zab/zab.ts";
import type { ConnEffect } from "../../../lib/host.ts";
import type { Database } from "../../../lib/kernel/database.ts";
import { Kernel } from "../../../lib/kernel/kernel.ts";
import type { KernelOptions } from "../../../lib/kernel/options.ts";
import { Member, type MemberEffect, type MemberInput } from "../../../lib/member.ts";
import type { ReconfigOp } from "../../../lib/ops.ts";
import { firstSessionId } from "../../../lib/session/identity.ts";
import type { ConnId, Now, Zxid } from "../../../lib/types.ts";
import { type CommittedHistory, type Entry, entryOf } from "./history.ts";
import { MemberDisk } from "./member_disk.ts";
import type { Bug } from "./simulation.ts";
import type { Station, World } from "./world.ts";

export interface SimulatedMemberOptions {
  readonly world: World;
  readonly id: MemberId;
  readonly ensemble: Ensemble;
  readonly kernel: KernelOptions;
  readonly committed: CommittedHistory;
  readonly bug: Bug | null;
}

export const LIMITS = { tickMs: 500, initLimit: 10, syncLimit: 5 };

/** What a database was made of, txn by txn. */
const appliedTo = new WeakMap<Database, Entry[]>();

export class SimulatedMember implements Station {
  readonly id: MemberId;
  readonly #options: SimulatedMemberOptions;
  readonly #disk: MemberDisk;
  readonly #sinks = new Map<ConnId, (effect: ConnEffect) => void>();
  #member: Member | null = null;
  #zab: Zab | null = null;
  #wakeMono = Number.POSITIVE_INFINITY;
  #nextConn = 1;
  #nextLink = 1;
  #checkedZxid: Zxid = -1n;
  isAccepting = false;
  life = 0;

  constructor(options: SimulatedMemberOptions) {
    this.id = options.id;
    this.#options = options;
    const { bug } = options;
    this.#disk = new MemberDisk(
      options.world,
      bug === "ack before sync"
        ? "says it is on disk when it is not"
        : bug === "stale epoch accepted"
          ? "forgets what it promised"
          : null,
    );
    options.world.stations.set(this.id, this);
  }

  get isUp(): boolean {
    return this.#member !== null;
  }

  get isServing(): boolean {
    return this.#member !== null && this.#member.kernel.role !== "looking";
  }

  get isLeading(): boolean {
    return this.#member?.kernel.role === "leader";
  }

  get database(): Database | null {
    return this.#member?.kernel.database ?? null;
  }

  start(): void {
    const { ensemble, kernel: kernelOptions, world } = this.#options;
    const { database, recent, entries, accepted, current } = this.#disk.recover();
    appliedTo.set(database, entries);
    const { now } = world;
    const first = firstSessionId(Number(this.id), now.mono);
    const kernel = new Kernel(database, kernelOptions, first, now, "looking");
    const history = new History(database.lastZxid, recent);
    this.#zab = new Zab({ me: this.id, ensemble, limits: LIMITS, history, acceptedEpoch: accepted, currentEpoch: current });
    this.#member = new Member(kernel, new WatchedBroadcast(this.#zab, (effect) => this.#watch(effect)));
    this.#arm();
  }

  crash(): void {
    if (this.#member === null) return;
    this.#member = null;
    this.#zab = null;
    this.isAccepting = false;
    this.life++;
    this.#wakeMono = Number.POSITIVE_INFINITY;
    this.#disk.crash();
    this.#options.world.dropStreamsOf(this.id);
    const sinks = [...this.#sinks];
    this.#sinks.clear();
    for (const [conn, sink] of sinks) sink({ kind: "close", conn });
  }

  // ── clients ──

  attach(sink: (effect: ConnEffect) => void): ConnId {
    const conn = this.#nextConn++;
    this.#sinks.set(conn, sink);
    return conn;
  }

  submit(input: Extract<MemberInput, { readonly conn: ConnId }>): void {
    if (this.#sinks.has(input.conn)) this.#step(input);
  }

  // ── the world ──

  takeLink(): LinkId {
    return this.#nextLink++;
  }

  hearVote(from: MemberId, notification: Notification): void {
    this.#step({ kind: "notified", from, notification });
  }

  hearOpened(link: LinkId): void {
    this.#step({ kind: "opened", link });
  }

  hearPacket(link: LinkId, packet: LearnerPacket | LeaderPacket): void {
    this.#step({ kind: "packet", link, packet });
  }

  hearClosed(link: LinkId): void {
    this.#step({ kind: "closed", link });
  }

  // ── steps ──

  #step(input: MemberInput): void {
    const member = this.#member;
    if (member === null) return;
    const { world, committed } = this.#options;
    for (const effect of member.step(input, world.now)) this.#carryOut(effect);
    const { database } = member.kernel;
    if (this.isServing && database.lastZxid !== this.#checkedZxid) {
      this.#checkedZxid = database.lastZxid;
      committed.serves(this.id, database);
    }
    this.#arm();
  }

  #arm(): void {
    const deadline = this.#member?.deadline ?? null;
    if (deadline === null || deadline >= this.#wakeMono) return;
    const { world } = this.#options;
    const mono = Math.max(deadline, world.mono);
    const { life } = this;
    this.#wakeMono = mono;
    world.after(mono - world.mono, () => {
      if (life !== this.life || this.#wakeMono !== mono) return;
      this.#wakeMono = Number.POSITIVE_INFINITY;
      this.#step({ kind: "tick" });
    });
  }

  #carryOut(effect: MemberEffect): void {
    const { world } = this.#options;
    if ("conn" in effect) {
      const sink = this.#sinks.get(effect.conn);
      if (effect.kind === "close") this.#sinks.delete(effect.conn);
      return sink?.(effect);
    }
    switch (effect.kind) {
      case "append":
        return this.#disk.append(effect.proposal, (zxid) => this.#step({ kind: "durable", zxid }));
      case "saveEpochs":
        return this.#disk.saveEpochs(effect.accepted, effect.current, () => this.#step({ kind: "epochsSaved" }));
      case "restore":
        return this.#disk.restore(effect.image as Database, this.#applied, () => this.#step({ kind: "restored" }));
      case "truncate":
        return this.#disk.truncate(effect.zxid, (image, entries) => {
          appliedTo.set(image, entries);
          this.#step({ kind: "truncated", image });
        });
      case "notify":
        return world.sendVote(this.id, effect.to, effect.notification);
      case "accept":
        this.isAccepting = effect.accepting;
        return;
      case "dial":
        return world.dial({ member: this.id, link: effect.link }, effect.leader);
      case "send":
        return this.#send(effect.link, effect.packet);
      case "sendDatabase": {
        const { database } = this.#member!.kernel;
        const image = database.fork();
        appliedTo.set(image, [...this.#applied]);
        return this.#send(effect.link, { kind: "snap", zxid: effect.zxid, image });
      }
      case "cut":
        return world.cut({ member: this.id, link: effect.link });
      case "tell":
        return world.trace(`${Math.floor(world.mono)} ms, member ${this.id}: ${effect.message}`);
    }
  }

  /** A hole in what a learner has missed: one of the bugs. */
  #holeIn: LinkId | null = null;

  #send(link: LinkId, packet: LearnerPacket | LeaderPacket): void {
    if (this.#options.bug === "diff with a hole") {
      if (packet.kind === "diff") this.#holeIn = link;
      else if (packet.kind === "newLeader") this.#holeIn = null;
      else if (this.#holeIn === link && packet.kind === "proposal") return;
      else if (this.#holeIn === link && packet.kind === "commit") {
        this.#holeIn = null;
        return;
      }
    }
    this.#options.world.send({ member: this.id, link }, packet);
  }

  // ── watching ──

  get #applied(): Entry[] {
    return appliedTo.get(this.#member!.kernel.database)!;
  }

  #watch(effect: BroadcastEffect): void {
    const { committed } = this.#options;
    if (effect.kind === "role" && effect.role === "leader") committed.leads(this.id, effect.zxid!, this.#applied);
    if (effect.kind !== "commit") return;
    const entry = entryOf(effect.proposal.header);
    const { term } = this.#zab!;
    // Between two terms what is only logged is applied, too: nobody is served by it yet.
    if (term !== null) committed.applied(this.id, this.#applied.length, entry, term instanceof Leader);
    this.#applied.push(entry);
  }
}

/** Tells what a broadcast does before anybody acts on it. */
class WatchedBroadcast implements Broadcast {
  readonly #inner: Broadcast;
  readonly #watch: (effect: BroadcastEffect) => void;

  constructor(inner: Broadcast, watch: (effect: BroadcastEffect) => void) {
    this.#inner = inner;
    this.#watch = watch;
  }

  get deadline(): number | null {
    return this.#inner.deadline;
  }

  judgeReconfig(op: ReconfigOp, zxid: Zxid): ReturnType<Broadcast["judgeReconfig"]> {
    return this.#inner.judgeReconfig(op, zxid);
  }

  step(input: BroadcastInput, now: Now): readonly BroadcastEffect[] {
    const effects = this.#inner.step(input, now);
    for (const effect of effects) this.#watch(effect);
    return effects;
  }
}
