/**
 * A whole ensemble from one seed: for a while everything goes wrong, and no rule may be broken; then nothing does, and it must be whole again.
 */
import { Ensemble } from "../../../lib/broadcast/zab/ensemble.ts";
import { hasSameMembers } from "../../../lib/broadcast/zab/ensemble_text.ts";
import { serverLine } from "../../../lib/broadcast/zab/server_line.ts";
import type { KernelOptions } from "../../../lib/kernel/options.ts";
import { kernelOptions, settingsOf } from "../../../lib/options/options.ts";
import type { Bug } from "./bugs.ts";
import { anyConditions, type Conditions } from "./conditions.ts";
import { Durability } from "./durability.ts";
import { Faults } from "./faults.ts";
import { beginning, CommittedHistory } from "./history.ts";
import { Network } from "./network.ts";
import { SimulatedClient } from "./simulated_client.ts";
import { SimulatedMember } from "./simulated_member.ts";
import { Violation } from "./violation.ts";
import { World } from "./world.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** How long everything goes wrong, in ticks of that ensemble. Default 160. */
  readonly stormTicks?: number;
  readonly bug?: Bug;
  /** Hears what members tell of themselves. */
  readonly trace?: (line: string) => void;
}

export interface SimulationResult {
  readonly simulatedMs: number;
  readonly faults: number;
  /** How often each kind struck. */
  readonly faultCounts: Readonly<Record<string, number>>;
  /** Leaders that were established. */
  readonly terms: number;
  readonly messages: number;
  readonly commits: number;
  readonly acknowledged: number;
  readonly answered: number;
  readonly events: number;
  readonly expired: number;
  /** Of all that happened, and when. */
  readonly fingerprint: number;
}

const STORM_TICKS = 160;
/** In calm so much is enough for everything, in ticks; and as many milliseconds, since elections are not counted in ticks. */
const HEAL_TICKS_MAX = 300;
const HEAL_MS_MAX = 300_000;

/** What members are told, but for what a seed decides. */
export async function simulationOptions(): Promise<KernelOptions> {
  return kernelOptions(await settingsOf({ digest: true, acl: { skip: true } }, true));
}

/**
 * Runs it.
 *
 * @throws Violation that says which rule was broken
 */
export function simulate(options: SimulationOptions, kernel: KernelOptions): SimulationResult {
  const simulation = new Simulation(options, kernel);
  simulation.storm();
  simulation.heal();
  return simulation.result();
}

class Simulation {
  readonly #world: World;
  readonly #conditions: Conditions;
  readonly #network: Network;
  readonly #faults: Faults;
  readonly #committed = new CommittedHistory();
  readonly #members: SimulatedMember[] = [];
  readonly #clients: SimulatedClient[] = [];

  constructor({ seed, stormTicks = STORM_TICKS, bug: given, trace }: SimulationOptions, kernel: KernelOptions) {
    const bug = given ?? null;
    const world = new World(seed);
    world.trace = trace ?? null;
    const conditions = anyConditions(world, stormTicks);
    const { config, tickMs, initLimit, syncLimit, delayMsMax, voteLoss } = conditions;
    this.#world = world;
    this.#conditions = conditions;
    this.#network = new Network(world, { delayMsMax, voteLoss });
    const common = {
      world,
      network: this.#network,
      ensemble: new (bug?.ensemble ?? Ensemble)(config),
      kernel: {
        ...kernel,
        tickTimeMs: tickMs,
        minSessionTimeoutMs: 2 * tickMs,
        maxSessionTimeoutMs: 20 * tickMs,
        reconfigEnabled: conditions.reconfigured,
      },
      limits: { tickMs, initLimit, syncLimit, txnBytesMax: 2 ** 21 },
      committed: this.#committed,
      durability: new Durability(),
      first: beginning(),
      diskMsMax: conditions.diskMsMax,
      txnsAnEpoch: conditions.txnsAnEpoch,
      bug,
    };
    for (const { id } of config.members) this.#members.push(new SimulatedMember({ ...common, id }));
    for (let at = 0; at < conditions.clients; at++) this.#clients.push(this.#newClient(at));
    this.#faults = new Faults(world, this.#network, this.#members, this.#clients, conditions);
  }

  #newClient(at: number): SimulatedClient {
    const world = this.#world;
    const { tickMs, actEveryMs, delayMsMax } = this.#conditions;
    const timeoutMs = tickMs * world.pick([3, 8, 16]);
    const delayMs = at === 0 ? delayMsMax : 0;
    const common = { world, members: this.#members, committed: this.#committed };
    return new SimulatedClient({ ...common, name: `client ${at}`, timeoutMs, actEveryMs, delayMs });
  }

  storm(): void {
    const world = this.#world;
    for (const member of this.#members) world.after(world.random() * 1000, () => member.start());
    for (const client of this.#clients) world.after(1000, () => client.start());
    this.#faults.begin();
    world.run(world.mono + this.#conditions.stormMs);
  }

  /** The storm is over: everybody is up, everything arrives, and soon all are one again. */
  heal(): void {
    const world = this.#world;
    this.#faults.end();
    this.#network.weather = { voteLoss: 0, delayMsMax: 10 };
    for (const member of this.#members) {
      member.clock.repair();
      member.disk.repair();
      member.rearm();
      if (!member.isUp) member.start();
    }
    if (this.#conditions.reconfigured) this.#restoreMembership();
    // Until then some are with a leader that does not know yet that it is none, and with sessions that are over.
    this.#await("all serve, and one leads", () => this.#isWhole);
    const before = this.#clients.map(({ rules }) => rules.acknowledged);
    const areServed = (): boolean => this.#clients.every(({ rules }, at) => rules.acknowledged > before[at]!);
    this.#await("the ensemble serves everybody", () => this.#isWhole && areServed());
    const expired = this.#expired;
    for (const client of this.#clients) client.isQuiet = true;
    // Streams that broke unnoticed show now, and sessions whose clients are gone end.
    world.run(world.mono + 25 * this.#conditions.tickMs);
    this.#await("all members have the same", () => this.#isWhole && this.#areLevel);
    // Whole timeouts later, if the leader was another one meanwhile.
    this.#await("sessions whose clients are gone end", () => this.#isWhole && this.#areLevel && this.#areAlive);
    if (this.#expired > expired) throw new Violation("a session expires whose client is there, and nothing goes wrong");
    this.#compare();
  }

  /** Everybody is a member again, as in the beginning. */
  #restoreMembership(): void {
    const lines = this.#conditions.config.members.map(serverLine);
    const before = new Ensemble(this.#conditions.config);
    const isRestored = (): boolean =>
      this.#members.every(({ isServing, ensemble }) => isServing && hasSameMembers(ensemble!, before));
    const ask = (): void => {
      if (isRestored()) return;
      // One by one, too: observers don't count for the quorum that all at once would need to be there.
      this.#world.pick(this.#clients).reconfigure(this.#world.pick([lines.join(","), ...lines]), null);
      this.#world.after(2 * this.#conditions.tickMs, ask);
    };
    ask();
    this.#await("everybody is a member again", isRestored);
  }

  #await(what: string, done: () => boolean): void {
    const ms = HEAL_TICKS_MAX * this.#conditions.tickMs + HEAL_MS_MAX;
    this.#world.run(this.#world.mono + ms, done);
    if (!done()) throw new Violation(`after ${Math.round(ms / 1000)} s of calm it is not so that ${what}`);
  }

  get #isWhole(): boolean {
    return this.#members.every(({ isServing }) => isServing) && this.#members.filter(({ isLeading }) => isLeading).length === 1;
  }

  get #areLevel(): boolean {
    return this.#members.every(({ entry }) => entry === this.#members[0]!.entry);
  }

  /** Whether all sessions are somebody's. */
  get #areAlive(): boolean {
    const alive = new Set(this.#clients.map(({ session }) => session));
    return [...this.#members[0]!.database!.sessions.keys()].every((session) => alive.has(session));
  }

  get #expired(): number {
    return this.#clients.reduce((sum, { expired }) => sum + expired, 0);
  }

  #compare(): void {
    const [first, ...others] = this.#members.map(({ database }) => database!);
    for (const { tree, sessions } of others) {
      if (tree.digest !== first!.tree.digest) throw new Violation("members have the same history, and not the same tree");
      if (!isSame(sessions, first!.sessions)) throw new Violation("members have the same history, and not the same sessions");
    }
    for (const owner of first!.tree.ephemeralOwners())
      if (!first!.sessions.has(owner)) throw new Violation(`an ephemeral outlives session ${owner}`);
    for (const { rules } of this.#clients) rules.atRest(this.#committed.lastZxid);
  }

  result(): SimulationResult {
    const { mono: simulatedMs, fingerprint } = this.#world;
    const sum = (value: (client: SimulatedClient) => number): number => this.#clients.reduce((all, one) => all + value(one), 0);
    return {
      simulatedMs,
      faults: [...this.#faults.counts.values()].reduce((all, count) => all + count, 0),
      faultCounts: Object.fromEntries(this.#faults.counts),
      terms: this.#committed.terms,
      messages: this.#network.messages,
      commits: this.#committed.length,
      acknowledged: sum(({ rules }) => rules.acknowledged),
      answered: sum(({ rules }) => rules.answered),
      events: sum(({ rules }) => rules.events),
      expired: this.#expired,
      fingerprint,
    };
  }
}

function isSame<Key, Value>(one: ReadonlyMap<Key, Value>, other: ReadonlyMap<Key, Value>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}
