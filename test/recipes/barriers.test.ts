/** Barriers, double barriers and multi-locks: nobody goes on too early, nobody waits for ever. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testServer } from "../../adapters/testing/mod.ts";
import { barrier, doubleBarrier, multiLock, mutex } from "../../lib/recipes/mod.ts";

test("a barrier is passed when it is open, and not for a change of its data", async () => {
  await using zk = await testServer();
  const [one, two] = [await zk.connect(), await zk.connect()];
  await barrier(one, "/start/here").set();
  let passed = false;
  const waiting = barrier(two, "/start/here")
    .wait()
    .then(() => {
      passed = true;
    });
  await zk.clock.advance(0);
  await one.setData("/start/here", "spurious");
  await zk.clock.advance(0);
  assert.equal(passed, false);
  await barrier(one, "/start/here").remove();
  await waiting;
  await barrier(one, "/start/here").remove();
  await barrier(two, "/start/here").wait();
});

describe("a double barrier", () => {
  test("lets all in together, and out together", async () => {
    await using zk = await testServer();
    const clients = await Promise.all(Array.from({ length: 3 }, () => zk.connect()));
    const story: ("in" | "out")[] = [];
    const rounds = clients.map((client) => doubleBarrier(client, "/round", 3));
    const entered = rounds.slice(0, 2).map((round) => round.enter().then(() => story.push("in")));
    await zk.clock.advance("1s");
    assert.equal(story.length, 0);
    await Promise.all([...entered, rounds[2]!.enter()]);
    const left = rounds.slice(0, 2).map((round) => round.leave().then(() => story.push("out")));
    await zk.clock.advance("1s");
    assert.equal(story.join(), "in,in");
    await Promise.all([...left, rounds[2]!.leave()]);
    assert.equal(story.join(), "in,in,out,out");
  });

  test("who gives up has not come, and who dies has left", async () => {
    await using zk = await testServer();
    const clients = await Promise.all(Array.from({ length: 3 }, () => zk.connect()));
    const [one, two, three] = clients.map((client) => doubleBarrier(client, "/round", 2));
    const late = assert.rejects(one!.enter({ timeoutMs: 100 }), { code: "OperationTimeout" });
    await zk.clock.advance("1s");
    await late;
    const waiting = two!.enter();
    await zk.clock.advance("1s");
    assert.equal((await clients[1]!.getChildren("/round")).children.length, 1);
    await Promise.all([waiting, three!.enter()]);
    const left = two!.leave();
    zk.expire(clients[2]!);
    await left;
  });
});

test("a multi-lock is held whole or not at all, in whatever order its paths are named", async () => {
  await using zk = await testServer();
  const [one, two] = [await zk.connect(), await zk.connect()];
  const both = await multiLock(one, ["/b", "/a"]);
  const other = multiLock(two, ["/a", "/b"], { timeoutMs: 1000 });
  await Promise.all([assert.rejects(other, { code: "OperationTimeout" }), zk.clock.advance("2s")]);
  assert.equal((await one.getChildren("/a")).children.length, 1);
  assert.deepEqual([...both.fences.keys()], ["/a", "/b"]);
  await both.release();
  assert.equal(both.signal.aborted, true);
  await Promise.all([multiLock(one, ["/b", "/a"]).then((held) => held.release()), multiLock(two, ["/a", "/b"])]);
  await assert.rejects(multiLock(one, ["/a", "/a"]), TypeError);
  const late = assert.rejects(mutex(one, "/a").acquire({ timeoutMs: 1 }), { code: "OperationTimeout" });
  await Promise.all([late, zk.clock.advance(1)]);
});
