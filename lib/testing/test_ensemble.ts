/**
 * An ensemble for tests: whole members, elections and all, in one process and on virtual time, without ports.
 *
 * It composes the parts of this folder around members of an ensemble and decides nothing itself.
 *
 * Invariant: the members, the client handles and what they say to one another, byte by byte, are those of production. Whatever may come one way or
 * the other follows from the seed.
 */

import type { Duration } from "../base/duration.ts";
import { describe } from "../base/validate.ts";
import { Ensemble, type EnsembleConfig, type EnsembleMember } from "../broadcast/zab/ensemble.ts";
import { CONNECT_SHAPE, type ConnectOptions, DEFAULT_SESSION_TIMEOUT_MS } from "../client/options.ts";
import { RemoteConnector } from "../client/remote.ts";
import { isTerminal } from "../client/session.ts";
import { ZooKeeper } from "../client/zookeeper.ts";
import { ZkError } from "../model/errors.ts";
import { type Settings, settingsOf } from "../options/options.ts";
import { anyNumber, listOf, objectOf, type Shape, splitOptions, takeOptions } from "../options/shape.ts";
import type { ServerAddress, Storage } from "../ports.ts";
import { VirtualClock } from "./clock.ts";
import { Faults } from "./faults.ts";
import { type Fixture, fixtureOps } from "./fixture.ts";
import { foreseeableMono } from "./foresight.ts";
import { type Machine, Network, type NetworkPartition } from "./network.ts";
import { ObservedWorld, type Running } from "./observed_world.ts";
import { Operator } from "./operator.ts";
import { seededRandom } from "./random.ts";
import { Recorder } from "./recorder.ts";
import { leftovers, ReportError } from "./report.ts";
import { type SessionRef, sessionIdOf } from "./session_ref.ts";
import { CLIENT_PORT, type MemberState, TestMember } from "./test_member.ts";
import { HISTORY_ENTRIES_MAX, START_AT, type TestServerOptions, type TestWorld } from "./test_server.ts";
import { VolatileDisk } from "./volatile_storage.ts";
import { WORLD_SHAPE, type WorldOptions } from "./world_options.ts";

/** What `testEnsemble()` may be told; everything is optional. */
export interface TestEnsembleOptions extends Omit<TestServerOptions, "serverId"> {
  /** Members with a vote. Default 3. */
  readonly members?: number;
  /** Members without one; their numbers follow. Default 0. */
  readonly observers?: number;
}

/** What a test's ensemble needs of the real world. */
export interface TestEnsembleWorld extends TestWorld {
  /** An empty storage that keeps what it is given. */
  readonly storage: () => Storage;
}

/** What is no setting of the members. */
type OwnOptions = WorldOptions & Pick<TestEnsembleOptions, "members" | "observers">;

const ENSEMBLE_SHAPE: Shape<OwnOptions> = { ...WORLD_SHAPE, members: anyNumber, observers: anyNumber };

const CONNECT_OPTIONS = objectOf<ConnectOptions & { readonly member?: number }>(
  { ...CONNECT_SHAPE, member: anyNumber },
  "{ sessionTimeoutMs: 10_000 }",
);

const MEMBERS_MAX = 100;
const PATIENCE: Duration = "5m";
const CLIENT_HOST = "127.0.0.1";
/** As in ZooKeeper's example of a configuration. */
const QUORUM_PORT = 2888;
const ELECTION_PORT = 3888;
const REPLY_BYTES_MAX = 64 * 1024 * 1024;
/** Ticks in which those who look for a leader find one, or nobody will. */
const QUIET_TICKS = 15;
/** Turns of the event loop before talk counts as endless. */
const TURNS_OF_TALK_MAX = 100;

/**
 * An ensemble for tests. Made by `testEnsemble()`. What it tells of trees, sessions and events is what its leader knows; `member(2)` tells what one
 * of them does.
 *
 * @example
 * ```ts
 * await using zk = await testEnsemble({ seed: 7 });
 * const client = await zk.connect();
 * await zk.crash(await zk.untilLeader());
 * await zk.untilLeader(); // an election
 * await zk.clock.advance("3s"); // the client finds another member
 * await client.create("/still", "here");
 * ```
 */
export class TestEnsemble extends ObservedWorld {
  /** The time of this world. */
  readonly clock: VirtualClock;
  /** The misfortunes between clients and members. */
  readonly faults: Faults = new Faults();
  /** All members, in the order of their numbers. */
  readonly members: readonly TestMember[];
  /** What everything follows from that may come one way or the other. */
  readonly seed: number;
  readonly #recorder: Recorder;
  readonly #reportLeaks: boolean;
  readonly #settings: Settings;
  readonly #world: TestEnsembleWorld;
  readonly #random: () => number;
  readonly #network: Network;
  readonly #ensemble: Ensemble;
  /** Where the handles of this process are. */
  readonly #clients: Machine;
  readonly #handles = new Set<ZooKeeper>();
  #closing: Promise<void> | null = null;

  private constructor(options: Partial<OwnOptions>, settings: Settings, world: TestEnsembleWorld) {
    const { members = 3, observers = 0, startAt = START_AT, seed = 1 } = options;
    const { reportLeaks = false, historyEntriesMax = HISTORY_ENTRIES_MAX } = options;
    const recorder = new Recorder(0, historyEntriesMax);
    super(recorder);
    const random = seededRandom(seed);
    this.#recorder = recorder;
    this.#reportLeaks = reportLeaks;
    this.seed = seed;
    this.#settings = settings;
    this.#world = world;
    this.#random = random;
    this.clock = new VirtualClock({
      now: { mono: 0, wall: startAt },
      settle: () => this.#settle(),
      foresight: { activity: () => recorder.happenings, horizon: () => this.#horizon() },
    });
    this.#network = new Network(random, world.settle);
    this.#clients = this.#network.plug(CLIENT_HOST);
    const config = configOf(members, observers);
    this.#ensemble = new Ensemble(config);
    const common = {
      config,
      settings,
      network: this.#network,
      faults: this.faults,
      recorder,
      listener: world.listener,
      world: { ...world, clock: this.clock, random },
    };
    this.members = config.members.map(
      ({ id }) => new TestMember(Number(id), hostOf(Number(id)), new VolatileDisk(world.storage(), random), common),
    );
  }

  /** @internal */
  static async open(options: TestEnsembleOptions, world: TestEnsembleWorld): Promise<TestEnsemble> {
    const { own, rest } = splitOptions("open an ensemble", options, ENSEMBLE_SHAPE, "{ members: 3, seed: 7 }");
    judge(own);
    const settings = await settingsOf(rest, true, [...Object.keys(ENSEMBLE_SHAPE), "logger"]);
    const ensemble = new TestEnsemble(own, settings, world);
    await Promise.all(ensemble.members.map((member) => member.start()));
    await ensemble.untilLeader();
    return ensemble;
  }

  /** @internal */
  protected override get running(): Running {
    const { leader } = this;
    if (leader === null) throw new Error(`There is no leader (${this.#statesText}): await untilLeader() first`);
    return this.member(leader).running!;
  }

  // ── members ──

  /** @throws TypeError if there is no member of that number */
  member(id: number): TestMember {
    const member = this.members.find((one) => one.id === id);
    if (member === undefined) throw new TypeError(`There is no member ${describe(id)}: they are 1 to ${this.members.length}`);
    return member;
  }

  /** The number of the member that leads and reaches a quorum; null if there is none. One that was cut off may still believe that it leads. */
  get leader(): number | null {
    const leaders = this.members.filter((member) => member.state === "leading" && this.#hasQuorum(member));
    // After a partition the one of before may not have heard of its successor yet.
    return leaders.sort((one, other) => other.epoch - one.epoch)[0]?.id ?? null;
  }

  /**
   * Moves time on until there is a leader, and all members that reach it serve clients. Says which one leads.
   *
   * Rejects if that does not come about within that time, five minutes unless told.
   */
  async untilLeader(within: Duration = PATIENCE): Promise<number> {
    if (!(await this.clock.runUntilTrue(() => this.#isServing, within)))
      throw new Error(`No leader within ${within} (${this.#statesText}). ${this.#howToReplay}`);
    return this.leader!;
  }

  /**
   * A member's process ends from one moment to the next. Its connections break, and of what its disk had not synced some beginning is kept.
   *
   * @throws Error if it is down already
   */
  async crash(id: number): Promise<void> {
    const member = this.member(id);
    if (member.state === "down") throw new Error(`Member ${id} is down already`);
    await member.crash();
  }

  /** Starts a member on what its disk has. One that is up is stopped first, orderly, as when it gets a new version. */
  async restart(id: number): Promise<void> {
    const member = this.member(id);
    await member.stop();
    await member.start();
  }

  /**
   * Cuts groups of members off from one another: nothing arrives, and nobody is told. Members that are in no group are one together. Clients reach
   * all of them: `zk.faults.partition(client)` cuts a client off.
   *
   * @example
   * ```ts
   * const partition = zk.partition([1]); // from 2 and 3
   * using other = zk.partition([1, 2], [3, 4, 5]); // until the end of the scope
   * ```
   */
  partition(...given: readonly (readonly number[])[]): NetworkPartition {
    const groups = listOf(listOf(anyNumber, "[1]"), "[1]")(given, "partition the members", "group");
    const named = new Set(groups.flat());
    const rest = this.members.filter(({ id }) => !named.has(id)).map(({ id }) => id);
    if (named.size < groups.flat().length) throw new TypeError("A member can't be in two groups of a partition");
    const sides = [...groups, rest].filter((group) => group.length > 0);
    if (sides.length < 2) throw new TypeError("A partition has two sides at least");
    const hosts = sides.map((group) => group.map((id) => this.member(id).host));
    const text = sides.map((group) => group.join(", ")).join(" | ");
    const tell = (what: string): void => this.#recorder.tell(`members ${text} ${what}`, this.clock.now());
    tell("are cut off from one another");
    return this.#network.partition(hosts, () => tell("reach one another again"));
  }

  /** Ends all partitions, of members and of clients. */
  heal(): void {
    this.#network.heal();
    this.faults.heal();
  }

  // ── clients ──

  /**
   * Opens a session in this process: the handle that `connect()` of zookernel/tcp gives, which knows all members and goes from one to another;
   * with `member` only that one.
   *
   * Errors: `ConnectionLoss` if the ensemble is closed.
   */
  async connect(options: ConnectOptions & { readonly member?: number } = {}): Promise<ZooKeeper> {
    if (this.#closing !== null) throw new ZkError("ConnectionLoss", { operation: "connect", reason: "the ensemble is closed" });
    const taken = takeOptions("connect", options, CONNECT_OPTIONS);
    const {
      member,
      sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS,
      canBeReadOnly = false,
      chroot = "",
      signal,
      connectTimeoutMs,
    } = taken;
    const members = member === undefined ? this.members : [this.member(member)];
    const servers = members.map(({ host }): ServerAddress => ({ host, port: CLIENT_PORT }));
    const { logger } = this.#world;
    const random = this.#random;
    const connector = new RemoteConnector({
      servers,
      dialer: this.#clients.dialer,
      logger,
      random,
      replyBytesMax: REPLY_BYTES_MAX,
    });
    const zk = new ZooKeeper({
      connector,
      clock: this.clock,
      logger,
      random,
      sessionTimeoutMs,
      canBeReadOnly,
      chroot,
      sasl: null,
    });
    this.#handles.add(zk);
    zk.onState(({ state }) => isTerminal(state) && this.#handles.delete(zk));
    return await zk.start(signal, connectTimeoutMs);
  }

  /** The number of the member that a session is connected to; null if it is connected to none. */
  memberOf(session: SessionRef): number | null {
    const id = sessionIdOf(session);
    return this.members.find((member) => member.serves(id))?.id ?? null;
  }

  /**
   * Opens a free port of this machine for each member that is up, for clients that need one; each keeps its port when it is restarted. Note that
   * time is not theirs: a client that pings by its own clock has been silent after {@link VirtualClock.advance}.
   */
  async listen(): Promise<{ readonly connectString: string }> {
    const up = this.members.filter(({ state }) => state !== "down");
    const places = await Promise.all(up.map((member) => member.listen()));
    return { connectString: places.map(({ host, port }) => `${host}:${port}`).join(",") };
  }

  /**
   * Creates znodes, past all permissions, in one transaction.
   *
   * @throws TypeError for what can't be created
   */
  async fixture(fixture: Fixture): Promise<void> {
    await Operator.commitLater(this.running.host, fixtureOps(fixture, this.kernel.database.tree));
  }

  // ── time ──

  /** Promises, disks that are at work, and streams, unless what is said on them has no end: then only time can end it. */
  async #settle(): Promise<void> {
    for (let turns = 0; ; turns++) {
      await this.#world.settle();
      const isTalking = this.#network.isBusy && turns < TURNS_OF_TALK_MAX;
      if (!isTalking && !this.members.some(({ disk }) => disk.isBusy)) return;
    }
  }

  #horizon(): number {
    const now = this.clock.now();
    const { leader } = this;
    const quiet = now.mono + QUIET_TICKS * this.#settings.tickTimeMs;
    return leader === null ? quiet : Math.max(quiet, foreseeableMono(this.kernel, now));
  }

  // ── who leads ──

  #hasQuorum(leader: TestMember): boolean {
    return this.#ensemble.isQuorum(this.#reachedBy(leader).map(({ id }) => BigInt(id)));
  }

  #reachedBy(leader: TestMember): readonly TestMember[] {
    return this.members.filter(({ state, host }) => state !== "down" && this.#network.reaches(leader.host, host));
  }

  get #isServing(): boolean {
    const { leader } = this;
    if (leader === null) return false;
    return this.#reachedBy(this.member(leader)).every(({ id, state }) => id === leader || isLed(state));
  }

  get #statesText(): string {
    return this.members.map(({ id, state }) => `${id} is ${state}`).join(", ");
  }

  get #howToReplay(): string {
    return `To replay it: testEnsemble({ seed: ${this.seed} })`;
  }

  // ── the end ──

  /**
   * Ends the world: handles, members and ports are closed, nothing is left that keeps the process alive.
   *
   * Rejects with a {@link ReportError} if a fault that was asked for has never struck, and with `reportLeaks` if sessions were left open. May be
   * called again, and then only resolves.
   */
  async close(): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    const unmet = this.faults.unmet.map((fault) => `A fault never struck: ${fault}`);
    const leaks = this.#reportLeaks ? this.#leftovers() : [];
    this.#closing = this.#close();
    await this.#closing;
    const problems = [...unmet, ...leaks];
    if (problems.length > 0) throw new ReportError([...problems, this.#howToReplay]);
  }

  #leftovers(): string[] {
    if (this.leader === null) return ["There is no leader to say which sessions were left open"];
    const kernels = this.members.flatMap(({ running }) => (running === null ? [] : [running.host.member.kernel]));
    return leftovers([this.kernel, ...kernels.filter((kernel) => kernel !== this.kernel)]);
  }

  async #close(): Promise<void> {
    for (const { running, disk } of this.members) {
      disk.letGo();
      running?.host.calm();
    }
    this.heal();
    const closing = [...this.#handles].map((zk) => zk.close());
    await this.#settle();
    // Whoever waits for an answer that time would have to bring does so no longer.
    this.#clients.breakStreams();
    await Promise.all(closing);
    await Promise.all(this.members.map((member) => member.stop()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function isLed(state: MemberState): boolean {
  return state === "following" || state === "observing";
}

function judge({ members = 3, observers = 0 }: Partial<OwnOptions>): void {
  const isCount = (count: number): boolean => Number.isInteger(count) && count >= 0 && count <= MEMBERS_MAX;
  if (!isCount(members) || members === 0)
    throw new TypeError(`members: ${members} is no whole number from 1 to ${MEMBERS_MAX}`);
  if (!isCount(observers)) throw new TypeError(`observers: ${observers} is no whole number from 0 to ${MEMBERS_MAX}`);
}

function hostOf(id: number): string {
  return `10.0.0.${id}`;
}

function configOf(members: number, observers: number): EnsembleConfig {
  const member = (id: number, role: EnsembleMember["role"]): EnsembleMember => ({
    id: BigInt(id),
    addresses: [{ host: hostOf(id), quorumPort: QUORUM_PORT, electionPort: ELECTION_PORT }],
    role,
    client: null,
  });
  const all = Array.from({ length: members + observers }, (_, at) => member(at + 1, at < members ? "participant" : "observer"));
  return { members: all, hierarchy: null, version: 0n };
}
