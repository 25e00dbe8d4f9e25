/** Trees from plain objects, as plain objects, and as bytes that hold everything. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type JsonTree, testServer } from "../../adapters/testing/mod.ts";
import { READ_ACL_UNSAFE } from "../../mod.ts";

describe("a fixture", () => {
  test("creates znodes of every kind, parents first, in one transaction", async () => {
    await using zk = await testServer();
    zk.fixture({
      "/app/config": "v1",
      "/app": new Uint8Array([1, 2]),
      "/a/b/c/d": null,
      "/read-only": { data: "x", acl: READ_ACL_UNSAFE },
      "/read-only/below": "past all permissions",
      "/box": { mode: "container" },
      "/hour": { mode: "persistent_with_ttl", ttlMs: 3_600_000, base64: "AP8=" },
    });
    zk.expectTree(`
      /
      ├─ a
      │  └─ b
      │     └─ c
      │        └─ d
      ├─ app <0102>
      │  └─ config "v1"
      ├─ box (container)
      ├─ hour <00ff> (TTL 1h)
      └─ read-only "x" (world:anyone:r)
         └─ below "past all permissions"
    `);
    assert.equal(zk.inspect("/a")!.stat.czxid, zk.inspect("/read-only/below")!.stat.czxid);
    assert.deepEqual(zk.sessions(), []);
  });

  test("goes on from what there is", async () => {
    await using zk = await testServer();
    zk.fixture({ "/a": "one" });
    zk.fixture({ "/a/b": "two" });
    zk.expectTree({ "/a": "one", "/a/b": "two" });
  });

  test("is refused as a whole, with the path and the reason", async () => {
    await using zk = await testServer();
    zk.fixture({ "/a": null });
    assert.throws(() => zk.fixture({ "/b": null, "/a": null }), /Cannot create \/a of the fixture: NodeExists/);
    assert.throws(() => zk.fixture({ b: null }), /can't have "b": Path must start with/);
    assert.throws(() => zk.fixture({ "/b": { base64: "?" } }), /\/b: its base64/);
    assert.throws(() => zk.fixture({ "/b": { mode: "container", ttlMs: 5 } }), /takes no ttlMs/);
    zk.expectTree({ "/a": null });
  });

  test("is not met by faults", async () => {
    await using zk = await testServer();
    using _ = zk.faults.on().error("SystemError");
    zk.fixture({ "/a": null });
    zk.expectTree({ "/a": null });
  });

  test("comes back out as JSON, without ephemerals", async () => {
    await using zk = await testServer();
    const tree: JsonTree = {
      "/app": null,
      "/app/binary": { base64: "AP8=" },
      "/app/config": "v1",
      "/app/empty": "",
      "/box": { data: null, mode: "container" },
      "/guarded": { data: "x", acl: [...READ_ACL_UNSAFE] },
      "/hour": { data: "tick", mode: "persistent_with_ttl", ttlMs: 3_600_000 },
    };
    zk.fixture(tree);
    const client = await zk.connect();
    await client.create("/mine", null, { mode: "ephemeral" });
    const json = JSON.stringify(zk);
    assert.deepEqual(JSON.parse(json), tree);
    await using other = await testServer();
    other.fixture(JSON.parse(json));
    assert.equal(JSON.stringify(other), json);
  });
});

describe("a dump", () => {
  test("holds everything: Stats, ACLs, counters, sessions with the time left to them", async () => {
    await using zk = await testServer();
    zk.fixture({ "/jobs": "x", "/guarded": { acl: READ_ACL_UNSAFE } });
    const client = await zk.connect({ sessionTimeoutMs: 10_000 });
    await zk.clock.advance("90s");
    await client.create("/jobs/job-", null, { mode: "persistent_sequential" });
    await client.create("/jobs/job-", null, { mode: "ephemeral_sequential" });
    await client.delete("/jobs/job-0000000000");
    await client.setData("/jobs", "y");
    const dump = zk.dump();

    await using other = await testServer();
    other.load(dump);
    assert.equal(other.picture(), zk.picture());
    for (const path of ["/", "/jobs", "/jobs/job-0000000001", "/guarded"])
      assert.deepEqual(other.inspect(path), zk.inspect(path));
    assert.deepEqual(other.clock.now().wall, zk.clock.now().wall);
    assert.deepEqual(other.sessions(), zk.sessions());
    const newcomer = await other.connect();
    assert.notEqual(newcomer.sessionId, client.sessionId);
    assert.equal(await newcomer.create("/jobs/job-", null, { mode: "persistent_sequential" }), "/jobs/job-0000000002");
    await other.clock.advance("13s");
    assert.equal(other.inspect("/jobs/job-0000000001"), null);
    assert.equal(other.history().isComplete, false);
  });

  test("goes on where it was: a handle may resume its session", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    await client.create("/lock", null, { mode: "ephemeral" });
    await using other = await testServer();
    other.load(zk.dump());
    const again = await other.resume(client);
    await other.clock.advance("1h");
    other.expectTree({ "/lock": { owner: again } });
  });

  test("keeps quotas in force", async () => {
    await using zk = await testServer({ enforceQuota: true });
    const quota = "/zookeeper/quota/small";
    zk.fixture({
      "/small": null,
      [quota]: null,
      [`${quota}/zookeeper_limits`]: "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=1",
      [`${quota}/zookeeper_stats`]: "count=1,bytes=0",
    });
    await using other = await testServer({ enforceQuota: true });
    other.load(zk.dump());
    const client = await other.connect();
    await assert.rejects(client.create("/small/a"), { code: "QuotaExceeded" });
  });

  test("is loaded before anybody comes", async () => {
    await using zk = await testServer();
    const dump = zk.dump();
    await zk.connect();
    assert.throws(() => zk.load(dump), /Load it first/);
  });

  test("is not just any bytes", async () => {
    await using zk = await testServer();
    for (const bytes of [new Uint8Array(0), new Uint8Array([0xc1]), new TextEncoder().encode("hello"), zk.history().save()]) {
      assert.throws(() => zk.load(bytes), /zookernel dump/);
    }
  });
});
