/** Time that a test owns: what hangs on it, in which order it comes, and when there is nothing left to wait for. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testServer } from "../../adapters/testing/mod.ts";
import { durationText, milliseconds } from "../../lib/base/duration.ts";
import { WakeQueue } from "../../lib/testing/wake_queue.ts";
import { Random } from "../support/random.ts";

describe("durations", () => {
  for (const [text, ms] of Object.entries({
    "250ms": 250,
    "30s": 30_000,
    "1h30m": 5_400_000,
    "2d": 172_800_000,
    "1.5s": 1500,
  })) {
    test(text, () => assert.equal(milliseconds(text), ms));
  }

  test("numbers are milliseconds", () => assert.equal(milliseconds(7), 7));

  for (const wrong of ["", "30", "30 s", "s", "-1s", Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    test(`${JSON.stringify(wrong)} is none`, () => assert.throws(() => milliseconds(wrong), TypeError));
  }

  test("and back", () => {
    assert.equal(durationText(5_400_250), "1h30m250ms");
    assert.equal(durationText(0), "0ms");
  });
});

test("wake-ups come in order of time, then of asking, whatever was cancelled", () => {
  const random = new Random(7);
  const queue = new WakeQueue();
  const expected: [number, number][] = [];
  for (let order = 0; order < 1000; order++) {
    const mono = random.below(50);
    const wake = queue.add(mono, () => {});
    if (random.below(3) === 0) wake.run = null;
    else expected.push([mono, order]);
  }
  expected.sort(([a, x], [b, y]) => a - b || x - y);
  const got: [number, number][] = [];
  for (let wake = queue.takeDue(50); wake !== undefined; wake = queue.takeDue(50)) got.push([wake.mono, wake.order]);
  assert.deepEqual(got, expected);
});

describe("the clock", () => {
  test("stands still, and starts where it is told", async () => {
    await using zk = await testServer({ startAt: 1_000_000 });
    const client = await zk.connect();
    const { stat } = await client.createWithStat("/a");
    assert.equal(stat.ctime, 1_000_000);
    await zk.clock.advance("90s");
    const later = await client.createWithStat("/b");
    assert.equal(later.stat.ctime, 1_090_000);
  });

  test("keeps a session whose client pings, for as long as you like", async () => {
    await using zk = await testServer();
    const client = await zk.connect({ sessionTimeoutMs: 30_000 });
    await client.create("/lock", null, { mode: "ephemeral" });
    await zk.clock.advance("1h");
    assert.equal(client.state, "connected");
    zk.expectTree({ "/lock": { owner: client } });
  });

  test("is in no hurry: what a wake-up set in motion is over before time moves on", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    const times: number[] = [];
    const start = zk.clock.now().mono;
    void (async () => {
      for (let i = 0; i < 3; i++) {
        await zk.clock.sleep("1s");
        await client.create("/n-", null, { mode: "persistent_sequential" });
        await Promise.resolve().then(() => Promise.resolve());
        times.push(zk.clock.now().mono - start);
      }
    })();
    await zk.clock.advance("10s");
    assert.deepEqual(times, [1000, 2000, 3000]);
  });

  test("moves that are asked for at once come one after the other", async () => {
    await using zk = await testServer();
    const start = zk.clock.now().mono;
    await Promise.all([zk.clock.advance("1s"), zk.clock.advance("2s")]);
    assert.equal(zk.clock.now().mono - start, 3000);
  });

  test("a wake-up that throws fails the move, and the next one goes on", async () => {
    await using zk = await testServer();
    const { mono } = zk.clock.now();
    zk.clock.wakeAt(mono + 10, () => {
      throw new Error("mine");
    });
    await assert.rejects(zk.clock.advance("1s"), /mine/);
    await zk.clock.advance("1s");
  });
});

describe("runUntilIdle", () => {
  test("removes what has no future: silent sessions, expired TTL znodes, empty containers", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    await client.create("/hours", null, { mode: "persistent_with_ttl", ttlMs: 7 * 3_600_000 });
    await client.create("/box", null, { mode: "container" });
    await client.create("/box/once");
    await client.delete("/box/once");
    await client.create("/kept", null, { mode: "container" });
    await client.create("/kept/child");
    const fork = zk.fork();
    await client.create("/mine", null, { mode: "ephemeral" });
    await zk.clock.runUntilIdle();
    zk.expectTree({ "/kept/child": null, "/mine": { owner: client } });
    assert.equal(client.state, "connected");
    await fork.clock.runUntilIdle();
    fork.expectTree({ "/kept/child": null });
    assert.deepEqual(fork.sessions(), []);
    await fork.close();
  });

  test("waits for those who sleep, one after the other", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    void (async () => {
      for (let i = 0; i < 5; i++) await zk.clock.sleep("10m");
      await client.create("/after-all");
    })();
    await zk.clock.runUntilIdle();
    zk.expectTree({ "/after-all": null });
  });

  test("waits for clients that come back", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    zk.faults.on({ op: "create" }).once().disconnect();
    await assert.rejects(client.create("/a"), { code: "ConnectionLoss" });
    assert.equal(client.state, "suspended");
    await zk.clock.runUntilIdle();
    assert.equal(client.state, "connected");
  });

  test("does not move where nothing waits", async () => {
    await using zk = await testServer();
    const before = zk.clock.now();
    await zk.clock.runUntilIdle();
    assert.deepEqual(zk.clock.now(), before);
  });

  test("gives up on somebody who never stops", async () => {
    await using zk = await testServer();
    let isOver = false;
    void (async () => {
      while (!isOver) await zk.clock.sleep("10d");
    })();
    await assert.rejects(zk.clock.runUntilIdle(), /still something going on/);
    isOver = true;
    await zk.clock.advance("10d");
  });
});
