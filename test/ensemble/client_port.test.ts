/**
 * A reconfiguration gives a member another client port: who is connected stays, and new clients are served where it says, ours as Apache's.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { describe, test } from "node:test";
import { connect } from "../../adapters/tcp/mod.ts";
import type { ZooKeeper } from "../../mod.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { freePort, type ServerKind } from "../support/server_process.ts";
import { until } from "../support/until.ts";
import { ChangingProcesses } from "./changing_processes.ts";

const MINUTE_MS = 60_000;
const KINDS: readonly (readonly [kind: ServerKind, skip: string | false])[] = [
  ["ours", false],
  ["apache", findJavaZooKeeper().skip],
];

/** Three members that serve; the first does not lead. */
async function three(kind: ServerKind): Promise<ChangingProcesses> {
  const ensemble = await ChangingProcesses.of({ 1: kind, 2: kind, 3: kind });
  const lines = [1, 2, 3].map((id) => ensemble.line(id));
  for (const id of [1, 3]) await ensemble.start(id, ...lines);
  assert.equal(await ensemble.serving(1, 3), 3);
  await ensemble.start(2, ...lines);
  await ensemble.serving(1, 2, 3);
  return ensemble;
}

/** A client that has never lost its connection. */
class Steady implements AsyncDisposable {
  readonly zk: ZooKeeper;
  hasLost = false;

  private constructor(zk: ZooKeeper) {
    this.zk = zk;
    zk.onState(({ state }) => {
      if (state !== "connected") this.hasLost = true;
    });
  }

  static async to(address: string): Promise<Steady> {
    return new Steady(await connect(address, { sessionTimeoutMs: 15_000 }));
  }

  /** Its requests are answered on the connection that it has had from the beginning. */
  async isServed(): Promise<void> {
    await this.zk.exists("/");
    await this.zk.sync("/");
    assert.equal(this.hasLost, false, "a connected client has lost its connection");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.zk.close();
  }
}

/** Whether a new client is served there. */
async function isServed(address: string): Promise<boolean> {
  const zk = await connect(address, { signal: AbortSignal.timeout(1000) }).catch(() => null);
  await zk?.close();
  return zk !== null;
}

/** Another program on a port of this machine. */
async function occupied(): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen(await freePort(), "127.0.0.1");
  await once(server, "listening");
  return server;
}

for (const [kind, skip] of KINDS) {
  describe(`${kind}: a member's client port changes`, { skip, timeout: 4 * MINUTE_MS }, () => {
    test("to a free one: a follower's, then a leader's, then the host alone", async () => {
      await using ensemble = await three(kind);
      for (const id of [1, 3]) {
        await using steady = await Steady.to(ensemble.address(id));
        await using other = await Steady.to(ensemble.address(2));
        const port = await freePort();
        const before = ensemble.address(id);
        const moved = ensemble.line(id).replace(/\d+$/, String(port));
        await steady.zk.reconfig({ joining: [moved] });
        await until(
          () => isServed(`127.0.0.1:${port}`),
          () => `new clients to be served:\n${ensemble.logs()}`,
        );
        assert.equal(await isServed(before), false, "new clients are refused on the old port");
        await steady.isServed();
        await other.isServed();
        const anywhere = moved.replace(/;.*/, `;0.0.0.0:${port}`);
        await other.zk.reconfig({ joining: [anywhere] });
        await until(async () => (await ensemble.configOf(2)).includes(`;0.0.0.0:${port}`), "the new host to be known");
        await until(
          () => isServed(`127.0.0.1:${port}`),
          () => `new clients to be served:\n${ensemble.logs()}`,
        );
        await steady.isServed();
      }
    });

    for (const [who, id] of [
      ["a follower's", 1],
      ["a leader's", 3],
    ] as const) {
      test(`to one that another program has, ${who}: the old one is free, and serves again once it is told to`, async () => {
        await using ensemble = await three(kind);
        const program = await occupied();
        try {
          await using steady = await Steady.to(ensemble.address(id));
          await using asker = await Steady.to(ensemble.address(2));
          const { port } = program.address() as AddressInfo;
          await asker.zk.reconfig({ joining: [ensemble.line(id).replace(/\d+$/, String(port))] });
          await until(async () => !(await isServed(ensemble.address(id))), "the old port to be released");
          await steady.isServed();
          await until(() => ensemble.log(id).includes(String(port)), "the error to be logged");
          await asker.zk.reconfig({ joining: [ensemble.line(id)] });
          await until(
            () => isServed(ensemble.address(id)),
            () => `the old port to serve again:\n${ensemble.logs()}`,
          );
          await steady.isServed();
        } finally {
          program.close();
        }
      });
    }
  });
}

test("ours takes a client port as soon as the program that had it lets go", { timeout: MINUTE_MS }, async () => {
  await using ensemble = await three("ours");
  const program = await occupied();
  await using asker = await Steady.to(ensemble.address(2));
  const { port } = program.address() as AddressInfo;
  await asker.zk.reconfig({ joining: [ensemble.line(1).replace(/\d+$/, String(port))] });
  await until(() => /Clients can't be served on .*:\d+/.test(ensemble.log(1)), "the error to be logged");
  program.close();
  await until(
    () => isServed(`127.0.0.1:${port}`),
    () => `the port to be taken:\n${ensemble.logs()}`,
  );
});
