/** A server on a storage: what it keeps, what it says, and when it stops. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FileStorage } from "../../adapters/storage/file.ts";
import { memoryStorage, StorageError } from "../../adapters/storage/mod.ts";
import { settingsOf } from "../../lib/options/options.ts";
import type { Logger, Storage } from "../../lib/ports.ts";
import { openDurable } from "../../lib/server/durable.ts";
import { open, type Server } from "../../mod.ts";
import { SimulatedDisk } from "../simulation/disk.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { Random } from "../support/random.ts";
import { until } from "../support/until.ts";

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A server on a simulated disk, in time that stands still. */
async function onDisk(disk: SimulatedDisk, everyTxns = 100_000, clock = new ManualClock(), logger = quiet): Promise<Server> {
  const storage = new FileStorage({ dataDir: "/sim", preAllocBytes: 4096 }, disk.mount());
  const settings = await settingsOf({ snapshots: { everyTxns }, tickTimeMs: 1000 }, true);
  return await openDurable(storage, settings, {
    clock,
    logger,
    random: () => 0,
    soon: setImmediate,
    loadProcess: () => assert.fail("nobody asks"),
  });
}

describe("a server on a storage", () => {
  test("has what it had, on the storage in memory too", async () => {
    const storage = memoryStorage();
    for (let round = 0; round < 3; round++) {
      await using server = await open({ storage });
      await using zk = await server.connect();
      await zk.create(`/n${round}`, `round ${round}`);
      const { children } = await zk.getChildren("/");
      assert.deepEqual(children.toSorted(), ["n0", "n1", "n2"].slice(0, round + 1).concat("zookeeper"));
    }
  });

  test("brings sessions and their ephemerals back, each for its whole timeout", async () => {
    const disk = new SimulatedDisk(new Random(1));
    const before = await onDisk(disk);
    const zk = await before.connect({ sessionTimeoutMs: 6000 });
    await zk.create("/here", "", { mode: "ephemeral" });
    disk.restart(true);
    await before.close();
    const clock = new ManualClock();
    await using after = await onDisk(disk, 100_000, clock);
    assert.equal(after.inspect("/here")!.stat.ephemeralOwner, zk.sessionId);
    clock.advance(5500);
    assert.notEqual(after.inspect("/here"), null);
    clock.advance(2000);
    await until(() => after.inspect("/here") === null, "the end of the session");
  });

  test("answers reads while a write waits for the disk, and the write only when it is there", async () => {
    const disk = new SimulatedDisk(new Random(2));
    disk.slowDown(); // so that syncs don't hold up the event loop
    await using server = await onDisk(disk);
    await using zk = await server.connect();
    await using other = await server.connect();
    await zk.create("/a", "old");
    const letGo = disk.holdSyncs();
    let acknowledged = false;
    const writing = zk.setData("/a", "new").then(() => {
      acknowledged = true;
    });
    for (let read = 0; read < 20; read++) {
      assert.equal(new TextDecoder().decode((await other.getData("/a")).data!), "old");
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert.equal(acknowledged, false);
    letGo();
    await writing;
    assert.equal(new TextDecoder().decode((await other.getData("/a")).data!), "new");
  });

  test("writes a snapshot after so many txns, while it serves", async () => {
    const disk = new SimulatedDisk(new Random(3));
    const server = await onDisk(disk, 20);
    await using zk = await server.connect();
    for (let number = 0; number < 60; number++) await zk.create(`/n${number}`);
    await server.close();
    const names = disk
      .mount()
      .list("/sim/version-2")!
      .map(({ name }) => name);
    assert.equal(names.filter((name) => name.startsWith("snapshot.")).length, 3, names.join(" "));
    await using again = await onDisk(disk);
    assert.equal(again.inspect("/")!.children.length, 61);
  });

  for (const [what, spoil, reason] of [
    [
      "full",
      (disk: SimulatedDisk) => disk.limit(0),
      /^\/sim\/version-2\/log\.\w+: the log can't be written: ENOSPC.*The disk is full: make room/,
    ],
    ["failing", (disk: SimulatedDisk) => disk.failSyncAfter(0), /the log can't be written: EIO.*nothing acknowledged is lost/],
  ] as const) {
    test(`stops when the disk is ${what}, and says so`, async () => {
      const disk = new SimulatedDisk(new Random(4));
      const said: string[] = [];
      const server = await onDisk(disk, 100_000, new ManualClock(), { ...quiet, error: (line) => void said.push(line) });
      const zk = await server.connect();
      await zk.create("/kept", "old");
      spoil(disk);
      const large = "x".repeat(10_000);
      await assert.rejects(zk.setData("/kept", large), { code: "ConnectionLoss", applied: "unknown" });
      const failure = await server.closed;
      assert.ok(failure instanceof StorageError);
      assert.match(failure.message, reason);
      assert.match(said.join("\n"), /^The server stops, since it can't go on safely: .*the log can't be written/);
      await assert.rejects(server.connect());
      disk.restart(false);
      await using again = await onDisk(disk);
      assert.equal(new TextDecoder().decode(again.inspect("/kept")!.data!), "old");
    });
  }

  test("goes on where a snapshot can't be written", async () => {
    const disk = new SimulatedDisk(new Random(5));
    const said: string[] = [];
    await using server = await onDisk(disk, 10, new ManualClock(), { ...quiet, error: (line) => void said.push(line) });
    await using zk = await server.connect();
    disk.refuse(/zookernel-new-snapshot/);
    for (let number = 0; number < 40; number++) await zk.create(`/n${number}`);
    assert.match(said[0]!, /^No snapshot was written: \/sim\/version-2\/snapshot\.\w+: the file can't be written: EIO/);
    assert.equal(server.inspect("/")!.children.length, 41);
  });

  test("does not start while another has the storage, and lets go where a start fails", async () => {
    const storage: Storage = memoryStorage();
    await using server = await open({ storage });
    await assert.rejects(open({ storage }), StorageError);
    await server.close();
    await assert.rejects(open({ storage, tickTimeMs: -1 }), TypeError);
    await using again = await open({ storage });
    assert.notEqual(again.inspect("/"), null);
  });
});
