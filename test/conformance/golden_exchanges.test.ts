/**
 * The recorded exchanges of real clients and servers, replayed against ours byte for byte; what is not replayed is counted with
 * the reason. `ZOOKERNEL_TEST_SERVER=apache` replays the exchanges of 3.8.0 against the real server instead.
 */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, describe, type TestContext, test } from "node:test";
import { type ClientRow, goldenRows } from "../support/golden.ts";
import { withMembers } from "../support/members.ts";
import { addWatch, create, Flags, getData, setData, sync } from "../support/ops.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { RawClient } from "../support/raw_client.ts";
import { projectPath } from "../support/root.ts";
import { serverUnderTest } from "../support/server_process.ts";
import { type ReplayResult, replay, type Script } from "./exchanges.ts";
import { type GoldenConfig, type StartServer, startApache, startOurs } from "./servers.ts";

const SUPER_DIGEST = "super:lK75jTNcA+U9vtVEw5vB51mj/w4=";
const SUPER = `-Dzookeeper.DigestAuthenticationProvider.superDigest=${SUPER_DIGEST}`;
const ALL_WORDS = { "4lw.commands.whitelist": "*" };
const SASL = {
  "authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
  "java.security.auth.login.config": projectPath("test", "support", "jaas.conf"),
};
const PASSWORDS = { passwords: { bob: "bobsecret", super: "adminsecret" } };

interface File {
  readonly config?: GoldenConfig;
  readonly compat?: "3.4" | "3.9";
  readonly script?: Script;
}

/** While the recorded client was away, another one changed what it watched. */
const SET_WATCHES: Script = {
  before: {
    3: { ops: [] },
    21: { ops: [setData("/d", "2"), create("/c/k")] },
    28: { ops: [setData("/u", "9")] },
    36: { cut: 1 },
    37: { ops: [setData("/d", "3"), setData("/c/k", "3")] },
    42: { ops: [setData("/d", "4"), create("/c/k/z")] },
  },
};
/** What the words tell of: a client that was not recorded. */
const WATCHED: Script = {
  before: {
    0: { ops: [create("/a"), create("/e", { flags: Flags.ephemeral }), getData("/a", true), addWatch("/p", "persistent")] },
  },
};
const LONE_CHECK = "a check outside a multi that holds is refused, without a zxid, rather than left without an answer for ever";
const KEEPS_FIRST = "a wrong password does not close the connection that the session is on";
const REFUSED = "a client's deleteContainer, which 3.9 carries out without asking for permission, is refused";

/** Files that need more than a fresh server of 3.8. */
const FILES: Readonly<Record<string, File>> = {
  acl: { config: { jvm: [SUPER] } },
  create: { config: { extendedTypesEnabled: "true" } },
  connect: { script: { onPurpose: [{ rows: [77], why: KEEPS_FIRST }] } },
  multi: { config: { extendedTypesEnabled: "true" }, script: { onPurpose: [{ rows: [40], why: LONE_CHECK }] } },
  setwatches: { script: SET_WATCHES },
  expiry: { config: { tickTime: 200 } },
  "versions-3.4.14": { compat: "3.4" },
  "versions-3.9.5": { compat: "3.9", script: { onPurpose: [{ rows: [63, 65], why: REFUSED }] } },
  "four-letter-words": { config: ALL_WORDS, script: WATCHED },
  "four-letter-words-3.4.14": { config: ALL_WORDS, compat: "3.4" },
  sasl: { config: { ...SASL, superUser: "super" }, script: PASSWORDS },
  "sasl-allow-failed": { config: { ...SASL, allowSaslFailedClients: "true" }, script: PASSWORDS },
  "sasl-required": { config: { ...SASL, sessionRequireClientSASLAuth: "true" }, script: PASSWORDS },
};

/** Files that a lone server can't replay: see below. */
const OF_ENSEMBLES: ReadonlySet<string> = new Set([
  "ensemble",
  "local-session",
  "read-only",
  "read-only-without-local-sessions",
  "session-moved-old-server",
  "session-moved-new-server",
]);
const GREETED = "a read-only server shakes hands, with or without local sessions, and says nothing that no client can read";

const apache = findJavaZooKeeper();
const onApache = serverUnderTest === "apache" && apache.skip === false;
const total = { same: 0, onPurpose: 0 };

function rowsOf(file: string): ClientRow[] {
  return goldenRows<ClientRow>("client", `${file}.jsonl`);
}

/** Counts, tells, and fails if anything came out differently. */
function judge(t: TestContext, file: string, result: ReplayResult): void {
  const { framesSent, same, differences, onPurpose } = result;
  t.diagnostic(`${file}: ${framesSent} frames sent, ${same} answers as recorded, ${differences.length} not`);
  for (const [why, count] of onPurpose) t.diagnostic(`${file}: ${count} different on purpose: ${why}`);
  assert.equal(differences.length, 0, describeDifferences(result));
  assert.ok(same > 0);
  total.same += same;
  for (const count of onPurpose.values()) total.onPurpose += count;
}

describe(`recorded exchanges, replayed against ${onApache ? "Apache ZooKeeper" : "ours"}`, () => {
  const files = readdirSync(projectPath("test", "golden", "client"))
    .filter((name) => name.endsWith(".jsonl"))
    .map((name) => name.replace(".jsonl", ""))
    .filter((file) => !OF_ENSEMBLES.has(file));
  for (const file of files) {
    const { config = {}, compat, script = {} } = FILES[file] ?? {};
    const skip = onApache && compat !== undefined && `it was recorded with ${compat}`;
    test(file, { skip, timeout: 120_000 }, async (t) => {
      const start: StartServer = onApache ? startApache : startOurs(compat ?? "3.8");
      judge(t, file, await replayOnFresh(file, start, config, onApache ? { ...script, onPurpose: [] } : script));
    });
  }
  after(() => console.log(`recorded exchanges: ${total.same} answers as recorded, ${total.onPurpose} different on purpose`));
});

describe("recorded exchanges, replayed in an ensemble", { skip: onApache && "that is how they were recorded" }, () => {
  const local = { localSessions: true, localSessionsUpgrading: true };
  for (const where of ["follower", "leader"] as const) {
    test(`local-session, on the ${where}`, { timeout: 60_000 }, (t) =>
      withMembers(local, async (members) => judge(t, "local-session", await replay(rowsOf("local-session"), members[where]))),
    );
  }

  test("ensemble, on a follower", { timeout: 60_000 }, (t) =>
    withMembers({ reconfigEnabled: true, acl: { superDigest: SUPER_DIGEST } }, async ({ config, follower }) => {
      const inPlaceOf = config.members.flatMap(({ id, addresses: [peer], client }) => [
        [`:2186${id}:2187${id}:`, `:${peer!.quorumPort}:${peer!.electionPort}:`] as const,
        [`;127.0.0.1:2185${id}`, `;127.0.0.1:${client!.port}`] as const,
      ]);
      judge(t, "ensemble", await replay(rowsOf("ensemble"), follower, { inPlaceOf }));
    }),
  );

  test("read-only, on a member that is left alone", { timeout: 60_000 }, (t) =>
    withMembers({ readOnlyMode: true, localSessions: true }, async (members) => {
      const writer = await RawClient.connect(members.follower);
      // The recorded server had seen five txns of its epoch, and one of them made this znode.
      for (const op of [create("/p"), ...Array.from({ length: 4 }, () => setData("/nowhere"))]) await writer.request(op);
      await members.isolateFollower();
      judge(t, "read-only", await replay(rowsOf("read-only"), members.follower));
    }),
  );

  test("read-only-without-local-sessions, on a member that is left alone", { timeout: 60_000 }, (t) =>
    withMembers({ readOnlyMode: true }, async (members) => {
      await members.isolateFollower();
      const script = { onPurpose: [{ rows: [8, 9], why: GREETED }] };
      const file = "read-only-without-local-sessions";
      judge(t, file, await replay(rowsOf(file), members.follower, script));
    }),
  );

  test("session-moved, from a follower to the leader", { timeout: 60_000 }, (t) =>
    withMembers({}, async ({ leader, follower }) => {
      const old = rowsOf("session-moved-old-server");
      const anew = rowsOf("session-moved-new-server").map((row) => (row.conn === undefined ? row : { ...row, conn: 1 }));
      const script = {
        before: {
          // The session was the sixteenth txn of its epoch.
          0: { ops: Array.from({ length: 14 }, () => setData("/nowhere")) },
          // What was written through the leader has reached the follower.
          9: { ops: [sync("/")] },
        },
      };
      const rows = [...old.slice(0, 5), ...anew.slice(0, 4), ...old.slice(5), ...anew.slice(4)];
      judge(t, "session-moved", await replay(rows, (conn) => (conn === 0 ? follower : leader), script));
    }),
  );
});

async function replayOnFresh(file: string, start: StartServer, config: GoldenConfig, script: Script): Promise<ReplayResult> {
  const server = await start(config);
  try {
    return await replay(rowsOf(file), server, script);
  } finally {
    await server.stop();
  }
}

function describeDifferences({ differences }: ReplayResult): string {
  const text = ({ caption, row, actual }: ReplayResult["differences"][number]): string =>
    `${caption}\n  connection ${row.conn}: ${row.note}\n  recorded ${row.hex || "(the end)"}\n  actual   ${actual}`;
  return differences.map(text).join("\n");
}
