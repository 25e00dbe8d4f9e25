/** Worlds of their own: what a fork has from its beginning, and that nothing of it is anybody else's. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type TestServer, testServer } from "../../adapters/testing/mod.ts";
import type { ZooKeeper } from "../../mod.ts";

async function base(): Promise<[TestServer, ZooKeeper]> {
  const zk = await testServer();
  zk.fixture({ "/a": "one" });
  const holder = await zk.connect({ sessionTimeoutMs: 10_000 });
  await holder.create("/lock", null, { mode: "ephemeral" });
  return [zk, holder];
}

describe("a fork", () => {
  test("begins as its base is now, in the same moment", async () => {
    const [zk, holder] = await base();
    await using _ = zk;
    await zk.clock.advance("5m");
    await using fork = zk.fork();
    assert.deepEqual(fork.clock.now(), zk.clock.now());
    assert.equal(fork.picture(), zk.picture());
    assert.deepEqual(fork.inspect("/a"), zk.inspect("/a"));
    assert.deepEqual(fork.sessions(), [holder.sessionId]);
  });

  test("has time, znodes, faults and misfortunes of its own", async () => {
    const [zk] = await base();
    await using _ = zk;
    zk.faults.on({ op: "setData" }).once().error("SystemError");
    await using fork = zk.fork();
    const [here, there] = [await zk.connect(), await fork.connect()];
    await there.setData("/a", "two");
    await fork.clock.advance("1h");
    await assert.rejects(here.setData("/a", "three"), { code: "SystemError" });
    zk.expectTree({ "/a": "one", "/lock": null });
    fork.expectTree({ "/a": "two" });
    assert.equal(zk.clock.now().mono, 0);
  });

  test("of a fork is one too, and each outlives the others", async () => {
    const [zk] = await base();
    const child = zk.fork();
    await using grandchild = child.fork();
    await zk.close();
    await child.close();
    const client = await grandchild.connect();
    await client.setData("/a", "two");
    grandchild.expectTree({ "/a": "two", "/lock": null });
  });

  test("lets nobody speak for its sessions: each lives for the time that is left to it", async () => {
    const [zk, holder] = await base();
    await using _ = zk;
    await zk.clock.advance("3s"); // the client has not pinged yet
    await using fork = zk.fork();
    await fork.clock.advance("8s");
    fork.expectTree({ "/a": "one", "/lock": { owner: holder } });
    await fork.clock.advance("3s");
    fork.expectTree({ "/a": "one" });
    await zk.clock.advance("1h");
    zk.expectTree({ "/a": "one", "/lock": { owner: holder } });
  });

  test("remembers the history of its base", async () => {
    const [zk] = await base();
    await using _ = zk;
    await using fork = zk.fork();
    const client = await fork.connect();
    await client.setData("/a", "two");
    const texts = String(fork.history()).split("\n");
    const before = String(zk.history()).split("\n");
    assert.deepEqual(texts.slice(0, before.length), before);
    assert.match(texts.at(-1)!, /is answered/);
  });
});

describe("resume", () => {
  test("goes on with a session of the base: its ephemerals, its identities, its watches", async () => {
    const [zk, holder] = await base();
    await using _ = zk;
    await holder.addAuth("digest", "me:secret");
    const events: string[] = [];
    const watch = (name: string) => (event: { type: string }) => events.push(`${name} ${event.type}`);
    await holder.getData("/a", { watch: watch("data") });
    await holder.exists("/b", { watch: watch("exists") });
    await holder.getChildren("/a", { watch: watch("children") });
    await holder.addWatch("/c", watch("persistent"));
    await using fork = zk.fork();
    const again = await fork.resume(holder);
    assert.equal(again.sessionId, holder.sessionId);
    assert.deepEqual((await again.whoAmI()).at(-1), { scheme: "digest", id: "me" });
    const other = await fork.connect();
    await other.setData("/a", "two");
    await other.create("/a/child");
    await other.create("/b");
    await other.create("/c");
    await other.delete("/c");
    assert.deepEqual(events, [
      "data NodeDataChanged",
      "children NodeChildrenChanged",
      "exists NodeCreated",
      "persistent NodeCreated",
      "persistent NodeDeleted",
    ]);
    await fork.clock.advance("1h");
    fork.expectTree({ "/a/child": null, "/b": null, "/lock": { owner: again } });
    await (await zk.connect()).setData("/a", "three");
    assert.equal(events.at(-1), "data NodeDataChanged", "the base still has its own watch");
  });

  test("takes the session over from a handle of the same world", async () => {
    const [zk, holder] = await base();
    await using _ = zk;
    const heir = await zk.resume(holder);
    assert.equal(holder.state, "suspended");
    zk.expectTree({ "/a": "one", "/lock": { owner: heir } });
  });

  test("is refused to a handle that has seen more than the fork", async () => {
    const [zk, holder] = await base();
    await using _ = zk;
    await using fork = zk.fork();
    await holder.setData("/a", "two");
    await assert.rejects(fork.resume(holder), /after the fork/);
  });
});

test("a fork of a large tree copies nothing: neither world sees the other's changes", async () => {
  await using zk = await testServer();
  zk.fixture(Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`/many/${at}`, `${at}`])));
  const client = await zk.connect();
  const forks: TestServer[] = [];
  for (let round = 0; round < 30; round++) {
    forks.push(zk.fork());
    await client.setData("/many/7", `round ${round}`);
    await client.delete(`/many/${round + 100}`);
    await client.create(`/many/new-${round}`);
  }
  for (const [round, fork] of forks.entries()) {
    const text = new TextDecoder().decode(fork.inspect("/many/7")!.data!);
    assert.equal(text, round === 0 ? "7" : `round ${round - 1}`);
    assert.equal(fork.inspect("/many")!.stat.numChildren, 5000);
    assert.equal(fork.inspect("/many")!.children.length, 5000);
    assert.equal(fork.inspect(`/many/${round + 100}`) !== null, true);
    assert.equal(fork.inspect(`/many/new-${round}`), null);
    await fork.close();
  }
});
