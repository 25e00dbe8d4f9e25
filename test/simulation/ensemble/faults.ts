/**
 * What goes wrong, one fault after the other, and how long it lasts. Everything ends at last: a member that died is started again, a cut mended.
 *
 * Invariant: what a fault did, it undoes itself, once its time has come or the storm is over, whichever is first.
 */
import { serverLine } from "../../../lib/broadcast/zab/server_line.ts";
import type { Conditions } from "./conditions.ts";
import type { Network } from "./network.ts";
import type { SimulatedClient } from "./simulated_client.ts";
import type { SimulatedMember } from "./simulated_member.ts";
import type { World } from "./world.ts";

export class Faults {
  readonly #world: World;
  readonly #network: Network;
  readonly #members: readonly SimulatedMember[];
  readonly #clients: readonly SimulatedClient[];
  readonly #conditions: Conditions;
  /** What undoes those that last. */
  readonly #lasting = new Set<() => void>();
  #isStormy = true;
  /** How often each struck. */
  readonly counts: Map<string, number> = new Map();

  constructor(
    world: World,
    network: Network,
    members: readonly SimulatedMember[],
    clients: readonly SimulatedClient[],
    conditions: Conditions,
  ) {
    this.#world = world;
    this.#network = network;
    this.#members = members;
    this.#clients = clients;
    this.#conditions = conditions;
  }

  begin(): void {
    this.#world.after(this.#world.untilNext(this.#conditions.faultEveryMs), () => {
      if (!this.#isStormy) return;
      this.#strike();
      this.begin();
    });
  }

  /** The storm is over. */
  end(): void {
    this.#isStormy = false;
    for (const undo of this.#lasting) undo();
    this.#lasting.clear();
  }

  #strike(): void {
    const world = this.#world;
    // The leader is one among many, and the one whose faults matter most.
    const leader = this.#members.find(({ isLeading }) => isLeading);
    const member = leader !== undefined && world.chance(0.3) ? leader : world.pick(this.#members);
    const [name, strike] = pickWeighted(world, this.#conditions.reconfigured ? RECONFIGURED : FAULTS);
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    world.tell(`fault: ${name} (${member.id})`);
    strike.call(this, member);
  }

  // ── processes ──

  crash(member: SimulatedMember): void {
    if (!member.isUp) return;
    member.crash();
    this.#startLater(member);
  }

  /** In the middle of whatever it will be doing: starting, catching up, writing a snapshot. */
  crashSoon(member: SimulatedMember): void {
    const world = this.#world;
    if (!member.isUp) member.start();
    const kind = world.below(4);
    if (kind < 2) member.crashAfter(world.below(world.pick([10, 100])));
    else if (kind === 2) member.crashBy(world.pick(MILESTONES));
    else member.crashBy(world.pick(MILESTONES), () => this.crashAll());
    this.#lasts(this.#anyMs(6), () => {
      member.crashAfter(Number.POSITIVE_INFINITY);
      member.crashBy(null);
      member.start();
    });
  }

  crashAll(): void {
    for (const member of this.#members) this.crash(member);
  }

  pause(member: SimulatedMember): void {
    member.pause(this.#anyMs(2 * this.#conditions.syncLimit));
  }

  // ── disks and clocks ──

  slowDisk(member: SimulatedMember): void {
    member.disk.slowness = this.#world.between(10, 200);
    this.#lasts(this.#anyMs(12), () => {
      member.disk.slowness = 1;
    });
  }

  /** A server that can't write stops, and is started again once there is room. */
  brokenDisk(member: SimulatedMember): void {
    member.disk.failed = () => member.crash("the disk fails");
    this.#lasts(this.#anyMs(12), () => {
      member.disk.failed = null;
      member.start();
    });
  }

  drift(member: SimulatedMember): void {
    member.clock.drift();
    member.rearm();
  }

  jump(member: SimulatedMember): void {
    member.clock.jump();
  }

  // ── the network ──

  cutOff(member: SimulatedMember): void {
    this.#cut((from, to) => (from === member) !== (to === member));
  }

  partition(): void {
    const side = new Set(this.#members.filter(() => this.#world.chance(0.5)));
    this.#cut((from, to) => side.has(from) !== side.has(to));
  }

  /** Nothing of it arrives, and it hears everything; or the other way round. */
  cutOneWay(member: SimulatedMember): void {
    const hears = this.#world.chance(0.5);
    this.#cut((from, to) => from !== to && (hears ? from : to) === member);
  }

  /** Only two of them don't reach each other. */
  cutLink(member: SimulatedMember): void {
    const other = this.#world.pick(this.#members);
    this.#cut((from, to) => (from === member && to === other) || (from === other && to === member));
  }

  #cut(isCut: (from: SimulatedMember, to: SimulatedMember) => boolean): void {
    const cuts = this.#members.flatMap((from) =>
      this.#members.filter((to) => isCut(from, to)).map((to) => [from.id, to.id] as const),
    );
    for (const [from, to] of cuts) this.#network.cut(from, to);
    this.#lasts(this.#anyMs(this.#world.chance(0.2) ? 40 : 12), () => {
      for (const [from, to] of cuts) this.#network.mend(from, to);
    });
  }

  slowLink(member: SimulatedMember): void {
    const others = this.#members.filter((other) => other !== member);
    const ms = this.#anyMs(1);
    for (const { id } of others) this.#network.slowDown(member.id, id, ms);
    this.#lasts(this.#anyMs(12), () => {
      for (const { id } of others) this.#network.speedUp(member.id, id);
    });
  }

  breakStream(): void {
    const stream = this.#network.anyStream();
    if (stream !== null) this.#network.breakStream(stream);
  }

  // ── clients ──

  silence(): void {
    const client = this.#world.pick(this.#clients);
    client.isSilent = true;
    this.#lasts(this.#anyMs(12), () => {
      client.isSilent = false;
    });
  }

  drop(): void {
    this.#world.pick(this.#clients).drop();
  }

  // ── the membership ──

  /** Whatever it comes to: it may be refused, and the client may not be told. */
  reconfigure(member: SimulatedMember): void {
    const { config } = this.#conditions;
    const known = config.members.find(({ id }) => id === member.id)!;
    const role = this.#world.chance(0.6) ? "participant" : "observer";
    const leaving = this.#world.chance(0.4) ? String(member.id) : null;
    this.#world.pick(this.#clients).reconfigure(leaving === null ? serverLine({ ...known, role }) : null, leaving);
  }

  // ── how long ──

  #anyMs(ticksMax: number): number {
    return this.#world.random() * ticksMax * this.#conditions.tickMs;
  }

  #startLater(member: SimulatedMember): void {
    // Quickly, or once the others have long gone on without it.
    this.#lasts(this.#world.chance(0.3) ? this.#world.random() * 500 : this.#anyMs(12), () => member.start());
  }

  #lasts(ms: number, undo: () => void): void {
    this.#lasting.add(undo);
    this.#world.after(ms, () => {
      if (this.#lasting.delete(undo)) undo();
    });
  }
}

/** What is heard where much hangs on what is on disk by then. */
const MILESTONES = [
  "leaderInfo",
  "ackEpoch",
  "diff",
  "trunc",
  "snap",
  "newLeader",
  "newLeader",
  "newLeader",
  "upToDate",
  "proposal",
  "commit",
  "ack",
] as const;

const FAULTS: readonly (readonly [weight: number, name: string, strike: (this: Faults, member: SimulatedMember) => void])[] = [
  [20, "crash", Faults.prototype.crash],
  [18, "crash in the middle", Faults.prototype.crashSoon],
  [5, "crash of all", Faults.prototype.crashAll],
  [7, "pause", Faults.prototype.pause],
  [5, "slow disk", Faults.prototype.slowDisk],
  [4, "broken disk", Faults.prototype.brokenDisk],
  [2, "drifting clock", Faults.prototype.drift],
  [2, "wall clock jumps", Faults.prototype.jump],
  [9, "cut off", Faults.prototype.cutOff],
  [6, "partition", Faults.prototype.partition],
  [6, "one-way cut", Faults.prototype.cutOneWay],
  [4, "cut link", Faults.prototype.cutLink],
  [4, "slow link", Faults.prototype.slowLink],
  [6, "broken stream", Faults.prototype.breakStream],
  [3, "silent client", Faults.prototype.silence],
  [3, "dropped client", Faults.prototype.drop],
];
const RECONFIGURED: typeof FAULTS = [...FAULTS, [10, "reconfiguration", Faults.prototype.reconfigure]];

function pickWeighted(world: World, faults: typeof FAULTS): readonly [string, (this: Faults, member: SimulatedMember) => void] {
  let at = world.random() * faults.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, name, strike] of faults) {
    at -= weight;
    if (at < 0) return [name, strike];
  }
  throw new RangeError("the weights do not add up");
}
