/** Work that is done once, and work that is done again and again, by one program of many. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testServer } from "../../adapters/testing/mod.ts";
import { every, once } from "../../lib/recipes/mod.ts";
import { nextTimeOf } from "../../lib/recipes/schedule.ts";

describe("once", () => {
  test("is done by one, and everybody is given its result", async () => {
    await using zk = await testServer();
    const clients = [await zk.connect(), await zk.connect(), await zk.connect()];
    let runs = 0;
    const results = await Promise.all(clients.map((client) => once(client, "report/1", () => ({ run: ++runs }))));
    assert.deepEqual(results, [{ run: 1 }, { run: 1 }, { run: 1 }]);
    assert.deepEqual(await once(clients[1]!, "report/1", () => assert.fail("it was done")), { run: 1 });
  });

  test("what throws was not done", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    const broken = once(client, "job", () => {
      throw new Error("broken");
    });
    await assert.rejects(broken, /broken/);
    assert.equal(await once(client, "job", () => "whole"), "whole");
  });

  test("is not run again where the reply to its result is lost", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    let runs = 0;
    zk.faults.on({ op: "multi" }).once().loseReply();
    assert.equal(await zk.clock.runUntil(once(client, "job", () => ++runs)), 1);
    assert.equal(runs, 1);
  });

  test("is not run again where its result could not be kept at once", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    let runs = 0;
    zk.faults.on({ op: "multi" }).once().disconnect();
    assert.equal(await zk.clock.runUntil(once(client, "job", () => ++runs)), 1);
    assert.equal(runs, 1);
  });

  test("the next one begins anew where a program is lost on the way", async () => {
    await using zk = await testServer();
    const [one, two] = [await zk.connect(), await zk.connect()];
    const lost = once(one, "job", () => new Promise<string>(() => {}));
    lost.catch(() => {});
    await zk.clock.advance(0);
    const done = once(two, "job", () => "by two");
    zk.expire(one);
    assert.equal(await done, "by two");
  });
});

describe("every", () => {
  test("runs at each time of the schedule in one of all programs, each time once", async () => {
    await using zk = await testServer();
    const clients = [await zk.connect(), await zk.connect(), await zk.connect()];
    const stop = new AbortController();
    const due: number[] = [];
    const fences: bigint[] = [];
    const running = clients.map((client) =>
      every(
        client,
        "tick",
        "1m",
        (run) => {
          due.push(run.due.getTime());
          fences.push(run.fence);
        },
        { signal: stop.signal },
      ),
    );
    const ended = Promise.allSettled(running);
    for (const client of clients.slice(0, 2)) {
      await zk.clock.advance("10m");
      zk.expire(client);
    }
    await zk.clock.advance("10m");
    stop.abort();
    const ends = await ended;
    assert.deepEqual(
      ends.map(({ status }) => status),
      ["rejected", "rejected", "fulfilled"],
      "a session that has ended ends it, a signal resolves it",
    );
    assert.equal(due.length, 30);
    assert.deepEqual(due, [...new Set(due)].toSorted());
    assert.ok(due.every((time) => time % 60_000 === 0));
    assert.deepEqual(fences, fences.toSorted());
  });

  test("what was missed is made up for once", async () => {
    await using zk = await testServer();
    const due: string[] = [];
    const run = async (duration: string): Promise<void> => {
      const client = await zk.connect();
      const stop = new AbortController();
      const running = every(client, "tick", "1m", (at) => due.push(at.due.toISOString().slice(11, 16)), {
        signal: stop.signal,
      });
      await zk.clock.advance(duration);
      stop.abort();
      await running;
      await client.close();
    };
    await run("90s");
    const before = due.length;
    await zk.clock.advance("1h");
    await run("1ms");
    assert.equal(due.length, before + 1);
  });

  test("a claim whose reply is lost is run all the same, and once", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    const stop = new AbortController();
    const due: number[] = [];
    const running = every(client, "tick", "1m", (run) => due.push(run.due.getTime()), { signal: stop.signal });
    await zk.clock.advance(0);
    zk.faults.on({ op: "multi" }).once().loseReply();
    await zk.clock.advance("3m1s");
    stop.abort();
    await running;
    assert.equal(due.length, 3);
    assert.equal(new Set(due).size, 3);
  });

  test("with redo a time whose runner is lost is run again, with a higher fence", async () => {
    await using zk = await testServer();
    const [one, two] = [await zk.connect(), await zk.connect()];
    const runs: { due: number; fence: bigint }[] = [];
    const stop = new AbortController();
    const hangs = every(
      one,
      "tick",
      "1m",
      ({ due, fence }) => {
        runs.push({ due: due.getTime(), fence });
        return new Promise(() => {});
      },
      { redo: true },
    );
    hangs.catch(() => {});
    await zk.clock.advance("1m");
    const goesOn = every(two, "tick", "1m", ({ due, fence }) => void runs.push({ due: due.getTime(), fence }), {
      redo: true,
      signal: stop.signal,
    });
    zk.expire(one);
    await zk.clock.advance(0);
    stop.abort();
    await goesOn;
    assert.equal(runs.length, 2);
    assert.equal(runs[0]!.due, runs[1]!.due);
    assert.ok(runs[1]!.fence > runs[0]!.fence);
  });

  test("what is no schedule is refused", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    for (const schedule of ["often", "0s", -1, Number.NaN, null, "* * * *  * * * * *"]) {
      await assert.rejects(
        every(client, "tick", schedule as never, () => {}),
        TypeError,
        String(schedule),
      );
    }
  });
});

test("a schedule's times: periods count from 1970, cron expressions have a time zone", async () => {
  const at = Date.UTC(2026, 11, 1, 2, 30);
  const next = async (schedule: string, timezone?: string): Promise<string> =>
    new Date((await nextTimeOf(schedule, timezone))(at)!).toISOString();
  assert.equal(await next("5m"), "2026-12-01T02:35:00.000Z");
  assert.equal(await next("1d"), "2026-12-02T00:00:00.000Z");
  assert.equal(await next("0 3 * * *"), "2026-12-01T03:00:00.000Z");
  assert.equal(await next("0 3 * * *", "Europe/Berlin"), "2026-12-02T02:00:00.000Z");
});
