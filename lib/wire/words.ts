/**
 * The four-letter words: what a monitor asks on a fresh connection, and the exact text it is answered.
 *
 * Not here: how a word is found among the bytes (server_conn), where the figures come from (report), the figures of `mntr`
 * (metrics). Formats are those of ZooKeeper 3.8, and of 3.4 where the report says so.
 */
import type { Compat } from "../model/compat.ts";
import { decimals, javaDate } from "../report/java_text.ts";
import { monitorText } from "../report/metrics.ts";
import type { ConnectionReport, ExpiryReport, ServerControl, ServerReport } from "../report/report.ts";

/**
 * The words that are answered: those on the list (`*` for all), `srvr`, which ZooKeeper's own scripts need, and `isro` where a
 * server may be read-only. Without a list there is only that, and in 3.4 all but the two that are costly.
 */
export function enabledWords(list: readonly string[] | null, compat: Compat, mayBeReadOnly: boolean): ReadonlySet<string> {
  const known = Object.keys(ANSWERS);
  if (list === null && compat === "3.4") return new Set(known.filter((word) => word !== "wchc" && word !== "wchp"));
  const listed = list?.includes("*") ? known : (list ?? []);
  return new Set(["srvr", ...(mayBeReadOnly ? ["isro"] : []), ...listed]);
}

/** The answer to a word; `mask` belongs to `stmk`. Nothing is said to a word that the version answered for does not have. */
export function answerWord(word: string, mask: bigint | null, enabled: ReadonlySet<string>, server: ServerControl): string {
  const answer = Object.hasOwn(ANSWERS, word) ? ANSWERS[word] : undefined;
  if (answer === undefined || (server.compat === "3.4" && SINCE_35.has(word))) return "";
  if (!enabled.has(word)) return `${word} is not executed because it is not in the whitelist.\n`;
  if (!server.serving && !ALWAYS_ANSWERED.has(word)) return "This ZooKeeper instance is not currently serving requests\n";
  return answer(server, mask);
}

type Answer = (server: ServerControl, mask: bigint | null) => string;

const SINCE_35: ReadonlySet<string> = new Set(["dirs", "hash"]);
const ALWAYS_ANSWERED: ReadonlySet<string> = new Set(["ruok", "envi", "gtmk", "stmk", "isro"]);

const ANSWERS: Readonly<Record<string, Answer>> = {
  ruok: () => "imok",
  isro: (server) => (!server.serving ? "null" : server.mode === "read-only" ? "ro" : "rw"),
  gtmk: (server) => String(server.traceMask),
  stmk: (server, mask) => {
    server.traceMask = mask ?? 0n;
    return String(server.traceMask);
  },
  srvr: (server) => versionText(server) + summaryText(server),
  stat: (server) => `${versionText(server)}Clients:\n${connectionLines(server, briefLine)}\n${summaryText(server)}`,
  cons: (server) => `${connectionLines(server, fullLine)}\n`,
  crst: (server) => {
    server.resetConnectionStats();
    return "Connection stats reset.\n";
  },
  srst: (server) => {
    server.resetServerStats();
    return "Server stats reset.\n";
  },
  conf: confText,
  envi: enviText,
  dump: dumpText,
  wchs: watchSummaryText,
  wchc: (server) => `${groupText(bySession(server), hex)}\n`,
  wchp: (server) => `${groupText(new Map(Array.from(server.dataWatches, ([path, ids]) => [path, ids.map(hex)])), String)}\n`,
  dirs: (server) => `datadir_size: ${server.dataDirBytes}\nlogdir_size: ${server.logDirBytes}\n`,
  hash: (server) => server.digests.map(({ zxid, digest }) => `${zxid.toString(16)}: ${digest}\n`).join(""),
  mntr: monitorText,
};

// ── srvr, stat, cons ──

function versionText(server: ServerReport): string {
  const readOnly = server.mode === "read-only" ? "READ-ONLY mode; serving only read-only clients\n" : "";
  return `Zookeeper version: ${server.version}\n${readOnly}`;
}

function summaryText(server: ServerReport): string {
  const { minMs, avgMs, maxMs } = server.latency;
  const average = server.compat === "3.4" ? Math.floor(avgMs) : decimals(avgMs);
  const proposals = server.configuration.ensemble?.leading?.proposalBytes ?? null;
  return lines(
    `Latency min/avg/max: ${minMs}/${average}/${maxMs}`,
    `Received: ${server.packetsReceived}`,
    `Sent: ${server.packetsSent}`,
    `Connections: ${server.connections.length}`,
    `Outstanding: ${server.outstandingRequests}`,
    `Zxid: ${hex(server.lastZxid)}`,
    `Mode: ${server.mode}`,
    `Node count: ${server.nodeCount}`,
    ...(proposals === null ? [] : [`Proposal sizes last/min/max: ${proposals.last}/${proposals.min}/${proposals.max}`]),
  );
}

function connectionLines(server: ServerReport, line: (connection: ConnectionReport) => string): string {
  return server.connections.map((connection) => ` ${line(connection)}\n`).join("");
}

function briefLine(connection: ConnectionReport): string {
  return `${countsOf(connection)})`;
}

function fullLine(connection: ConnectionReport): string {
  const { session } = connection;
  if (session === null) return briefLine(connection);
  const fields = [
    `sid=${hex(session.id)}`,
    `lop=${OP_NAMES[session.lastOp] ?? session.lastOp}`,
    `est=${session.establishedWall}`,
    `to=${session.timeoutMs}`,
    ...(session.lastCxid < 0 ? [] : [`lcxid=0x${session.lastCxid.toString(16)}`]),
    `lzxid=${hex(session.lastZxid)}`,
    `lresp=${Math.floor(session.lastResponseMono)}`,
    `llat=${session.lastLatencyMs}`,
    `minlat=${session.minLatencyMs}`,
    `avglat=${Math.floor(session.avgLatencyMs)}`,
    `maxlat=${session.maxLatencyMs}`,
  ];
  return `${countsOf(connection)},${fields.join(",")})`;
}

/** `[1]`: interested in reading; ZooKeeper shows its selector's bits there. */
function countsOf({ label, reading, queued, received, sent }: ConnectionReport): string {
  return `${label}[${reading ? 1 : 0}](queued=${queued},recved=${received},sent=${sent}`;
}

/** What `lop` says for each kind of op; others are said as they are. */
const OP_NAMES: Readonly<Record<string, string>> = {
  ping: "PING",
  multi: "MULT",
  multiRead: "MLTR",
  create: "CREA",
  create2: "CREA",
  createContainer: "CREA",
  createTTL: "CREA",
  delete: "DELE",
  setData: "SETD",
  reconfig: "RECO",
  setACL: "SETA",
  closeSession: "CLOS",
  sync: "SYNC",
  check: "CHEC",
  exists: "EXIS",
  getData: "GETD",
  setWatches: "SETW",
  setWatches2: "STW2",
  addWatch: "ADDW",
  getACL: "GETA",
  getChildren: "GETC",
  getChildren2: "GETC",
  getAllChildrenNumber: "GETACN",
  checkWatches: "CHKW",
  removeWatches: "REMW",
  whoAmI: "HOMI",
  getEphemerals: "GETE",
};

// ── conf, envi ──

function confText(server: ServerReport): string {
  const { configuration, compat } = server;
  const { ensemble } = configuration;
  const since35 = (...more: readonly string[]): readonly string[] => (compat === "3.4" ? [] : more);
  const alone = lines(
    `clientPort=${configuration.clientPort}`,
    ...since35(`secureClientPort=${configuration.secureClientPort}`),
    `dataDir=${configuration.dataDir}`,
    ...since35(`dataDirSize=${server.dataDirBytes}`),
    `dataLogDir=${configuration.dataLogDir}`,
    ...since35(`dataLogSize=${server.logDirBytes}`),
    `tickTime=${configuration.tickTimeMs}`,
    `maxClientCnxns=${configuration.maxClientCnxns}`,
    `minSessionTimeout=${configuration.minSessionTimeoutMs}`,
    `maxSessionTimeout=${configuration.maxSessionTimeoutMs}`,
    ...since35(`clientPortListenBacklog=${configuration.clientPortListenBacklog}`),
    `serverId=${configuration.serverId}`,
  );
  if (ensemble === null) return alone;
  const together = lines(
    `initLimit=${ensemble.initLimit}`,
    `syncLimit=${ensemble.syncLimit}`,
    "electionAlg=3",
    `electionPort=${ensemble.electionPort}`,
    `quorumPort=${ensemble.quorumPort}`,
    `peerType=${ensemble.observer ? 1 : 0}`,
    ...since35("membership: "),
  );
  return alone + together + (compat === "3.4" ? "" : ensemble.membership);
}

function enviText(server: ServerReport): string {
  const entries = server.environment.filter(([key]) => server.compat !== "3.4" || !key.startsWith("os.memory."));
  return lines("Environment:", `zookeeper.version=${server.version}`, ...entries.map(([key, value]) => `${key}=${value}`));
}

// ── dump, watches ──

function dumpText(server: ServerReport): string {
  const is34 = server.compat === "3.4";
  const ephemerals = new Map(server.ephemerals);
  const connection = ({ label, session }: ConnectionReport): string => `ip: ${label} sessionId: ${hex(session?.id ?? 0n)}`;
  return [
    `SessionTracker dump:\n${sessionsText(server, is34)}`,
    `ephemeral nodes dump:\nSessions with Ephemerals (${ephemerals.size}):\n`,
    groupText(ephemerals, (id) => `${hex(id)}:`),
    is34 ? "" : `Connections dump:\nConnections ${expiryText(server.connectionExpiry, connection, is34)}`,
  ].join("");
}

function sessionsText({ sessionExpiry, localExpiry, learntSessions }: ServerReport, is34: boolean): string {
  const local = localExpiry === null ? "" : `Local Session ${expiryText(localExpiry, hex, is34)}`;
  if (learntSessions === null) return `${local}${local === "" ? "" : "Global "}Session ${expiryText(sessionExpiry, hex, is34)}`;
  const inOrder = [...learntSessions].sort(([one], [other]) => (one < other ? -1 : 1));
  const lines = inOrder.map(([id, timeoutMs]) => `${hex(id)}\t${timeoutMs}ms\n`);
  return `${local}Global Sessions(${inOrder.length}):\n${lines.join("")}`;
}

/** 3.4 counts the sets alone, and takes the monotonic clock for the date. */
function expiryText<T>(expiry: readonly ExpiryReport<T>[], name: (member: T) => string, is34: boolean): string {
  const count = expiry.reduce((sum, { members }) => sum + members.length, 0);
  const sets = expiry.map(({ mono, wall, members }) => {
    return `${members.length} expire at ${javaDate(is34 ? mono : wall)}:\n${indented(members.map(name))}`;
  });
  return `Sets (${expiry.length})${is34 ? "" : `/(${count})`}:\n${sets.join("")}`;
}

function watchSummaryText(server: ServerReport): string {
  const watched = [...server.dataWatches.values()];
  const sessions = new Set(watched.flat());
  const total = watched.reduce((sum, ids) => sum + ids.length, 0);
  return `${sessions.size} connections watching ${watched.length} paths\nTotal watches:${total}\n`;
}

function bySession(server: ServerReport): Map<bigint, string[]> {
  const paths = new Map<bigint, string[]>();
  for (const [path, ids] of server.dataWatches) {
    for (const id of ids) {
      const known = paths.get(id);
      if (known === undefined) paths.set(id, [path]);
      else known.push(path);
    }
  }
  return paths;
}

function groupText<T>(groups: ReadonlyMap<T, readonly string[]>, name: (key: T) => string): string {
  return Array.from(groups, ([key, members]) => `${name(key)}\n${indented(members)}`).join("");
}

function indented(members: readonly string[]): string {
  return members.map((member) => `\t${member}\n`).join("");
}

function lines(...all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join("");
}

function hex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}
