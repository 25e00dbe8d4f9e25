/**
 * Settings of zoo.cfg, in the words of `open()` and `tcp()`.
 *
 * Where zoo.cfg does not say, ZooKeeper's default for zoo.cfg counts, which is not always that of `open()`.
 */
import type { EnsembleConfig, EnsembleMember } from "../../lib/broadcast/zab/ensemble.ts";
import { FRAME_BYTES_EXTRA_MIN } from "../../lib/model/txn_size.ts";
import type { OpenSettings, ThrottleSettings } from "../../lib/options/options.ts";
import type { EnsembleOptions } from "../../lib/server/ensemble.ts";
import type { HttpPortOptions } from "../http/mod.ts";
import type { FileStorageOptions } from "../storage/file.ts";
import type { ServerTlsOptions, TcpOptions } from "../tcp/listener.ts";
import { DEFAULT_TICK_TIME_MS, extendedTypesOf } from "./zoo_cfg.ts";
import type { ZooSettings } from "./zoo_keys.ts";

/** `isMember`: it is of an ensemble. As in Apache, a server that is alone has no local sessions. */
export function openSettings(zoo: Partial<ZooSettings>, isMember: boolean): OpenSettings {
  return {
    tickTimeMs: zoo.tickTime ?? DEFAULT_TICK_TIME_MS,
    ...given("minSessionTimeoutMs", zoo.minSessionTimeout === -1 ? undefined : zoo.minSessionTimeout),
    ...given("maxSessionTimeoutMs", zoo.maxSessionTimeout === -1 ? undefined : zoo.maxSessionTimeout),
    extendedTypes: extendedTypesOf(zoo),
    ...given("digest", zoo["digest.enabled"]),
    ...given("closeSessionPaths", zoo["closeSessionTxn.enabled"]),
    ...given("enforceQuota", zoo.enforceQuota),
    ...given("reconfigEnabled", zoo.reconfigEnabled),
    ...(isMember ? given("localSessions", zoo.localSessionsEnabled) : {}),
    ...(isMember ? given("localSessionsUpgrading", zoo.localSessionsUpgradingEnabled) : {}),
    ...given("sessionSecret", zoo.sessionSecret),
    ...given("readOnlyMode", zoo["readonlymode.enabled"]),
    ...given("fourLetterWords", zoo["4lw.commands.whitelist"]),
    requiredAuthSchemes: requiredSchemes(zoo),
    acl: {
      ...given("skip", zoo.skipACL),
      ...given("superDigest", zoo["DigestAuthenticationProvider.superDigest"]),
      ...given("digestEnabled", zoo["DigestAuthenticationProvider.enabled"]),
      ...given("digestAlg", zoo["DigestAuthenticationProvider.digestAlg"]),
      ...given("superUsers", zoo.superUser),
      ...given("letAnySaslUserDoX", zoo.letAnySaslUserDoX),
      ...given("ensembleAuthNames", zoo.ensembleAuthName),
      ...given("x509Registered", hasTls(zoo) ? true : undefined),
      ...given("x509SuperUser", zoo["X509AuthenticationProvider.superUser"]),
    },
    limits: {
      ...given("frameBytesMax", zoo["jute.maxbuffer"]),
      ...given("frameBytesExtra", frameBytesExtra(zoo)),
      ...given("ephemeralBytesMax", zoo["ephemeralNodes.total.byte.limit"]),
      ...given("connectionsPerAddressMax", zoo.maxClientCnxns),
      ...given("connectionsMax", zoo.maxCnxns),
      ...given("handshakeTimeoutMs", zoo["nio.sessionlessCnxnTimeout"]),
      ...given("outstandingRequestsMax", zoo.globalOutstandingLimit),
    },
    throttle: {
      ...given("requestsInProcessMax", zoo.request_throttle_max_requests),
      ...given("stallTimeMs", zoo.request_throttle_stall_time),
      ...given("opWaitTimeMs", zoo.throttled_op_wait_time),
      ...given("connectionTokens", zoo.connection_throttle_tokens),
      ...given("connectionFillTimeMs", zoo.connection_throttle_fill_time),
      ...given("connectionFillCount", zoo.connection_throttle_fill_count),
      ...given("connectionFreezeTimeMs", zoo.connection_throttle_freeze_time),
      ...given("connectionDropIncrease", zoo.connection_throttle_drop_increase),
      ...given("connectionDropDecrease", zoo.connection_throttle_drop_decrease),
      ...given("connectionDecreaseRatio", zoo.connection_throttle_decrease_ratio),
      ...given("connectionWeights", connectionWeights(zoo)),
    },
    reaper: {
      ...given("intervalMs", zoo["znode.container.checkIntervalMs"]),
      ...given("perMinuteMax", zoo["znode.container.maxPerMinute"]),
      ...given("neverUsedMs", zoo["znode.container.maxNeverUsedIntervalMs"]),
    },
    snapshots: {
      ...given("everyTxns", zoo.snapCount === undefined ? undefined : Math.max(zoo.snapCount, SNAP_COUNT_MIN)),
      ...given("everyBytes", kibibytes(zoo.snapSizeLimitInKb, Number.MAX_SAFE_INTEGER)),
      ...given("trustEmpty", zoo["snapshot.trust.empty"]),
      ...given("lastZxid", zoo["serializeLastProcessedZxid.enabled"]),
    },
  };
}

function frameBytesExtra(zoo: Partial<ZooSettings>): number | undefined {
  const bytes = zoo["jute.maxbuffer.extrasize"];
  return bytes === undefined ? undefined : Math.max(bytes, FRAME_BYTES_EXTRA_MIN);
}

/** ZooKeeper's own weights, where zoo.cfg does not say. No session weighs less than a local one. */
function connectionWeights(zoo: Partial<ZooSettings>): ThrottleSettings["connectionWeights"] | undefined {
  if (!zoo.connection_throttle_weight_enabled) return undefined;
  const local = zoo.connection_throttle_local_session_weight ?? 1;
  return {
    global: Math.max(local, zoo.connection_throttle_global_session_weight ?? 3),
    local,
    renew: Math.max(local, zoo.connection_throttle_renew_session_weight ?? 2),
  };
}

/** As in Apache: the older key asks for SASL, and what the others ask for is another way to be let in. */
function requiredSchemes(zoo: Partial<ZooSettings>): readonly string[] {
  const schemes = zoo["enforce.auth.enabled"] ? (zoo["enforce.auth.schemes"] ?? []) : [];
  return zoo.sessionRequireClientSASLAuth ? [...new Set([...schemes, "sasl"])] : schemes;
}

function hasTls(zoo: Partial<ZooSettings>): boolean {
  return (zoo.secureClientPort ?? 0) > 0 || zoo["client.portUnification"] === true;
}

/** Where to keep the data, in the words of `fileStorage()`; null where zoo.cfg names no folder. */
export function storageOptions(zoo: Partial<ZooSettings>): FileStorageOptions | null {
  if (zoo.dataDir === undefined) return null;
  const purges = (zoo["autopurge.purgeInterval"] ?? 0) > 0;
  return {
    dataDir: zoo.dataDir,
    ...given("dataLogDir", zoo.dataLogDir),
    ...given("forceSync", zoo.forceSync),
    ...given("preAllocBytes", zoo.preAllocSize === undefined ? undefined : Math.min(zoo.preAllocSize * 1024, ZEROS_MAX)),
    ...given("logFileBytesMax", kibibytes(zoo.txnLogSizeLimitInKb, undefined)),
    ...given("syncWarnMs", zoo["fsync.warningthresholdms"]),
    ...given("autocreate", zoo["datadir.autocreate"]),
    ...given("compression", zoo["snapshot.compression.method"]),
    // What is too old is deleted when a snapshot has been written, and not by the hour.
    snapshotsKept: purges ? Math.max(zoo["autopurge.snapRetainCount"] ?? 0, SNAPSHOTS_KEPT_MIN) : 0,
  };
}

/** What is served over HTTP. */
export interface HttpPlan {
  readonly admin: { readonly port: HttpPortOptions; readonly commandUrl?: string } | null;
  readonly metrics: HttpPortOptions | null;
}

const PROMETHEUS = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
/** That of ZooKeeper's Prometheus provider. */
const METRICS_PORT = 7000;

/** The admin server, which takes `admin.enableServer=true` here, and the port of the Prometheus provider; null for neither. */
export function httpPlan(zoo: Partial<ZooSettings>): HttpPlan | null {
  const admin = zoo["admin.enableServer"] === true;
  const metrics = zoo["metricsProvider.className"] === PROMETHEUS;
  if (!admin && !metrics) return null;
  const adminPort = {
    ...given("host", zoo["admin.serverAddress"]),
    ...given("port", zoo["admin.serverPort"]),
    ...given("idleTimeoutMs", zoo["admin.idleTimeout"]),
  };
  const metricsPort = {
    ...given("host", zoo["metricsProvider.httpHost"]),
    port: zoo["metricsProvider.httpPort"] ?? METRICS_PORT,
  };
  return {
    admin: admin ? { port: adminPort, ...given("commandUrl", zoo["admin.commandURL"]) } : null,
    metrics: metrics ? metricsPort : null,
  };
}

/** The ensemble, and who this server is in it. */
export function ensembleOptions(
  zoo: Partial<ZooSettings>,
  config: EnsembleConfig,
  { id }: EnsembleMember,
): Omit<EnsembleOptions, "peers"> {
  return {
    id: Number(id),
    config,
    ...given("initLimit", zoo.initLimit),
    ...given("syncLimit", zoo.syncLimit),
    ...given("mayVoteAlone", zoo.standaloneEnabled === false ? true : undefined),
    ...given("snapshotSizeFactor", zoo.snapshotSizeFactor),
    ...given("listenOnAllInterfaces", zoo.quorumListenOnAllIPs),
  };
}

/** ZooKeeper's own limits. */
const SNAP_COUNT_MIN = 2;
const SNAPSHOTS_KEPT_MIN = 3;
/** The log's padding is written, and not just a hole in the file: more of it at a time would hold up requests. */
const ZEROS_MAX = 4 * 1024 * 1024;

/** A size in KiB as bytes; 0 or less stands for none. */
function kibibytes<None>(size: number | undefined, none: None): number | undefined | None {
  if (size === undefined) return undefined;
  return size > 0 ? size * 1024 : none;
}

/** Where to listen: the port in the clear, or for both kinds of clients, and the one for TLS alone. None where zoo.cfg names no port. */
export function listenOptions(zoo: Partial<ZooSettings>, tls: Omit<ServerTlsOptions, "unified"> | null): readonly TcpOptions[] {
  const common = {
    ...given("backlog", zoo.clientPortListenBacklog === -1 ? undefined : zoo.clientPortListenBacklog),
    ...given("keepAlive", zoo.clientTcpKeepAlive),
  };
  const { clientPort = 0, secureClientPort = 0 } = zoo;
  const both = zoo["client.portUnification"] === true && tls !== null ? { tls: { ...tls, unified: true } } : {};
  return [
    ...(clientPort > 0 ? [{ port: clientPort, ...given("host", zoo.clientPortAddress), ...common, ...both }] : []),
    ...(secureClientPort > 0 && tls !== null
      ? [{ port: secureClientPort, ...given("host", zoo.secureClientPortAddress), ...common, tls }]
      : []),
  ];
}

/** The one property, or none where there is no value for it. */
function given<const Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]?: Value });
}
