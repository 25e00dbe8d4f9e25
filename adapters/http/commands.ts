/**
 * The commands of Apache's admin server: their names, their aliases, and the fields of their answers, as ZooKeeper 3.8 and 3.9 have them.
 *
 * Not here: HTTP (handler.ts), the figures (lib/report). A command only reads, unless its row says that it `changes` something.
 */
import type { Compat } from "../../lib/model/compat.ts";
import { decimals } from "../../lib/report/java_text.ts";
import { monitorValues } from "../../lib/report/metrics.ts";
import type { ConnectionReport, MemberReport, ServerControl, ServerReport } from "../../lib/report/report.ts";
import { Digits, type Json } from "./json.ts";

type Fields = Readonly<Record<string, Json>>;

/** What a command may need beside the report. */
export interface CommandContext {
  readonly query: URLSearchParams;
  /** The text of the configuration that the server was started with; null: none is known. */
  readonly initialConfiguration: string | null;
}

interface Command {
  /** Its name first. */
  readonly names: readonly [string, ...string[]];
  readonly run: (server: ServerControl, context: CommandContext) => Fields;
  /** Whether it is answered by a server that serves nobody, such as a member without a leader. */
  readonly always?: boolean;
  /** Whether something is another afterwards: it takes an authoriser. */
  readonly changes?: boolean;
}

const COMMANDS: readonly Command[] = [
  { names: ["configuration", "conf", "config"], run: configuration },
  { names: ["connection_stat_reset", "crst"], changes: true, run: resetConnectionStats },
  { names: ["connections", "cons"], run: (server) => connectionLists(server, wholeConnection) },
  { names: ["dirs"], run: (server) => ({ datadir_size: server.dataDirBytes, logdir_size: server.logDirBytes }) },
  { names: ["dump"], run: dump },
  { names: ["environment", "env", "envi"], always: true, run: environment },
  { names: ["get_trace_mask", "gtmk"], always: true, run: (server) => ({ tracemask: server.traceMask }) },
  { names: ["hash"], run: hash },
  { names: ["initial_configuration", "icfg"], run: (_, context) => ({ initial_configuration: context.initialConfiguration }) },
  { names: ["is_read_only", "isro"], run: (server) => ({ read_only: isReadOnly(server) }) },
  { names: ["last_snapshot", "lsnp"], run: lastSnapshot },
  { names: ["leader", "lead"], run: leader },
  { names: ["monitor", "mntr"], run: monitor },
  { names: ["observer_connection_stat_reset", "orst"], changes: true, run: () => ({}) },
  { names: ["observers", "obsr"], run: observers },
  { names: ["ruok"], run: () => ({}) },
  { names: ["server_stats", "srvr"], run: serverStats },
  { names: ["set_trace_mask", "stmk"], always: true, changes: true, run: setTraceMask },
  { names: ["stat_reset", "srst"], changes: true, run: resetServerStats },
  { names: ["stats", "stat"], run: (server) => ({ ...serverStats(server), ...connectionLists(server, briefConnection) }) },
  { names: ["system_properties", "sysp"], always: true, run: systemProperties },
  { names: ["voting_view"], run: votingView },
  { names: ["watch_summary", "wchs"], run: watchSummary },
  { names: ["watches", "wchc"], run: watches },
  {
    names: ["watches_by_path", "wchp"],
    run: (server) => ({ path_to_session_ids: objectOf(server.dataWatches, (ids) => ids) }),
  },
  { names: ["zabstate"], always: true, run: zabState },
];

const BY_NAME: ReadonlyMap<string, Command> = new Map(
  COMMANDS.flatMap((command) => command.names.map((name) => [name, command] as const)),
);

/** Those that take or give bytes: see backup.ts. They came with 3.9. */
const OF_BYTES: Readonly<Record<string, "snapshot" | "restore">> = {
  snapshot: "snapshot",
  snap: "snapshot",
  restore: "restore",
  rest: "restore",
};

/** Main names, in order. */
export function commandNames(compat: Compat): readonly string[] {
  const names = COMMANDS.map((command): string => command.names[0]);
  return compat === "3.9" ? [...names, "restore", "snapshot"].sort() : names;
}

/** Whether the command takes or gives bytes, where the server has such commands. */
export function commandOfBytes(name: string, compat: Compat): "snapshot" | "restore" | null {
  return compat === "3.9" && Object.hasOwn(OF_BYTES, name) ? OF_BYTES[name]! : null;
}

/** Whether the command changes something; false also for one that there isn't. */
export function changesSomething(name: string): boolean {
  return BY_NAME.get(name)?.changes ?? false;
}

/** The answer to a command, as an object; `server` is null while there is none. Errors are fields of it, as in ZooKeeper. */
export function commandAnswer(name: string, server: ServerControl | null, context: CommandContext): Fields {
  const command = BY_NAME.get(name);
  if (command === undefined) return { command: name, error: `Unknown command: ${name}` };
  const [main] = command.names;
  if (server === null || !(server.serving || command.always)) return { command: main, error: NOT_SERVING };
  const { error, ...fields } = command.run(server, context) as { readonly error?: string };
  return error === undefined ? { ...fields, command: main, error: null } : { error, command: main };
}

const NOT_SERVING = "This ZooKeeper instance is not currently serving requests";

function resetConnectionStats(server: ServerControl): Fields {
  server.resetConnectionStats();
  return {};
}

function resetServerStats(server: ServerControl): Fields {
  server.resetServerStats();
  return {};
}

// ── configuration, environment ──

function configuration({ configuration: c }: ServerReport): Fields {
  return {
    client_port: c.clientPort,
    data_dir: c.dataDir,
    data_log_dir: c.dataLogDir,
    tick_time: c.tickTimeMs,
    max_client_cnxns: c.maxClientCnxns,
    min_session_timeout: c.minSessionTimeoutMs,
    max_session_timeout: c.maxSessionTimeoutMs,
    server_id: c.serverId,
    client_port_listen_backlog: c.clientPortListenBacklog,
  };
}

function environment(server: ServerReport): Fields {
  return { "zookeeper.version": server.version, ...Object.fromEntries(server.environment) };
}

/** There are none of Java's. What there is of the process is told, in order of its names. */
function systemProperties(server: ServerReport): Fields {
  return Object.fromEntries([...server.environment].sort(([one], [other]) => (one < other ? -1 : 1)));
}

function setTraceMask(server: ServerControl, { query }: CommandContext): Fields {
  const given = query.get("traceMask");
  if (given === null) return { error: "setTraceMask requires long traceMask argument" };
  if (!/^[+-]?\d{1,19}$/.test(given)) return { error: `setTraceMask requires long traceMask argument, got ${given}` };
  server.traceMask = BigInt.asIntN(64, BigInt(given.replace("+", "")));
  return { tracemask: server.traceMask };
}

// ── figures ──

function serverStats(server: ServerReport): Fields {
  const { last, min, max } = server.responseBytes;
  const buffers = { last_buffer_size: last, min_buffer_size: min, max_buffer_size: max };
  const proposals = server.configuration.ensemble?.leading?.proposalBytes;
  return {
    version: server.version,
    read_only: isReadOnly(server),
    server_stats: {
      packets_sent: server.packetsSent,
      packets_received: server.packetsReceived,
      fsync_threshold_exceed_count: server.counters.fsync_threshold_exceed_count ?? 0,
      client_response_stats: buffers,
      data_dir_size: server.dataDirBytes,
      log_dir_size: server.logDirBytes,
      provider_null: false,
      server_state: server.mode,
      last_processed_zxid: server.lastZxid,
      outstanding_requests: server.outstandingRequests,
      avg_latency: new Digits(decimals(server.latency.avgMs)),
      max_latency: server.latency.maxMs,
      min_latency: server.latency.minMs,
      num_alive_client_connections: server.connections.length,
      uptime: Math.floor(server.uptimeMs),
      auth_failed_count: server.counters.auth_failed_count ?? 0,
      non_mtlsremote_conn_count: 0,
      non_mtlslocal_conn_count: 0,
    },
    client_response: buffers,
    ...(proposals !== undefined && {
      proposal_stats: {
        last_buffer_size: proposals.last,
        min_buffer_size: proposals.min,
        max_buffer_size: proposals.max,
      },
    }),
    node_count: server.nodeCount,
  };
}

/** Means come as text with decimals; all that reads like a number is one. */
function monitor(server: ServerReport): Fields {
  const values = monitorValues(server).map(([key, value]): [string, Json] => {
    const isNumber = typeof value === "string" && /^-?\d+\.\d+$/.test(value);
    return [key, isNumber ? new Digits(value) : value];
  });
  return Object.fromEntries(values);
}

function hash({ digests }: ServerReport): Fields {
  return {
    digests: digests.map(({ zxid, digest }) => ({ zxid: `0x${zxid.toString(16)}`, digest: digest.toString(16) })),
  };
}

function lastSnapshot({ lastSnapshot: snapshot }: ServerReport): Fields {
  if (snapshot === null) return { zxid: "-1", timestamp: -1 };
  return { zxid: snapshot.zxid.toString(16), timestamp: Math.floor(snapshot.wall / 1000) };
}

// ── connections, sessions, watches ──

function connectionLists(server: ServerReport, shown: (connection: ConnectionReport) => Fields): Fields {
  return { connections: server.connections.map(shown), secure_connections: [] };
}

function briefConnection({ label, reading, queued, received, sent }: ConnectionReport): Fields {
  return {
    remote_socket_address: label.replace(/^\//, ""),
    interest_ops: reading ? 1 : 0,
    outstanding_requests: queued,
    packets_received: received,
    packets_sent: sent,
  };
}

function wholeConnection(connection: ConnectionReport): Fields {
  const { session } = connection;
  if (session === null) return briefConnection(connection);
  return {
    ...briefConnection(connection),
    session_id: session.id,
    last_operation: session.lastOp,
    established: session.establishedWall,
    session_timeout: session.timeoutMs,
    last_cxid: session.lastCxid,
    last_zxid: session.lastZxid,
    last_response_time: Math.floor(session.lastResponseMono),
    last_latency: session.lastLatencyMs,
    min_latency: session.minLatencyMs,
    avg_latency: Math.floor(session.avgLatencyMs),
    max_latency: session.maxLatencyMs,
  };
}

function dump(server: ServerReport): Fields {
  return {
    expiry_time_to_session_ids: Object.fromEntries(
      server.sessionExpiry.map(({ mono, members }) => [String(Math.floor(mono)), members]),
    ),
    session_id_to_ephemeral_paths: objectOf(server.ephemerals, (paths) => paths),
  };
}

function watchSummary({ dataWatches }: ServerReport): Fields {
  const sessions = [...dataWatches.values()].flat();
  return {
    num_connections: new Set(sessions).size,
    num_paths: dataWatches.size,
    num_total_watches: sessions.length,
  };
}

function watches({ dataWatches }: ServerReport): Fields {
  const paths = new Map<bigint, string[]>();
  for (const [path, sessions] of dataWatches)
    for (const session of sessions) {
      const known = paths.get(session);
      if (known === undefined) paths.set(session, [path]);
      else known.push(path);
    }
  return { session_id_to_watched_paths: objectOf(paths, (list) => list) };
}

function objectOf<K, V>(map: ReadonlyMap<K, V>, shown: (value: V) => Json): Fields {
  return Object.fromEntries(Array.from(map, ([key, value]) => [String(key), shown(value)]));
}

// ── the ensemble ──

function leader({ mode, configuration: { ensemble } }: ServerReport): Fields {
  if (ensemble === null) return { error: "server is not initialized" };
  const leading = ensemble.members.find(({ id }) => id === ensemble.leaderId);
  return {
    is_leader: mode === "leader",
    ...(leading !== undefined && { leader_id: leading.id, leader_ip: leading.hosts[0] ?? "" }),
  };
}

function observers({ configuration: { ensemble } }: ServerReport): Fields {
  return { synced_observers: ensemble?.leading?.syncedObservers ?? 0, observers: [] };
}

function votingView({ configuration: { ensemble } }: ServerReport): Fields {
  const voters = (ensemble?.members ?? []).filter(({ observer }) => !observer);
  return {
    current_config: Object.fromEntries(
      voters.map((member) => [
        String(member.id),
        {
          server_addresses: member.quorumAddresses,
          election_addresses: member.electionAddresses,
          client_address: member.clientAddress ?? "",
          learner_type: "participant",
        },
      ]),
    ),
  };
}

function zabState(server: ServerReport): Fields {
  const { ensemble, serverId } = server.configuration;
  const me = ensemble?.members.find(({ id }) => id === BigInt(serverId));
  if (ensemble === null || me === undefined) return { voting: false, zabstate: "" };
  return {
    myid: serverId,
    is_leader: server.mode === "leader",
    quorum_address: addressFields(me, me.quorumAddresses, ensemble.quorumPort),
    election_address: addressFields(me, me.electionAddresses, ensemble.electionPort),
    client_address: me.clientAddress ?? "",
    voting: !ensemble.observer,
    last_zxid: `0x${server.lastZxid.toString(16)}`,
    zab_epoch: server.lastZxid >> 32n,
    zab_counter: server.lastZxid & 0xffff_ffffn,
    zabstate: server.serving ? "broadcast" : "election",
  };
}

/** Whether others reach an address isn't asked by the question: all of them count as reachable. */
function addressFields({ hosts }: MemberReport, addresses: readonly string[], port: number): Fields {
  const one = addresses[0] ?? "";
  return {
    empty: addresses.length === 0,
    all_addresses: addresses,
    all_reachable_addresses: addresses,
    one,
    reachable_address: one,
    wildcard_addresses: [`0.0.0.0:${port}`],
    all_ports: [port],
    all_host_strings: hosts,
    all_reachable_addresses_or_all: addresses,
    reachable_or_one: one,
  };
}

function isReadOnly({ mode }: ServerReport): boolean {
  return mode === "read-only";
}
