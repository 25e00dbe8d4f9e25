/**
 * A whole ensemble from one seed: for a while everything goes wrong, then nothing does, and it must be whole again.
 */
import { Ensemble, type EnsembleConfig, type EnsembleMember } from "../../../lib/broadcast/zab/ensemble.ts";
import type { MemberId } from "../../../lib/broadcast/zab/messages.ts";
import type { KernelOptions } from "../../../lib/kernel/options.ts";
import { kernelOptions, settingsOf } from "../../../lib/options.ts";
import { CommittedHistory, Violation } from "./history.ts";
import { SimulatedClient } from "./simulated_client.ts";
import { LIMITS, SimulatedMember } from "./simulated_member.ts";
import { World } from "./world.ts";

/** What may be put in on purpose, to see that it is found. */
export const BUGS = ["ack before sync", "commit without quorum", "stale epoch accepted", "diff with a hole"] as const;
export type Bug = (typeof BUGS)[number];

export interface SimulationOptions {
  readonly seed: number;
  readonly stormMs: number;
  readonly bug?: Bug;
  /** Hears what members tell of themselves. */
  readonly trace?: (line: string) => void;
}

export interface SimulationResult {
  readonly simulatedMs: number;
  readonly faults: number;
  readonly messages: number;
  readonly commits: number;
  readonly acknowledged: number;
}

const HEAL_MS_MAX = 300_000;

export async function simulationOptions(): Promise<KernelOptions> {
  return kernelOptions(await settingsOf({ tickTimeMs: LIMITS.tickMs, digest: true }, true));
}

/**
 * Runs it.
 *
 * @throws Violation that says which rule was broken
 */
export function simulate({ seed, stormMs, bug, trace }: SimulationOptions, kernel: KernelOptions): SimulationResult {
  const simulation = new Simulation(seed, kernel, bug ?? null, trace ?? (() => {}));
  simulation.storm(stormMs);
  simulation.heal();
  return simulation.result();
}

class Simulation {
  readonly #world: World;
  readonly #committed = new CommittedHistory();
  readonly #members: SimulatedMember[] = [];
  readonly #clients: SimulatedClient[] = [];
  #faults = 0;
  #isStormy = true;

  constructor(seed: number, kernel: KernelOptions, bug: Bug | null, trace: (line: string) => void) {
    this.#world = new World(seed, { delayMsMax: 200, voteLoss: 0.05, faultEveryMs: 2500 });
    this.#world.trace = trace;
    const world = this.#world;
    const voters = world.random() < 0.7 ? 3 : 5;
    const observers = world.below(2);
    const ensemble = new (bug === "commit without quorum" ? CarelessEnsemble : Ensemble)(configOf(voters, observers));
    const ids = Array.from({ length: voters + observers }, (_, at) => BigInt(at + 1));
    for (const id of ids) {
      this.#members.push(new SimulatedMember({ world, id, ensemble, kernel, committed: this.#committed, bug }));
    }
    for (let at = 0; at < 3; at++) {
      this.#clients.push(new SimulatedClient(world, this.#members, this.#committed, `client-${at}`));
    }
  }

  storm(ms: number): void {
    const world = this.#world;
    for (const member of this.#members) world.after(world.random() * 1000, () => member.start());
    for (const client of this.#clients) world.after(1000, () => client.start());
    this.#strikeAgain();
    world.run(world.mono + ms);
  }

  #strikeAgain(): void {
    const world = this.#world;
    world.after(-Math.log(1 - world.random()) * world.weather.faultEveryMs, () => {
      if (!this.#isStormy) return;
      this.#faults++;
      this.#strike();
      this.#strikeAgain();
    });
  }

  #strike(): void {
    const world = this.#world;
    const member = world.pick(this.#members);
    const chance = world.random();
    if (chance < 0.35) this.#crash(member);
    else if (chance < 0.4) for (const one of this.#members) this.#crash(one);
    else if (chance < 0.6) this.#cutOff(member);
    else if (chance < 0.7) this.#partition();
    else if (chance < 0.8) this.#stallOneWay(member);
    else {
      const stream = world.anyStream();
      if (stream !== null) world.breakStream(stream);
    }
  }

  #crash(member: SimulatedMember): void {
    if (!member.isUp) return;
    this.#world.trace(`${Math.floor(this.#world.mono)} ms, member ${member.id}: crash`);
    member.crash();
    this.#world.after(this.#world.random() * 6000, () => {
      if (!member.isUp) member.start();
    });
  }

  #cutOff(member: SimulatedMember): void {
    for (const { id } of this.#members) if (id !== member.id) this.#blockBoth(id, member.id);
    this.#healLater();
  }

  #partition(): void {
    const side = new Set(this.#members.filter(() => this.#world.random() < 0.5).map(({ id }) => id));
    for (const { id } of this.#members)
      for (const { id: other } of this.#members) if (side.has(id) !== side.has(other)) this.#blockBoth(id, other);
    this.#healLater();
  }

  #stallOneWay(member: SimulatedMember): void {
    for (const { id } of this.#members) if (id !== member.id) this.#world.block(member.id, id);
    this.#healLater();
  }

  #blockBoth(one: MemberId, other: MemberId): void {
    this.#world.block(one, other);
    this.#world.block(other, one);
  }

  #healLater(): void {
    this.#world.after(this.#world.random() * 6000, () => this.#world.heal());
  }

  /** The storm is over: everybody is up, everything arrives, and soon all are one again. */
  heal(): void {
    const world = this.#world;
    this.#isStormy = false;
    world.heal();
    world.weather = { ...world.weather, voteLoss: 0, delayMsMax: 10 };
    for (const member of this.#members) if (!member.isUp) member.start();
    const before = this.#acknowledged;
    world.run(world.mono + HEAL_MS_MAX, () => this.#isWhole && this.#acknowledged > before);
    if (!this.#isWhole || this.#acknowledged === before)
      throw new Violation(`after ${HEAL_MS_MAX} ms of calm the ensemble does not serve`);
    for (const client of this.#clients) client.isQuiet = true;
    // Streams that broke unnoticed show now.
    world.run(world.mono + 20_000);
    world.run(world.mono + HEAL_MS_MAX, () => this.#isWhole && this.#areLevel);
    this.#compare();
  }

  get #isWhole(): boolean {
    return this.#members.every(({ isServing }) => isServing) && this.#members.filter(({ isLeading }) => isLeading).length === 1;
  }

  get #areLevel(): boolean {
    return new Set(this.#members.map(({ database }) => database?.lastZxid)).size === 1;
  }

  get #acknowledged(): number {
    return this.#clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  #compare(): void {
    const databases = this.#members.map(({ database }) => database!);
    const [first] = databases;
    for (const [at, { lastZxid, tree, sessions }] of databases.entries()) {
      if (lastZxid !== first!.lastZxid)
        throw new Violation(`member ${at + 1} is at ${lastZxid}, and the first at ${first!.lastZxid}`);
      if (tree.digest !== first!.tree.digest) throw new Violation(`member ${at + 1} has another tree than the first`);
      for (const owner of tree.ephemeralOwners())
        if (!sessions.has(owner)) throw new Violation(`an ephemeral outlives session ${owner}`);
    }
  }

  result(): SimulationResult {
    const { mono: simulatedMs, messages } = this.#world;
    const commits = this.#committed.entries.length;
    return { simulatedMs, messages, commits, faults: this.#faults, acknowledged: this.#acknowledged };
  }
}

/** One that takes any member for a quorum: one of the bugs. */
class CarelessEnsemble extends Ensemble {
  override isQuorum(ids: Iterable<MemberId>): boolean {
    for (const id of ids) if (this.voters.has(id)) return true;
    return false;
  }
}

function configOf(voters: number, observers: number): EnsembleConfig {
  const member = (id: number, role: EnsembleMember["role"]): EnsembleMember => ({
    id: BigInt(id),
    addresses: [{ host: "127.0.0.1", quorumPort: 2888, electionPort: 3888 }],
    role,
    client: null,
  });
  const members = Array.from({ length: voters + observers }, (_, at) =>
    member(at + 1, at < voters ? "participant" : "observer"),
  );
  return { members, hierarchy: null, version: 0n };
}
