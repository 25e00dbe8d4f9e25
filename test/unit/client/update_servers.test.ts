/**
 * A crowd of handles whose list of servers is replaced, in virtual time and with a seed: where they end up, what they lose on the way, and that
 * those who need not move don't.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ZooKeeper } from "../../../mod.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { MemoryNetwork } from "../../support/memory_network.ts";
import { Random } from "../../support/random.ts";
import { remoteHandle } from "../../support/remote_handle.ts";
import { ScriptedServer } from "../../support/scripted_server.ts";

const HANDLES = 3000;

class Crowd {
  readonly network = new MemoryNetwork();
  readonly clock = new ManualClock();
  readonly random = Random.seeded("ZOOKERNEL_SEED");
  handles: ZooKeeper[] = [];
  /** Connections that were lost. */
  losses = 0;

  constructor(names: readonly string[]) {
    for (const name of names) {
      const server = new ScriptedServer({
        hello: (connection) => connection.welcome(),
        request: (connection, xid) => connection.reply(xid),
      });
      this.network.serve(name, server.accept);
    }
  }

  async connect(servers: string): Promise<void> {
    const random = (): number => this.random.next();
    this.handles = Array.from({ length: HANDLES }, () => remoteHandle(this.network, servers, this.clock, { random }));
    await Promise.all(this.handles.map((zk) => zk.start()));
    for (const zk of this.handles) {
      zk.onState(({ state }) => {
        if (state === "suspended") this.losses++;
      });
    }
  }

  async update(servers: string): Promise<void> {
    for (const zk of this.handles) zk.updateServers(servers);
    for (let i = 0; i < 40; i++) {
      await this.network.idle();
      this.clock.advance(50);
    }
    await this.network.idle();
    assert.ok(this.handles.every(({ state }) => state === "connected"));
  }

  /** Every server of the list has its share, within five standard deviations. */
  isEven(servers: string): void {
    const names = servers.split(",");
    const share = HANDLES / names.length;
    const most = 5 * Math.sqrt(share * (1 - 1 / names.length));
    const loads = names.map((name) => this.network.connections(name));
    const text = `${names.map((name, i) => `${name}: ${loads[i]}`).join(", ")}; ZOOKERNEL_SEED=${this.random.seed}`;
    assert.ok(
      loads.every((load) => Math.abs(load - share) <= most),
      text,
    );
    assert.equal(
      loads.reduce((sum, load) => sum + load),
      HANDLES,
    );
  }
}

for (const [from, to, leaving] of [
  ["a,b,c", "a,b,c,d,e", 2 / 5],
  ["a,b,c,d,e", "a,b,c", 2 / 5],
  ["a,b,c", "c,d,e", 2 / 3],
] as const) {
  test(`${from} → ${to}: loads stay even, and no more than ${Math.round(leaving * 100)} % move`, async () => {
    const crowd = new Crowd(["a", "b", "c", "d", "e"]);
    await crowd.connect(from);
    crowd.isEven(from);
    await crowd.update(to);
    crowd.isEven(to);
    const deviation = Math.sqrt(HANDLES * leaving * (1 - leaving));
    assert.ok(Math.abs(crowd.losses - HANDLES * leaving) <= 5 * deviation, `${crowd.losses} moved`);
    await Promise.all(crowd.handles.map((zk) => zk.close()));
    assert.equal(crowd.clock.armedCount, 0);
  });
}

test("new servers that can't be reached leave nobody without one", async () => {
  const crowd = new Crowd(["a", "b", "c"]);
  await crowd.connect("a,b,c");
  await crowd.update("a,b,c,nowhere,nowhere2");
  crowd.isEven("a,b,c");
  await Promise.all(crowd.handles.map((zk) => zk.close()));
});

test("a list that names no server is refused, and changes nothing", async () => {
  const crowd = new Crowd(["a"]);
  await crowd.connect("a");
  assert.throws(() => crowd.handles[0]!.updateServers(","), { code: "BadArguments" });
  assert.equal(crowd.handles[0]!.state, "connected");
  await Promise.all(crowd.handles.map((zk) => zk.close()));
});

test("a client that is still waiting for a server of the old list goes to one of the new list at once", async () => {
  const crowd = new Crowd(["a", "b"]);
  crowd.network.set("a", "silent");
  const zk = remoteHandle(crowd.network, "a", crowd.clock);
  const start = zk.start();
  await crowd.network.idle();
  zk.updateServers("b");
  crowd.clock.advance(0);
  await start;
  assert.deepEqual(crowd.network.dialled, ["a", "b"]);
  await zk.close();
});
