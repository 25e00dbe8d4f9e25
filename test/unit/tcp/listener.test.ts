import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { BunListener } from "../../../adapters/tcp/bun.ts";
import { tcp } from "../../../adapters/tcp/listener.ts";
import { NodeListener } from "../../../adapters/tcp/node.ts";
import { completed } from "../../../adapters/tcp/options.ts";
import type { Duplex, DuplexHandler } from "../../../lib/ports.ts";
import { listenerContract } from "../../contracts/listener.ts";
import { projectPath } from "../../support/root.ts";
import { runtimeName } from "../../support/runtime.ts";
import { skipReason } from "../../support/skip.ts";
import { until } from "../../support/until.ts";

listenerContract("tcp on node:net", (port) => new NodeListener(completed({ port })));
if (runtimeName === "bun") listenerContract("tcp on Bun's sockets", (port) => new BunListener(completed({ port })));

const pem = (name: string): string => readFileSync(projectPath("test", "support", "tls", `${name}.pem`), "utf8");
for (const unified of [false, true]) {
  const tls = { key: pem("server"), cert: pem("server"), clientAuth: "none" as const, unified };
  const overTls = (port: number): Socket => connectTls({ host: "127.0.0.1", port, ca: pem("ca") });
  listenerContract(`tcp with TLS${unified ? " and without: with" : ""}`, (port) => tcp({ port, tls }), overTls);
}

test("tcp: ports and backlogs that can't be are refused with their range", () => {
  assert.throws(() => tcp({ port: 70_000 }), /^RangeError: tcp\(\): port must be a whole number from 0 to 65535, not 70000$/);
  assert.throws(() => tcp({ port: Number.NaN }), RangeError);
  assert.throws(() => tcp({ port: 2181, backlog: 0 }), RangeError);
});

test("tcp: a second start is refused, a stop during start waits for it", async () => {
  const listener = tcp({ port: 0 });
  const starting = listener.start(refused);
  await assert.rejects(listener.start(refused), /^Error: Already listening/);
  const stopping = listener.stop();
  const { port } = await starting;
  await stopping;
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(port, "127.0.0.1", resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
});

test("tcp: an address of another machine is refused by name", async () => {
  const listener = tcp({ host: "192.0.2.1", port: 0 });
  await assert.rejects(listener.start(refused), /^Error: Cannot listen on 192\.0\.2\.1:0: /);
});

test("tcp: an IPv4 peer of a dual-stack listener has an IPv4 address", async (t) => {
  const listener = tcp({ host: "::", port: 0 });
  let peer = "";
  const accept = ({ remoteAddress }: Duplex): DuplexHandler => {
    peer = remoteAddress;
    return { data() {}, drained() {}, closed() {} };
  };
  const address = await listener
    .start(accept)
    .catch((error: Error) => t.skip(skipReason(`this machine has no IPv6: ${error.message}`)));
  if (!address) return;
  const socket = connect(address.port, "127.0.0.1");
  await until(() => peer !== "", "accepted");
  socket.destroy();
  await listener.stop();
  assert.equal(peer, "127.0.0.1");
});

function refused(): never {
  throw new Error("nobody connects here");
}
