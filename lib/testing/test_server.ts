/**
 * A server for tests: the real kernel, in a world whose time and misfortunes belong to the test.
 *
 * It composes the parts of this folder around a Server and decides nothing itself.
 *
 * Invariant: the kernel, the client handles and the protocol are those of production. Only clock, randomness and the lines between clients and
 * server are the test's own.
 */

import { argumentError, describe } from "../base/validate.ts";
import { Standalone } from "../broadcast/standalone.ts";
import { LocalConnector } from "../client/local.ts";
import { type ConnectOptions, DEFAULT_SESSION_TIMEOUT_MS } from "../client/options.ts";
import { type HandleOptions, ZooKeeper } from "../client/zookeeper.ts";
import { Kernel } from "../kernel/kernel.ts";
import type { ConnInput } from "../member/host.ts";
import type { Now } from "../model/types.ts";
import { completed, kernelOptions, type OpenSettings, type Settings, settingsOf, treeOptions } from "../options/options.ts";
import { splitOptions } from "../options/shape.ts";
import type { Listener, Logger } from "../ports.ts";
import type { ProcessReport } from "../report/report.ts";
import { type MakeHost, Server } from "../server/server.ts";
import { firstSessionId } from "../session/identity.ts";
import { VirtualClock } from "./clock.ts";
import { loadDump } from "./dump.ts";
import { type Fault, Faults } from "./faults.ts";
import { type Fixture, fixtureOps } from "./fixture.ts";
import { foreseeableMono } from "./foresight.ts";
import { ObservedWorld, type Running } from "./observed_world.ts";
import { Operator } from "./operator.ts";
import { seededRandom } from "./random.ts";
import { RecordedMember, Recorder } from "./recorder.ts";
import type { ReplayTarget } from "./replay.ts";
import { leftovers, ReportError } from "./report.ts";
import { TestHost } from "./test_host.ts";
import { WORLD_SHAPE } from "./world_options.ts";

/** What `testServer()` may be told; everything is optional. */
export interface TestServerOptions extends OpenSettings {
  /** What the clock shows at the beginning, milliseconds since 1970. Default: the first of January 2026, UTC. */
  readonly startAt?: number;
  /** What the jitter of reconnects follows from. Default 1. */
  readonly seed?: number;
  /** Whether sessions that are still open at the end, their ephemerals and their watches are an error. Default false. */
  readonly reportLeaks?: boolean;
  /** How much of the history is kept: the last so many entries. Default 100,000. */
  readonly historyEntriesMax?: number;
}

/** What a test server needs of the real world. */
export interface TestWorld {
  readonly logger: Logger;
  readonly loadProcess: () => Promise<() => ProcessReport>;
  /** Resolves once all promises that can be settled are. */
  readonly settle: () => Promise<void>;
  /** Calls back in a later turn of the event loop. */
  readonly soon: (run: () => void) => void;
  /** A port of this machine; 0: any free one. */
  readonly listener: (port: number) => Listener;
}

/** Where other programs find the server. */
export interface TestAddress {
  readonly host: string;
  readonly port: number;
  /** `host:port`, as clients want it. */
  readonly connectString: string;
}

/** The first of January 2026, UTC. */
export const START_AT = 1_767_225_600_000;
export const HISTORY_ENTRIES_MAX = 100_000;

/** What stays the same in forks. */
interface Common {
  readonly settings: Settings;
  readonly seed: number;
  readonly reportLeaks: boolean;
  readonly world: TestWorld;
}

/**
 * A server for tests. Made by `testServer()`.
 *
 * @example
 * ```ts
 * await using zk = await testServer();
 * const client = await zk.connect({ sessionTimeoutMs: 10_000 });
 * await client.create("/lock", null, { mode: "ephemeral" });
 * zk.expire(client);
 * zk.expectTree({});
 * ```
 */
export class TestServer extends ObservedWorld {
  /** The time of this world. */
  readonly clock: VirtualClock;
  /** The misfortunes of this world. */
  readonly faults: Faults = new Faults();
  readonly #common: Common;
  readonly #recorder: Recorder;
  #running: Running;
  #isListening = false;
  readonly #resumed: ZooKeeper[] = [];
  #closing: Promise<void> | null = null;

  /** Test servers are made by `testServer()` and {@link fork}. */
  private constructor(common: Common, now: Now, recorder: Recorder, kernel: Kernel | null) {
    super(recorder);
    this.#common = common;
    this.#recorder = recorder;
    this.clock = new VirtualClock({
      now,
      settle: common.world.settle,
      foresight: { activity: () => recorder.count, horizon: () => foreseeableMono(this.kernel, this.clock.now()) },
    });
    this.#running = this.#start(kernel);
  }

  /** @internal */
  static async open(options: TestServerOptions, world: TestWorld): Promise<TestServer> {
    const { own, rest } = splitOptions("open a server", options, WORLD_SHAPE, "{ tickTimeMs: 500, seed: 7 }");
    const { startAt = START_AT, seed = 1, reportLeaks = false, historyEntriesMax = HISTORY_ENTRIES_MAX } = own;
    const settings = await settingsOf(rest, false, [...Object.keys(WORLD_SHAPE), "logger"]);
    const common = { settings, seed, reportLeaks, world };
    return new TestServer(common, { mono: 0, wall: startAt }, new Recorder(0, historyEntriesMax), null);
  }

  /**
   * @internal Goes once the way that every test goes, from a server to a znode: a runtime compiles a function when it is called first, and that
   * takes five times as long as all the rest. Nothing of it is left.
   */
  static warmUp(world: TestWorld): void {
    const common = { settings: completed({}, false), seed: 1, reportLeaks: false, world };
    const zk = new TestServer(common, { mono: 0, wall: START_AT }, new Recorder(0, HISTORY_ENTRIES_MAX), null);
    const client = zk.#handle({});
    void client.start();
    void client.create("/warm", "");
    void client.close();
  }

  #start(kernel: Kernel | null): Running {
    const { settings, world, seed } = this.#common;
    let host: TestHost | null = null;
    const makeHost: MakeHost = (start, options) => {
      const member = new RecordedMember(start, new Standalone(), this.#recorder);
      const struck = (fault: Fault, input: ConnInput): void => this.#recorder.struck(fault, input, this.clock.now());
      host = new TestHost({ ...options, member, faults: this.faults, struck, takeConn: this.#recorder.takeConn });
      return host;
    };
    const parts = kernel === null ? { makeHost } : { makeHost, kernel };
    const server = new Server(settings, { ...world, clock: this.clock, random: seededRandom(seed) }, parts);
    return { server, host: host! };
  }

  /** @internal */
  protected override get running(): Running {
    return this.#running;
  }

  // ── clients ──

  /** Opens a session in this process. See `connect()` of an ordinary server. */
  connect(options: ConnectOptions = {}): Promise<ZooKeeper> {
    return this.#running.server.connect(options);
  }

  /**
   * A handle that goes on with the session of another handle, as a client does that comes back: in a fork, with a session that began before the
   * fork. Its watches are set again, and call the same functions.
   *
   * @throws TypeError for what is no handle; Error if the other handle has seen more than this world has
   */
  async resume(of: ZooKeeper): Promise<ZooKeeper> {
    if (!(of instanceof ZooKeeper)) throw argumentError("resume the session", `a handle of it is needed, not ${describe(of)}`);
    if (of.lastZxid > this.kernel.database.lastZxid)
      throw new Error("Cannot resume the session: its handle has seen what happened elsewhere, after the fork");
    const zk = this.#handle({ sessionTimeoutMs: of.sessionTimeoutMs, chroot: of.chroot, goOnWith: of });
    this.#resumed.push(zk);
    return await zk.start();
  }

  #handle(own: Pick<Partial<HandleOptions>, "sessionTimeoutMs" | "chroot" | "goOnWith">): ZooKeeper {
    return new ZooKeeper({
      connector: new LocalConnector(() => this.#running.host, this.#common.settings.limits.frameBytesMax),
      clock: this.clock,
      logger: this.#common.world.logger,
      random: seededRandom(this.#common.seed),
      sessionTimeoutMs: DEFAULT_SESSION_TIMEOUT_MS,
      canBeReadOnly: false,
      chroot: "",
      sasl: null,
      ...own,
    });
  }

  /**
   * Opens a free port of this machine, for clients that need one: theirs is the same world, faults and all. Note that its time is not theirs: a
   * client that pings by its own clock has been silent after {@link VirtualClock.advance}.
   */
  async listen(): Promise<TestAddress> {
    this.#isListening = true;
    const { host, port } = await this.#running.server.listen(this.#common.world.listener(0));
    return { host, port, connectString: `${host}:${port}` };
  }

  // ── worlds ──

  /**
   * A world of its own that begins as this one is now: with its znodes, its time, and its sessions with the time that is left to them. Nobody is
   * connected to it ({@link resume} is for that), no fault is in force, and nothing is copied: it takes no longer for a large tree.
   *
   * @example
   * ```ts
   * await using world = base.fork();
   * ```
   */
  fork(): TestServer {
    const now = this.clock.now();
    return new TestServer(this.#common, now, this.#recorder.fork(), this.kernel.fork(now));
  }

  /**
   * Creates znodes, past all permissions, in one transaction.
   *
   * @throws TypeError for what can't be created
   *
   * @example
   * ```ts
   * zk.fixture({ "/config": "v1", "/app/workers": null, "/locks": { mode: "container" } });
   * ```
   */
  fixture(fixture: Fixture): void {
    Operator.commit(this.#running.host, fixtureOps(fixture, this.kernel.database.tree));
  }

  /**
   * Puts what was dumped in place of what there is.
   *
   * @throws TypeError for bytes that are no dump; Error if somebody is connected, or could be
   */
  load(dump: Uint8Array): void {
    if (this.#isListening || this.kernel.connections.size > 0)
      throw new Error("Cannot load a dump: clients are connected, or may be at any time. Load it first");
    const { settings } = this.#common;
    const options = kernelOptions(settings);
    const { database, sessions, wall } = loadDump(dump, treeOptions(settings), options.tickTimeMs, this.clock.now().mono);
    this.clock.catchUp(wall);
    const now = this.clock.now();
    const kernel = new Kernel(database, options, firstSessionId(options.serverId, now.wall), now, "standalone", sessions);
    void this.#running.server.close();
    this.#recorder.startsElsewhere();
    this.#running = this.#start(kernel);
  }

  /** @internal Itself, as a server that a history is played to. */
  asReplayTarget(): ReplayTarget {
    const { host } = this.#running;
    return {
      connector: new LocalConnector(() => host, this.#common.settings.limits.frameBytesMax),
      advance: (ms) => this.clock.advance(ms),
      expire: (session) => host.expire(session),
      patience: this.#common.world.settle,
    };
  }

  // ── the end ──

  /**
   * Ends the world: handles, connections and ports are closed, nothing is left that keeps the process alive.
   *
   * Rejects with a {@link ReportError} if a fault that was asked for has never struck, and with `reportLeaks` if sessions were left open. May be
   * called again, and then only resolves.
   */
  async close(): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    const { host, server } = this.#running;
    const unmet = this.faults.unmet.map((fault) => `A fault never struck: ${fault}`);
    const leaks = this.#common.reportLeaks ? leftovers([this.kernel]) : [];
    host.calm();
    this.#closing = Promise.all(this.#resumed.map((zk) => zk.close())).then(() => server.close());
    await this.#closing;
    const problems = [...unmet, ...leaks];
    if (problems.length > 0) throw new ReportError(problems);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
