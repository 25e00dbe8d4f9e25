/**
 * Faults that other libraries have had, by their numbers: each is shown on a naive version first, the control, and then looked for in ours.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type TestServer, testServer } from "../../adapters/testing/mod.ts";
import { barrier, election, multiLock, mutex, readWriteLock, semaphore } from "../../lib/recipes/mod.ts";
import type { ZooKeeper } from "../../mod.ts";

interface Held {
  release(): Promise<void>;
}

const RECIPES: readonly (readonly [
  name: string,
  acquire: (zk: ZooKeeper, signal: AbortSignal | undefined) => Promise<Held>,
])[] = [
  ["mutex", (zk, signal) => mutex(zk, "/recipe").acquire(limits(signal))],
  ["mutex of one owner", (zk, signal) => mutex(zk, "/recipe").acquire({ ...limits(signal), owner: 1 })],
  ["write lock", (zk, signal) => readWriteLock(zk, "/recipe").write.acquire(limits(signal))],
  ["election", (zk, signal) => election(zk, "/recipe").elected(limits(signal))],
  ["semaphore", (zk, signal) => semaphore(zk, "/recipe", { leases: 1 }).acquire(limits(signal))],
  ["multi-lock", (zk, signal) => multiLock(zk, ["/recipe/a", "/recipe/b"], limits(signal))],
];

function limits(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** Names of the children, in the order of their counters. */
async function line(zk: ZooKeeper, path: string): Promise<string[]> {
  const { children } = await zk.getChildren(path);
  return children.sort((one, other) => one.slice(-10).localeCompare(other.slice(-10)));
}

async function world(): Promise<{ zk: TestServer; one: ZooKeeper; two: ZooKeeper; three: ZooKeeper }> {
  const zk = await testServer();
  return { zk, one: await zk.connect(), two: await zk.connect(), three: await zk.connect() };
}

describe("etcd 22082: an old unlock deletes a newer lock", () => {
  test("control: a lock by a fixed name", async () => {
    const { zk, one, two, three } = await world();
    await one.create("/lock", null, { mode: "ephemeral" });
    zk.expire(one);
    await two.create("/lock", null, { mode: "ephemeral" });
    await three.delete("/lock"); // the first program, which has connected anew and unlocks at last
    assert.equal(await two.exists("/lock"), null, "the second one's lock is gone");
    await zk.close();
  });

  test("ours", async () => {
    const { zk, one, two } = await world();
    const old = await mutex(one, "/lock").acquire();
    zk.expire(one);
    const newer = await mutex(two, "/lock").acquire();
    await zk.clock.runUntil(old.release());
    assert.notEqual(await two.exists(newer.path), null);
    assert.equal(newer.signal.aborted, false);
    await zk.close();
  });
});

describe("kazoo 429, 732, 760: an orphaned contender blocks for ever", () => {
  test("control: a create that is simply tried again", async () => {
    const { zk, one, two } = await world();
    await one.create("/lock");
    zk.faults.on({ op: "create", path: "/lock/*" }).once().loseReply();
    const enter = (): Promise<string> => one.create("/lock/lock-", null, { mode: "ephemeral_sequential" });
    const mine = await zk.clock.runUntil(enter().catch(enter));
    await one.delete(mine);
    assert.equal((await line(two, "/lock")).length, 1, "somebody stands there of whom nobody knows");
    await zk.close();
  });

  test("ours", async () => {
    const { zk, one, two } = await world();
    zk.faults.on({ op: "create", path: "/lock/*" }).once().loseReply();
    const held = await zk.clock.runUntil(mutex(one, "/lock").acquire());
    await held.release();
    const next = await mutex(two, "/lock").acquire();
    assert.equal((await line(two, "/lock")).length, 1);
    assert.equal(next.signal.aborted, false);
    await zk.close();
  });
});

describe("Curator GH-1290: a barrier is passed on a spurious wake-up", () => {
  test("control: whoever goes on at the first event", async () => {
    const { zk, one, two } = await world();
    await one.create("/barrier");
    const passed = new Promise((resolve) => two.exists("/barrier", { watch: resolve }));
    await one.setData("/barrier", "spurious");
    await passed;
    assert.notEqual(await two.exists("/barrier"), null, "it is passed while it is closed");
    await zk.close();
  });

  test("ours", async () => {
    const { zk, one, two } = await world();
    await barrier(one, "/barrier").set();
    let hasPassed = false;
    const waiting = barrier(two, "/barrier")
      .wait()
      .then(() => {
        hasPassed = true;
      });
    await zk.clock.advance(0);
    await one.setData("/barrier", "spurious");
    await zk.clock.advance("1m");
    assert.equal(hasPassed, false);
    await one.delete("/barrier");
    await waiting;
    await zk.close();
  });
});

describe("CURATOR-462: a lease is lost when its acquisition is interrupted", () => {
  test("control: a create that is given up, and nothing else", async () => {
    const { zk, one, two } = await world();
    await one.create("/leases");
    const stop = new AbortController();
    zk.faults.on({ op: "create" }).once().delay("1s");
    const given = one.create("/leases/lease-", null, { mode: "ephemeral_sequential", signal: stop.signal });
    stop.abort(new Error("interrupted"));
    await assert.rejects(given, /interrupted/);
    await zk.clock.advance("2s");
    assert.equal((await line(two, "/leases")).length, 1, "a lease that nobody has is out");
    await zk.close();
  });

  for (const [name, acquire] of RECIPES) {
    test(`ours, interrupted at each moment: ${name}`, async () => {
      const { zk, one, two } = await world();
      for (let moments = 0; moments < 120; moments++) {
        const stop = new AbortController();
        const given = acquire(one, stop.signal);
        given.catch(() => {});
        for (let moment = 0; moment < moments; moment++) await Promise.resolve();
        stop.abort(new Error("interrupted"));
        await given.then(
          (held) => held.release(),
          () => {},
        );
        const next = await zk.clock.runUntil(acquire(two, undefined), "1m"); // else something was left that keeps it out
        await next.release();
      }
      await zk.close();
    });
  }
});

describe("redlock 253 and 296, CURATOR-206, consul 9788: the holder isn't told", () => {
  test("control: a flag that its owner set", async () => {
    const { zk, one, two } = await world();
    await one.create("/lock", null, { mode: "ephemeral" });
    const owns = true; // nobody sets it back
    zk.expire(one);
    await two.create("/lock", null, { mode: "ephemeral" });
    assert.equal(owns, true, "two believe to own it");
    await zk.close();
  });

  test("ours: before its successor is", async () => {
    const { zk, one, two } = await world();
    const held = await mutex(one, "/lock").acquire();
    const story: string[] = [];
    held.signal.addEventListener("abort", () => story.push("the first one is told"));
    const next = mutex(two, "/lock")
      .acquire()
      .then(() => story.push("the second one owns it"));
    const cut = zk.faults.partition(one);
    await zk.clock.advance("2m");
    await next;
    cut.heal();
    assert.deepEqual(story, ["the first one is told", "the second one owns it"]);
    await zk.close();
  });
});
