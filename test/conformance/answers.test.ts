/**
 * The table of answers, held against ours in each version that it can imitate. `ZOOKERNEL_TEST_SERVER=apache` holds the column of
 * 3.8 against the real server.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { COMPAT_VERSIONS, type Compat } from "../../lib/model/compat.ts";
import { errorCodeOf } from "../../lib/model/errors.ts";
import { RawClient } from "../support/raw_client.ts";
import { serverUnderTest } from "../support/server_process.ts";
import { type Answer, OPCODES, type Opcode, WORLD } from "./answers.ts";
import { type GoldenConfig, type StartServer, startApache, startOurs } from "./servers.ts";

const onApache = serverUnderTest === "apache";
const VERSIONS: readonly Compat[] = onApache ? ["3.8"] : COMPAT_VERSIONS;

for (const version of VERSIONS) {
  describe(`answers of ${onApache ? "Apache ZooKeeper 3.8" : `ours as ${version}`}`, () => {
    const start: StartServer = onApache ? startApache : startOurs(version);
    for (const opcode of OPCODES) {
      test(`${opcode.name} (${opcode.number})`, { timeout: 120_000 }, async (t) => {
        for (const answer of opcode.answers) {
          // The real server never answers what the table says of a newer one.
          if (onApache && opcode.name === "check" && answer.code === "Unimplemented") continue;
          const expected = expectedOf(opcode, answer, version);
          assert.equal(await actualOf(answer, start, answer.config ?? {}), expected, `${opcode.name}: ${answer.when}`);
        }
        t.diagnostic(`${version}: ${opcode.name}: ${opcode.answers.length} answers`);
      });
    }
  });
}

function expectedOf({ since = "3.4" }: Opcode, answer: Answer, version: Compat): string {
  const at = (one: Compat): number => COMPAT_VERSIONS.indexOf(one);
  if (at(version) < at(since)) return "Unimplemented";
  const { from = since, to = "3.9", code, elsewhere } = answer;
  return at(version) >= at(from) && at(version) <= at(to) ? code : (elsewhere ?? "(the table says nothing)");
}

async function actualOf({ ask, given = [] }: Answer, start: StartServer, config: GoldenConfig): Promise<string> {
  const server = await start(config);
  try {
    const client = await RawClient.connect(server);
    for (const op of [...WORLD, ...given]) {
      const { err } = await client.request(op);
      assert.equal(err, 0, `${op.kind} to begin with: ${err === 0 ? "" : errorCodeOf(err)}`);
    }
    const { err } = ask.kind === "ping" ? await client.ping() : await client.request(ask);
    await client.drop();
    return err === 0 ? "Ok" : errorCodeOf(err);
  } finally {
    await server.stop();
  }
}
