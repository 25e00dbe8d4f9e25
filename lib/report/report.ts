/**
 * Report of a server about itself: the one source of the four-letter words and of the admin commands.
 *
 * Data only. Whoever implements it may compute a field when it is read: most questions read few of them.
 */
import type { Compat } from "../model/compat.ts";
import type { SessionId, Zxid } from "../model/types.ts";

/** What a server is at the moment, as ZooKeeper's own scripts say it. */
export type ServerMode = "standalone" | "leader" | "follower" | "observer" | "read-only";

export interface ServerReport extends ProcessReport {
  /** The version of ZooKeeper that is answered for, as clients parse it: `3.8.0-…, built on 2026-01-31 12:00 UTC`. */
  readonly version: string;
  readonly compat: Compat;
  /** false: no requests are served at the moment, and most questions have no answer. */
  readonly serving: boolean;
  readonly mode: ServerMode;
  readonly uptimeMs: number;
  /** Milliseconds from receiving a request to answering it. */
  readonly latency: { readonly minMs: number; readonly avgMs: number; readonly maxMs: number };
  readonly packetsReceived: number;
  readonly packetsSent: number;
  /** Every open connection, those without a session included. */
  readonly connections: readonly ConnectionReport[];
  readonly outstandingRequests: number;
  /** The last zxid applied. */
  readonly lastZxid: Zxid;
  readonly nodeCount: number;
  /** Characters of all paths plus bytes of all data. */
  readonly approximateDataSize: number;
  readonly ephemeralCount: number;
  readonly globalSessionCount: number;
  readonly localSessionCount: number;
  /** Registrations in both watch tables. */
  readonly watchCount: number;
  /** Path → sessions that watch it, in the data table alone: the watch words know no other, as in ZooKeeper. */
  readonly dataWatches: ReadonlyMap<string, readonly SessionId[]>;
  /** Which sessions fall due when; on a learner none, since the leader keeps their time. */
  readonly sessionExpiry: readonly ExpiryReport<SessionId>[];
  /** The same of local sessions; null where there can be none. */
  readonly localExpiry: readonly ExpiryReport<SessionId>[] | null;
  /** On a learner, the sessions of the whole ensemble with their timeouts, milliseconds; null elsewhere. */
  readonly learntSessions: ReadonlyMap<SessionId, number> | null;
  /** The same of connections. */
  readonly connectionExpiry: readonly ExpiryReport<ConnectionReport>[];
  readonly ephemerals: ReadonlyMap<SessionId, readonly string[]>;
  /** Bytes of what is on disk; 0 for a server that keeps nothing. */
  readonly dataDirBytes: number;
  readonly logDirBytes: number;
  /** The last snapshot that this run has written, and when; null before the first. */
  readonly lastSnapshot: { readonly zxid: Zxid; readonly wall: number } | null;
  /** The tree's digest at some zxids, oldest first. */
  readonly digests: readonly { readonly zxid: Zxid; readonly digest: bigint }[];
  /** Bytes of replies to clients; -1 each before the first one. */
  readonly responseBytes: Extent;
  readonly configuration: ConfigurationReport;
  /** The chance that a handshake is turned away: `connection_drop_probability`. */
  readonly dropChance: number;
  /** Further counts by the names that `mntr` has for them, without `zk_`. */
  readonly counters: Readonly<Record<string, number>>;
  /** Further measurements, likewise. */
  readonly summaries: Readonly<Record<string, SummaryReport>>;
}

/** The process and the machine it runs on. */
export interface ProcessReport {
  /** Key by key, in the order in which it is told: `os.name`, `Linux` … */
  readonly environment: readonly (readonly [key: string, value: string])[];
  /** File descriptors; null where the platform does not say. */
  readonly fileDescriptors: { readonly open: number; readonly max: number } | null;
}

/** What may be changed by a question. */
export interface ServerControl extends ServerReport {
  /** Which kinds of messages a trace would show. Kept and told; nothing is traced. */
  traceMask: bigint;
  resetServerStats(): void;
  resetConnectionStats(): void;
}

export interface Extent {
  readonly last: number;
  readonly min: number;
  readonly max: number;
}

/** What the leader of an ensemble counts: learners that it has, and those of them that are told of each change. */
export interface LeaderReport {
  readonly learners: number;
  readonly syncedFollowers: number;
  readonly syncedNonVotingFollowers: number;
  readonly syncedObservers: number;
  /** Requests to sync that wait for a commit. */
  readonly pendingSyncs: number;
  readonly uptimeMs: number;
  /** Bytes of proposals sent; -1 each before the first. */
  readonly proposalBytes: Extent;
}

export interface ConnectionReport {
  /** `/127.0.0.1:41712`. */
  readonly label: string;
  /** Whether it is being read from. */
  readonly reading: boolean;
  /** Requests taken and not yet answered. */
  readonly queued: number;
  readonly received: number;
  readonly sent: number;
  /** null until the handshake is done. */
  readonly session: {
    readonly id: SessionId;
    readonly timeoutMs: number;
    /** Kind of the last op answered; `SESS` for the handshake, `NA` for none. */
    readonly lastOp: string;
    readonly lastCxid: number;
    readonly lastZxid: Zxid;
    readonly establishedWall: number;
    readonly lastResponseMono: number;
    readonly lastLatencyMs: number;
    readonly minLatencyMs: number;
    readonly avgLatencyMs: number;
    readonly maxLatencyMs: number;
  } | null;
}

/** Those who fall due together. */
export interface ExpiryReport<T> {
  readonly mono: number;
  readonly wall: number;
  readonly members: readonly T[];
}

export interface ConfigurationReport {
  /** -1 for none. */
  readonly clientPort: number;
  readonly secureClientPort: number;
  /** Where snapshots and log are; empty for a server that keeps nothing. */
  readonly dataDir: string;
  readonly dataLogDir: string;
  readonly tickTimeMs: number;
  readonly maxClientCnxns: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  /** -1 for the platform's default. */
  readonly clientPortListenBacklog: number;
  /** 0 for a server that stands alone. */
  readonly serverId: number;
  readonly ensemble: {
    readonly initLimit: number;
    readonly syncLimit: number;
    readonly electionPort: number;
    readonly quorumPort: number;
    readonly observer: boolean;
    /** Members that vote. */
    readonly quorumSize: number;
    /** null while this member does not lead. */
    readonly leading: LeaderReport | null;
    /** Who leads, as far as this member knows; null while it looks for a leader. */
    readonly leaderId: bigint | null;
    /** Those of the configuration that counts, this one among them. */
    readonly members: readonly MemberReport[];
    /** The configuration as its znode has it. */
    readonly membership: string;
  } | null;
}

export interface MemberReport {
  readonly id: bigint;
  readonly observer: boolean;
  readonly hosts: readonly string[];
  /** `host:port` each. */
  readonly quorumAddresses: readonly string[];
  readonly electionAddresses: readonly string[];
  /** null where it isn't said. */
  readonly clientAddress: string | null;
}

/** Values that were measured. */
export interface SummaryReport {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  /** null for what is only summed up. */
  readonly percentiles: { readonly p50: number; readonly p95: number; readonly p99: number; readonly p999: number } | null;
}
