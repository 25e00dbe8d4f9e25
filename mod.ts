/**
 * zookernel: ZooKeeper as a library, in this process.
 *
 * `open()` starts a server; `server.connect()` gives a client handle; `server.listen(tcp({ port }))`, from `zookernel/tcp`, lets any ZooKeeper
 * client in.
 *
 * @example
 * ```ts
 * import { open } from "zookernel";
 *
 * await using server = await open();
 * await using zk = await server.connect();
 * await zk.create("/hello", "world");
 * const { data, stat } = await zk.getData("/hello");
 * ```
 *
 * @module
 */
import { consoleLogger, nonce, soon, systemClock } from "./adapters/system.ts";
import { withPlainCopy } from "./lib/base/plain_copy.ts";
import { type OpenSettings, settingsOf } from "./lib/options/options.ts";
import { CLOCK, LOGGER, STORAGE } from "./lib/options/ports.ts";
import { type Shape, splitOptions } from "./lib/options/shape.ts";
import type { Clock, Logger, Storage } from "./lib/ports.ts";
import { modeOf } from "./lib/report/mode.ts";
import { OBSERVER, type ServerObserver } from "./lib/report/observer.ts";
import type { ProcessReport } from "./lib/report/report.ts";
import type { EnsembleOptions } from "./lib/server/ensemble.ts";
import { Server, type ServerWorld } from "./lib/server/server.ts";

export { type LogTapeLike, logtapeLogger, type PinoLike, pinoLogger } from "./adapters/loggers.ts";
export { CREATOR_ALL_ACL, OPEN_ACL_UNSAFE, Perms, READ_ACL_UNSAFE } from "./lib/acl/perms.ts";
export type { EnsembleConfig, EnsembleMember, WeightedGroups } from "./lib/broadcast/zab/ensemble.ts";
export { ensembleConfig } from "./lib/broadcast/zab/ensemble_text.ts";
export type { CreateOptions, Data } from "./lib/client/arguments.ts";
export { bytes, type Codec, json, utf8 } from "./lib/client/codecs.ts";
export type { EventStream, OverflowPolicy } from "./lib/client/event_stream.ts";
export type { LossRule } from "./lib/client/lease.ts";
export type {
  CloseOptions,
  ConnectOptions,
  RemoveWatchesOptions,
  RequestOptions,
  VersionOptions,
  WatchOptions,
  WatchStreamOptions,
} from "./lib/client/options.ts";
export type { Reconfig } from "./lib/client/reconfig.ts";
export {
  InvalidValueError,
  type Schema,
  type SchemaInput,
  type SchemaIssue,
  type SchemaOutput,
  type SchemaResult,
} from "./lib/client/schema.ts";
export type { ConnectionState } from "./lib/client/session.ts";
export type { StateChange } from "./lib/client/states.ts";
export { type Transaction, TransactionError, type TransactionResult } from "./lib/client/transaction.ts";
export type { TypedNode, UpdateOptions, Versioned } from "./lib/client/typed.ts";
export type { StreamEvent } from "./lib/client/watch_streams.ts";
export type { Watcher, WatchKind, WatchSort } from "./lib/client/watchers.ts";
export type { ZooKeeper } from "./lib/client/zookeeper.ts";
export type { Compat } from "./lib/model/compat.ts";
export { type Applied, type ErrorCode, ZkError } from "./lib/model/errors.ts";
export type {
  Acl,
  AclList,
  AddWatchMode,
  AuthId,
  CreateMode,
  EventType,
  Now,
  SessionId,
  Stat,
  WatchedEvent,
  Zxid,
} from "./lib/model/types.ts";
export type {
  AclSettings,
  LimitSettings,
  OpenSettings,
  ReaperSettings,
  SaslSettings,
  Settings,
  SnapshotSettings,
  ThrottleSettings,
} from "./lib/options/options.ts";
export type {
  Clock,
  Dialer,
  Duplex,
  DuplexHandler,
  Epochs,
  ListenAddress,
  Listener,
  LogChunk,
  LogData,
  Logger,
  LogRecord,
  LogSpan,
  Reserve,
  ServerAddress,
  Storage,
  StorageUsage,
  Stored,
  StoredEpochs,
  StoredSnapshot,
} from "./lib/ports.ts";
export type {
  ConnectionObserved,
  RequestObserved,
  RoleObserved,
  ServerObserver,
  SessionObserved,
  SyncObserved,
  TxnObserved,
} from "./lib/report/observer.ts";
export type { ServerMode } from "./lib/report/report.ts";
export type { EnsembleOptions, PeerHosts, PeerNetwork } from "./lib/server/ensemble.ts";
export type { ConfigStore } from "./lib/server/own_config.ts";
export type { Inspected, Server, Snapshot } from "./lib/server/server.ts";

/** What `open()` may be told; everything is optional. */
export interface OpenOptions extends OpenSettings {
  /** Where log lines go; default standard error, warnings and errors only. */
  readonly logger?: Logger;
  /** What time it is; default the system's clocks. */
  readonly clock?: Clock;
  /** Where data is kept, such as `fileStorage("./data")` of `zookernel/storage`; default nowhere: it lives as long as the server. */
  readonly storage?: Storage;
  /** What is called as things happen: requests, txns, sessions, connections, roles, syncs. Default: nothing is. */
  readonly observer?: ServerObserver;
  /** The ensemble that the server is a member of; it needs a storage. Default none: it stands alone. */
  readonly ensemble?: EnsembleOptions;
}

/** What is no setting. The ensemble is looked at closer once what knows it is loaded. */
const OWN_SHAPE: Shape<Omit<OpenOptions, keyof OpenSettings>> = {
  logger: LOGGER,
  clock: CLOCK,
  storage: STORAGE,
  observer: OBSERVER,
  ensemble: (given) => withPlainCopy(given as EnsembleOptions, "config"),
};

const loadProcess = async (): Promise<() => ProcessReport> => (await import("./adapters/process_report.ts")).describeProcess;

/** Whoever observes nothing loads nothing of it. */
async function observing(observer: ServerObserver, logger: Logger, clock: Clock): Promise<Pick<ServerWorld, "observe">> {
  const { Observation } = await import("./lib/report/observation.ts");
  return {
    observe: (host) =>
      new Observation({
        ...{ observer, logger, clock },
        mode: () => modeOf(host()),
        identitiesOf: (conn) => host().member.kernel.connections.get(conn)?.authIds ?? [],
      }),
  };
}

/**
 * Starts a server in this process: with no port, and in memory unless there is a storage.
 *
 * @throws TypeError that names each option that is wrong; StorageError where what is kept can't be used
 *
 * @example
 * ```ts
 * await using server = await open({ tickTimeMs: 500 });
 * const zk = await server.connect({ sessionTimeoutMs: 5_000 });
 * ```
 */
export async function open(options: OpenOptions = {}): Promise<Server> {
  const { own, rest } = splitOptions("open a server", options, OWN_SHAPE, "{ tickTimeMs: 500 }");
  const { logger = consoleLogger({ level: "warn" }), clock = systemClock(), storage, ensemble } = own;
  const settings = await settingsOf(rest, storage !== undefined, Object.keys(OWN_SHAPE));
  const { observer } = own;
  const observe = observer === undefined ? {} : await observing(observer, logger, clock);
  const world = { clock, logger, random: Math.random, nonce, soon, loadProcess, ...observe };
  if (ensemble !== undefined) {
    if (storage === undefined) throw new TypeError("Cannot open a server: a member of an ensemble needs a storage");
    const { memberSettings, openMember, takeEnsemble } = await import("./lib/server/ensemble.ts");
    const taken = takeEnsemble(ensemble, settings.extendedTypes);
    return new Server(memberSettings(taken, settings), world, await openMember(storage, taken, settings, world));
  }
  if (storage === undefined) return new Server(settings, world);
  const { openDurable } = await import("./lib/server/durable.ts");
  return await openDurable(storage, settings, world);
}
