/**
 * One member of a simulated ensemble: the real kernel and the real Zab, with a simulated clock, disk and network.
 *
 * Like the product's host it steps what has arrived before it steps time, and a disk that fails is the end of the process.
 */
import type { ZabLimits } from "../../../lib/broadcast/zab/core.ts";
import type { Ensemble } from "../../../lib/broadcast/zab/ensemble.ts";
import { parseEnsemble } from "../../../lib/broadcast/zab/ensemble_text.ts";
import { startingEpochs } from "../../../lib/broadcast/zab/epochs.ts";
import { History } from "../../../lib/broadcast/zab/history.ts";
import type { LinkId, MemberId, Notification } from "../../../lib/broadcast/zab/messages.ts";
import { Zab } from "../../../lib/broadcast/zab/zab.ts";
import type { Database } from "../../../lib/kernel/database.ts";
import { Kernel } from "../../../lib/kernel/kernel.ts";
import type { KernelOptions } from "../../../lib/kernel/options.ts";
import type { ConnEffect } from "../../../lib/member/host.ts";
import { Member, type MemberEffect, type MemberInput } from "../../../lib/member/member.ts";
import type { ConnId } from "../../../lib/model/types.ts";
import { firstSessionId } from "../../../lib/session/identity.ts";
import { CONFIG_NODE } from "../../../lib/tree/tree.ts";
import type { Bug, Tamper } from "./bugs.ts";
import type { Entry } from "./history.ts";
import { MemberClock } from "./member_clock.ts";
import { MemberDisk } from "./member_disk.ts";
import { entryOf, MemberWatch, type MemberWatchOptions, rememberEntry } from "./member_watch.ts";
import type { Network, Packet, Station } from "./network.ts";
import { Violation } from "./violation.ts";

export interface SimulatedMemberOptions extends MemberWatchOptions {
  readonly network: Network;
  readonly ensemble: Ensemble;
  readonly kernel: KernelOptions;
  readonly limits: ZabLimits;
  readonly diskMsMax: number;
  /** The history that all members begin with. */
  readonly first: Entry;
  readonly bug: Bug | null;
}

/** Few, so that learners lack more than is remembered. */
const TXNS_REMEMBERED = 20;

export class SimulatedMember implements Station {
  readonly id: MemberId;
  readonly clock: MemberClock;
  readonly disk: MemberDisk;
  readonly #options: SimulatedMemberOptions;
  readonly #sinks = new Map<ConnId, (effect: ConnEffect) => void>();
  readonly #watch: MemberWatch;
  #tamper: Tamper = {};
  #member: Member | null = null;
  #zab: Zab | null = null;
  #wakeMono = Number.POSITIVE_INFINITY;
  #nextConn = 1;
  #nextLink = 1;
  /** What has arrived while nothing runs; null: all runs. */
  #paused: MemberInput[] | null = null;
  /** So many steps are left before it dies. */
  #stepsLeft = Number.POSITIVE_INFINITY;
  /** What happens once it has heard this, with all that it has begun to do about it. */
  #deadly: { readonly packet: Packet["kind"]; readonly strike: () => void } | null = null;
  isAccepting = false;
  life = 0;

  constructor(options: SimulatedMemberOptions) {
    const { id, world, network, bug, first, diskMsMax } = options;
    this.id = id;
    this.#options = options;
    this.clock = new MemberClock(world);
    this.#watch = new MemberWatch(options);
    this.disk = new MemberDisk(world, bug?.lies ?? {}, first, diskMsMax);
    options.durability.join(id, this.disk);
    network.join(this);
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

  /** Who belongs to it, as it knows. */
  get ensemble(): Ensemble | null {
    return this.#zab?.membership.committed ?? null;
  }

  /** Of the term that goes on; null without one. */
  get epoch(): number | null {
    return this.#zab?.term?.epoch ?? null;
  }

  get database(): Database | null {
    return this.#member?.kernel.database ?? null;
  }

  /** What it has applied. */
  get entry(): Entry | null {
    return this.#member === null ? null : entryOf(this.database!);
  }

  // ── what happens to it ──

  start(): void {
    if (this.isUp) return;
    const { kernel: kernelOptions, limits, world, bug } = this.#options;
    const { database, recent, loggedFrom, entry, accepted, current, ensemble } = this.disk.recover();
    const epochs = startingEpochs(database.lastZxid, { accepted, current, unfinished: null });
    if (epochs === null) throw new Violation(`member ${this.id} can't start: its log is of an epoch that it never accepted`);
    rememberEntry(database, entry);
    this.clock.restart();
    const { now } = this.clock;
    const kernel = new Kernel(database, kernelOptions, firstSessionId(Number(this.id), now.wall), now, "looking");
    const history = new History(database.lastZxid, recent, loggedFrom, TXNS_REMEMBERED);
    this.#tamper = bug?.tamper?.() ?? {};
    this.#zab = new Zab({
      me: this.id,
      ensemble: ensemble ?? this.#options.ensemble,
      ...loggedEnsemble(database),
      reconfiguration: kernelOptions.reconfigEnabled ? { votersMin: 2 } : null,
      limits,
      history,
      ...epochs,
    });
    bug?.zab?.(this.#zab);
    this.#watch.watch(this.#zab, () => this.database!);
    this.#member = new Member(kernel, this.#zab);
    world.tell(`member ${this.id} starts at ${database.lastZxid.toString(16)}`);
    this.#arm();
  }

  /** The process is gone. */
  crash(why = "crash"): void {
    if (this.#member === null) return;
    const { world, network } = this.#options;
    world.tell(`member ${this.id}: ${why}`);
    this.#member = null;
    this.#zab = null;
    this.#paused = null;
    this.#stepsLeft = Number.POSITIVE_INFINITY;
    this.#deadly = null;
    this.isAccepting = false;
    this.life++;
    this.#wakeMono = Number.POSITIVE_INFINITY;
    this.disk.crash();
    network.forget(this.id);
    const sinks = [...this.#sinks];
    this.#sinks.clear();
    for (const [conn, sink] of sinks) sink({ kind: "close", conn });
  }

  crashAfter(steps: number): void {
    this.#stepsLeft = steps;
  }

  /** Whatever it is that strikes, it does once the member has heard this; null: never. */
  crashBy(packet: Packet["kind"] | null, strike: () => void = () => this.crash(`crash by ${packet}`)): void {
    this.#deadly = packet === null ? null : { packet, strike };
  }

  /** Nothing of it runs for so long: its machine or its event loop stands still. */
  pause(ms: number): void {
    if (this.#member === null || this.#paused !== null) return;
    const { life } = this;
    this.#paused = [];
    this.#options.world.after(ms, () => {
      if (life === this.life) this.#resume();
    });
  }

  #resume(): void {
    const arrived = this.#paused ?? [];
    this.#paused = null;
    for (const input of arrived) this.#hear(input);
    this.#hear({ kind: "tick" });
  }

  // ── clients ──

  attach(sink: (effect: ConnEffect) => void): ConnId {
    const conn = this.#nextConn++;
    this.#sinks.set(conn, sink);
    return conn;
  }

  submit(input: Extract<MemberInput, { readonly conn: ConnId }>): void {
    if (!this.#sinks.has(input.conn)) return;
    this.#hear(input);
    if (input.kind === "disconnect") this.#sinks.delete(input.conn);
  }

  // ── the network ──

  takeLink(): LinkId {
    return this.#nextLink++;
  }

  hearVote(from: MemberId, notification: Notification): void {
    this.#hear({ kind: "notified", from, notification });
  }

  hearOpened(link: LinkId): void {
    this.#hear({ kind: "opened", link });
  }

  hearPacket(link: LinkId, packet: Packet): void {
    this.#hear({ kind: "packet", link, packet });
  }

  hearClosed(link: LinkId): void {
    this.#hear({ kind: "closed", link });
  }

  // ── steps ──

  #hear(input: MemberInput): void {
    if (this.#member === null) return;
    if (this.#paused !== null) return void this.#paused.push(input);
    if (this.isLeading) this.#watch.expiry.hears(input, this.clock.mono);
    const inputs = this.#tamper.input?.(input, this.disk) ?? [input];
    for (const one of inputs) this.#step(one);
    const deadly = this.#deadly;
    if (input.kind !== "packet" || input.packet.kind !== deadly?.packet) return;
    this.#deadly = null;
    deadly.strike();
  }

  #step(input: MemberInput): void {
    const member = this.#member;
    if (member === null) return;
    if (this.#stepsLeft-- <= 0) return this.crash("crash in the middle of something");
    const effects = member.step(input, this.clock.now);
    this.#watch.stepped(member.kernel.database);
    for (const effect of effects) {
      for (const one of this.#tamper.effect?.(effect) ?? [effect]) this.#carryOut(one);
    }
    const { database } = member.kernel;
    if (this.isServing) this.#watch.serves(database);
    if (this.#watch.takeApplied()) this.disk.applied(() => ({ database: database.fork(), entry: entryOf(database) }));
    this.#arm();
  }

  /** Asks to be woken when something is due. */
  #arm(): void {
    const deadline = this.#member?.deadline ?? null;
    if (deadline === null || deadline >= this.#wakeMono) return;
    this.rearm(deadline);
  }

  /** Its clock has changed its pace. */
  rearm(deadline: number | null = this.#member?.deadline ?? null): void {
    if (deadline === null) return;
    const { life } = this;
    this.#wakeMono = deadline;
    this.#options.world.after(this.clock.msUntil(deadline), () => {
      if (life !== this.life || this.#wakeMono !== deadline) return;
      this.#wakeMono = Number.POSITIVE_INFINITY;
      if (this.#paused === null) this.#hear({ kind: "tick" });
    });
  }

  #carryOut(effect: MemberEffect): void {
    const { world, network } = this.#options;
    if ("conn" in effect) return this.#answer(effect);
    switch (effect.kind) {
      case "append":
        return this.disk.append(effect.proposal, (zxid) => this.#hear({ kind: "durable", zxid }));
      case "saveEpochs":
        return this.disk.saveEpochs(effect.accepted, effect.current, () => this.#hear({ kind: "epochsSaved" }));
      case "restore":
        return this.disk.restore({ database: effect.image as Database, entry: entryOf(this.database!) }, effect.cutsLog, () =>
          this.#hear({ kind: "restored" }),
        );
      case "truncate":
        return this.disk.truncate(effect.zxid, (made) => {
          if (made === null) return this.#hear({ kind: "notTruncated" });
          rememberEntry(made.database, made.entry);
          this.#hear({ kind: "truncated", image: made.database });
        });
      case "readLog":
        return this.disk.readLog(effect.from, effect.to, (txns) => this.#hear({ kind: "logRead", link: effect.link, txns }));
      case "notify":
        return network.sendVote(this.id, effect.to, effect.notification);
      case "accept":
        this.isAccepting = effect.accepting;
        return;
      case "dial":
        return network.dial({ member: this.id, link: effect.link }, effect.leader);
      case "send":
        return network.send({ member: this.id, link: effect.link }, effect.packet);
      case "sendDatabase": {
        const image = this.database!.fork();
        rememberEntry(image, entryOf(this.database!));
        return network.send({ member: this.id, link: effect.link }, { kind: "snap", zxid: effect.zxid, image });
      }
      case "cut":
        return network.end({ member: this.id, link: effect.link });
      case "membership":
        return this.disk.saveEnsemble(effect.membership.committed);
      case "tell":
      case "warn":
      case "error":
        return world.tell(`member ${this.id}: ${effect.message}`);
    }
  }

  #answer(effect: ConnEffect): void {
    const sink = this.#sinks.get(effect.conn);
    if (effect.kind === "close") this.#sinks.delete(effect.conn);
    this.#watch.expiry.answers(effect, this.clock.mono);
    sink?.(effect);
  }
}

/** The last configuration in the log, which may be committed or not. */
function loggedEnsemble({ tree }: Database): { readonly lastSeen?: Ensemble } {
  const data = tree.get(CONFIG_NODE)?.data ?? null;
  return data === null || data.length === 0 ? {} : { lastSeen: parseEnsemble(new TextDecoder().decode(data)) };
}
