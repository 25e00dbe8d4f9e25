/** A history played again says the same to a new server of ours and to Apache ZooKeeper, and shows where a server differs. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { History, replay, type TestServer, testServer } from "../../adapters/testing/mod.ts";
import { CREATOR_ALL_ACL, READ_ACL_UNSAFE, type ZooKeeper } from "../../mod.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { startServer } from "../support/server_process.ts";

const ignore = () => {};
const failing = (promise: Promise<unknown>): Promise<unknown> => promise.catch(ignore);

/** Some of everything: reads, writes, refusals, watches, sessions that end in every way, misfortunes. */
async function eventfulLife(zk: TestServer): Promise<void> {
  zk.fixture({ "/app": "v1", "/app/jobs": null, "/guarded": { data: "x", acl: READ_ACL_UNSAFE } });
  const [one, other] = [await zk.connect({ sessionTimeoutMs: 10_000 }), await zk.connect({ sessionTimeoutMs: 10_000 })];
  await watching(one);
  for (let i = 0; i < 3; i++) await other.create("/app/jobs/job-", `${i}`, { mode: "ephemeral_sequential" });
  await other.setData("/app", "v2", { version: 0 });
  await failing(other.setData("/app", "v3", { version: 0 }));
  await failing(other.delete("/app"));
  await failing(other.setData("/guarded", "y"));
  await other.addAuth("digest", "me:secret");
  await other.create("/mine", null, { acl: CREATOR_ALL_ACL });
  await failing(one.getData("/mine"));
  await one.getACL("/guarded");
  await failing(other.transaction().create("/all").delete("/none").commit());
  await other.transaction().create("/all", "x").setData("/all", "y").check("/all", { version: 1 }).delete("/all").commit();
  await misfortunes(zk, one);
  await zk.clock.advance("1h");
  const late = await zk.connect();
  await late.create("/app/jobs/late", null, { mode: "ephemeral" });
  zk.expire(other);
  const silent = zk.faults.partition(late);
  await zk.clock.advance("1m");
  silent.heal();
  await one.getChildren("/app/jobs");
  await one.getEphemerals();
  await one.close();
}

async function watching(zk: ZooKeeper): Promise<void> {
  await zk.getChildren("/app/jobs", { watch: ignore });
  await zk.getData("/app", { watch: ignore });
  await zk.exists("/mine", { watch: ignore });
  await zk.addWatch("/app", ignore, { mode: "persistent_recursive" });
}

async function misfortunes(zk: TestServer, client: ZooKeeper): Promise<void> {
  zk.faults.on({ op: "create", session: client }).once().loseReply();
  await failing(client.create("/lost-and-found"));
  await zk.clock.advance("1s");
  zk.faults.on({ op: "delete", session: client }).once().disconnect();
  await failing(client.delete("/lost-and-found"));
  await zk.clock.advance("1s");
  zk.faults.on({ op: "setData", session: client }).once().error("SystemError");
  await failing(client.setData("/lost-and-found", "x"));
  await client.delete("/lost-and-found");
}

describe("replay", () => {
  test("to a new server of ours finds no differences, TTLs and expiries included", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    await client.create("/minute", null, { mode: "persistent_with_ttl", ttlMs: 60_000 });
    await client.close();
    await eventfulLife(zk);
    const history = History.load(zk.history().save());
    await using again = await testServer({ startAt: 5_000_000_000 });
    const report = await replay(history, again);
    assert.equal(String(report), `No differences in ${report.compared} answers and events`);
    assert.ok(report.compared > 40, `${report.compared}`);
    assert.equal(again.picture(), zk.picture());
  });

  test("of a fork plays what its base did, too", async () => {
    await using base = await testServer();
    base.fixture({ "/a": "x" });
    await using fork = base.fork();
    await (await fork.connect()).setData("/a", "y");
    await using again = await testServer();
    assert.deepEqual((await replay(fork.history(), again)).differences, []);
    again.expectTree({ "/a": "y" });
  });

  test("shows what is answered otherwise, and what is missing or too much", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    await client.exists("/b", { watch: ignore });
    await client.create("/a", "x");
    await client.create("/b");
    await client.close();
    await using other = await testServer();
    other.fixture({ "/a": "already there", "/b": null });
    const report = await replay(zk.history(), other);
    assert.deepEqual(
      report.differences.map(({ what, recorded, now }) => [what, recorded.replace(/\d+/g, "N"), now.replace(/\d+/g, "N")]),
      [
        ["exists /b with a watch", "NoNode (at zxid N)", "version N, cversion N, children N (at zxid N)"],
        ['create /a "x"', "/a (at zxid N)", "NodeExists (at zxid N)"],
        [report.differences[2]!.what, "NodeCreated /b", "NodeExists (at zxid N)"],
        ["create /b null", "/b (at zxid N)", "NodeExists (at zxid N)"],
      ],
    );
    assert.match(String(report), /#\d+ exists \/b with a watch\n {2}then: NoNode .*\n {2}now: {2}version 0/);
  });

  test("is refused for what does not begin with an empty server", async () => {
    await using zk = await testServer();
    const dump = zk.dump();
    zk.load(dump);
    await using other = await testServer();
    await assert.rejects(replay(zk.history(), other), /does not go back to an empty server/);
  });

  const peer = findJavaZooKeeper();
  test("to Apache ZooKeeper finds no differences", { skip: peer.skip }, async () => {
    await using zk = await testServer();
    await eventfulLife(zk);
    await using server = await startServer({ kind: "apache", config: { tickTime: 2000 } });
    const report = await replay(zk.history(), server.address);
    assert.equal(String(report), `No differences in ${report.compared} answers and events`);
  });
});
