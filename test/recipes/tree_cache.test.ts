/** A cached branch becomes what the branch is, whatever happens to it, on servers with recursive watches and without. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type TestServer, testServer } from "../../adapters/testing/mod.ts";
import { type TreeCache, treeCache } from "../../lib/recipes/mod.ts";
import type { ZooKeeper } from "../../mod.ts";
import { Random } from "../support/random.ts";

const text = (data: Uint8Array | null): string => (data === null ? "" : new TextDecoder().decode(data));

/** What there is, read znode by znode. */
async function branch(zk: ZooKeeper, path: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const stat = await zk.exists(path);
  if (stat === null) return found;
  found.set(path, text((await zk.getData(path)).data));
  for (const name of (await zk.getChildren(path)).children)
    for (const [below, data] of await branch(zk, `${path}/${name}`)) found.set(below, data);
  return found;
}

const cached = (cache: TreeCache): Map<string, string> =>
  new Map([...cache.znodes].map(([path, { data }]) => [path, text(data)]));
const sorted = (map: Map<string, string>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** Its connection is lost, and comes back by the test's clock. */
async function cutOff(zk: TestServer, reader: ZooKeeper): Promise<void> {
  zk.faults.on({ op: "exists", path: "/cut" }).once().loseReply();
  await assert.rejects(reader.exists("/cut"), { code: "ConnectionLoss" });
}

/** Connections come back by the test's clock, and servers before 3.6 end one that asks for a recursive watch. */
async function begun(zk: TestServer, reader: ZooKeeper): Promise<TreeCache> {
  const beginning = treeCache(reader, "/b");
  for (let time = 0; time < 20; time++) await zk.clock.advance(200);
  return await beginning;
}

async function settles(zk: TestServer, cache: TreeCache, client: ZooKeeper): Promise<void> {
  for (let time = 0; time < 20; time++) await zk.clock.advance(200);
  assert.deepEqual(sorted(cached(cache)), sorted(await branch(client, "/b")));
}

for (const compat of ["3.9", "3.8", "3.5"] as const)
  describe(`a cached branch, with a server as ${compat}`, () => {
    test("is what the branch is, from the beginning and after each change", async () => {
      await using zk = await testServer({ compat });
      const [writer, reader] = [await zk.connect(), await zk.connect()];
      await writer.mkdirp("/b/x/y", "deep");
      const cache = await begun(zk, reader);
      assert.equal(text(cache.get("/b/x/y")!.data), "deep");
      const told: string[] = [];
      cache.onChange(() => {
        throw new Error("a listener's own");
      });
      const off = cache.onChange((path) => told.push(path));
      await writer.setData("/b/x/y", "new");
      await writer.create("/b/z");
      await settles(zk, cache, writer);
      assert.ok(told.includes("/b/x/y") && told.includes("/b/z"), told.join());
      await writer.deleteRecursive("/b");
      await settles(zk, cache, writer);
      assert.equal(cache.znodes.size, 0);
      off();
      await writer.mkdirp("/b/again");
      await settles(zk, cache, writer);
      await cache.close();
      assert.equal(cache.znodes.size, 0);
    });

    test("catches up with whatever happens, also while the connection is lost", async () => {
      await using zk = await testServer({ compat });
      const random = Random.seeded("ZOOKERNEL_SEED");
      const [writer, reader] = [await zk.connect(), await zk.connect({ sessionTimeoutMs: 60_000 })];
      await writer.create("/b");
      const cache = await begun(zk, reader);
      const place = (): string => `/b${Array.from({ length: 1 + random.below(3) }, () => `/${random.below(3)}`).join("")}`;
      for (let round = 0; round < 6; round++) {
        if (round % 2 === 1) await cutOff(zk, reader);
        for (let change = 0; change < 30; change++) {
          const path = place();
          if (random.below(3) === 0) await writer.deleteRecursive(path).catch(() => {});
          else if (random.below(2) === 0) await writer.mkdirp(path, `${change}`);
          else await writer.setData(path, `${round} ${change}`).catch(() => {});
        }
        await settles(zk, cache, writer);
      }
      await cache.close();
    });
  });

test("a branch that comes later is waited for; its end is the session's", async () => {
  await using zk = await testServer();
  const client = await zk.connect();
  const cache = await treeCache(client, "/b");
  assert.equal(cache.znodes.size, 0);
  const other = await zk.connect();
  await other.create("/b", "here");
  await settles(zk, cache, other);
  zk.expire(client);
  await zk.clock.advance("1s");
  assert.equal(cache.znodes.size, 0);
  await assert.rejects(treeCache(client, "/b"), { code: "SessionExpired" });
  await assert.rejects(treeCache(other, "/a//b"), { code: "BadArguments" });
});
