/**
 * Settings of `open()`: every setting with its meaning and its default. What is allowed is said by schema.ts.
 *
 * Invariant: what comes out of {@link settingsOf} is complete and consistent; nothing behind it checks again.
 */

import { addHashes, type DigestAlgorithm, isLoaded } from "../acl/digest_algorithms.ts";
import type { AclOptions } from "../acl/schemes.ts";
import { plainCopy } from "../base/plain_copy.ts";
import type { KernelOptions } from "../kernel/options.ts";
import { behaviourOf, type Compat } from "../model/compat.ts";
import { FRAME_BYTES_EXTRA_MIN } from "../model/txn_size.ts";
import { serverIdProblem, useSecretPassword } from "../session/identity.ts";
import type { TreeOptions } from "../tree/tree.ts";
import type { ExtendedTypes } from "../tree/znode.ts";

/** Who may do what, and how identities are proved. */
export interface AclSettings {
  /** Allow everything to everybody. Default false. */
  readonly skip: boolean;
  /** `user:base64(sha1("user:password"))` of the user who may do everything; null, the default, for none. */
  readonly superDigest: string | null;
  /** Whether scheme `digest` is offered. Default true. */
  readonly digestEnabled: boolean;
  /** How digests are made. Default SHA1. */
  readonly digestAlg: DigestAlgorithm;
  /** Names a client may call the ensemble by; null, the default: scheme `ensemble` is not offered. */
  readonly ensembleAuthNames: readonly string[] | null;
  /** Whether scheme `sasl` may stand in ACLs. Default: if there are SASL users. */
  readonly saslRegistered: boolean;
  /** SASL ids that may do everything. Default none. */
  readonly superUsers: readonly string[];
  /** Id of ACL entries that match every SASL user. Default none. */
  readonly letAnySaslUserDoX: string | null;
  /** Whether scheme `x509` may stand in ACLs. Default false. */
  readonly x509Registered: boolean;
  /** Certificate subject that may do everything. Default none. */
  readonly x509SuperUser: string | null;
}

/** Identities that clients prove by SASL's DIGEST-MD5. */
export interface SaslSettings {
  /** Passwords by user. Default none: no client is asked for one. They are kept in memory alone and never written anywhere. */
  readonly users: Readonly<Record<string, string>>;
  /** Whether a client that fails may stay, as somebody who has proved nothing: ZooKeeper's `allowSaslFailedClients`. Default false. */
  readonly allowFailedClients: boolean;
}

/** What clients may cost. */
export interface LimitSettings {
  /** Bytes of one request, in process as over TCP: ZooKeeper's `jute.maxbuffer`. Default 1,048,575. */
  readonly frameBytesMax: number;
  /**
   * So many bytes more may have what a request becomes, as a txn in the log and in a packet to another member: ZooKeeper's
   * `jute.maxbuffer.extrasize`. What would be longer is refused with `MarshallingError`, since no member could read it. Default as many as
   * `frameBytesMax`, at least 1,024. All members of an ensemble must be told the same.
   */
  readonly frameBytesExtra: number;
  /**
   * Bytes of the paths of one session's ephemerals: what would come above is refused with `QuotaExceeded`. Default 0: any number. The end of a session
   * whose paths are longer than a txn may be names none of them, as with `closeSessionPaths: false`.
   */
  readonly ephemeralBytesMax: number;
  /** Open connections from one address, ZooKeeper's `maxClientCnxns`. Default 60; 0: any number. */
  readonly connectionsPerAddressMax: number;
  /** Open connections in all, ZooKeeper's `maxCnxns`. Default 0: any number. */
  readonly connectionsMax: number;
  /** How long a connection may take to say who it is, milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs: number;
  /**
   * While more requests than this wait for their commit, connections that wait for answers are not read from: ZooKeeper's
   * `globalOutstandingLimit`. Default 1,000.
   */
  readonly outstandingRequestsMax: number;
  /** So many requests of one connection are carried out in a row before others have their turn. Default 1,000. */
  readonly requestsInRowMax: number;
  /** … and for about so long, milliseconds. Default 5. */
  readonly requestsInRowMs: number;
  /** A connection with this many requests that wait, for the log or for others, is read no further until fewer do. Default 2,000. */
  readonly waitingRequestsMax: number;
  /** The same, by the memory that they take. Default 4 MiB. */
  readonly waitingBytesMax: number;
  /**
   * A connection whose client has not taken this many bytes is read no further until it has, and about so many bytes of replies are made at a time.
   * Its session lives on meanwhile. Default 1 MiB.
   */
  readonly outputBytesPause: number;
  /** A connection whose client leaves events of this many bytes waiting is closed. Default 64 MiB. */
  readonly outputBytesMax: number;
  /** A connection whose client takes nothing of what was sent to it for so long, milliseconds, is closed. Default 30,000. */
  readonly outputStallMs: number;
  /** A multi of reads whose answer holds more bytes of data and names is refused with `MarshallingError`. Default 4 MiB. */
  readonly multiReadBytesMax: number;
}

/** What is done against floods of requests and of connections. Nothing, unless told. */
export interface ThrottleSettings {
  /** While so many requests are on their way, others wait: ZooKeeper's `request_throttle_max_requests`. Default 0: none waits. */
  readonly requestsInProcessMax: number;
  /** How long they wait before it is looked again, milliseconds, if nothing is answered meanwhile. Default 100. */
  readonly stallTimeMs: number;
  /** Requests that have waited longer, milliseconds, are answered `ThrottledOp`: `throttled_op_wait_time`. Default 0: never. */
  readonly opWaitTimeMs: number;
  /** Handshakes take tokens, and this is how many there can be: `connection_throttle_tokens`. Default 0: no throttling. */
  readonly connectionTokens: number;
  /** In so many milliseconds … Default 1. */
  readonly connectionFillTimeMs: number;
  /** … so many tokens come anew. Default 1. */
  readonly connectionFillCount: number;
  /** How often the chance of being turned away is adjusted, milliseconds. Default -1: no chance, only the lack of tokens counts. */
  readonly connectionFreezeTimeMs: number;
  /** How much it rises while there is no token left. Default 0.02. */
  readonly connectionDropIncrease: number;
  /** How much it falls while few are taken. Default 0.002. */
  readonly connectionDropDecrease: number;
  /** Few: so much of all. Default 0. */
  readonly connectionDecreaseRatio: number;
  /**
   * Tokens for a new session, a local one, one that comes back; null, the default: 1 for each. With weights the tokens that there can be, and those
   * that come anew, are counted in new sessions.
   */
  readonly connectionWeights: { readonly global: number; readonly local: number; readonly renew: number } | null;
}

/** The removal of empty containers and expired TTL znodes. */
export interface ReaperSettings {
  /** How often to look, milliseconds. Default 60,000. */
  readonly intervalMs: number;
  /** How many to remove a minute at most. Default 10,000. */
  readonly perMinuteMax: number;
  /** A container that never had a child goes after this time, milliseconds. Default 0: never. */
  readonly neverUsedMs: number;
}

/** When a server that keeps its data writes snapshots, and which it starts from. */
export interface SnapshotSettings {
  /**
   * Write a snapshot after about this many txns, ZooKeeper's `snapCount`: somewhere between half of it and the whole. Default 100,000, at
   * least 2.
   */
  readonly everyTxns: number;
  /** The same, by bytes of log. Default 4 GiB. */
  readonly everyBytes: number;
  /** Start from a log without any snapshot, which must then hold the whole history. Default false: such a start is refused. */
  readonly trustEmpty: boolean;
  /** Write the last zxid once more at the snapshot's end, as ZooKeeper does since 3.9. Default: where that is imitated. */
  readonly lastZxid: boolean;
}

/** All settings of a server. */
export interface Settings {
  /** ZooKeeper's unit of time, milliseconds: sessions expire in steps of it. Default 2,000. */
  readonly tickTimeMs: number;
  /** Default 2 ticks. */
  readonly minSessionTimeoutMs: number;
  /** Default 20 ticks. */
  readonly maxSessionTimeoutMs: number;
  /** Highest byte of session ids, 0 to 254; to 127 with `extendedTypes: "3.5.3"`. Default 1. */
  readonly serverId: number;
  /** Which version of ZooKeeper to answer like. Default 3.8. */
  readonly compat: Compat;
  /**
   * TTL znodes. Default true; ZooKeeper itself has them only with `extendedTypesEnabled=true`. `"3.5.3"`: also those that ZooKeeper 3.5.3 wrote,
   * as with `emulate353TTLNodes=true`; then no server id above 127 may be in use.
   */
  readonly extendedTypes: ExtendedTypes;
  /** Keep the tree's digest. Default: where something is stored. */
  readonly digest: boolean;
  /** closeSession records name the ephemerals they delete, as since 3.6. Default true. */
  readonly closeSessionPaths: boolean;
  /** Enforce hard quotas. Default false. */
  readonly enforceQuota: boolean;
  /** Whether an ensemble's members may be changed while it runs; all members must be told the same. Default false. */
  readonly reconfigEnabled: boolean;
  /** Whether a member that finds no leader serves reads, to clients that accept a read-only server. Default false. */
  readonly readOnlyMode: boolean;
  /** Nothing is answered without an identity of one of these schemes. Default none: no such rule. */
  readonly requiredAuthSchemes: readonly string[];
  /** Sessions leave no trace in the log, and own no ephemerals. Default false. */
  readonly localSessions: boolean;
  /** A local session becomes an ordinary one with its first ephemeral. Default false. */
  readonly localSessionsUpgrading: boolean;
  /**
   * What session passwords are made of, at least 16 characters, the same on all members and over restarts. Default null: they follow from the session's
   * id, as Apache's members need it, and who knows an id can compute its password. It is kept in memory alone and never written anywhere.
   */
  readonly sessionSecret: string | null;
  /** Four-letter words that are answered beside `srvr`; `*` for all. Default null: what the imitated version answers by itself. */
  readonly fourLetterWords: readonly string[] | null;
  readonly acl: AclSettings;
  readonly sasl: SaslSettings;
  readonly limits: LimitSettings;
  readonly throttle: ThrottleSettings;
  readonly reaper: ReaperSettings;
  readonly snapshots: SnapshotSettings;
}

/** The settings of `open()` that are plain values: any of {@link Settings}. */
export interface OpenSettings extends Partial<Omit<Settings, "acl" | "sasl" | "limits" | "throttle" | "reaper" | "snapshots">> {
  readonly acl?: Partial<AclSettings>;
  readonly sasl?: Partial<SaslSettings>;
  readonly limits?: Partial<LimitSettings>;
  readonly throttle?: Partial<ThrottleSettings>;
  readonly reaper?: Partial<ReaperSettings>;
  readonly snapshots?: Partial<SnapshotSettings>;
}

/** Timeouts are Java's ints on the wire. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** What holds unless told otherwise; `digest`, `frameBytesExtra` and the session timeouts follow from the rest. */
const DEFAULTS: Omit<Settings, "digest" | "minSessionTimeoutMs" | "maxSessionTimeoutMs" | "limits"> & {
  readonly limits: Omit<LimitSettings, "frameBytesExtra">;
} = {
  tickTimeMs: 2000,
  serverId: 1,
  compat: "3.8",
  extendedTypes: true,
  closeSessionPaths: true,
  enforceQuota: false,
  reconfigEnabled: false,
  readOnlyMode: false,
  requiredAuthSchemes: [],
  localSessions: false,
  localSessionsUpgrading: false,
  sessionSecret: null,
  fourLetterWords: null,
  acl: {
    skip: false,
    superDigest: null,
    digestEnabled: true,
    digestAlg: "SHA1",
    ensembleAuthNames: null,
    saslRegistered: false,
    superUsers: [],
    letAnySaslUserDoX: null,
    x509Registered: false,
    x509SuperUser: null,
  },
  sasl: { users: {}, allowFailedClients: false },
  limits: {
    frameBytesMax: 0xfffff,
    ephemeralBytesMax: 0,
    connectionsPerAddressMax: 60,
    connectionsMax: 0,
    handshakeTimeoutMs: 10_000,
    outstandingRequestsMax: 1000,
    requestsInRowMax: 1000,
    requestsInRowMs: 5,
    waitingRequestsMax: 2000,
    waitingBytesMax: 4 * 1024 * 1024,
    outputBytesPause: 1024 * 1024,
    outputBytesMax: 64 * 1024 * 1024,
    outputStallMs: 30_000,
    multiReadBytesMax: 4 * 1024 * 1024,
  },
  throttle: {
    requestsInProcessMax: 0,
    stallTimeMs: 100,
    opWaitTimeMs: 0,
    connectionTokens: 0,
    connectionFillTimeMs: 1,
    connectionFillCount: 1,
    connectionFreezeTimeMs: -1,
    connectionDropIncrease: 0.02,
    connectionDropDecrease: 0.002,
    connectionDecreaseRatio: 0,
    connectionWeights: null,
  },
  reaper: { intervalMs: 60_000, perMinuteMax: 10_000, neverUsedMs: 0 },
  snapshots: { everyTxns: 100_000, everyBytes: 4 * 2 ** 30, trustEmpty: false, lastZxid: false },
};

/**
 * Judges and completes the settings; `stores` says whether the server keeps anything. The schema is loaded only where there is something to judge:
 * it costs more than all the rest of a start.
 *
 * @param others options that stand beside the settings, for who misspells one of them
 * @throws TypeError that names each setting that is wrong, and what is allowed.
 */
export async function settingsOf(given: OpenSettings, stores: boolean, others: readonly string[] = []): Promise<Settings> {
  const own = plainCopy(given);
  if (Object.keys(own).length > 0) {
    const { problemsOf } = await import("./schema.ts");
    refuse(problemsOf(own, others));
    await loadHashes(own);
  }
  return completed(own, stores);
}

/** Passwords are made and compared within a step, which waits for nothing. */
async function loadHashes({ acl, sessionSecret }: OpenSettings): Promise<void> {
  if (!isLoaded(acl?.digestAlg ?? DEFAULTS.acl.digestAlg)) addHashes((await import("../acl/long_digests.ts")).LONG_DIGESTS);
  if (typeof sessionSecret === "string") useSecretPassword((await import("../session/secret_password.ts")).secretPassword);
}

/** The settings with all that they leave out, of which each by itself is right. */
export function completed(given: OpenSettings, stores: boolean): Settings {
  const { acl, sasl, limits, throttle, reaper, snapshots, ...rest } = DEFAULTS;
  const hasUsers = Object.keys(given.sasl?.users ?? {}).length > 0;
  const tickTimeMs = given.tickTimeMs ?? rest.tickTimeMs;
  const settings: Settings = {
    ...rest,
    digest: stores,
    minSessionTimeoutMs: Math.min(tickTimeMs * 2, TIMEOUT_MS_MAX),
    maxSessionTimeoutMs: Math.min(tickTimeMs * 20, TIMEOUT_MS_MAX),
    ...defined(given),
    acl: { ...acl, saslRegistered: hasUsers, ...defined(given.acl) },
    sasl: { ...sasl, ...defined(given.sasl) },
    limits: {
      ...limits,
      frameBytesExtra: extraBytes(given.limits?.frameBytesMax ?? limits.frameBytesMax),
      ...defined(given.limits),
    },
    throttle: { ...throttle, ...defined(given.throttle) },
    reaper: { ...reaper, ...defined(given.reaper) },
    snapshots: { ...snapshots, lastZxid: given.compat === "3.9", ...defined(given.snapshots) },
  };
  const { minSessionTimeoutMs, maxSessionTimeoutMs } = settings;
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    refuse([`minSessionTimeoutMs: ${minSessionTimeoutMs} is above maxSessionTimeoutMs ${maxSessionTimeoutMs}`]);
  }
  refuse(unmetSchemes(settings));
  const problem = serverIdProblem(settings.serverId, settings.extendedTypes);
  if (problem !== null) refuse([`serverId: ${problem}`]);
  return settings;
}

/** Schemes that are demanded of clients, and that none could prove anything by. */
function unmetSchemes({ requiredAuthSchemes, acl }: Settings): string[] {
  const offered: Readonly<Record<string, boolean>> = {
    ip: true,
    digest: acl.digestEnabled,
    sasl: acl.saslRegistered,
    x509: acl.x509Registered,
  };
  const names = Object.keys(offered).filter((name) => offered[name]);
  return requiredAuthSchemes
    .filter((scheme) => !Object.hasOwn(offered, scheme) || !offered[scheme])
    .map(
      (scheme) =>
        `requiredAuthSchemes: no client can prove anything by ${JSON.stringify(scheme)}; there are ${names.join(", ")}`,
    );
}

/** An option that is there but undefined is not given. */
function defined<T extends object>(options: T | undefined): T {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined)) as T;
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new TypeError(`Cannot open a server: ${problems.join("; ")}`);
}

function extraBytes(frameBytesMax: number): number {
  return Math.max(frameBytesMax, FRAME_BYTES_EXTRA_MIN);
}

/** Bytes of the longest txn with its header that is made, logged and sent; the limits' one consequence for all of these. */
export function txnBytesMax({ limits }: Settings): number {
  return limits.frameBytesMax + limits.frameBytesExtra;
}

export function treeOptions(settings: Settings): TreeOptions {
  const { counterWraps, configNode } = behaviourOf(settings.compat);
  return { extendedTypes: settings.extendedTypes, digest: settings.digest, counterWraps, configNode };
}

export function kernelOptions(settings: Settings): KernelOptions {
  const behaviour = behaviourOf(settings.compat);
  const { acl, reaper } = settings;
  const aclOptions: AclOptions = {
    skipAcl: acl.skip,
    superDigest: acl.superDigest,
    digestEnabled: acl.digestEnabled,
    digestAlg: acl.digestAlg,
    ensembleAuthNames: acl.ensembleAuthNames,
    saslRegistered: acl.saslRegistered,
    superUsers: acl.superUsers,
    letAnySaslUserDoX: acl.letAnySaslUserDoX,
    x509Registered: acl.x509Registered,
    x509SuperUser: acl.x509SuperUser,
    ipBits: behaviour.ipBits,
    ipv6Acl: behaviour.ipv6Acl,
    nullAclIsMarshallingError: behaviour.nullAclIsMarshallingError,
    skipAclSkipsLists: behaviour.skipAclSkipsLists,
    authGoesLast: behaviour.authGoesLast,
  };
  return {
    serverId: settings.serverId,
    tickTimeMs: settings.tickTimeMs,
    minSessionTimeoutMs: settings.minSessionTimeoutMs,
    maxSessionTimeoutMs: settings.maxSessionTimeoutMs,
    behaviour,
    acl: aclOptions,
    extendedTypes: settings.extendedTypes,
    closeSessionPaths: settings.closeSessionPaths,
    enforceQuota: settings.enforceQuota,
    reconfigEnabled: settings.reconfigEnabled,
    txnBytesMax: txnBytesMax(settings),
    ephemeralBytesMax: settings.limits.ephemeralBytesMax,
    requiredAuthSchemes: settings.requiredAuthSchemes,
    localSessions: settings.localSessions,
    localSessionsUpgrading: settings.localSessionsUpgrading,
    sessionSecret: settings.sessionSecret,
    reapIntervalMs: reaper.intervalMs,
    reapsPerMinuteMax: reaper.perMinuteMax,
    containerNeverUsedMs: reaper.neverUsedMs,
    multiReadBytesMax: settings.limits.multiReadBytesMax,
  };
}
