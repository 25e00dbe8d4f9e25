/**
 * What `open()` may be told: every setting with its default and its limits, in one schema, checked once.
 *
 * Invariant: what comes out of {@link parseSettings} is complete and consistent; nothing behind it checks again.
 */
import { z } from "zod";
import type { AclOptions } from "./acl/schemes.ts";
import { behaviourOf, COMPAT_VERSIONS, type Compat } from "./compat.ts";
import { DIGEST_ALGORITHMS, type DigestAlgorithm } from "./digest_algorithms.ts";
import type { KernelOptions } from "./kernel/options.ts";

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
  /** Whether scheme `sasl` may stand in ACLs. Default false. */
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

/** What clients may cost. */
export interface LimitSettings {
  /** Bytes of one request, ZooKeeper's `jute.maxbuffer`. Default 1,048,575. */
  readonly frameBytesMax: number;
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
  /** A connection whose client has not taken this many bytes is read no further until it has. Default 1 MiB. */
  readonly outputBytesPause: number;
  /** A connection whose client leaves this many bytes waiting is closed. Default 64 MiB. */
  readonly outputBytesMax: number;
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

/** All settings of a server. */
export interface Settings {
  /** ZooKeeper's unit of time, milliseconds: sessions expire in steps of it. Default 2,000. */
  readonly tickTimeMs: number;
  /** Default 2 ticks. */
  readonly minSessionTimeoutMs: number;
  /** Default 20 ticks. */
  readonly maxSessionTimeoutMs: number;
  /** Highest byte of session ids, 0 to 254. Default 1. */
  readonly serverId: number;
  /** Which version of ZooKeeper to answer like. Default 3.8. */
  readonly compat: Compat;
  /** TTL znodes. Default true; ZooKeeper itself has them only with `extendedTypesEnabled=true`. */
  readonly extendedTypes: boolean;
  /** Keep the tree's digest. Default: where something is stored. */
  readonly digest: boolean;
  /** closeSession records name the ephemerals they delete, as since 3.6. Default true. */
  readonly closeSessionPaths: boolean;
  /** Enforce hard quotas. Default false. */
  readonly enforceQuota: boolean;
  /** Default false. */
  readonly reconfigEnabled: boolean;
  /** Nothing is answered without an identity of one of these schemes. Default none: no such rule. */
  readonly requiredAuthSchemes: readonly string[];
  /** Sessions leave no trace in the log, and own no ephemerals. Default false. */
  readonly localSessions: boolean;
  /** A local session becomes an ordinary one with its first ephemeral. Default false. */
  readonly localSessionsUpgrading: boolean;
  /** Four-letter words that are answered beside `srvr`; `*` for all. Default null: what the imitated version answers by itself. */
  readonly fourLetterWords: readonly string[] | null;
  readonly acl: AclSettings;
  readonly limits: LimitSettings;
  readonly reaper: ReaperSettings;
}

/** The settings of `open()` that are plain values: any of {@link Settings}. */
export interface OpenSettings extends Partial<Omit<Settings, "acl" | "limits" | "reaper">> {
  readonly acl?: Partial<AclSettings>;
  readonly limits?: Partial<LimitSettings>;
  readonly reaper?: Partial<ReaperSettings>;
}

/** What Java's int holds, and so what zoo.cfg may say. */
const INT_MAX = 2 ** 31 - 1;
const milliseconds = (): z.ZodNumber => z.number().int().min(1).max(INT_MAX);
const count = (most: number): z.ZodNumber => z.number().int().min(0).max(most);
const bytes = (): z.ZodNumber =>
  z
    .number()
    .int()
    .min(1024)
    .max(2 ** 30);

const aclSchema = z.strictObject({
  skip: z.boolean().default(false),
  superDigest: z.string().nullable().default(null),
  digestEnabled: z.boolean().default(true),
  digestAlg: z.enum(DIGEST_ALGORITHMS).default("SHA1"),
  ensembleAuthNames: z.array(z.string()).readonly().nullable().default(null),
  saslRegistered: z.boolean().default(false),
  superUsers: z.array(z.string()).readonly().default([]),
  letAnySaslUserDoX: z.string().nullable().default(null),
  x509Registered: z.boolean().default(false),
  x509SuperUser: z.string().nullable().default(null),
});

const limitsSchema = z.strictObject({
  frameBytesMax: bytes().default(0xfffff),
  connectionsPerAddressMax: count(INT_MAX).default(60),
  connectionsMax: count(INT_MAX).default(0),
  handshakeTimeoutMs: milliseconds().default(10_000),
  outstandingRequestsMax: z.number().int().min(1).max(INT_MAX).default(1000),
  outputBytesPause: bytes().default(1024 * 1024),
  outputBytesMax: bytes().default(64 * 1024 * 1024),
});

const reaperSchema = z.strictObject({
  intervalMs: milliseconds().default(60_000),
  perMinuteMax: z.number().int().min(1).max(INT_MAX).default(10_000),
  neverUsedMs: count(INT_MAX).default(0),
});

const openSchema = z.strictObject({
  tickTimeMs: milliseconds().default(2000),
  minSessionTimeoutMs: milliseconds().optional(),
  maxSessionTimeoutMs: milliseconds().optional(),
  serverId: z.number().int().min(0).max(254).default(1),
  compat: z.enum(COMPAT_VERSIONS).default("3.8"),
  extendedTypes: z.boolean().default(true),
  digest: z.boolean().optional(),
  closeSessionPaths: z.boolean().default(true),
  enforceQuota: z.boolean().default(false),
  reconfigEnabled: z.boolean().default(false),
  requiredAuthSchemes: z.array(z.string()).readonly().default([]),
  localSessions: z.boolean().default(false),
  localSessionsUpgrading: z.boolean().default(false),
  fourLetterWords: z.array(z.string()).readonly().nullable().default(null),
  acl: aclSchema.prefault({}),
  limits: limitsSchema.prefault({}),
  reaper: reaperSchema.prefault({}),
});

/**
 * Completes the settings; `stores` says whether the server keeps anything.
 *
 * @throws TypeError that names each setting that is wrong, and what is allowed.
 */
export function parseSettings(given: OpenSettings, stores: boolean): Settings {
  const parsed = openSchema.safeParse(given);
  if (!parsed.success) {
    throw refusal(parsed.error.issues.map((issue) => `${issue.path.join(".") || "options"}: ${issue.message}`));
  }
  const { tickTimeMs, digest = stores, ...rest } = parsed.data;
  const { minSessionTimeoutMs = tickTimeMs * 2, maxSessionTimeoutMs = tickTimeMs * 20 } = rest;
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    throw refusal([`minSessionTimeoutMs: ${minSessionTimeoutMs} is above maxSessionTimeoutMs ${maxSessionTimeoutMs}`]);
  }
  return { ...rest, tickTimeMs, digest, minSessionTimeoutMs, maxSessionTimeoutMs };
}

function refusal(problems: readonly string[]): TypeError {
  return new TypeError(`Cannot open a server: ${problems.join("; ")}`);
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
    requiredAuthSchemes: settings.requiredAuthSchemes,
    localSessions: settings.localSessions,
    localSessionsUpgrading: settings.localSessionsUpgrading,
    reapIntervalMs: reaper.intervalMs,
    reapsPerMinuteMax: reaper.perMinuteMax,
    containerNeverUsedMs: reaper.neverUsedMs,
  };
}
