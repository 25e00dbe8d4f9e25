/**
 * A server in this process: hands out client handles, serves listeners, and ends everything it began.
 *
 * Composes host, member and client; decides nothing itself.
 *
 * Invariant: after `close()` nothing of it is left: no timer, no connection, no listener.
 */

import { showAs } from "../base/inspection.ts";
import { withPlainCopy } from "../base/plain_copy.ts";
import { argumentError, checkString, describe } from "../base/validate.ts";
import { Standalone } from "../broadcast/standalone.ts";
import { LocalConnector } from "../client/local.ts";
import { CONNECT_SHAPE, type ConnectOptions, DEFAULT_SESSION_TIMEOUT_MS } from "../client/options.ts";
import { isTerminal } from "../client/session.ts";
import { ZooKeeper } from "../client/zookeeper.ts";
import { Database } from "../kernel/database.ts";
import { Kernel } from "../kernel/kernel.ts";
import { Host, type HostOptions } from "../member/host.ts";
import { Member } from "../member/member.ts";
import type { HostTap } from "../member/tap.ts";
import { ZkError } from "../model/errors.ts";
import { copyOfStat } from "../model/stat.ts";
import type { Proposal } from "../model/txns.ts";
import type { Stat, Zxid } from "../model/types.ts";
import { kernelOptions, type Settings, treeOptions } from "../options/options.ts";
import { LISTENER, STORAGE } from "../options/ports.ts";
import { objectOf, takeOptions, znodePath } from "../options/shape.ts";
import type { Clock, ListenAddress, Listener, Logger, Storage } from "../ports.ts";
import { modeOf } from "../report/mode.ts";
import type { ConfigurationReport, ProcessReport, ServerControl, ServerMode } from "../report/report.ts";
import type { ReportSources } from "../report/server_report.ts";
import { SessionLog } from "../report/session_log.ts";
import { firstSessionId } from "../session/identity.ts";
import type { Journal } from "../store/journal.ts";
import { Tree } from "../tree/tree.ts";
import type { ClientDoor } from "./client_door.ts";
import type { EnsembleOptions } from "./ensemble.ts";

/**
 * What a server held at one moment: every znode and every session, as {@link Server.snapshot} takes it and {@link Server.restore} puts it back.
 * It lives in memory, and shares all that has not changed since with the server.
 */
export class Snapshot {
  /** The last txn that it holds. */
  readonly zxid: Zxid;
  /** How many znodes it holds. */
  readonly znodeCount: number;
  readonly #database: Database;

  /** @internal */
  constructor(database: Database) {
    this.zxid = database.lastZxid;
    this.znodeCount = database.tree.size;
    this.#database = database;
  }

  /** @internal Its content as a database of its own, once more for each call. */
  fork(): Database {
    return this.#database.fork();
  }
}

/** What a server needs of the world. `open()` of the package supplies the real one. */
export interface ServerWorld {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the process and the machine add to the server's report; asked for with the first listener. */
  readonly loadProcess: () => Promise<() => ProcessReport>;
  /** Makes what hears of each request; default: nobody does, and sessions alone are logged. */
  readonly observe?: (host: () => Host) => HostTap;
  /** A random number in [0, 1), for the jitter of reconnects; not for secrets. */
  readonly random: () => number;
  /** Texts that nobody can guess and that never come twice, for SASL; without them there is none. */
  readonly nonce?: () => string;
  /** Calls back in a turn of the event loop that comes after what has arrived meanwhile. */
  readonly soon: (run: () => void) => void;
}

/** Joins a kernel to whatever pumps it. */
export type MakeHost = (kernel: Kernel, options: Omit<HostOptions, "member">) => Host;

/** What an ensemble adds to a server. */
export interface EnsembleParts {
  /** As it is now. */
  readonly report: () => NonNullable<ConfigurationReport["ensemble"]>;
  stop(): Promise<void>;
}

/** What a server is made of, where it is not the usual: nothing at the beginning, nothing kept, alone. */
export interface ServerParts {
  /** What is there at the beginning. */
  readonly kernel?: Kernel;
  /** What runs it. */
  readonly makeHost?: MakeHost;
  /** What keeps what it decides; the server closes it. */
  readonly journal?: Journal | null;
  /** The ensemble it is a member of; the server leaves it when it closes. */
  readonly ensemble?: EnsembleParts | null;
}

/** What runs at the moment. */
interface Running {
  readonly settings: Settings;
  readonly host: Host;
  readonly journal: Journal | null;
  readonly ensemble: EnsembleParts | null;
  /** What a report of it is read off. */
  readonly sources: Omit<ReportSources, "clients" | "process">;
  /** null: it has never had a listener. */
  readonly door: ClientDoor | null;
}

/** A znode as the server has it, read past all permissions. */
export interface Inspected {
  readonly data: Uint8Array | null;
  readonly stat: Stat;
  readonly children: readonly string[];
}

/**
 * A running server. Made by `open()`.
 *
 * @example
 * ```ts
 * await using server = await open();
 * await using zk = await server.connect();
 * await zk.create("/hello", "world");
 * ```
 */
export class Server {
  readonly #world: ServerWorld;
  #running: Running;
  /** Makes what serves clients of listeners; null until there is one. */
  #openDoor: ((sources: Running["sources"]) => ClientDoor) | null = null;
  readonly #handles = new Set<ZooKeeper>();
  /** With where each can be reached: null before it is, and once it accepts no more. */
  readonly #listeners = new Map<Listener, ListenAddress | null>();
  #joining: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  /** Why it could not go on. */
  #failure: unknown = null;
  #hasClosed: (failure: unknown) => void = () => {};
  /**
   * Resolves once the server is closed: with null after {@link close}, with the reason if it stopped by itself, because going on would have
   * meant wrong answers.
   */
  readonly closed: Promise<unknown> = new Promise((resolve) => {
    this.#hasClosed = resolve;
  });

  constructor(settings: Settings, world: ServerWorld, parts: ServerParts = {}) {
    this.#world = world;
    this.#running = this.#run(settings, parts);
  }

  #run(
    settings: Settings,
    { kernel = emptyKernel(settings, this.#world), makeHost = standalone, journal = null, ensemble = null }: ServerParts,
  ): Running {
    const { clock, logger } = this.#world;
    const failed = (error: unknown): void => {
      this.#failure = error;
      void this.close();
    };
    const append = journal === null ? null : (proposals: readonly Proposal[]) => journal.append(proposals);
    const tap = this.#world.observe?.(() => host) ?? new SessionLog(logger);
    const host: Host = makeHost(kernel, { clock, logger, append, failed, tap });
    const sources = {
      host,
      settings,
      ensemble: () => ensemble?.report() ?? null,
      journal,
      startedMono: clock.now().mono,
      addresses: () => [...this.#listeners.values()].filter((address) => address !== null),
    };
    return { settings, host, journal, ensemble, sources, door: this.#openDoor?.(sources) ?? null };
  }

  /**
   * Opens a session in this process. The handle is the same type as a remote one; closing it ends the session.
   *
   * Errors: `ConnectionLoss` if the server is closed.
   */
  async connect(options: ConnectOptions = {}): Promise<ZooKeeper> {
    if (this.#closing !== null) throw new ZkError("ConnectionLoss", { operation: "connect", reason: "the server is closed" });
    const { sessionTimeoutMs, canBeReadOnly, chroot, signal, connectTimeoutMs } = takeOptions(
      "connect",
      options,
      CONNECT_OPTIONS,
    );
    const zk = new ZooKeeper({
      connector: new LocalConnector(() => this.#running.host, this.#running.settings.limits.frameBytesMax),
      clock: this.#world.clock,
      logger: this.#world.logger,
      random: this.#world.random,
      sessionTimeoutMs: sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS,
      canBeReadOnly: canBeReadOnly ?? false,
      chroot: chroot ?? "",
      sasl: null,
    });
    this.#handles.add(zk);
    zk.onState(({ state }) => isTerminal(state) && this.#handles.delete(zk));
    return await zk.start(signal, connectTimeoutMs);
  }

  /**
   * Serves real ZooKeeper clients on a listener, such as `tcp({ port: 2181 })`, and says where it can be reached.
   *
   * @example
   * ```ts
   * const { port } = await server.listen(tcp({ port: 0 }));
   * ```
   */
  async listen(listener: Listener): Promise<ListenAddress> {
    LISTENER(listener, "listen", "listener");
    await this.#door();
    if (this.#closing !== null) throw new Error("Cannot listen: the server is closed");
    const isNew = !this.#listeners.has(listener);
    if (isNew) this.#listeners.set(listener, null);
    try {
      const address = await listener.start(
        (duplex) => this.#running.door!.clients.accept(duplex),
        (address) => this.#running.door!.clients.reserve(address),
      );
      this.#listeners.set(listener, address);
      return address;
    } catch (error) {
      // One that listens already refuses to do so twice, and is still to be stopped.
      if (isNew) this.#listeners.delete(listener);
      throw error;
    }
  }

  async #door(): Promise<ClientDoor> {
    const [{ clientDoor }, ofProcess] = await Promise.all([import("./client_door.ts"), this.#world.loadProcess()]);
    this.#openDoor ??= (sources) => clientDoor({ ...sources, process: ofProcess }, this.#world);
    const door = this.#running.door ?? this.#openDoor(this.#running.sources);
    this.#running = { ...this.#running, door };
    return door;
  }

  /**
   * Accepts no more clients on that listener, and frees its port. Who is connected stays until the server closes, or the listener's `stop()` cuts them.
   *
   * @example
   * ```ts
   * const listener = tcp({ port: 2181 });
   * await server.listen(listener);
   * await server.unlisten(listener);
   * ```
   */
  async unlisten(listener: Listener): Promise<void> {
    LISTENER(listener, "stop listening", "listener");
    if (!this.#listeners.has(listener)) return;
    this.#listeners.set(listener, null);
    await listener.release();
  }

  /** What the server is at the moment, as `srvr` says it; null while it serves nobody, such as a member without a leader. */
  get mode(): ServerMode | null {
    return modeOf(this.#running.host);
  }

  /**
   * Report of the server about itself, from which the four-letter words, the admin commands and the metrics are made. Each field is computed when
   * it is read, and reading changes nothing. It is loaded when it is first asked for.
   *
   * @example
   * ```ts
   * const { nodeCount, watchCount } = await server.report();
   * ```
   */
  async report(): Promise<ServerControl> {
    return (await this.#door()).report;
  }

  /**
   * A look at a znode as it is now, at once and past all permissions; null if there is none. For tests and tools.
   *
   * @throws TypeError for a path that is no string
   */
  inspect(path: string): Inspected | null {
    checkString("inspect", "path", path, '"/a"');
    znodePath(path, "look at a znode", "path");
    const { tree } = this.#running.host.member.kernel.database;
    const node = tree.get(path);
    return node === undefined
      ? null
      : { data: node.data?.slice() ?? null, stat: copyOfStat(node.stat), children: tree.childList(path) };
  }

  /**
   * A second server, in memory, with the same znodes and the same sessions, each with the time that is left to it. From here on the two go their
   * own ways. The tree isn't copied, so this takes no longer for a large one. Nobody is connected to the new server, and it listens nowhere.
   *
   * @example
   * ```ts
   * await using other = server.fork();
   * ```
   */
  fork(): Server {
    const { settings, host } = this.#running;
    return new Server(settings, this.#world, { kernel: host.member.kernel.fork(this.#world.clock.now()) });
  }

  /**
   * What the server holds now, to come back to with {@link restore}. Nothing is copied, so it takes no longer for a large tree. In an ensemble it is
   * what this member has applied.
   *
   * @example
   * ```ts
   * await using server = await open();
   * await using zk = await server.connect();
   * await zk.create("/config", "one");
   * const before = server.snapshot();
   * await zk.setData("/config", "two");
   * server.restore(before); // "/config" says "one" again
   * ```
   */
  snapshot(): Snapshot {
    return new Snapshot(this.#running.host.member.kernel.database.fork());
  }

  /**
   * Puts a snapshot in place of all that the server holds, as often as one likes, and its own or that of another server with the same settings.
   *
   * For clients it is as if their server had been restarted on it. Every connection is closed, that of a handle in this process, too, and clients
   * come back by themselves. A session that the snapshot has goes on, with its whole timeout before it and its ephemerals as they were; its client
   * sets its watches again, and hears of what has come or gone meanwhile, but not that data is older than it was. A session that the snapshot
   * doesn't have is expired. Zxids don't go back: the next txn has a higher one than any before it. ZooKeeper 3.9's command `restore` treats
   * sessions and zxids in the same way, but leaves connections open and loses their watches.
   *
   * For servers in memory: what a storage keeps, or an ensemble agreed on, can't be taken back.
   *
   * @throws TypeError for a server with a storage, or a snapshot of one with other settings; Error if the server is closed
   *
   * @example
   * ```ts
   * await using server = await open();
   * const empty = server.snapshot();
   * // … a test …
   * server.restore(empty);
   * ```
   */
  restore(snapshot: Snapshot): void {
    if (!(snapshot instanceof Snapshot))
      throw argumentError(
        "restore a snapshot",
        `it must be one that snapshot() of a server has made, not ${describe(snapshot)}`,
      );
    if (this.#closing !== null) throw new Error("Cannot restore a snapshot: the server is closed");
    const { settings, host, journal } = this.#running;
    if (journal !== null)
      throw new TypeError("Cannot restore a snapshot: the server has a storage, and what it keeps there can't be taken back");
    const database = snapshot.fork();
    const [given, own] = [database.tree.options, treeOptions(settings)];
    const other = (Object.keys(own) as (keyof typeof own)[]).find((name) => given[name] !== own[name]);
    if (other !== undefined)
      throw new TypeError(
        `Cannot restore a snapshot: it was taken of a server with other settings (${other} is ${given[other]})`,
      );
    host.hear({ kind: "replace", database });
  }

  /**
   * Writes a snapshot to the storage, while the server goes on, and says its zxid: a start then has no log before it to replay, and a copy of the
   * storage's folder from then on is a backup. Snapshots are written anyway as the log grows (`open({ snapshots })`).
   *
   * @throws TypeError for a server without a storage; StorageError if it can't be written
   *
   * @example
   * ```ts
   * const zxid = await server.saveSnapshot();
   * ```
   */
  async saveSnapshot(): Promise<Zxid> {
    const { journal } = this.#running;
    if (journal === null) throw new TypeError("Cannot save a snapshot: the server has no storage");
    return await journal.saveSnapshot();
  }

  /**
   * Makes a server that stands alone a member of an ensemble, with all that it holds: its znodes, its sessions, its listeners. Resolves once it looks
   * for a leader; who takes part serves as soon as there is one.
   *
   * For clients it is as if their server had been restarted: connections are closed, that of a handle in this process, too, and clients come back by
   * themselves. What the ensemble holds afterwards is what the member with the latest txn holds, as with any start: so the others begin empty, or this
   * one joins as an observer by {@link ZooKeeper.reconfig}.
   *
   * @param storage where a server in memory keeps from now on what it promises the others; it must be empty. Others keep their own.
   * @throws TypeError for members that can't be an ensemble, or a storage that is missing or not empty: then the server goes on as it was. Error where
   *   a member's port can't be listened on, and StorageError where nothing can be kept: then the server is closed.
   *
   * @example
   * ```ts
   * await using server = await open();
   * const config = ensembleConfig(["server.1=127.0.0.1:2888:3888"]);
   * await server.join({ id: 1, config, peers: tcpPeers(), mayVoteAlone: true }, memoryStorage());
   * ```
   */
  async join(ensemble: EnsembleOptions, storage?: Storage): Promise<void> {
    if (this.#closing !== null) throw new Error("Cannot join an ensemble: the server is closed");
    if (this.#joining !== null || this.#running.ensemble !== null)
      throw new TypeError("Cannot join an ensemble: the server is a member of one");
    if (storage !== undefined) STORAGE(storage, "join an ensemble", "storage");
    this.#joining = this.#join(withPlainCopy(ensemble, "config"), storage).finally(() => {
      this.#joining = null;
    });
    await this.#joining;
  }

  async #join(ensemble: EnsembleOptions, given: Storage | undefined): Promise<void> {
    const { keepWhole, memberSettings, openMember, takeEnsemble } = await import("./ensemble.ts");
    const { host, journal, ...before } = this.#running;
    const options = takeEnsemble(ensemble, before.settings.extendedTypes);
    if (journal !== null && given !== undefined)
      throw new TypeError(`Cannot join an ensemble: the server has a storage, ${journal.storage.name}`);
    const storage = journal?.storage ?? given;
    if (storage === undefined) throw new TypeError("Cannot join an ensemble: a member needs a storage");
    if (journal === null) await this.#open(storage);
    const settings = memberSettings(options, { ...before.settings, digest: before.settings.digest || journal === null });
    try {
      await host.stop();
      for (const connection of this.#running.door?.clients.connections ?? []) connection.cut();
      if (journal === null) await keepWhole(storage, host.member.kernel.database, settings, this.#world);
      await (journal ?? storage).close();
      this.#running = this.#run(settings, await openMember(storage, options, settings, this.#world));
    } catch (error) {
      // Whatever went wrong, nobody else is kept from the storage.
      await storage.close().catch(() => {});
      this.#failure = error;
      this.#running = { ...this.#running, journal: null };
      void this.close();
      throw error;
    }
  }

  /** A storage that is to take over what is here has nothing of its own. */
  async #open(storage: Storage): Promise<void> {
    const { snapshots, hasLog } = await storage.open(this.#world.logger);
    if (snapshots.length === 0 && !hasLog) return;
    await storage.close();
    throw new TypeError(`Cannot join an ensemble: ${storage.name} is not empty`);
  }

  /** Closes handles, listeners and connections. Nothing is left that keeps the process alive. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  static {
    showAs(Server.prototype, (shown) => shown.#text);
  }

  /** What `console.log` shows. */
  get #text(): string {
    const { tree, sessions } = this.#running.host.member.kernel.database;
    const addresses = [...this.#listeners.values()].flatMap((at) => (at === null ? [] : [`${at.host}:${at.port}`]));
    const listens = addresses.length === 0 ? "no port" : `on ${addresses.join(", ")}`;
    const state = this.#closing === null ? (this.mode ?? "serving nobody") : "closed";
    return `Server { ${state}, ${tree.size} znodes, ${sessions.size} sessions, ${listens} }`;
  }

  async #close(): Promise<void> {
    await this.#joining?.catch(() => {});
    await Promise.all([...this.#handles].map((zk) => zk.close()));
    await Promise.all([...this.#listeners.keys()].map((listener) => listener.stop()));
    const { host, ensemble, journal } = this.#running;
    await host.stop();
    await ensemble?.stop();
    await journal?.close();
    this.#hasClosed(this.#failure);
  }
}

const CONNECT_OPTIONS = objectOf<ConnectOptions>(CONNECT_SHAPE, "{ sessionTimeoutMs: 10_000 }");

const standalone: MakeHost = (kernel, options) => new Host({ ...options, member: new Member(kernel, new Standalone()) });

function emptyKernel(settings: Settings, { clock }: ServerWorld): Kernel {
  const options = kernelOptions(settings);
  const now = clock.now();
  return new Kernel(new Database(new Tree(treeOptions(settings))), options, firstSessionId(options.serverId, now.wall), now);
}
