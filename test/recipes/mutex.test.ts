/** The mutex: one owner at a time, in order, through lost replies, lost sessions and impatient callers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testServer } from "../../adapters/testing/mod.ts";
import { mutex, withLock } from "../../lib/recipes/mod.ts";

describe("mutex", () => {
  test("is held by one, and handed on in the order of coming", async () => {
    await using zk = await testServer();
    const clients = [await zk.connect(), await zk.connect(), await zk.connect()];
    const order: number[] = [];
    const fences: bigint[] = [];
    await Promise.all(
      clients.map((client, i) =>
        withLock(client, "/locks/a", ({ fence }) => {
          order.push(i);
          fences.push(fence);
        }),
      ),
    );
    assert.deepEqual(order, [0, 1, 2]);
    assert.deepEqual(fences, fences.toSorted());
    zk.expectTree({ "/locks/a": { kind: "container" } });
  });

  test("a create whose reply is lost leaves one place in the line", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    zk.faults.on({ op: "create", path: "/locks/a/*" }).once().loseReply();
    const acquired = mutex(client, "/locks/a").acquire();
    const held = await zk.clock.runUntil(acquired);
    assert.equal((await client.getChildren("/locks/a")).children.length, 1);
    await held.release();
    assert.equal((await client.getChildren("/locks/a")).children.length, 0);
  });

  test("the signal fires on suspension, before the holder's own promises settle", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    const held = await mutex(client, "/locks/a").acquire();
    const seen: string[] = [];
    held.signal.addEventListener("abort", () => seen.push(held.signal.reason.code));
    zk.faults.on({ op: "sync" }).once().disconnect();
    await client.sync().catch(() => seen.push("rejected"));
    assert.deepEqual(seen, ["ConnectionLoss", "rejected"]);
    await zk.clock.advance("2s");
    assert.equal((await client.getChildren("/locks/a")).children.length, 0, "what was lost keeps nobody out");
  });

  test("by the rule leaseEnd a short interruption does no harm, and a long one is told before the next owner", async () => {
    await using zk = await testServer();
    const [client, other] = [await zk.connect({ sessionTimeoutMs: 10_000 }), await zk.connect()];
    const held = await mutex(client, "/locks/a", { rule: "leaseEnd" }).acquire();
    const next = mutex(other, "/locks/a").acquire();
    const seen: string[] = [];
    held.signal.addEventListener("abort", () => seen.push("lost"));
    void next.then(() => seen.push("next"));
    const short = zk.faults.partition(client);
    await zk.clock.advance("8s");
    short.heal();
    await zk.clock.advance("30s");
    assert.deepEqual(seen, []);
    const long = zk.faults.partition(client);
    await zk.clock.advance("30s");
    long.heal();
    assert.deepEqual(seen, ["lost", "next"]);
    assert.ok((await next).fence > held.fence);
  });

  test("who gives up leaves nothing behind", async () => {
    await using zk = await testServer();
    const [first, second] = [await zk.connect(), await zk.connect()];
    const held = await mutex(first, "/locks/a").acquire();
    const waiting = assert.rejects(mutex(second, "/locks/a").acquire({ timeoutMs: 500 }), { code: "OperationTimeout" });
    const controller = new AbortController();
    const aborted = assert.rejects(mutex(second, "/locks/a").acquire({ signal: controller.signal }), /enough/);
    controller.abort(new Error("enough"));
    await zk.clock.advance("1s");
    await Promise.all([waiting, aborted]);
    assert.equal((await first.getChildren("/locks/a")).children.length, 1);
    await held.release();
  });

  test("whose znode is deleted has lost it, and the next one has it", async () => {
    await using zk = await testServer();
    const [first, second] = [await zk.connect(), await zk.connect()];
    const held = await mutex(first, "/locks/a").acquire();
    const next = mutex(second, "/locks/a").acquire();
    await second.delete(held.path);
    await next;
    assert.equal(held.signal.aborted, true);
    assert.equal(held.signal.reason.code, "NoNode");
  });

  test("an owner that names itself enters again, and leaves with the last release", async () => {
    await using zk = await testServer();
    const [client, other] = [await zk.connect(), await zk.connect()];
    const lock = mutex(client, "/locks/a");
    const owner = {};
    const [outer, inner] = await Promise.all([lock.acquire({ owner }), lock.acquire({ owner })]);
    assert.equal(outer.fence, inner.fence);
    await inner.release();
    await inner.release();
    const next = mutex(other, "/locks/a").acquire();
    await zk.clock.advance(0);
    assert.equal(outer.signal.aborted, false);
    await outer.release();
    await next;
  });
});
