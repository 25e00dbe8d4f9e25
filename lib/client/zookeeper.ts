/**
 * The client handle: ZooKeeper's verbs as promises. One implementation, whether the server is in this process or at the end of a socket.
 *
 * Not here: connections and their loss (session.ts), a request's way to its promise (requests.ts), whose watch is whose (watchers.ts).
 *
 * Invariant: every promise is settled, with a result or with a {@link ZkError}.
 */

import { showAs } from "../base/inspection.ts";
import type { AbortSignal } from "../base/platform_types.ts";
import { checkFunction, checkOneOf, checkString } from "../base/validate.ts";
import { type ErrorCode, ZkError } from "../model/errors.ts";
import type { Op } from "../model/ops.ts";
import { pathProblem, withChroot, withoutChroot } from "../model/path.ts";
import type { Acl, AclList, AddWatchMode, AuthId, SessionId, Stat, WatchedEvent, Zxid } from "../model/types.ts";
import type { Clock, Logger } from "../ports.ts";
import type { SaslClient } from "../sasl/digest_md5.ts";
import { onAbort } from "./abort.ts";
import {
  type CreateOptions,
  type Data,
  NO_OPTIONS,
  takeAcl,
  takeAuth,
  takeCloseOptions,
  takeCreateOptions,
  takeData,
  takeModeOptions,
  takeRemoveWatchesOptions,
  takeRequestOptions,
  takeVersionOptions,
  takeWatcher,
  takeWatchOptions,
} from "./arguments.ts";
import type { Codec } from "./codecs.ts";
import { Conveniences } from "./conveniences.ts";
import type { EventStream } from "./event_stream.ts";
import { guard } from "./guard.ts";
import { LOSS_RULES, type LossRule } from "./lease.ts";
import type { Connector } from "./link.ts";
import type {
  CloseOptions,
  RemoveWatchesOptions,
  RequestOptions,
  VersionOptions,
  WatchOptions,
  WatchStreamOptions,
} from "./options.ts";
import { type Reconfig, reconfigOp } from "./reconfig.ts";
import { expect, type Failure, failed, Requests, sets } from "./requests.ts";
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts";
import { ClientSession, type ClientSessionListener, type ConnectionState, isTerminal } from "./session.ts";
import { type StateChange, StateListeners } from "./states.ts";
import { type Commit, Transaction } from "./transaction.ts";
import { TypedNode, type TypedOptions, takeTypedOptions } from "./typed.ts";
import { createOp, isSequential, serverPath } from "./values.ts";
import { type StreamEvent, WatchStreams } from "./watch_streams.ts";
import { CONFIG_PATH, type Watcher, Watchers, type WatchKind, type WatchSort } from "./watchers.ts";

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

/** Kinds of watches, as removeWatches numbers them. */
const WATCH_NUMBERS: Readonly<Record<WatchKind, number>> = {
  ...{ children: 1, data: 2, any: 3, persistent: 4, persistent_recursive: 5 },
};
const ANY_WATCH = WATCH_NUMBERS.any;

/**
 * A client handle, which is one session: ZooKeeper's verbs as promises. Made by `server.connect()` of a server in this process, and by `connect()` of
 * `zookernel/tcp` for any server. Verbs reject with a {@link ZkError}.
 *
 * @example
 * ```ts
 * await using zk = await server.connect();
 * await zk.create("/hello", "world");
 * ```
 */
export class ZooKeeper extends Conveniences {
  readonly #session: ClientSession;
  readonly #requests: Requests;
  readonly #watchers = new Watchers();
  readonly #chroot: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #stateListeners = new StateListeners();
  readonly #streams = new WatchStreams(this, this.#watchers);
  /** For the session alone: no part of what a caller may call. */
  readonly #listener: ClientSessionListener = {
    stateChanged: (state, reason) => this.#stateChanged(state, reason),
    event: (event) => this.#event(event),
    watchesToSet: (relativeZxid) => this.#watchers.toSetAgain(relativeZxid),
    watchesRefused: () => this.#watchesRefused(),
  };
  #wasConnected = false;

  /** Handles are made by `server.connect()` and `connect()`. */
  constructor(options: HandleOptions) {
    super();
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
      this.#listener,
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
    checkFunction("listen to states", "listener", listener, "({ state }) => console.log(state)");
    return this.#stateListeners.add(listener);
  }

  /** The states from now on, as an iterator that ends with the handle. */
  states(options: RequestOptions = NO_OPTIONS): EventStream<StateChange> {
    return this.#stateListeners.stream(() => this.state, takeRequestOptions("listen to states", options));
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
    checkFunction("guard the session", "lost", lost, "(reason) => stopWork(reason)");
    checkOneOf("guard the session", "rule", rule, LOSS_RULES);
    return this.#session.lease.guard(rule, (reason) => guard(this.#logger, lost, reason));
  }

  /**
   * Resolves once connected; rejects if that can't come about any more, or takes longer than it may. Called by whoever makes the handle.
   */
  async start(signal?: AbortSignal, timeoutMs?: number): Promise<this> {
    let [offState, offAbort, cancelTimer] = [(): void => {}, (): void => {}, (): void => {}];
    try {
      await new Promise<void>((resolve, reject) => {
        offState = this.#stateListeners.add(({ state, reason }) => {
          if (state === "connected" || state === "connectedReadOnly") resolve();
          else if (isTerminal(state)) reject(new ZkError(codeOfState(state), { operation: "connect", reason }));
        });
        const giveUp = (cause: unknown): void => {
          reject(cause);
          void this.close();
        };
        offAbort = onAbort(signal, giveUp);
        if (timeoutMs !== undefined)
          cancelTimer = this.#clock.wakeAt(this.#clock.now().mono + timeoutMs, () => giveUp(this.#notConnected(timeoutMs)));
        if (signal?.aborted !== true) this.#session.start();
      });
    } finally {
      offState();
      offAbort();
      cancelTimer();
    }
    return this;
  }

  #notConnected(timeoutMs: number): ZkError {
    const last = this.#session.lastReason;
    const reason = `not within ${timeoutMs} ms${last === null ? "" : `; the last try: ${last}`}`;
    return new ZkError("OperationTimeout", { operation: "connect", reason, ...(last !== null && { cause: new Error(last) }) });
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
    const checked = takeCreateOptions(path, options);
    const full = serverPath(this.#chroot, path, "create", isSequential(checked.mode));
    const answer = await this.#requests.ask(createOp(full, data, checked, false), "create", path, checked.signal);
    return withoutChroot(this.#chroot, answer.kind === "pathStat" ? answer.path : expect(answer, "path").path!);
  }

  /** The same, with the new znode's Stat. Servers before 3.5 don't know it. */
  async createWithStat(
    path: string,
    data?: Data,
    options: CreateOptions & RequestOptions = NO_OPTIONS,
  ): Promise<{ path: string; stat: Stat }> {
    const checked = takeCreateOptions(path, options);
    const full = serverPath(this.#chroot, path, "create", isSequential(checked.mode));
    const answer = await this.#requests.ask(createOp(full, data, checked, true), "create", path, checked.signal);
    const { path: created, stat } = expect(answer, "pathStat");
    return { path: withoutChroot(this.#chroot, created), stat };
  }

  /** Deletes a znode without children. Errors: `NoNode`, `NotEmpty`, `BadVersion`, `NoAuth`. */
  async delete(path: string, options: VersionOptions = NO_OPTIONS): Promise<void> {
    const full = this.#full(path, "delete");
    const { version, signal } = takeVersionOptions("delete", options);
    expect(await this.#requests.ask({ kind: "delete", path: full, version }, "delete", path, signal), "done");
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
    const full = this.#full(path, "setData");
    const { version, signal } = takeVersionOptions("setData", options);
    const op: Op = { kind: "setData", path: full, data: takeData("setData", data), version };
    return expect(await this.#requests.ask(op, "setData", path, signal), "stat").stat;
  }

  /** Replaces the ACL; `version` is compared with the Stat's `aversion`. Errors: `NoNode`, `BadVersion`, `InvalidACL`, `NoAuth`. */
  async setACL(path: string, acl: readonly Acl[], options: VersionOptions = NO_OPTIONS): Promise<Stat> {
    const full = this.#full(path, "setACL");
    const { version, signal } = takeVersionOptions("setACL", options);
    const op: Op = { kind: "setACL", path: full, acl: takeAcl("setACL", path, acl), version };
    return expect(await this.#requests.ask(op, "setACL", path, signal), "stat").stat;
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

  /**
   * Reads data and Stat; they are the caller's to change. The memory behind the bytes (`data.buffer`) holds other callers' data, too: copy them before
   * it is transferred. Errors: `NoNode`, `NoAuth`.
   */
  async getData(path: string, options: WatchOptions = NO_OPTIONS): Promise<{ data: Uint8Array | null; stat: Stat }> {
    const full = this.#full(path, "getData");
    const { watch, signal } = takeWatchOptions("getData", options);
    const op: Op = { kind: "getData", path: full, watch: watch !== undefined };
    const answer = await this.#requests.ask(op, "getData", path, signal, sets("data", full, watch));
    const { data, stat } = expect(answer, "data");
    return { data, stat };
  }

  /** The znode's Stat, or null if there is none. A watch tells of its creation, too. */
  async exists(path: string, options: WatchOptions = NO_OPTIONS): Promise<Stat | null> {
    const full = this.#full(path, "exists");
    const { watch, signal } = takeWatchOptions("exists", options);
    const op: Op = { kind: "exists", path: full, watch: watch !== undefined };
    const answer = await this.#requests.ask(op, "exists", path, signal, sets("exist", full, watch));
    return answer.kind === "error" ? null : expect(answer, "stat").stat;
  }

  /** Names of the children, in no particular order, and the Stat. Errors: `NoNode`, `NoAuth`. */
  async getChildren(path: string, options: WatchOptions = NO_OPTIONS): Promise<{ children: string[]; stat: Stat }> {
    const full = this.#full(path, "getChildren");
    const { watch, signal } = takeWatchOptions("getChildren", options);
    const op: Op = { kind: "getChildren2", path: full, watch: watch !== undefined };
    const answer = await this.#requests.ask(op, "getChildren", path, signal, sets("child", full, watch));
    const { children, stat } = expect(answer, "childrenStat");
    return { children: children as string[], stat };
  }

  /** The ACL and the Stat. Without ADMIN on the znode, hashes of `digest` ids are masked. Errors: `NoNode`, `NoAuth`. */
  async getACL(path: string, options: RequestOptions = NO_OPTIONS): Promise<{ acl: AclList; stat: Stat }> {
    const op: Op = { kind: "getACL", path: this.#full(path, "getACL") };
    const signal = takeRequestOptions("getACL", options);
    const { acl, stat } = expect(await this.#requests.ask(op, "getACL", path, signal), "acl");
    return { acl, stat };
  }

  /** How many znodes there are below this one, at any depth. Errors: `NoNode`, `NoAuth`. */
  async getAllChildrenNumber(path: string, options: RequestOptions = NO_OPTIONS): Promise<number> {
    const op: Op = { kind: "getAllChildrenNumber", path: this.#full(path, "getAllChildrenNumber") };
    const signal = takeRequestOptions("getAllChildrenNumber", options);
    return expect(await this.#requests.ask(op, "getAllChildrenNumber", path, signal), "totalNumber").totalNumber;
  }

  /** This session's ephemerals whose paths begin with `prefix`. */
  async getEphemerals(prefix = "/", options: RequestOptions = NO_OPTIONS): Promise<string[]> {
    checkString("getEphemerals", "prefix", prefix, '"/a"');
    const op: Op = { kind: "getEphemerals", prefixPath: withChroot(this.#chroot, prefix) };
    const signal = takeRequestOptions("getEphemerals", options);
    const { ephemerals } = expect(await this.#requests.ask(op, "getEphemerals", prefix, signal), "ephemerals");
    return ephemerals.map((path) => withoutChroot(this.#chroot, path));
  }

  /** The identities this connection has proved; of secrets only the user's part. */
  async whoAmI(options: RequestOptions = NO_OPTIONS): Promise<readonly AuthId[]> {
    const signal = takeRequestOptions("whoAmI", options);
    return expect(await this.#requests.ask({ kind: "whoAmI" }, "whoAmI", undefined, signal), "clientInfo").clientInfo;
  }

  /** Waits until this server has seen every write that was committed before. */
  async sync(path = "/", options: RequestOptions = NO_OPTIONS): Promise<void> {
    const op: Op = { kind: "sync", path: this.#full(path, "sync") };
    expect(await this.#requests.ask(op, "sync", path, takeRequestOptions("sync", options)), "path");
  }

  /** The ensemble's configuration, kept in `/zookeeper/config`; a chroot does not apply, neither here nor to the path that a watch is told. */
  async getConfig(options: WatchOptions = NO_OPTIONS): Promise<{ data: Uint8Array | null; stat: Stat }> {
    const { watch, signal } = takeWatchOptions("getConfig", options);
    const op: Op = { kind: "getData", path: CONFIG_PATH, watch: watch !== undefined };
    // A chroot above it would give its path another name for data watches.
    const set = withoutChroot(this.#chroot, CONFIG_PATH) === CONFIG_PATH ? "data" : "config";
    const effect = sets(set, CONFIG_PATH, watch);
    const { data, stat } = expect(await this.#requests.ask(op, "getConfig", CONFIG_PATH, signal, effect), "data");
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
    const op = reconfigOp(change);
    const signal = takeRequestOptions("reconfig", options);
    const { data, stat } = expect(await this.#requests.ask(op, "reconfig", CONFIG_PATH, signal), "data");
    return { data, stat };
  }

  // ── watching ──

  /** Registers `watcher` until {@link removeWatch}: it hears of every change, not just of the next one. */
  async addWatch(
    path: string,
    watcher: Watcher,
    options: { readonly mode?: AddWatchMode | undefined } & RequestOptions = NO_OPTIONS,
  ): Promise<void> {
    const full = this.#full(path, "addWatch");
    const { mode, signal } = takeModeOptions("addWatch", path, options);
    const op: Op = { kind: "addWatch", path: full, mode: mode === "persistent" ? 0 : 1 };
    const effect = sets(mode, full, takeWatcher("addWatch", watcher));
    expect(await this.#requests.ask(op, "addWatch", path, signal, effect), "watchAdded");
  }

  /** Ends one registration of {@link addWatch}. */
  async removeWatch(
    path: string,
    watcher: Watcher,
    options: { readonly mode?: AddWatchMode | undefined } & RequestOptions = NO_OPTIONS,
  ): Promise<void> {
    const full = this.#full(path, "removeWatch");
    const { mode, signal } = takeModeOptions("removeWatch", path, options);
    // Servers remove all watches at a path or none. While another one is needed there, events of this one come and find nobody.
    if (!this.#watchers.remove(mode, full, takeWatcher("removeWatch", watcher)) || this.#watchers.needs(full)) return;
    const op: Op = { kind: "removeWatches", path: full, type: ANY_WATCH };
    expect(await this.#requests.ask(op, "removeWatch", path, signal), "done");
  }

  /**
   * Removes every watch of this handle at this path, or those of one kind, and says of which sorts there were some. Errors: `NoWatcher`.
   *
   * @example
   * ```ts
   * await zk.removeWatches("/app", { kind: "children" }); // ["children"]
   * ```
   */
  async removeWatches(path: string, options: RemoveWatchesOptions = NO_OPTIONS): Promise<WatchSort[]> {
    const full = this.#full(path, "removeWatches");
    const { kind, local, signal } = takeRemoveWatchesOptions("removeWatches", options);
    if ((kind !== "any" || local) && !this.#watchers.has(full, kind))
      throw new ZkError("NoWatcher", { operation: "removeWatches", path });
    const op: Op = { kind: "removeWatches", path: full, type: WATCH_NUMBERS[kind] };
    let removed: WatchSort[] = [];
    const succeeded = (): void => {
      removed = this.#watchers.removeAll(full, kind);
    };
    const answer = await this.#requests.ask(op, "removeWatches", path, signal, { kind: "answered", succeeded });
    // They are not set again on the next connection.
    if (local && answer.kind === "failure" && answer.code === "ConnectionLoss") succeeded();
    else expect(answer, "done");
    return removed;
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
  typed<T>(path: string, options?: { readonly codec: Codec<T> }): TypedNode<T>;
  typed(path: string, options: TypedOptions = NO_OPTIONS): TypedNode<unknown> {
    checkString("make a typed znode", "path", path, '"/a"');
    const { codec, schema } = takeTypedOptions(options);
    return new TypedNode(this, path, codec, schema);
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
    checkString("update the list of servers", "servers", servers, '"zk1:2181,zk2:2181"');
    this.#session.updateServers(servers);
  }

  /**
   * Proves an identity, now and after every reconnect: `addAuth("digest", "user:password")`. Errors: `AuthFailed`, after which the handle is of no
   * more use.
   */
  async addAuth(scheme: string, auth: Data, options: RequestOptions = NO_OPTIONS): Promise<void> {
    checkString("addAuth", "scheme", scheme, '"digest"');
    const bytes = takeAuth("addAuth", auth);
    const signal = takeRequestOptions("addAuth", options);
    signal?.throwIfAborted();
    let offAbort = (): void => {};
    const failure = await new Promise<Failure | null>((resolve, reject) => {
      offAbort = onAbort(signal, reject);
      this.#session.addAuth(scheme, bytes, (outcome, applied, reason) => {
        const detail = { operation: "addAuth", applied, ...(reason === undefined ? {} : { reason }) };
        resolve(outcome.kind === "error" ? failed(outcome.code, detail) : null);
      });
    }).finally(() => offAbort());
    if (failure !== null) throw new ZkError(failure.code, failure.detail);
  }

  /**
   * Ends the session: its ephemerals go, its watches fall silent. Waits at most three seconds, unless told otherwise, for a server that doesn't
   * answer: a session that it doesn't hear the end of expires there. Rejects for options that are none, and for nothing else.
   */
  async close(options: CloseOptions = NO_OPTIONS): Promise<void> {
    const { timeoutMs, signal } = takeCloseOptions(options);
    let offAbort = (): void => {};
    await new Promise<void>((resolve) => {
      const end = this.#session.close(resolve, timeoutMs);
      offAbort = onAbort(signal, end);
    });
    offAbort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  static {
    showAs(ZooKeeper.prototype, (shown) => shown.#text);
  }

  /** What `console.log` shows. */
  get #text(): string {
    const id = this.sessionId === 0n ? "no session" : `session 0x${BigInt.asUintN(64, this.sessionId).toString(16)}`;
    const chroot = this.#chroot === "" ? "" : `, chroot ${this.#chroot}`;
    return `ZooKeeper { ${this.state}, ${id}, timeout ${this.sessionTimeoutMs} ms${chroot} }`;
  }

  // ── what the session tells ──

  #stateChanged(state: ConnectionState, reason: string): void {
    const connected = state === "connected" || state === "connectedReadOnly";
    if (connected && this.#wasConnected) this.#streams.missed();
    this.#wasConnected ||= connected;
    for (const listener of this.#stateListeners.all()) guard(this.#logger, listener, { state, reason });
    if (isTerminal(state))
      this.#streams.endAll(state === "closed" ? null : new ZkError(codeOfState(state), { operation: "watch", reason }));
  }

  #event(event: WatchedEvent): void {
    // Each gets an object of its own, which it may change.
    const { type, path, zxid } = event;
    const seen = withoutChroot(this.#chroot, path);
    for (const watcher of this.#watchers.take(event)) guard(this.#logger, watcher, { type, path: seen, zxid });
    if (path !== CONFIG_PATH) return;
    for (const watcher of this.#watchers.takeConfig(type)) guard(this.#logger, watcher, { type, path, zxid });
  }

  #watchesRefused(): void {
    const reason = "this server is older than 3.6 and has no such watches";
    this.#watchers.removeAdded();
    this.#streams.endAll(new ZkError("Unimplemented", { operation: "watch", reason }));
  }

  #full(path: string, operation: string): string {
    return serverPath(this.#chroot, path, operation);
  }
}

function codeOfState(state: ConnectionState): ErrorCode {
  return state === "authFailed" ? "AuthFailed" : "SessionExpired";
}
