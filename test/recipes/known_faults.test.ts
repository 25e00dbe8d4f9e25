/**
 * Faults that other libraries have had, by their numbers: each is shown on a naive version first, the control, and then looked for in ours.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type TestServer, testServer } from "../../adapters/testing/mod.ts";
import { barrier, election, multiLock, mutex, readWriteLock, semaphore, treeCache } from "../../lib/recipes/mod.ts";
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

/** Until it holds, while the world's time goes on. */
async function until(zk: TestServer, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await zk.clock.advance(1);
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

describe("CURATOR-604: a lock is taken through the znode of a dying session", () => {
  test("control: whoever finds its own name in the line", async () => {
    const { zk, one, two } = await world();
    await one.create("/lock");
    await one.create("/lock/host-1-", null, { mode: "ephemeral_sequential" });
    const found = (await line(two, "/lock")).some((name) => name.startsWith("host-1-")); // the same program, connected anew
    zk.expire(one);
    assert.equal(found, true, "it believes to stand in the line");
    assert.deepEqual(await line(two, "/lock"), []);
    await zk.close();
  });

  test("ours", async () => {
    const { zk, one, two, three } = await world();
    const options = { id: "host-1" };
    const dying = await mutex(one, "/lock", options).acquire();
    const anew = mutex(two, "/lock", options).acquire();
    await until(zk, async () => (await line(three, "/lock")).length === 2);
    zk.expire(one);
    const held = await zk.clock.runUntil(anew);
    assert.notEqual(held.path, dying.path);
    assert.equal((await three.exists(held.path))?.ephemeralOwner, two.sessionId);
    await zk.close();
  });
});

describe("CURATOR-696, 620, 653: two leaders after a reconnect", () => {
  test("control: a leader that goes on when its connection is back", async () => {
    const { zk, one, two } = await world();
    await one.create("/leader", null, { mode: "ephemeral" });
    const leads = new Set(["one"]);
    zk.expire(one); // and it connects anew, without a look at what has become of its znode
    await two.create("/leader", null, { mode: "ephemeral" });
    leads.add("two");
    assert.equal(leads.size, 2);
    await zk.close();
  });

  test("ours", async () => {
    const { zk, one, two } = await world();
    const first = await election(one, "/leader").elected();
    const second = election(two, "/leader").elected();
    const cut = zk.faults.partition(one);
    const next = await zk.clock.runUntil(second);
    cut.heal();
    await zk.clock.advance("1m");
    assert.equal(first.signal.aborted, true);
    assert.equal(next.signal.aborted, false);
    assert.ok(next.fence > first.fence);
    await zk.close();
  });
});

describe("CURATOR-644, 645: contenders make one another begin again", () => {
  test("control: whoever begins again when the one in front is gone", async () => {
    const { zk, one } = await world();
    await one.create("/leader");
    const enter = (): Promise<string> => one.create("/leader/latch-", null, { mode: "ephemeral_sequential" });
    const places = [await enter(), await enter(), await enter()];
    await one.delete(places[1]!); // gives up
    await one.delete(places[2]!); // sees nobody in front, and begins again
    const anew = await enter();
    assert.ok(anew > places[2]!, "its place is lost, and those behind it begin again, too");
    await zk.close();
  });

  test("ours: the third keeps its place when the second gives up", async () => {
    const { zk, one, two, three } = await world();
    const first = await election(one, "/leader").elected();
    const stop = new AbortController();
    const second = election(two, "/leader").elected({ signal: stop.signal });
    await until(zk, async () => (await line(one, "/leader")).length === 2);
    const third = election(three, "/leader").elected();
    await until(zk, async () => (await line(one, "/leader")).length === 3);
    const place = (await line(one, "/leader"))[2];
    stop.abort(new Error("gives up"));
    await assert.rejects(second, /gives up/);
    await until(zk, async () => (await line(one, "/leader")).length === 2);
    await first.release();
    assert.equal((await zk.clock.runUntil(third)).path, `/leader/${place}`);
    await zk.close();
  });
});

describe("CURATOR-621: a writer gets in after a downgrade", () => {
  test("control: a reader's znode at the end of the line", async () => {
    const { zk, one, two } = await world();
    await one.create("/lock");
    const enter = (kind: string): Promise<string> => two.create(`/lock/${kind}`, null, { mode: "ephemeral_sequential" });
    const [writing] = [await enter("write-"), await enter("write-"), await enter("read-")];
    await two.delete(writing); // the first one goes on reading
    assert.match((await line(one, "/lock"))[0]!, /^write-/, "the second one writes meanwhile");
    await zk.close();
  });

  test("ours", async () => {
    const { zk, one, two } = await world();
    const { read, write } = readWriteLock(one, "/lock");
    const writing = await write.acquire({ owner: 1 });
    let isIn = false;
    const other = readWriteLock(two, "/lock").write.acquire();
    const told = other.then(() => {
      isIn = true;
    });
    await until(zk, async () => (await line(one, "/lock")).length === 2);
    const reading = await read.acquire({ owner: 1 });
    await writing.release();
    await zk.clock.advance("1m");
    assert.equal(isIn, false);
    await reading.release();
    await zk.clock.runUntil(told);
    await zk.close();
  });
});

describe("kazoo 649: a reader and a writer wait for each other", () => {
  test("control: a reader that waits for every writer, wherever it stands", async () => {
    const { zk, one } = await world();
    await one.create("/lock");
    for (const kind of ["read-", "write-"]) await one.create(`/lock/${kind}`, null, { mode: "ephemeral_sequential" });
    const names = await line(one, "/lock");
    const readerWaits = names.some((name) => name.startsWith("write-"));
    const writerWaits = names.findIndex((name) => name.startsWith("write-")) > 0;
    assert.deepEqual([readerWaits, writerWaits], [true, true]);
    await zk.close();
  });

  test("ours: a reader in front of a writer gets in, and one behind it after it", async () => {
    const { zk, one, two, three } = await world();
    const before = await readWriteLock(one, "/lock").read.acquire();
    const writer = readWriteLock(two, "/lock").write.acquire();
    await until(zk, async () => (await line(one, "/lock")).length === 2);
    const after = readWriteLock(three, "/lock").read.acquire();
    await before.release();
    const writing = await zk.clock.runUntil(writer);
    await writing.release();
    assert.equal((await zk.clock.runUntil(after)).signal.aborted, false);
    await zk.close();
  });
});

describe("kazoo 214: more holders than leases", () => {
  test("control: a lease that is taken by whoever counts too few", async () => {
    const { zk, one, two } = await world();
    await one.create("/leases");
    const counted = [await line(one, "/leases"), await line(two, "/leases")]; // both look first
    for (const names of counted)
      if (names.length < 1) await one.create("/leases/lease-", null, { mode: "ephemeral_sequential" });
    assert.equal((await line(one, "/leases")).length, 2, "one lease, two holders");
    await zk.close();
  });

  for (const layout of ["curator", "kazoo"] as const) {
    test(`ours, layout ${layout}`, async () => {
      const { zk, one, two, three } = await world();
      let holders = 0;
      let most = 0;
      const takes = [one, two, three, one, two, three].map(async (client) => {
        const lease = await semaphore(client, "/limit", { leases: 2, layout }).acquire();
        most = Math.max(most, ++holders);
        await client.sync("/limit"); // others get their turn
        holders--;
        await lease.release();
      });
      await zk.clock.runUntil(Promise.all(takes));
      assert.ok(most <= 2, `${most} holders`);
      await zk.close();
    });
  }
});

describe("etcd 11456, 16221, 19597: granted after the session's end", () => {
  test("control: whoever goes by the event of the one in front", async () => {
    const { zk, one, two, three } = await world();
    await one.create("/lock");
    const first = await one.create("/lock/lock-", null, { mode: "ephemeral_sequential" });
    const second = await two.create("/lock/lock-", null, { mode: "ephemeral_sequential" });
    zk.expire(two);
    const granted = new Promise((resolve) => three.exists(first, { watch: resolve })); // the second program, connected anew
    await one.delete(first);
    await granted;
    assert.equal(await one.exists(second), null, "what it was granted belongs to nobody");
    await zk.close();
  });

  for (const [name, acquire] of RECIPES) {
    test(`ours: ${name}`, async () => {
      const { zk, one, two, three } = await world();
      const held = await acquire(one, undefined);
      const waiting = acquire(two, undefined).then(
        () => "granted",
        (error) => error.code,
      );
      await zk.clock.advance(0);
      zk.expire(two);
      await held.release();
      assert.equal(await zk.clock.runUntil(waiting), "SessionExpired");
      await (await zk.clock.runUntil(acquire(three, undefined))).release(); // and it keeps nobody out
      await zk.close();
    });
  }
});

describe("CURATOR-623, 724: deaf after a reconnect", () => {
  test("control: a watcher whose next read fails", async () => {
    const { zk, one, two } = await world();
    await one.create("/config", "1");
    let seen = "";
    const follow = async (): Promise<void> => {
      const { data } = await two.getData("/config", { watch: () => void follow().catch(() => {}) });
      seen = new TextDecoder().decode(data!);
    };
    await follow();
    zk.faults.on({ op: "getData" }).once().loseReply();
    await one.setData("/config", "2");
    await zk.clock.advance("1m");
    assert.equal(seen, "1", "it has missed a change, and says nothing of it");
    await zk.close();
  });

  test("ours", async () => {
    const { zk, one, two } = await world();
    await one.create("/config", "1");
    const cache = await treeCache(two, "/config");
    const seen = (): string => new TextDecoder().decode(cache.get("/config")?.data ?? new Uint8Array(0));
    zk.faults.on({ op: "getData" }).once().loseReply();
    for (const value of ["2", "3"]) {
      await one.setData("/config", value);
      await until(zk, async () => seen() === value);
    }
    await cache.close();
    await zk.close();
  });
});
