/** The semaphore: never more owners than leases, whatever gets lost on the way. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testServer } from "../../adapters/testing/mod.ts";
import { type Ownership, semaphore } from "../../lib/recipes/mod.ts";

for (const layout of ["curator", "kazoo"] as const) {
  describe(`semaphore, names of ${layout}`, () => {
    test("gives so many leases, and the next one to who came first", async () => {
      await using zk = await testServer();
      const clients = await Promise.all(Array.from({ length: 4 }, () => zk.connect()));
      const got: number[] = [];
      const owned: Ownership[] = [];
      const waiting: Promise<unknown>[] = [];
      for (const [i, client] of clients.entries()) {
        waiting.push(
          semaphore(client, "/limit", { leases: 2, layout, id: `c${i}` })
            .acquire()
            .then((lease) => {
              got.push(i);
              owned.push(lease);
            }),
        );
        await zk.clock.advance(0);
      }
      assert.deepEqual(got, [0, 1]);
      assert.deepEqual((await semaphore(clients[3]!, "/limit", { leases: 2, layout }).holders()).sort(), ["c0", "c1"]);
      await owned[1]!.release();
      await zk.clock.advance(0);
      assert.deepEqual(got, [0, 1, 2]);
      zk.expire(clients[0]!);
      await Promise.all(waiting);
      assert.deepEqual(got, [0, 1, 2, 3]);
    });

    test("a lease whose reply is lost is found, and who gives up leaves nothing", async () => {
      await using zk = await testServer();
      const [one, two] = [await zk.connect(), await zk.connect()];
      zk.faults.on({ op: "multi" }).once().loseReply();
      const lease = await zk.clock.runUntil(semaphore(one, "/limit", { leases: 1, layout, rule: "leaseEnd" }).acquire());
      const late = semaphore(two, "/limit", { leases: 1, layout }).acquire({ timeoutMs: 1000 });
      await Promise.all([assert.rejects(late, { code: "OperationTimeout" }), zk.clock.advance("5s")]);
      assert.equal((await semaphore(two, "/limit", { leases: 1, layout }).holders()).length, 1);
      await lease.release();
      const next = await semaphore(two, "/limit", { leases: 1, layout }).acquire();
      assert.equal(next.signal.aborted, false);
    });

    test("a lock that is lost between counting and taking lets nobody in twice", async () => {
      await using zk = await testServer();
      const [one, two] = [await zk.connect(), await zk.connect()];
      let owners = 0;
      let most = 0;
      const use = async (client: typeof one): Promise<void> => {
        const lease = await semaphore(client, "/limit", { leases: 1, layout }).acquire();
        most = Math.max(most, ++owners);
        await zk.clock.sleep("1s");
        owners--;
        await lease.release();
      };
      zk.faults.on({ op: "multi", session: one }).once().delay("2s");
      const used = use(one);
      await zk.clock.advance(0);
      const lockPath = layout === "kazoo" ? "/limit-__lock__" : "/limit/locks";
      const [lock] = (await two.getChildren(lockPath)).children;
      await two.delete(`${lockPath}/${lock}`); // an operator
      const other = use(two);
      await zk.clock.runUntil(Promise.allSettled([used, other]));
      assert.equal(most, 1);
    });
  });
}

test("kazoo's users must say the same number; a shared count says it for Curator's", async () => {
  await using zk = await testServer();
  const client = await zk.connect();
  await (await semaphore(client, "/k", { leases: 2, layout: "kazoo" }).acquire()).release();
  await assert.rejects(semaphore(client, "/k", { leases: 3, layout: "kazoo" }).acquire(), { code: "BadArguments" });
  await client.create("/count", new Uint8Array([0, 0, 0, 1]));
  const first = await semaphore(client, "/c", { leases: { count: "/count" } }).acquire();
  const second = semaphore(client, "/c", { leases: { count: "/count" } }).acquire();
  await zk.clock.advance(0);
  await client.setData("/count", new Uint8Array([0, 0, 0, 2]));
  assert.ok((await second).fence > first.fence);
  assert.throws(() => semaphore(client, "/c", { leases: 1.5 }), TypeError);
});
