import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { BunListener } from "../../../adapters/tcp/bun.ts";
import { Handshakes } from "../../../adapters/tcp/handshakes.ts";
import { tcp } from "../../../adapters/tcp/listener.ts";
import { LoopbackListener } from "../../../adapters/tcp/loopback.ts";
import { NodeListener } from "../../../adapters/tcp/node.ts";
import { completed } from "../../../adapters/tcp/options.ts";
import type { Duplex, DuplexHandler } from "../../../lib/ports.ts";
import { open } from "../../../mod.ts";
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

test("tcp with TLS: handshakes that don't go on are so many from one address, and others come in again when they end", async () => {
  const listener = tcp({ host: "127.0.0.1", port: 0, tls: { key: pem("server"), cert: pem("server"), clientAuth: "none" } });
  let accepted = 0;
  const { port } = await listener.start(() => {
    accepted++;
    return { data() {}, drained() {}, closed() {} };
  });
  let closed = 0;
  const sockets = Array.from({ length: 510 }, () =>
    connect(port, "127.0.0.1")
      .on("error", () => {})
      .on("close", () => closed++),
  );
  await until(() => closed >= 10, "those too many to be cut off");
  assert.equal(closed, 10);
  for (const socket of sockets) socket.destroy();
  await until(() => closed === 510, "all closed");
  const over = (): Socket => connectTls({ host: "127.0.0.1", port, ca: pem("ca") }).on("error", () => {});
  const good: Socket[] = [];
  await until(() => {
    if (accepted === 0) good.push(over());
    return accepted > 0;
  }, "a handshake that goes on");
  for (const socket of good) socket.destroy();
  await listener.stop();
});

test("tcp with TLS: handshakes count as connections of their address, and are counted once", async () => {
  for (const unified of [false, true]) {
    const tls = { key: pem("server"), cert: pem("server"), clientAuth: "none", unified } as const;
    const server = await open({ limits: { connectionsPerAddressMax: 3 } });
    const { port } = await server.listen(tcp({ host: "127.0.0.1", port: 0, tls }));
    let closed = 0;
    const silent = Array.from({ length: 5 }, () =>
      connect(port, "127.0.0.1")
        .on("error", () => {})
        .on("close", () => closed++),
    );
    await until(() => closed === 2, "those too many to be cut off");
    for (const socket of silent) socket.destroy();
    await until(() => closed === 5, "all closed");
    let [ready, refused] = [0, 0];
    const over = (): Socket =>
      connectTls({ host: "127.0.0.1", port, ca: pem("ca") }, () => ready++)
        .on("error", () => {})
        .on("close", () => refused++);
    const good = [over(), over(), over()];
    await until(() => ready === 3, "three handshakes");
    const oneTooMany = over();
    await until(() => refused === 1, "a fourth to be refused");
    for (const socket of [...good, oneTooMany]) socket.destroy();
    await server.close();
  }
});

test("handshakes: one that takes too long is cut off, and one that is over is not", async () => {
  const handshakes = new Handshakes(20);
  const destroyed: number[] = [];
  const end = (remotePort: number): Socket =>
    ({ remoteAddress: "127.0.0.1", remotePort, once() {}, destroy: () => void destroyed.push(remotePort) }) as never;
  handshakes.begin(end(1));
  handshakes.begin(end(2));
  handshakes.end(end(2));
  handshakes.begin(end(3));
  await until(() => destroyed.length === 2, "two to be cut off");
  assert.deepEqual(destroyed, [1, 3]);
});

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

test("tcp: without a host, both loopback addresses are served, on one port", async (t) => {
  if (!(await hasIpv6())) return t.skip(skipReason("this machine has no ::1"));
  const listener = tcp({ port: 0 });
  const peers: string[] = [];
  const { host, port } = await listener.start(({ remoteAddress }) => {
    peers.push(remoteAddress);
    return { data() {}, drained() {}, closed() {} };
  });
  assert.equal(host, "127.0.0.1");
  const sockets = ["127.0.0.1", "::1"].map((address) => connect(port, address).on("error", () => {}));
  await until(() => peers.length === 2, "both accepted");
  assert.deepEqual(peers.sort(), ["127.0.0.1", "::1"]);
  await listener.release();
  for (const address of HOSTS) await taken(port, address).then((other) => close(other));
  await listener.stop();
  for (const socket of sockets) socket.destroy();
});

test("tcp: a port that is taken at one of the two addresses is refused by name, and the other one is let go", async (t) => {
  if (!(await hasIpv6())) return t.skip(skipReason("this machine has no ::1"));
  for (const [mine, other] of [HOSTS, [...HOSTS].reverse()]) {
    const holder = await taken(0, mine!);
    const { port } = holder.address() as AddressInfo;
    await assert.rejects(tcp({ port }).start(refused), { code: "EADDRINUSE" });
    await close(await taken(port, other!));
    await close(holder);
  }
});

test("loopback: a port that the system chose and that is taken at the other address is given back for another", async () => {
  const stopped: number[] = [];
  let next = 7000;
  const listener = new LoopbackListener((host, wanted) => {
    const port = wanted === 0 ? next++ : wanted;
    const isTaken = host === "::1" && port < 7003;
    return {
      start: async () => {
        if (isTaken) throw Object.assign(new Error("taken"), { code: "EADDRINUSE" });
        return { host, port, secure: false };
      },
      release: async () => {},
      stop: async () => void stopped.push(port),
    };
  }, 0);
  assert.deepEqual(await listener.start(refused), { host: "127.0.0.1", port: 7003, secure: false });
  assert.deepEqual(stopped, [7000, 7001, 7002]);
});

test("loopback: one of the two addresses is enough where the machine has no other", async () => {
  for (const absent of HOSTS) {
    const listener = new LoopbackListener((host, port) => {
      return {
        start: async () => {
          if (host === absent) throw Object.assign(new Error("none"), { code: "EADDRNOTAVAIL" });
          return { host, port, secure: false };
        },
        release: async () => {},
        stop: async () => {},
      };
    }, 7);
    assert.notEqual((await listener.start(refused)).host, absent);
  }
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

const HOSTS = ["127.0.0.1", "::1"] as const;

/** A server of its own on that address. */
function taken(port: number, host: string): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function hasIpv6(): Promise<boolean> {
  try {
    await close(await taken(0, "::1"));
    return true;
  } catch {
    return false;
  }
}

function refused(): never {
  throw new Error("nobody connects here");
}
