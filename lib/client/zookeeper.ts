/**
 * The client handle: ZooKeeper's verbs as promises. One implementation, whether the server is in this process or at the end of a socket.
 *
 * Not here: connections and their loss (session.ts), a request's way to its promise (requests.ts), whose watch is whose (watchers.ts).
 *
 * Invariant: every promise is settled, with a result or with a {@link ZkError}.
 */
import { type ErrorCode, ZkError } from "../errors.ts";
import type { Op, SetWatchesOp } from "../ops.ts";
import { pathProblem, withChroot, withoutChroot } from "../path.ts";
import type { AbortSignal } from "../platform_types.ts";
import type { Clock, Logger } from "../ports.ts";
import type { SaslClient } from "../sasl/digest_md5.ts";
import type { Acl, AclList, AddWatchMode, AuthId, SessionId, Stat, WatchedEvent, Zxid } from "../types.ts";
import type { Codec } from "./codecs.ts";
import type { EventStream } from "./event_stream.ts";
import type { LossRule } from "./lease.ts";
import type { Connector } from "./link.ts";
import type { RequestOptions, VersionOptions, WatchOptions, WatchStreamOptions } from "./options.ts";
import { type Reconfig, reconfigOp } from "./reconfig.ts";
import { expect, onAbort, Requests, sets } from "./requests.ts";
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts";
import { ClientSession, type ClientSessionListener, type ConnectionState, isTerminal } from "./session.ts";
import { type StateChange, StateListeners } from "./states.ts";
import { type Commit, Transaction } from "./transaction.ts";
import { TypedNode } from "./typed.ts";
import { type CreateOptions, createOp, type Data, isSequential, serverPath, toBytes } from "./values.ts";
import { type StreamEvent, WatchStreams } from "./watch_streams.ts";
import { type Watcher, Watchers } from "./watchers.ts";

/** What a handle is made of. */
export interface HandleOptions {
  readonly connector: Connector;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly sessionTimeoutMs: number;
  readonly canBeReadOnly: boolean;
  /** Path under which everything happens; "" for none. */
  readonly chroot: string;
  /** Begins to prove a SASL identity; null for none. */
  readonly sasl: (() => SaslClient) | null;
  /** Another handle whose session, identities and watches this one goes on with; none: a new session. */
  readonly goOnWith?: ZooKeeper;
}

const NO_OPTIONS = {};
/** Where the ensemble's configuration is, whatever the chroot. */
const CONFIG_PATH = "/zookeeper/config";

export class ZooKeeper implements ClientSessionListener {
  readonly #session: ClientSession;
  readonly #requests: Requests;
  readonly #watchers = new Watchers();
  readonly #chroot: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #stateListeners = new StateListeners();
  readonly #streams = new WatchStreams(this, this.#watchers);
  #wasConnected = false;

  /** Handles are made by `server.connect()` and `connect()`. */
  constructor(options: HandleOptions) {
    const problem = options.chroot === "" ? null : pathProblem(options.chroot);
    if (problem !== null)
      throw new ZkError("BadArguments", { operation: "connect", path: options.chroot, reason: `chroot: ${problem}` });
    this.#chroot = options.chroot === "/" ? "" : options.chroot;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#random = options.random;
    const { goOnWith, ...rest } = options;
    this.#session = new ClientSession(
      goOnWith === undefined ? rest : { ...rest, goOnWith: goOnWith.#session.leftBehind },
      this,
    );
    if (goOnWith !== undefined) this.#watchers.takeOver(goOnWith.#watchers);
    this.#requests = new Requests(this.#session, this.#watchers);
  }

  // ── state ──

  get state(): ConnectionState {
    return this.#session.state;
  }

  /** `0n` until connected. */
  get sessionId(): SessionId {
    return this.#session.id;
  }

  /** As negotiated with the server, milliseconds. */
  get sessionTimeoutMs(): number {
    return this.#session.timeoutMs;
  }

  /** The highest zxid that this handle has seen. */
  get lastZxid(): Zxid {
    return this.#session.lastZxid;
  }

  get chroot(): string {
    return this.#chroot;
  }

  /**
   * Calls `listener` with each change of state from now on. The returned function ends that.
   *
   * @example
   * ```ts
   * const off = zk.onState(({ state }) => console.log(state));
   * ```
   */
  onState(listener: (change: StateChange) => void): () => void {
    return this.#stateListeners.add(listener);
  }

  /** The states from now on, as an iterator that ends with the handle. */
  states(options: { readonly signal?: AbortSignal } = NO_OPTIONS): EventStream<StateChange> {
    return this.#stateListeners.stream(() => this.state, options.signal);
  }

  /** The handle's time: the system's, or that of a test. For whatever is timed by it, such as recipes. */
  get clock(): Clock {
    return this.#clock;
  }

  /** @internal A number in [0, 1), the same in each run of a seeded test; not for secrets. */
  get random(): () => number {
    return this.#random;
  }

  /**
   * Calls `lost` once, before what hangs on the session (ephemerals, and so locks and leadership) can belong to somebody else: by the rule `suspended`,
   * the default, as soon as the connection is lost; by `leaseEnd` when the server may end the session, so that a short interruption does no harm. It
   * comes before any promise of this handle settles that could tell the same. The returned function ends it.
   *
   * What it can't see: a follower that is cut off from its leader still answers until it notices, and a process that stands still is called late,
   * when it goes on. What is written elsewhere is to be guarded by a number that grows with each owner, such as the zxid of its znode.
   *
   * @example
   * ```ts
   * const off = zk.guardSession((reason) => stopWork(reason), "leaseEnd");
   * ```
   */
  guardSession(lost: (reason: ZkError) => void, rule: LossRule = "suspended"): () => void {
    return this.#session.lease.guard(rule, (reason) => this.#guard(() => lost(reason)));
  }

  /** Resolves once connected; rejects if that can't come about any more. Called by whoever makes the handle. */
  start(signal?: AbortSignal): Promise<this> {
    return new Promise((resolve, reject) => {
      const offState = this.onState(({ state, reason }) => {
        if (state === "connected" || state === "connectedReadOnly") resolve(this);
        else if (isTerminal(state)) reject(new ZkError(codeOfState(state), { operation: "connect", reason }));
        else return;
        offState();
        offAbort();
      });
      const offAbort = onAbort(signal, (cause) => {
        reject(cause);
        void this.close();
      });
      if (signal?.aborted !== true) this.#session.start();
    });
  }

  // ── writing ──

  /**
   * Creates a znode and returns its path, which for sequential modes ends in the number it was given.
   *
   * Errors: `NodeExists`, `NoNode` (no parent), `NoAuth`, `InvalidACL`, `NoChildrenForEphemerals`, `BadArguments`, `QuotaExceeded`,
   * `Unimplemented` (TTL where the server has none).
   *
   * @example
   * ```ts
   * const path = await zk.create("/jobs/job-", "todo", { mode: "ephemeral_sequential" });
   * ```
   */
  async create(path: string, data?: Data, options: CreateOptions & RequestOptions = NO_OPTIONS): Promise<string> {
    const full = serverPath(this.#chroot, path, "create", isSequential(options.mode));
    const outcome = await this.#requests.ask(createOp(full, data, options, false), "create", path, options.signal);
    return withoutChroot(this.#chroot, outcome.kind === "pathStat" ? outcome.path : expect(outcome, "path").path!);
  }

  /** The same, with the new znode's Stat. Servers before 3.5 don't know it. */
  async createWithStat(
    path: string,
    data?: Data,
    options: CreateOptions & RequestOptions = NO_OPTIONS,
  ): Promise<{ path: string; stat: Stat }> {
    const full = serverPath(this.#chroot, path, "create", isSequential(options.mode));
    const outcome = expect(
      await this.#requests.ask(createOp(full, data, options, true), "create", path, options.signal),
      "pathStat",
    );
    return { path: withoutChroot(this.#chroot, outcome.path), stat: outcome.stat };
  }

  /** Deletes a znode without children. Errors: `NoNode`, `NotEmpty`, `BadVersion`, `NoAuth`. */
  async delete(path: string, options: VersionOptions = NO_OPTIONS): Promise<void> {
    await this.#requests.ask(
      { kind: "delete", path: this.#full(path, "delete"), version: options.version ?? -1 },
      "delete",
      path,
      options.signal,
    );
  }

  /**
   * Replaces the data. Errors: `NoNode`, `BadVersion`, `NoAuth`, `QuotaExceeded`.
   *
   * @example
   * ```ts
   * const { stat } = await zk.getData("/config");
   * await zk.setData("/config", "new", { version: stat.version });
   * ```
   */
  async setData(path: string, data: Data, options: VersionOptions = NO_OPTIONS): Promise<Stat> {
    const op: Op = { kind: "setData", path: this.#full(path, "setData"), data: toBytes(data), version: options.version ?? -1 };
    return expect(await this.#requests.ask(op, "setData", path, options.signal), "stat").stat;
  }

  /** Replaces the ACL; `version` is compared with the Stat's `aversion`. Errors: `NoNode`, `BadVersion`, `InvalidACL`, `NoAuth`. */
  async setACL(path: string, acl: readonly Acl[], options: VersionOptions = NO_OPTIONS): Promise<Stat> {
    const op: Op = { kind: "setACL", path: this.#full(path, "setACL"), acl, version: options.version ?? -1 };
    return expect(await this.#requests.ask(op, "setACL", path, options.signal), "stat").stat;
  }

  /** Begins a transaction: several changes that happen together or not at all. */
  transaction(): Transaction {
    const commit: Commit = async (ops, signal) => {
      return expect(await this.#requests.ask({ kind: "multi", ops }, "commit a transaction", undefined, signal), "multi")
        .results;
    };
    return new Transaction(this.#chroot, commit);
  }

  // ── reading ──

  /** Reads data and Stat. Errors: `NoNode`, `NoAuth`. */
  async getData(path: string, options: WatchOptions = NO_OPTIONS): Promise<{ data: Uint8Array | null; stat: Stat }> {
    const full = this.#full(path, "getData");
    const op: Op = { kind: "getData", path: full, watch: options.watch !== undefined };
    const { data, stat } = expect(
      await this.#requests.ask(op, "getData", path, options.signal, sets("data", full, options.watch)),
      "data",
    );
    return { data, stat };
  }

  /** The znode's Stat, or null if there is none. A watch tells of its creation, too. */
  async exists(path: string, options: WatchOptions = NO_OPTIONS): Promise<Stat | null> {
    const full = this.#full(path, "exists");
    const op: Op = { kind: "exists", path: full, watch: options.watch !== undefined };
    const outcome = await this.#requests.ask(op, "exists", path, options.signal, sets("exist", full, options.watch));
    return outcome.kind === "error" ? null : expect(outcome, "stat").stat;
  }

  /** Names of the children, in no particular order, and the Stat. Errors: `NoNode`, `NoAuth`. */
  async getChildren(path: string, options: WatchOptions = NO_OPTIONS): Promise<{ children: string[]; stat: Stat }> {
    const full = this.#full(path, "getChildren");
    const op: Op = { kind: "getChildren2", path: full, watch: options.watch !== undefined };
    const outcome = expect(
      await this.#requests.ask(op, "getChildren", path, options.signal, sets("child", full, options.watch)),
      "childrenStat",
    );
    return { children: [...outcome.children], stat: outcome.stat };
  }

  /** The ACL and the Stat. Without ADMIN on the znode, hashes of `digest` ids are masked. Errors: `NoNode`, `NoAuth`. */
  async getACL(path: string, options: RequestOptions = NO_OPTIONS): Promise<{ acl: AclList; stat: Stat }> {
    const { acl, stat } = expect(
      await this.#requests.ask({ kind: "getACL", path: this.#full(path, "getACL") }, "getACL", path, options.signal),
      "acl",
    );
    return { acl, stat };
  }

  /** How many znodes there are below this one, at any depth. Errors: `NoNode`, `NoAuth`. */
  async getAllChildrenNumber(path: string, options: RequestOptions = NO_OPTIONS): Promise<number> {
    const op: Op = { kind: "getAllChildrenNumber", path: this.#full(path, "getAllChildrenNumber") };
    return expect(await this.#requests.ask(op, "getAllChildrenNumber", path, options.signal), "totalNumber").totalNumber;
  }

  /** This session's ephemerals whose paths begin with `prefix`. */
  async getEphemerals(prefix = "/", options: RequestOptions = NO_OPTIONS): Promise<string[]> {
    const op: Op = { kind: "getEphemerals", prefixPath: withChroot(this.#chroot, prefix) };
    const { ephemerals } = expect(await this.#requests.ask(op, "getEphemerals", prefix, options.signal), "ephemerals");
    return ephemerals.map((path) => withoutChroot(this.#chroot, path));
  }

  /** The identities this connection has proved; of secrets only the user's part. */
  async whoAmI(options: RequestOptions = NO_OPTIONS): Promise<readonly AuthId[]> {
    return expect(await this.#requests.ask({ kind: "whoAmI" }, "whoAmI", undefined, options.signal), "clientInfo").clientInfo;
  }

  /** Waits until this server has seen every write that was committed before. */
  async sync(path = "/", options: RequestOptions = NO_OPTIONS): Promise<void> {
    await this.#requests.ask({ kind: "sync", path: this.#full(path, "sync") }, "sync", path, options.signal);
  }

  /** The ensemble's configuration, kept in `/zookeeper/config`; a chroot does not apply. */
  async getConfig(options: WatchOptions = NO_OPTIONS): Promise<{ data: Uint8Array | null; stat: Stat }> {
    const op: Op = { kind: "getData", path: CONFIG_PATH, watch: options.watch !== undefined };
    const { data, stat } = expect(
      await this.#requests.ask(op, "getConfig", CONFIG_PATH, options.signal, sets("data", CONFIG_PATH, options.watch)),
      "data",
    );
    return { data, stat };
  }

  /**
   * Changes who belongs to the ensemble, and answers as {@link getConfig} does then. Needs `reconfigEnabled`, and WRITE on `/zookeeper/config`.
   *
   * Errors: `ReconfigDisabled`; `Unimplemented` from a server that stands alone; `ReconfigInProgress`; `BadVersion`; `BadArguments` where the
   * lines make no sense or too few would vote; `NewConfigNoQuorum` where no quorum of the new members follows the leader; `NoAuth`.
   *
   * @example
   * ```ts
   * await zk.reconfig({ joining: ["server.4=10.0.0.4:2888:3888:participant;2181"], leaving: [1] });
   * ```
   */
  async reconfig(change: Reconfig, options: RequestOptions = NO_OPTIONS): Promise<{ data: Uint8Array | null; stat: Stat }> {
    const { data, stat } = expect(
      await this.#requests.ask(reconfigOp(change), "reconfig", CONFIG_PATH, options.signal),
      "data",
    );
    return { data, stat };
  }

  // ── watching ──

  /** Registers `watcher` until {@link removeWatch}: it hears of every change, not just of the next one. */
  async addWatch(
    path: string,
    watcher: Watcher,
    options: { readonly mode?: AddWatchMode } & RequestOptions = NO_OPTIONS,
  ): Promise<void> {
    const full = this.#full(path, "addWatch");
    const mode = options.mode ?? "persistent";
    const op: Op = { kind: "addWatch", path: full, mode: mode === "persistent" ? 0 : 1 };
    await this.#requests.ask(op, "addWatch", path, options.signal, sets(mode, full, watcher));
  }

  /** Ends one registration of {@link addWatch}. */
  async removeWatch(
    path: string,
    watcher: Watcher,
    options: { readonly mode?: AddWatchMode } & RequestOptions = NO_OPTIONS,
  ): Promise<void> {
    const full = this.#full(path, "removeWatches");
    // Servers remove all watches at a path or none. While another one is needed there, events of this one come and find nobody.
    if (!this.#watchers.remove(options.mode ?? "persistent", full, watcher) || this.#watchers.needs(full)) return;
    await this.#requests.ask({ kind: "removeWatches", path: full, type: 3 }, "removeWatches", path, options.signal);
  }

  /** Removes every watch of this handle at this path. Errors: `NoWatcher`. */
  async removeWatches(path: string, options: RequestOptions = NO_OPTIONS): Promise<void> {
    const full = this.#full(path, "removeWatches");
    const effect = { kind: "removeAll", path: full } as const;
    await this.#requests.ask({ kind: "removeWatches", path: full, type: 3 }, "removeWatches", path, options.signal, effect);
  }

  /**
   * The changes at a path, or at all paths below it, as an iterator. It survives lost connections; where it can't know what happened meanwhile it
   * says `Missed`. Needs a server of 3.6 or newer; an older one ends it with `Unimplemented`.
   *
   * @example
   * ```ts
   * for await (const event of zk.watch("/jobs", { mode: "persistent_recursive" })) console.log(event.type, event.path);
   * ```
   */
  watch(path: string, options: WatchStreamOptions = NO_OPTIONS): EventStream<StreamEvent> {
    return this.#streams.open(path, this.#full(path, "watch"), options);
  }

  // ── values ──

  /**
   * A znode whose data is a value of one type: written by a codec (JSON unless told), and checked by a schema of any library that keeps to Standard
   * Schema, such as zod.
   *
   * @example
   * ```ts
   * const config = zk.typed("/config", { schema: z.object({ port: z.number() }) });
   * await config.create({ port: 80 });
   * await config.update(({ port }) => ({ port: port + 1 }));
   * ```
   */
  typed<S extends Schema>(
    path: string,
    options: { readonly schema: S; readonly codec?: Codec<unknown> },
  ): TypedNode<SchemaInput<S>, SchemaOutput<S>>;
  typed<T>(path: string, options: { readonly codec: Codec<T> }): TypedNode<T>;
  typed(path: string, options: { readonly schema?: Schema; readonly codec?: Codec<unknown> }): TypedNode<unknown> {
    return new TypedNode(this, path, options.codec, options.schema);
  }

  // ── servers, identity, end ──

  /**
   * Replaces the list of servers, given as a connect string; its chroot, if any, is ignored. If the load is to be balanced so, this handle goes to
   * another server: its requests under way then fail with `ConnectionLoss`. Clients that all do this spread evenly over the new list.
   *
   * @example
   * ```ts
   * zk.updateServers("zk1:2181,zk2:2181,zk3:2181");
   * ```
   */
  updateServers(servers: string): void {
    this.#session.updateServers(servers);
  }

  /**
   * Proves an identity, now and after every reconnect: `addAuth("digest", "user:password")`. Errors: `AuthFailed`, after which the handle is of no
   * more use.
   */
  addAuth(scheme: string, auth: Data): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#session.addAuth(scheme, toBytes(auth) ?? new Uint8Array(0), (outcome, applied, reason) => {
        if (outcome.kind === "error")
          reject(new ZkError(outcome.code, { operation: "addAuth", applied, ...(reason === undefined ? {} : { reason }) }));
        else resolve();
      });
    });
  }

  /**
   * Ends the session: its ephemerals go, its watches fall silent. Never rejects, and waits at most three seconds for a server that doesn't answer: a
   * session that it doesn't hear the end of expires there.
   */
  close(): Promise<void> {
    return new Promise((resolve) => this.#session.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ── what the session tells ──

  /** @internal */
  stateChanged(state: ConnectionState, reason: string): void {
    const connected = state === "connected" || state === "connectedReadOnly";
    if (connected && this.#wasConnected) this.#streams.missed();
    this.#wasConnected ||= connected;
    for (const listener of this.#stateListeners.all()) this.#guard(() => listener({ state, reason }));
    if (isTerminal(state))
      this.#streams.endAll(state === "closed" ? null : new ZkError(codeOfState(state), { operation: "watch", reason }));
  }

  /** @internal */
  event(event: WatchedEvent): void {
    const watchers = this.#watchers.take(event);
    const seen = this.#chroot === "" ? event : { ...event, path: withoutChroot(this.#chroot, event.path) };
    for (const watcher of watchers) this.#guard(() => watcher(seen));
  }

  /** @internal */
  watchesRefused(): void {
    const reason = "this server is older than 3.6 and has no such watches";
    this.#watchers.removeAdded();
    this.#streams.endAll(new ZkError("Unimplemented", { operation: "watch", reason }));
  }

  /** @internal */
  watchesToSet(relativeZxid: Zxid): SetWatchesOp[] {
    return this.#watchers.toSetAgain(relativeZxid);
  }

  /** A caller's function must not break what goes on around it. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#logger.error(
        `A watcher or state listener threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
  }

  #full(path: string, operation: string): string {
    return serverPath(this.#chroot, path, operation);
  }
}

function codeOfState(state: ConnectionState): ErrorCode {
  return state === "authFailed" ? "AuthFailed" : "SessionExpired";
}
