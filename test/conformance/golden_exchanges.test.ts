/**
 * The recorded exchanges of real clients and servers, replayed against ours byte for byte; what is not replayed is counted with
 * the reason. `ZOOKERNEL_TEST_SERVER=apache` replays the exchanges of 3.8.0 against the real server instead.
 */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { type ClientRow, goldenRows } from "../support/golden.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { projectPath } from "../support/root.ts";
import { serverUnderTest } from "../support/server_process.ts";
import { type ReplayResult, replay, type Script, type SendableOp } from "./exchanges.ts";
import { type GoldenConfig, type StartServer, startApache, startOurs } from "./servers.ts";

const SUPER = "-Dzookeeper.DigestAuthenticationProvider.superDigest=super:lK75jTNcA+U9vtVEw5vB51mj/w4=";
const WORDS = "answers to four-letter words are text with times and ports; test/unit/wire/words.test.ts holds them";
const ENSEMBLE = "it was recorded with an ensemble of three";
const SASL = "it needs a server that knows SASL mechanisms";

interface File {
  readonly config?: GoldenConfig;
  readonly compat?: "3.4" | "3.9";
  readonly script?: Script;
  /** Why one server alone can't replay it. */
  readonly notReplayed?: string;
}

const set = (path: string, data: string): SendableOp => ({ kind: "setData", path, data: Buffer.from(data), version: -1 });
const create = (path: string): SendableOp => {
  const acl = [{ perms: 31, scheme: "world", id: "anyone" }];
  return { kind: "create", path, data: null, acl, flags: 0, ttl: 0 };
};
/** While the recorded client was away, another one changed what it watched. */
const SET_WATCHES: Script = {
  before: {
    3: { ops: [] },
    21: { ops: [set("/d", "2"), create("/c/k")] },
    28: { ops: [set("/u", "9")] },
    36: { cut: 1 },
    37: { ops: [set("/d", "3"), set("/c/k", "3")] },
    42: { ops: [set("/d", "4"), create("/c/k/z")] },
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
  "four-letter-words": { notReplayed: WORDS },
  "four-letter-words-default": { notReplayed: WORDS },
  "four-letter-words-3.4.14": { notReplayed: WORDS },
  ensemble: { notReplayed: ENSEMBLE },
  "local-session": { notReplayed: `${ENSEMBLE}; test/ensemble/local_sessions.test.ts replays it` },
  "read-only": { notReplayed: ENSEMBLE },
  "read-only-without-local-sessions": { notReplayed: ENSEMBLE },
  "session-moved-old-server": { notReplayed: ENSEMBLE },
  "session-moved-new-server": { notReplayed: ENSEMBLE },
  sasl: { notReplayed: SASL },
  "sasl-allow-failed": { notReplayed: SASL },
  "sasl-required": { notReplayed: SASL },
};

const apache = findJavaZooKeeper();
const onApache = serverUnderTest === "apache" && apache.skip === false;

describe(`recorded exchanges, replayed against ${onApache ? "Apache ZooKeeper" : "ours"}`, () => {
  for (const file of readdirSync(projectPath("test", "golden", "client")).filter((name) => name.endsWith(".jsonl"))) {
    const { config = {}, compat, script = {}, notReplayed } = FILES[file.replace(".jsonl", "")] ?? {};
    const skip = notReplayed ?? (onApache && compat !== undefined ? `it was recorded with ${compat}` : false);
    test(file, { skip, timeout: 120_000 }, async (t) => {
      const start: StartServer = onApache ? startApache : startOurs(compat ?? "3.8");
      const result = await replayOnFresh(file, start, config, onApache ? { ...script, onPurpose: [] } : script);
      const { framesSent, same, differences, onPurpose } = result;
      t.diagnostic(`${file}: ${framesSent} frames sent, ${same} answers as recorded, ${differences.length} not`);
      for (const [why, count] of onPurpose) t.diagnostic(`${file}: ${count} different on purpose: ${why}`);
      assert.equal(differences.length, 0, describeDifferences(result));
    });
  }
});

async function replayOnFresh(file: string, start: StartServer, config: GoldenConfig, script: Script): Promise<ReplayResult> {
  const server = await start(config);
  try {
    return await replay(goldenRows<ClientRow>("client", file), server, script);
  } finally {
    await server.stop();
  }
}

function describeDifferences({ differences }: ReplayResult): string {
  const text = ({ caption, row, actual }: ReplayResult["differences"][number]): string =>
    `${caption}\n  connection ${row.conn}: ${row.note}\n  recorded ${row.hex || "(the end)"}\n  actual   ${actual}`;
  return differences.map(text).join("\n");
}
