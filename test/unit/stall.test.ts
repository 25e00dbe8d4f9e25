/** A process that stands still for longer than sessions may be silent: what its clients had sent by then counts, and its own go on. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { tcp } from "../../adapters/tcp/listener.ts";
import { writeHello } from "../../lib/wire/codec.ts";
import { JuteWriter } from "../../lib/wire/jute.ts";
import { open } from "../../mod.ts";
import { NEW_SESSION } from "../support/raw_client.ts";
import { PING } from "../support/stage.ts";
import { until } from "../support/until.ts";

const STALL_MS = 900;
const FAST = { tickTimeMs: 100, minSessionTimeoutMs: 300, maxSessionTimeoutMs: 60_000 };

/** Nothing else happens meanwhile. */
function standStill(): void {
  for (const start = performance.now(); performance.now() - start < STALL_MS; );
}

test("sessions of handles in the process go on", async () => {
  await using server = await open(FAST);
  const handles = await Promise.all(Array.from({ length: 20 }, () => server.connect({ sessionTimeoutMs: 300 })));
  const watcher = await server.connect({ sessionTimeoutMs: 60_000 });
  const states: string[] = [];
  for (const [at, zk] of handles.entries()) {
    zk.onState(({ state }) => states.push(state));
    await zk.create(`/mine${at}`, null, { mode: "ephemeral" });
  }
  for (let round = 0; round < 2; round++) {
    standStill();
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  const { children } = await watcher.getChildren("/");
  assert.equal(children.filter((name) => name.startsWith("mine")).length, 20);
  assert.deepEqual(states, []);
});

test("a ping that has arrived is heard before its session expires", async () => {
  await using server = await open(FAST);
  const { port } = await server.listen(tcp({ port: 0 }));
  const replies: Uint8Array[] = [];
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  let isClosed = false;
  socket.on("data", (bytes) => replies.push(bytes));
  socket.on("close", () => {
    isClosed = true;
  });
  const hello = new JuteWriter(64);
  writeHello(hello, { ...NEW_SESSION, timeOut: 300 });
  socket.write(hello.copy());
  await until(() => replies.length === 1, "the welcome");
  socket.write(PING);
  await new Promise((resolve) => setImmediate(resolve));
  const before = replies.length;
  socket.write(PING);
  standStill();
  await until(() => replies.length > before || isClosed, "the answer to the ping");
  assert.equal(isClosed, false);
  socket.destroy();
});
