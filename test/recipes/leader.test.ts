/** Elections: one leads, the next in line follows it, and who has lost the office stands again. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testServer } from "../../adapters/testing/mod.ts";
import { election, leaderOnly } from "../../lib/recipes/mod.ts";

describe("election", () => {
  test("the first one leads; when its session ends the next does, with a higher fence", async () => {
    await using zk = await testServer();
    const [one, two] = [await zk.connect(), await zk.connect()];
    const first = await election(one, "/leader", { id: "one" }).elected();
    const next = election(two, "/leader", { id: "two" }).elected();
    await zk.clock.advance(0);
    assert.deepEqual(await election(two, "/leader").candidates(), ["one", "two"]);
    zk.expire(one);
    const second = await next;
    assert.ok(second.fence > first.fence);
    assert.equal(first.signal.aborted, true);
  });

  test("who is interrupted is told, and leads again after the one who was next", async () => {
    await using zk = await testServer();
    const [one, two] = [await zk.connect(), await zk.connect()];
    const story: string[] = [];
    const led = leaderOnly(one, "/leader", async ({ signal }) => {
      story.push("one leads");
      if (story.length === 1) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        story.push("one is told");
      }
      return "done";
    });
    await zk.clock.advance(0);
    const other = leaderOnly(two, "/leader", () => story.push("two leads"));
    await zk.clock.advance(0);
    zk.faults.on({ op: "sync" }).once().disconnect();
    await one.sync().catch(() => {});
    assert.equal(await zk.clock.runUntil(led), "done");
    await other;
    assert.deepEqual(story, ["one leads", "one is told", "two leads", "one leads"]);
  });

  test("who gives up tells its work, and keeps the office until that has ended", async () => {
    await using zk = await testServer();
    const [one, two] = [await zk.connect(), await zk.connect()];
    const stop = new AbortController();
    const story: string[] = [];
    const led = election(one, "/leader").lead(
      async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        await zk.clock.sleep("5s");
        story.push("one has ended");
        signal.throwIfAborted();
      },
      { signal: stop.signal },
    );
    await zk.clock.advance(0);
    const next = leaderOnly(two, "/leader", () => story.push("two leads"));
    stop.abort(new Error("enough"));
    await Promise.all([assert.rejects(led, /enough/), zk.clock.runUntil(next)]);
    assert.deepEqual(story, ["one has ended", "two leads"]);
  });

  test("what throws while it leads is handed on, and the office given back", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    await assert.rejects(
      leaderOnly(client, "/leader", () => {
        throw new Error("broken");
      }),
      /broken/,
    );
    assert.deepEqual(await election(client, "/leader").candidates(), []);
  });
});
