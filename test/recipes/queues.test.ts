/** Queues and counters: order, nothing doubled, nothing lost but where the docstring says so, and whole under lost replies. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type TestServer, testServer } from "../../adapters/testing/mod.ts";
import { counter, ids, queue, workQueue } from "../../lib/recipes/mod.ts";

const text = (data: Uint8Array | null): string => new TextDecoder().decode(data!);

/** Connections come back by the test's clock. */
async function meanwhile<T>(zk: TestServer, running: Promise<T>): Promise<T> {
  await zk.clock.advance("3s");
  return await running;
}

describe("a queue", () => {
  test("gives items in order, waits for more, and gives up", async () => {
    await using zk = await testServer();
    const [one, two] = [await zk.connect(), await zk.connect()];
    const mails = queue(one, "/mails/in");
    assert.equal(await mails.size(), 0);
    for (const item of ["a", "b", "c"]) await mails.put(item);
    assert.equal(await mails.size(), 3);
    const other = queue(two, "/mails/in");
    assert.deepEqual([text(await other.take()), text(await mails.take()), text(await other.take())], ["a", "b", "c"]);
    const waiting = other.take();
    await zk.clock.advance("1s");
    await mails.put(null);
    assert.equal(await waiting, null);
    const late = assert.rejects(other.take({ timeoutMs: 500 }), { code: "OperationTimeout" });
    await zk.clock.advance("1s");
    await late;
  });

  test("with kazoo's names has priorities, the lowest number first", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    const jobs = queue(client, "/jobs", { layout: "kazoo" });
    await jobs.put("later");
    await jobs.put("last", { priority: 999 });
    await jobs.put("first", { priority: 0 });
    assert.deepEqual([text(await jobs.take()), text(await jobs.take()), text(await jobs.take())], ["first", "later", "last"]);
    assert.match(
      (await client.createWithStat("/jobs/entry-100-", null, { mode: "persistent_sequential" })).path,
      /0000000003$/,
    );
  });

  test("gives each item to one of many takers", async () => {
    await using zk = await testServer();
    const takers = await Promise.all(Array.from({ length: 5 }, () => zk.connect()));
    const putting = queue(takers[0]!, "/many");
    const taken = Promise.all(
      takers.map(async (client) => {
        const got: string[] = [];
        for (let item = 0; item < 8; item++) got.push(text(await queue(client, "/many").take()));
        return got;
      }),
    );
    for (let item = 0; item < 40; item++) await putting.put(String(item));
    const all = (await taken).flat().map(Number);
    assert.deepEqual(
      all.sort((a, b) => a - b),
      Array.from({ length: 40 }, (_, item) => item),
    );
  });

  test("says that an item may be lost where the answer is", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    await queue(client, "/q").put("x");
    zk.faults.on({ op: "delete", path: "/q/**" }).once().loseReply();
    await assert.rejects(queue(client, "/q").take(), { code: "ConnectionLoss", applied: "unknown" });
  });
});

describe("a queue of work", () => {
  test("an item is one holder's until it is done", async () => {
    await using zk = await testServer();
    const [one, two] = [await zk.connect(), await zk.connect()];
    const jobs = workQueue(one, "/tasks");
    await jobs.put("a");
    await jobs.put("b", { priority: 1 });
    const first = await jobs.take();
    assert.equal(text(first.data), "b");
    const second = await workQueue(two, "/tasks").take();
    assert.equal(text(second.data), "a");
    await first.done();
    assert.equal(first.signal.aborted, true);
    assert.equal(await jobs.size(), 1);
    await second.release();
    const again = await jobs.take();
    assert.equal(text(again.data), "a");
    assert.ok(again.fence > second.fence);
    await again.done();
    assert.equal(await jobs.size(), 0);
    assert.deepEqual((await one.getChildren("/tasks/taken")).children, []);
  });

  test("an item of a holder that dies comes back, and the former one can't be done with it", async () => {
    await using zk = await testServer();
    const [one, two] = [await zk.connect(), await zk.connect()];
    await workQueue(one, "/tasks").put("a");
    const lost = await workQueue(one, "/tasks").take();
    const waiting = workQueue(two, "/tasks").take();
    await zk.clock.advance("1s");
    zk.expire(one);
    const job = await waiting;
    assert.equal(text(job.data), "a");
    assert.equal(lost.signal.aborted, true);
    await assert.rejects(lost.done());
    assert.ok(job.fence > lost.fence);
    await job.done();
    assert.equal(await workQueue(two, "/tasks").size(), 0);
  });

  test("takes and dones whose answers are lost happen once", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    const jobs = workQueue(client, "/tasks", { rule: "leaseEnd" });
    for (const item of ["a", "b"]) await jobs.put(item);
    zk.faults.on({ op: "multi" }).times(2).loseReply();
    const first = await meanwhile(zk, jobs.take());
    await meanwhile(zk, first.done());
    assert.equal(text(first.data), "a");
    assert.equal(await jobs.size(), 1);
    const second = await jobs.take();
    assert.equal(text(second.data), "b");
    await second.done();
    assert.equal(await jobs.size(), 0);
  });

  test("who gives up has taken nothing", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    const late = assert.rejects(workQueue(client, "/tasks").take({ timeoutMs: 100 }), { code: "OperationTimeout" });
    await zk.clock.advance("1s");
    await late;
    await workQueue(client, "/tasks").put("a");
    await zk.clock.advance("1s");
    assert.deepEqual((await client.getChildren("/tasks/taken")).children, []);
  });
});

describe("a counter", () => {
  for (const layout of ["curator", "kazoo"] as const)
    test(`of ${layout} loses nothing among many`, async () => {
      await using zk = await testServer();
      const clients = await Promise.all(Array.from({ length: 4 }, () => zk.connect()));
      const visits = clients.map((client) => counter(client, "/counters/visits", { layout }));
      assert.equal(await visits[0]!.value(), 0n);
      const sums = await Promise.all(visits.flatMap((one) => Array.from({ length: 5 }, () => one.add(1))));
      assert.deepEqual(
        sums.map(Number).sort((a, b) => a - b),
        Array.from({ length: 20 }, (_, at) => at + 1),
      );
      assert.equal(await visits[1]!.add(-25n), -5n);
      const { data } = await clients[0]!.getData("/counters/visits");
      assert.equal(
        layout === "kazoo" ? text(data) : new DataView(data!.buffer, data!.byteOffset).getBigInt64(0),
        layout === "kazoo" ? "-5" : -5n,
      );
    });

  test("says where it can't count, and where it may have", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    await client.create("/text", "many");
    await assert.rejects(counter(client, "/text").add(1), { code: "BadArguments" });
    await assert.rejects(counter(client, "/text", { layout: "kazoo" }).value(), { code: "BadArguments" });
    await assert.rejects(counter(client, "/n").add(0.5), TypeError);
    await counter(client, "/n").add(2n ** 63n - 1n);
    await assert.rejects(counter(client, "/n").add(1), { code: "BadArguments" });
    zk.faults.on({ op: "setData", path: "/n" }).once().loseReply();
    await assert.rejects(counter(client, "/n").add(-1), { code: "ConnectionLoss", applied: "unknown" });
    assert.equal(await meanwhile(zk, counter(client, "/n").value()), 2n ** 63n - 2n);
  });
});

test("ids are given once, whoever shares the path and whatever answer is lost", async () => {
  await using zk = await testServer();
  const clients = await Promise.all(Array.from({ length: 3 }, () => zk.connect()));
  const generators = clients.map((client) => ids(client, "/ids/orders", { block: 4 }));
  assert.deepEqual([await generators[0]!.next(), await generators[0]!.next()], [1n, 2n]);
  const given = await Promise.all(generators.flatMap((one) => Array.from({ length: 10 }, () => one.next())));
  assert.equal(new Set(given).size, 30);
  zk.faults.on({ op: "setData", path: "/ids/**" }).once().loseReply();
  const more = Promise.all(Array.from({ length: 10 }, () => generators[1]!.next()));
  const later = await meanwhile(zk, more);
  assert.equal(new Set([...given, ...later]).size, 40);
  assert.deepEqual(
    [...later].sort((a, b) => Number(a - b)),
    later,
  );
  assert.throws(() => ids(clients[0]!, "/a", { block: 0 }), TypeError);
});

test("what queues and counters are told is checked", async () => {
  await using zk = await testServer();
  const client = await zk.connect();
  for (const make of [queue, counter, workQueue] as ((...args: unknown[]) => unknown)[]) {
    assert.throws(() => make(client, "/a", { layuot: "kazoo" }), TypeError);
    assert.throws(() => make(client, "/a", null), TypeError);
  }
  assert.throws(() => queue(client, "/a", { layout: "toString" as never }), TypeError);
  await assert.rejects(queue(client, "/a").put("x", { priority: 1 }), TypeError);
  await assert.rejects(queue(client, "/a", { layout: "kazoo" }).put("x", { priority: 1000 }), TypeError);
  await assert.rejects(workQueue(client, "/a").put("x", { priority: -1 }), TypeError);
  await assert.rejects(queue(client, "/a").put(5 as never), TypeError);
});
