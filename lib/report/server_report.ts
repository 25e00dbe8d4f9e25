/**
 * The report of a server that stands alone, read off its kernel and its clients when it is asked for.
 *
 * Not here: how it is printed (wire/words, adapters/http). Nothing is changed by reading it.
 */

import type { Kernel } from "../kernel/kernel.ts";
import type { Host } from "../member/host.ts";
import type { Compat } from "../model/compat.ts";
import type { SessionId, Zxid } from "../model/types.ts";
import type { Settings } from "../options/options.ts";
import type { ListenAddress, StorageUsage } from "../ports.ts";
import type { ClientConnection } from "../service/client_connection.ts";
import type { ClientService } from "../service/client_service.ts";
import type { Connection } from "../session/connection.ts";
import type { Journal } from "../store/journal.ts";
import { modeOf } from "./mode.ts";
import type {
  ConfigurationReport,
  ConnectionReport,
  ExpiryReport,
  Extent,
  ProcessReport,
  ServerControl,
  ServerMode,
} from "./report.ts";
import { versionText } from "./version.ts";

/** ZooKeeper keeps its root under "" and "/", and counts both: one node more, and one character. */
const ROOT_ALIASES = 1;
/** ZooKeeper's default: it traces client requests, sessions and warnings, had it a trace log. */
const DEFAULT_TRACE_MASK = 306n;

const NOTHING_KEPT: StorageUsage = { dataDir: "", dataLogDir: "", dataDirBytes: 0, logDirBytes: 0 };

/** What the report is read off. */
export interface ReportSources {
  readonly host: Host;
  readonly clients: ClientService;
  readonly settings: Settings;
  /** null for a server that stands alone. */
  readonly ensemble: () => ConfigurationReport["ensemble"];
  /** What keeps the data; null: nothing does. */
  readonly journal: Journal | null;
  readonly process: () => ProcessReport;
  /** When it began, in monotonic milliseconds. */
  readonly startedMono: number;
  /** Where clients reach the server now. */
  readonly addresses: () => readonly ListenAddress[];
}

export class StandaloneReport implements ServerControl {
  traceMask: bigint = DEFAULT_TRACE_MASK;
  readonly #from: ReportSources;

  constructor(sources: ReportSources) {
    this.#from = sources;
  }

  get #kernel(): Kernel {
    return this.#from.host.member.kernel;
  }

  get version(): string {
    return versionText(this.compat);
  }

  get compat(): Compat {
    return this.#from.settings.compat;
  }

  get serving(): boolean {
    return modeOf(this.#from.host) !== null;
  }

  get mode(): ServerMode {
    return modeOf(this.#from.host) ?? "standalone";
  }

  get uptimeMs(): number {
    return this.#from.host.clock.now().mono - this.#from.startedMono;
  }

  get #usage(): StorageUsage {
    return this.#from.journal?.usage() ?? NOTHING_KEPT;
  }

  get dataDirBytes(): number {
    return this.#usage.dataDirBytes;
  }

  get logDirBytes(): number {
    return this.#usage.logDirBytes;
  }

  get lastSnapshot(): ServerControl["lastSnapshot"] {
    return this.#from.journal?.lastSaved ?? null;
  }

  // ── counts ──

  get latency(): ServerControl["latency"] {
    const { minLatencyMs: minMs, avgLatencyMs: avgMs, maxLatencyMs: maxMs } = this.#kernel.stats;
    return { minMs: finite(minMs), avgMs, maxMs };
  }

  get packetsReceived(): number {
    return this.#kernel.stats.packetsReceived;
  }

  get packetsSent(): number {
    return this.#kernel.stats.packetsSent;
  }

  get outstandingRequests(): number {
    return this.#kernel.outstandingCount;
  }

  get lastZxid(): Zxid {
    return this.#kernel.database.lastZxid;
  }

  get nodeCount(): number {
    return this.#kernel.database.tree.size + ROOT_ALIASES;
  }

  get approximateDataSize(): number {
    return this.#kernel.database.tree.approximateDataSize + ROOT_ALIASES;
  }

  get ephemeralCount(): number {
    return this.#kernel.database.tree.ephemeralCount;
  }

  get globalSessionCount(): number {
    return this.#kernel.database.sessions.size;
  }

  get localSessionCount(): number {
    return [...this.#kernel.sessions.all()].filter(({ local }) => local).length;
  }

  get watchCount(): number {
    return this.#kernel.watches.count;
  }

  get digests(): ServerControl["digests"] {
    return this.#kernel.stats.digests;
  }

  get responseBytes(): Extent {
    return this.#from.clients.replySizes;
  }

  get summaries(): ServerControl["summaries"] {
    const { reads, updates } = this.#kernel.stats;
    return { readlatency: reads.report, updatelatency: updates.report };
  }

  get dropChance(): number {
    return this.#from.clients.dropChance;
  }

  get counters(): ServerControl["counters"] {
    const { counters, replySizes } = this.#from.clients;
    return { ...counters, response_bytes: replySizes.total, auth_failed_count: this.#kernel.stats.authFailures };
  }

  get environment(): ServerControl["environment"] {
    return this.#from.process().environment;
  }

  get fileDescriptors(): ServerControl["fileDescriptors"] {
    return this.#from.process().fileDescriptors;
  }

  get configuration(): ConfigurationReport {
    const { settings, addresses } = this.#from;
    const ensemble = this.#from.ensemble();
    const portOf = (wanted: boolean): number => addresses().find(({ secure }) => secure === wanted)?.port ?? -1;
    return {
      clientPort: portOf(false),
      secureClientPort: portOf(true),
      dataDir: this.#usage.dataDir,
      dataLogDir: this.#usage.dataLogDir,
      tickTimeMs: settings.tickTimeMs,
      maxClientCnxns: settings.limits.connectionsPerAddressMax,
      minSessionTimeoutMs: settings.minSessionTimeoutMs,
      maxSessionTimeoutMs: settings.maxSessionTimeoutMs,
      clientPortListenBacklog: -1,
      serverId: ensemble === null ? 0 : settings.serverId,
      ensemble,
    };
  }

  // ── connections, sessions, watches ──

  /** Streams as they came, then clients in this process. */
  get connections(): readonly ConnectionReport[] {
    const { connections } = this.#kernel;
    const streams = [...this.#from.clients.connections];
    const conns = new Set(streams.map(({ conn }) => conn));
    const local = [...connections.values()].filter(({ id }) => !conns.has(id));
    return [...streams.map((stream) => this.#streamReport(stream)), ...local.map((one) => connectionReport(one, true))];
  }

  #streamReport(stream: ClientConnection): ConnectionReport {
    const known = stream.conn === null ? undefined : this.#kernel.connections.get(stream.conn);
    if (known !== undefined) return connectionReport(known, stream.isReading);
    const received = stream.isAsked ? 1 : 0;
    return { label: stream.peer.label, reading: stream.isReading, queued: 0, received, sent: 0, session: null };
  }

  get sessionExpiry(): readonly ExpiryReport<SessionId>[] {
    return this.#sessionExpiry(false);
  }

  get localExpiry(): readonly ExpiryReport<SessionId>[] | null {
    return this.#from.settings.localSessions ? this.#sessionExpiry(true) : null;
  }

  get learntSessions(): ReadonlyMap<SessionId, number> | null {
    const { role, database } = this.#kernel;
    return role === "standalone" || role === "leader" ? null : database.sessions;
  }

  #sessionExpiry(local: boolean): readonly ExpiryReport<SessionId>[] {
    const due = new Map<number, SessionId[]>();
    for (const [mono, sessions] of this.#kernel.sessions.buckets()) {
      const ids = [...sessions].filter((session) => session.local === local).map(({ id }) => id);
      if (ids.length > 0) due.set(mono, ids);
    }
    return this.#expiry(due);
  }

  /** A connection falls due with its session; without one, when its time for the handshake is over. */
  get connectionExpiry(): readonly ExpiryReport<ConnectionReport>[] {
    const due = new Map<number, ConnectionReport[]>();
    const add = (mono: number, report: ConnectionReport): void => void due.set(mono, [...(due.get(mono) ?? []), report]);
    for (const connection of this.#kernel.connections.values()) {
      if (connection.session !== null) add(connection.session.deadline, connectionReport(connection, true));
    }
    for (const [stream, mono] of this.#from.clients.deadlines) add(mono, this.#streamReport(stream));
    return this.#expiry(due);
  }

  #expiry<T>(due: ReadonlyMap<number, readonly T[]>): ExpiryReport<T>[] {
    const now = this.#from.host.clock.now();
    return Array.from(due, ([mono, members]) => ({ mono, wall: now.wall + mono - now.mono, members })).sort(
      (one, other) => one.mono - other.mono,
    );
  }

  get ephemerals(): ReadonlyMap<SessionId, readonly string[]> {
    const { tree } = this.#kernel.database;
    return new Map(Array.from(tree.ephemeralOwners(), (owner) => [owner, [...tree.ephemeralsOf(owner)]]));
  }

  get dataWatches(): ReadonlyMap<string, readonly SessionId[]> {
    const { watches, connections } = this.#kernel;
    const sessionsOf = (conns: Iterable<number>): SessionId[] =>
      Array.from(conns, (conn) => connections.get(conn)?.session?.id).filter((id) => id !== undefined);
    return new Map(Array.from(watches.dataTable, ([path, watchers]) => [path, sessionsOf(watchers.keys())]));
  }

  // ── what may be changed ──

  resetServerStats(): void {
    this.#kernel.stats.reset();
    this.#from.clients.resetStats();
  }

  resetConnectionStats(): void {
    for (const connection of this.#kernel.connections.values()) connection.resetStats();
  }
}

function connectionReport(connection: Connection, reading: boolean): ConnectionReport {
  const { peer, session, stats, waiting } = connection;
  const counts = { label: peer.label, reading, queued: waiting.length, received: stats.received, sent: stats.sent };
  if (session === null) return { ...counts, session: null };
  return {
    ...counts,
    session: {
      id: session.id,
      timeoutMs: session.timeoutMs,
      lastOp: stats.lastOp,
      lastCxid: stats.lastCxid,
      lastZxid: stats.lastZxid,
      establishedWall: stats.establishedWall,
      lastResponseMono: stats.lastResponseMono,
      lastLatencyMs: stats.lastLatencyMs,
      minLatencyMs: finite(stats.minLatencyMs),
      avgLatencyMs: stats.sent === 0 ? 0 : stats.totalLatencyMs / stats.sent,
      maxLatencyMs: stats.maxLatencyMs,
    },
  };
}

/** A minimum of nothing is told as 0, as in ZooKeeper. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
