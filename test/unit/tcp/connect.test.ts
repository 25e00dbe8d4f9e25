/** `connect()` on real sockets: names, addresses, and what is left when all is over. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { connect, tcp } from "../../../adapters/tcp/mod.ts";
import { open } from "../../../mod.ts";
import { Lines } from "../../support/remote_handle.ts";
import { programCommand, runtimeName } from "../../support/runtime.ts";
import { freePort } from "../../support/server_process.ts";
import { skipReason } from "../../support/skip.ts";
import { until } from "../../support/until.ts";

describe("connect()", () => {
  test("finds the one good server among hosts that don't exist, refuse, or hang up", { timeout: 60_000 }, async () => {
    await using server = await open();
    const { port } = await server.listen(tcp({ port: 0 }));
    const rude = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await new Promise((resolve) => rude.once("listening", resolve));
    const { port: rudePort } = rude.address() as { port: number };
    const refusing = await freePort();
    const list = `no-such-host.invalid:2181,127.0.0.1:${refusing},127.0.0.1:${rudePort},127.0.0.1:${port}`;
    for (let i = 0; i < 5; i++) {
      const logger = new Lines();
      await using zk = await connect(list, { logger });
      assert.equal(zk.state, "connected");
      for (const line of logger.lines) assert.match(line, /^Cannot connect to (no-such-host\.invalid|127\.0\.0\.1):\d+: \S/);
    }
    await new Promise((resolve) => rude.close(resolve));
  });

  test("reaches a name by whichever of its addresses is served", { timeout: 60_000 }, async () => {
    await using server = await open();
    const { port } = await server.listen(tcp({ port: 0, host: "127.0.0.1" }));
    for (let i = 0; i < 5; i++) {
      await using zk = await connect(`localhost:${port}`); // ::1 is among them on most machines
      await zk.sync();
    }
  });

  test("reaches IPv6 addresses", { timeout: 60_000 }, async (t) => {
    await using server = await open();
    const address = await server.listen(tcp({ port: 0, host: "::1" })).catch(() => null);
    if (address === null) return t.skip(skipReason("this machine has no IPv6"));
    await using zk = await connect(`[::1]:${address.port}/`);
    assert.deepEqual(await zk.whoAmI(), [{ scheme: "ip", id: "0:0:0:0:0:0:0:1" }]);
  });

  test("is given up by its signal, before and after it has begun", { timeout: 60_000 }, async () => {
    const refusing = await freePort();
    const logger = new Lines();
    await assert.rejects(
      connect(`127.0.0.1:${refusing}`, { logger, signal: AbortSignal.abort(new Error("never")) }),
      /^Error: never$/,
    );
    const controller = new AbortController();
    const connecting = assert.rejects(
      connect(`127.0.0.1:${refusing}`, { logger, signal: controller.signal }),
      /^Error: enough$/,
    );
    await until(() => logger.lines.length > 0, "an attempt");
    controller.abort(new Error("enough"));
    await connecting;
  });

  test("refuses what can't be right at once", async () => {
    await assert.rejects(connect(""), { code: "BadArguments" });
    if (runtimeName === "deno") return; // which judges keys when it uses them
    await assert.rejects(connect("127.0.0.1:1", { tls: { ca: "x", cert: "no certificate", key: "no key" } }), Error);
  });

  test("a request that is larger than the server takes ends the connection, and the handle goes on", {
    timeout: 60_000,
  }, async () => {
    await using server = await open({ limits: { frameBytesMax: 4096 } });
    const { port } = await server.listen(tcp({ port: 0 }));
    await using zk = await connect(`127.0.0.1:${port}`);
    await assert.rejects(zk.create("/large", new Uint8Array(8192)), { code: "ConnectionLoss", applied: "unknown" });
    await until(() => zk.state === "connected", "a new connection");
    await zk.create("/small", new Uint8Array(100));
  });

  test("a reply that is larger than was allowed ends the connection", { timeout: 60_000 }, async () => {
    await using server = await open();
    const { port } = await server.listen(tcp({ port: 0 }));
    await using zk = await connect(`127.0.0.1:${port}`, { replyBytesMax: 4096 });
    await zk.create("/large", new Uint8Array(8192));
    const states: string[] = [];
    zk.onState(({ state, reason }) => states.push(`${state}: ${reason}`));
    await assert.rejects(zk.getData("/large"), { code: "ConnectionLoss", applied: false });
    assert.match(
      states[0]!,
      /^suspended: 127\.0\.0\.1:\d+: what the server sent makes no sense: a frame of impossible length$/,
    );
  });
});

/** Long enough for any machine; a program that something keeps alive would run for ever. */
const KILLED_AFTER_MS = 60_000;

test("a program lives while its client waits for a server, and ends by itself once it has closed it", () => {
  const { command, args } = programCommand("test/runtimes/client_smoke.ts");
  const { stdout, stderr, status, signal } = spawnSync(command, args, { encoding: "utf8", timeout: KILLED_AFTER_MS });
  assert.equal(signal, null, `still alive after ${KILLED_AFTER_MS} ms, having said:\n${stdout}`);
  assert.deepEqual(stdout.trimEnd().split("\n"), ["connected", "suspended", "connected", "read again", "closed"], stderr);
  assert.equal(status, 0, stderr);
});
