import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { decimals, javaDate } from "../../../lib/report/java_text.ts";
import type { ConnectionReport, ServerControl, SummaryReport } from "../../../lib/report/report.ts";
import { FOUR_LETTER_WORDS } from "../../../lib/wire/server_conn.ts";
import { answerWord, enabledWords } from "../../../lib/wire/words.ts";
import { projectPath } from "../../support/root.ts";

const golden38 = recorded("four-letter-words.jsonl");
const [, VERSION = ""] = /^Zookeeper version: (.*)$/m.exec(golden38.get("srvr") ?? "") ?? [];
const SESSION = 0x10000250b0b0000n;
const EVERYTHING = enabledWords(["*"], "3.8", false);

const client: ConnectionReport = {
  label: "/127.0.0.1:41712",
  reading: true,
  queued: 0,
  received: 5,
  sent: 5,
  session: {
    id: SESSION,
    timeoutMs: 10_000,
    lastOp: "addWatch",
    lastCxid: 4,
    lastZxid: 3n,
    establishedWall: 1_795_340_636_296,
    lastResponseMono: 2_428_534.7,
    lastLatencyMs: 1,
    minLatencyMs: 0,
    avgLatencyMs: 4.8,
    maxLatencyMs: 10,
  },
};

function asking(port: number): ConnectionReport {
  return { label: `/127.0.0.1:${port}`, reading: false, queued: 0, received: 1, sent: 0, session: null };
}

/** The server of the recordings. */
function server(more: Partial<ServerControl> = {}): ServerControl {
  return {
    version: VERSION,
    compat: "3.8",
    serving: true,
    mode: "standalone",
    uptimeMs: 2096.5,
    latency: { minMs: 1, avgMs: 4.4, maxMs: 10 },
    packetsReceived: 10,
    packetsSent: 9,
    connections: [client, asking(41_734)],
    outstandingRequests: 0,
    lastZxid: 3n,
    nodeCount: 7,
    approximateDataSize: 48,
    ephemeralCount: 1,
    globalSessionCount: 1,
    localSessionCount: 0,
    watchCount: 3,
    dataWatches: new Map([
      ["/p", [SESSION]],
      ["/a", [SESSION]],
    ]),
    sessionExpiry: [{ mono: 1000, wall: 1_795_340_647_000, members: [SESSION] }],
    localExpiry: null,
    learntSessions: null,
    connectionExpiry: [{ mono: 1000, wall: 1_795_340_647_000, members: [client, asking(41_774)] }],
    ephemerals: new Map([[SESSION, ["/e"]]]),
    dataDirBytes: 67_109_337,
    logDirBytes: 67_109_337,
    lastSnapshot: null,
    digests: [],
    responseBytes: { last: 20, min: 20, max: 88 },
    configuration: {
      clientPort: 21_830,
      secureClientPort: -1,
      dataDir: "/var/lib/zookeeper/version-2",
      dataLogDir: "/var/lib/zookeeper/version-2",
      tickTimeMs: 2000,
      maxClientCnxns: 60,
      minSessionTimeoutMs: 4000,
      maxSessionTimeoutMs: 40_000,
      clientPortListenBacklog: -1,
      serverId: 0,
      ensemble: null,
    },
    environment: [],
    fileDescriptors: { open: 38, max: 20_000 },
    dropChance: 0,
    counters: {},
    summaries: {},
    traceMask: 306n,
    resetServerStats() {},
    resetConnectionStats() {},
    ...more,
  };
}

function ask(word: string, more: Partial<ServerControl> = {}, mask: bigint | null = null): string {
  return answerWord(word, mask, EVERYTHING, server(more));
}

/** The recorded answers: word → text, for words asked once; where a word was asked twice, the first. */
function recorded(file: string): Map<string, string> {
  const words = new Map<number, string>();
  const answers = new Map<string, string>();
  for (const line of readFileSync(projectPath("test/golden/client", file), "utf8").trim().split("\n")) {
    const { dir, conn, hex } = JSON.parse(line) as { dir: string; conn: number; hex: string };
    const text = Buffer.from(hex, "hex").toString("latin1");
    if (dir === "c2s" && /^[a-z]{4}/.test(text)) words.set(conn, text.slice(0, 4));
    const word = words.get(conn);
    if (dir === "s2c" && word !== undefined && [...words].find(([, other]) => other === word)?.[0] === conn)
      answers.set(word, (answers.get(word) ?? "") + text);
  }
  return answers;
}

describe("four-letter words answer as recorded from ZooKeeper 3.8.0", () => {
  const golden = golden38;
  const same = (word: string, more: Partial<ServerControl> = {}, mask: bigint | null = null): void => {
    test(word, () => assert.equal(ask(word, more, mask), golden.get(word)));
  };
  for (const word of ["ruok", "isro", "gtmk", "srvr", "conf", "crst", "srst", "dump", "wchs", "wchc", "wchp", "dirs", "hash"])
    same(word);
  same("stat", { packetsReceived: 11, packetsSent: 10 });
  same("cons", { connections: [client, asking(41_752)] });
  same("stmk", {}, 0n);
  same("envi", { environment: environmentOf(golden.get("envi")!) });

  test("each of them is known to the connection, and the other way round", () => {
    assert.deepEqual([...EVERYTHING].sort(), [...FOUR_LETTER_WORDS].sort());
    assert.deepEqual([...golden.keys()].sort(), [...FOUR_LETTER_WORDS].sort());
  });

  test("mntr: the same keys, values and formats where this server has them", () => {
    const theirs = metrics(golden.get("mntr")!);
    const summaries = {
      readlatency: summary(1, 2, 2, 3, { p50: 2, p95: 2, p99: 2, p999: 2 }),
      fsynctime: summary(0, 1, 3, 1),
      socket_closing_time: summary(0, 0, 0, 0),
    };
    const counters = { bytes_received_count: 252, connection_rejected: 0 };
    const ours = metrics(ask("mntr", { packetsReceived: 19, packetsSent: 18, summaries, counters }));
    for (const [key, value] of ours) assert.deepEqual([key, value], [key, theirs.get(key)]);
    assert.ok(ours.size >= 20 + 2 + 9 + 5 + 5);
  });
});

describe("four-letter words answer as recorded from ZooKeeper 3.4.14", () => {
  const golden = recorded("four-letter-words-3.4.14.jsonl");
  const session = 0x100005780080000n;
  const [, client34] = /^ (.*)$/m.exec(golden.get("cons")!)!;
  const old: Partial<ServerControl> = {
    compat: "3.4",
    version: "3.4.14-0000000000000000000000000000000000000000, built on 2019-01-01 00:00 GMT",
    latency: { minMs: 0, avgMs: 3.9, maxMs: 9 },
    packetsReceived: 9,
    packetsSent: 8,
    connections: [client, asking(1)],
    lastZxid: 2n,
    nodeCount: 5,
    approximateDataSize: 29,
    fileDescriptors: { open: 15, max: 20_000 },
    dataWatches: new Map([
      ["/e", [session]],
      ["/", [session]],
    ]),
    sessionExpiry: [{ mono: 5_746_000, wall: 0, members: [session] }],
    ephemerals: new Map([[session, ["/e"]]]),
    configuration: { ...server().configuration, clientPort: 21_850 },
  };
  const same = (word: string, more: Partial<ServerControl> = {}): void => {
    test(word, () => assert.equal(answerWord(word, null, EVERYTHING, server({ ...old, ...more })), golden.get(word) ?? ""));
  };
  for (const word of ["ruok", "srvr", "conf", "dump", "wchs", "wchc", "wchp", "isro", "gtmk", "dirs", "crst", "srst", "hash"])
    same(word);
  same("mntr", { packetsReceived: 18, packetsSent: 17 });
  same("envi", { environment: [...environmentOf(golden.get("envi")!), ["os.memory.free", "1MB"]] });
  test("a connection's line is that of 3.8", () =>
    assert.match(client34!, /^\/127\.0\.0\.1:\d+\[1\]\(queued=0,recved=6,sent=6,sid=/));
});

describe("dump where sessions are known in more than one place", () => {
  const start = (more: Partial<ServerControl>): string =>
    /^SessionTracker dump:\n((?:.*\n)*)ephemeral nodes dump:\n/.exec(ask("dump", more))![1]!;
  const localExpiry = [{ mono: 2000, wall: 1_795_340_648_000, members: [7n] }];

  test("a learner tells of the ensemble's, by id and with their timeouts, since their time is the leader's", () => {
    const learntSessions = new Map([
      [0x20n, 4000],
      [0x10n, 30_000],
    ]);
    assert.equal(start({ learntSessions }), "Global Sessions(2):\n0x10\t30000ms\n0x20\t4000ms\n");
  });

  test("local ones stand before the others", () => {
    const local = "Local Session Sets (1)/(1):\n1 expire at Sun Nov 22 09:44:08 UTC 2026:\n\t0x7\n";
    assert.equal(start({ localExpiry, learntSessions: new Map() }), `${local}Global Sessions(0):\n`);
    assert.match(start({ localExpiry }), new RegExp(`^${local.replace(/[()]/g, "\\$&")}Global Session Sets \\(1\\)/`));
  });
});

describe("the whitelist", () => {
  test("a word that is not enabled says so", () => {
    const golden = recorded("four-letter-words-default.jsonl");
    const enabled = enabledWords(null, "3.8", false);
    for (const [word, text] of golden) if (word !== "srvr") assert.equal(answerWord(word, null, enabled, server()), text);
    assert.equal(golden.size, 6);
  });

  test("srvr is always enabled, isro where a server may be read-only", () => {
    assert.deepEqual([...enabledWords(null, "3.8", false)], ["srvr"]);
    assert.deepEqual([...enabledWords([], "3.8", true)], ["srvr", "isro"]);
    assert.deepEqual([...enabledWords(["ruok", "mntr"], "3.8", false)], ["srvr", "ruok", "mntr"]);
    assert.equal(enabledWords(["ruok", "*"], "3.8", false).size, FOUR_LETTER_WORDS.size);
  });

  test("in 3.4 all but the costly ones are enabled unless told", () => {
    const enabled = enabledWords(null, "3.4", false);
    assert.ok(enabled.has("mntr") && !enabled.has("wchc") && !enabled.has("wchp"));
    assert.deepEqual([...enabledWords(["ruok"], "3.4", false)], ["srvr", "ruok"]);
  });
});

test("a server that does not serve answers what does not need it", () => {
  const off = { serving: false };
  assert.equal(ask("ruok", off), "imok");
  assert.equal(ask("isro", off), "null");
  assert.equal(ask("gtmk", off), "306");
  assert.equal(ask("mntr", off), "This ZooKeeper instance is not currently serving requests\n");
});

test("a read-only server says so", () => {
  assert.equal(ask("isro", { mode: "read-only" }), "ro");
  assert.ok(
    ask("srvr", { mode: "read-only" }).startsWith(
      `Zookeeper version: ${VERSION}\nREAD-ONLY mode; serving only read-only clients\n`,
    ),
  );
});

test("a leader tells its proposals, an ensemble its configuration", () => {
  const ensemble = {
    initLimit: 10,
    syncLimit: 5,
    electionPort: 2,
    quorumPort: 1,
    observer: false,
    quorumSize: 3,
    leading: null,
    leaderId: null,
    members: [],
    membership: "server.1=a:1:2\nversion=0",
  };
  const configuration = { ...server().configuration, ensemble };
  assert.match(ask("mntr", { mode: "follower", configuration }), /\nzk_quorum_size\t3\nzk_peer_state\tfollowing - broadcast\n/);
  const leading = {
    learners: 3,
    syncedFollowers: 1,
    syncedNonVotingFollowers: 0,
    syncedObservers: 1,
    pendingSyncs: 2,
    uptimeMs: 1234.5,
    proposalBytes: { last: 48, min: 33, max: 96 },
  };
  const leader: Partial<ServerControl> = {
    mode: "leader",
    configuration: { ...configuration, ensemble: { ...ensemble, leading } },
  };
  assert.ok(ask("srvr", leader).endsWith("Node count: 7\nProposal sizes last/min/max: 48/33/96\n"));
  const monitored = ask("mntr", leader);
  for (const line of [
    "quorum_size\t3",
    "peer_state\tleading - broadcast",
    "learners\t3",
    "synced_followers\t1",
    "synced_non_voting_followers\t0",
    "synced_observers\t1",
    "pending_syncs\t2",
    "leader_uptime\t1234",
    "last_proposal_size\t48",
    "max_proposal_size\t96",
    "min_proposal_size\t33",
  ]) {
    assert.ok(monitored.includes(`\nzk_${line}\n`), line);
  }
  assert.match(
    ask("mntr", { ...leader, compat: "3.4" }),
    /\nzk_followers\t3\nzk_synced_followers\t1\nzk_pending_syncs\t2\nzk_last_proposal_size\t48\n/,
  );
  assert.ok(
    ask("conf", { configuration }).endsWith(
      "serverId=0\ninitLimit=10\nsyncLimit=5\nelectionAlg=3\nelectionPort=2\nquorumPort=1\npeerType=0\nmembership: \nserver.1=a:1:2\nversion=0",
    ),
  );
});

test("hash tells digests by zxid", () => {
  assert.equal(
    ask("hash", {
      digests: [
        { zxid: 128n, digest: 77n },
        { zxid: 256n, digest: 5n },
      ],
    }),
    "80: 77\n100: 5\n",
  );
});

test("negative session ids print as Java's unsigned hexadecimal", () => {
  const session = { ...client.session!, id: -0x7f00000000000000n, lastCxid: -1, lastOp: "NA" };
  assert.match(
    ask("cons", { connections: [{ ...client, session }] }),
    /sid=0x8100000000000000,lop=NA,est=\d+,to=10000,lzxid=0x3,/,
  );
});

test("stmk keeps what gtmk tells", () => {
  const one = server();
  assert.equal(answerWord("stmk", 7n, EVERYTHING, one), "7");
  assert.equal(answerWord("gtmk", null, EVERYTHING, one), "7");
});

test("numbers and dates print as in Java", () => {
  assert.deepEqual([0, 4.4, 1 / 3, 10, 0.00004].map(decimals), ["0.0", "4.4", "0.3333", "10.0", "0.0"]);
  for (const ms of [
    0, 951_782_399_000, 951_782_400_000, 951_868_800_000, 1_709_251_199_999, 4_107_542_400_000, 1_795_340_647_000,
  ]) {
    const [day, date, month, year, time] = new Date(ms).toUTCString().replace(",", "").split(" ");
    assert.equal(javaDate(ms), `${day} ${month} ${date} ${time} UTC ${year}`);
  }
});

function environmentOf(text: string): [string, string][] {
  const entries = text.trim().split("\n").slice(2);
  return entries.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
}

function metrics(text: string): Map<string, string> {
  return new Map(
    text
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t") as [string, string]),
  );
}

function summary(
  min: number,
  max: number,
  count: number,
  sum: number,
  percentiles: SummaryReport["percentiles"] = null,
): SummaryReport {
  return { min, max, count, sum, percentiles };
}

describe("who monitors servers finds what it looks for:", () => {
  test("telegraf's pattern takes each line of mntr", () => {
    const lines = ask("mntr").trimEnd().split("\n");
    assert.ok(lines.length > 20);
    for (const line of lines) assert.match(line, /^zk_(\w[\w.-]*)\s+([\w.-]+)/);
  });

  test("collectd's two columns, parted by a tab", () => {
    for (const line of ask("mntr").trimEnd().split("\n")) assert.equal(line.split("\t").length, 2, line);
    for (const key of ["zk_num_alive_connections", "zk_znode_count", "zk_watch_count", "zk_approximate_data_size"])
      assert.match(ask("mntr"), new RegExp(`^${key}\\t\\d+$`, "m"));
  });

  test("nmap's probe: a version, and imok", () => {
    assert.equal(ask("ruok"), "imok");
    for (const word of ["stat", "srvr"]) assert.match(ask(word), /^Zookeeper version: (\d+\.\d+\.\d+)/);
    assert.match(ask("envi"), /^Environment:\nzookeeper\.version=\d+\.\d+\.\d+/);
  });
});
