/** Secrets stay out of logs and errors, the client's (CVE-2026-24308) as well as the server's, whatever goes wrong with them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { connect, tcp } from "../../../adapters/tcp/mod.ts";
import type { Logger } from "../../../lib/ports.ts";
import { open, ZkError } from "../../../mod.ts";

const SECRETS = ["hunter2", "correct horse battery staple", "aHVudGVyMg=="];

test("CVE-2026-24308: no line and no error of a client or a server shows a password", async () => {
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const logger: Logger = { debug: say, info: say, warn: say, error: say };
  const users = { alice: SECRETS[0]! };
  await using server = await open({ logger, sasl: { users, allowFailedClients: true }, sessionSecret: SECRETS[1]! });
  const { host, port } = await server.listen(tcp({ port: 0, host: "127.0.0.1", logger }));
  const failures: unknown[] = [];
  const attempt = async (run: () => Promise<unknown>): Promise<void> => {
    await run().catch((error: unknown) => failures.push(error));
  };

  await using zk = await connect(`${host}:${port}`, { logger, sasl: { username: "alice", password: SECRETS[0]! } });
  await attempt(() => zk.addAuth("digest", `bob:${SECRETS[0]}`));
  await attempt(() => zk.create("/a", SECRETS[0], { acl: [{ perms: 31, scheme: "digest", id: `bob:${SECRETS[2]}` }] }));
  await attempt(() => zk.create("/b", null, { acl: [{ perms: 31, scheme: "nowhere", id: SECRETS[0]! }] }));
  await using other = await connect(`${host}:${port}`, { logger });
  await attempt(() => other.getData("/a"));
  await attempt(() => other.addAuth("nowhere", SECRETS[0]!)); // the server hangs up on it
  await attempt(() => connect(`${host}:${port}`, { logger, sasl: { username: "mallory", password: SECRETS[0]! } }));

  assert.ok(failures.length >= 3 && failures.some((error) => error instanceof ZkError), String(failures));
  const shown = [
    ...said,
    ...failures.map((error) => inspect(error, { depth: 9 })),
    inspect(zk, { depth: 9 }),
    inspect(server, { depth: 9 }),
  ];
  for (const secret of SECRETS) for (const text of shown) assert.ok(!text.includes(secret), `${secret} stands in: ${text}`);
});
