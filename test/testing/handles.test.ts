/** After close nothing is left: no socket, no timer, nothing that keeps the process alive. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { testServer } from "../../adapters/testing/mod.ts";
import { programCommand } from "../support/runtime.ts";

/** Long enough for any machine; a program that something keeps alive would run for ever. */
const KILLED_AFTER_MS = 60_000;

test("a program that has used test servers has no open handle left, and ends by itself", () => {
  const { command, args } = programCommand("test/testing/programs/handles.ts");
  const { stdout, stderr, status, signal } = spawnSync(command, args, { encoding: "utf8", timeout: KILLED_AFTER_MS });
  assert.equal(signal, null, `still alive after ${KILLED_AFTER_MS} ms, having said:\n${stdout}`);
  assert.equal(status, 0, stderr);
  const { before, meanwhile, after } = JSON.parse(stdout);
  if (process.platform === "linux") assert.ok(meanwhile.sockets > before.sockets, "it can see sockets");
  assert.deepEqual(after, before);
});

test("a clock that has stopped holds nobody up: close ends whatever waits for it", async () => {
  const zk = await testServer();
  const client = await zk.connect();
  zk.faults.on({ op: "sync" }).once().delay("1h");
  const held = client.sync();
  const closing = client.close();
  await zk.close();
  await Promise.all([held, closing]);
  assert.equal(client.state, "closed");
});

test("a thousand servers live side by side", async () => {
  const servers = await Promise.all(Array.from({ length: 1000 }, () => testServer()));
  const clients = await Promise.all(servers.map((zk) => zk.connect()));
  await Promise.all(clients.map((client, at) => client.create("/mine", `${at}`)));
  for (const [at, zk] of servers.entries()) zk.expectTree({ "/mine": `${at}` });
  await Promise.all(servers.map((zk) => zk.close()));
  assert.ok(clients.every(({ state }) => state === "closed"));
});
