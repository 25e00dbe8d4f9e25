/** An ensemble in a test: members that crash, come back and are cut off, clients that go from one to another, and all of it again from its seed. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../../adapters/tcp/mod.ts";
import { eachSeed, type TestEnsemble, testEnsemble } from "../../adapters/testing/mod.ts";
import type { ZooKeeper } from "../../mod.ts";

/** Tries until it is done: a client has to, whose server has gone. */
async function createSurely(zk: TestEnsemble, client: ZooKeeper, path: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await zk.clock.runUntil(client.create(path, null));
      return;
    } catch (error) {
      const { code } = error as { code: string };
      if (code === "NodeExists") return;
      assert.equal(code, "ConnectionLoss");
      assert.ok(tries < 100, "it does not come back");
      await zk.clock.advance("100ms");
    }
  }
}

/** The members but one. */
function others(zk: TestEnsemble, id: number): number[] {
  return zk.members.map((member) => member.id).filter((other) => other !== id);
}

describe("an ensemble in a test", () => {
  test("has a leader, and shows every member the same", async () => {
    await using zk = await testEnsemble({ members: 3, observers: 2 });
    const states = zk.members.map(({ state }) => state);
    assert.deepEqual(states, ["following", "following", "leading", "observing", "observing"]);
    assert.equal(zk.leader, 3);
    const clients = await Promise.all(zk.members.map(({ id }) => zk.connect({ member: id })));
    await Promise.all(clients.map((client, at) => client.create(`/from-${at}`, "x")));
    await zk.clock.advance(0); // what is on its way to the others arrives
    for (const member of zk.members) assert.equal(member.picture(), zk.picture());
    assert.equal(zk.inspect("/from-4")?.stat.version, 0);
  });

  test("goes on after its leader has crashed, and its clients with it, their sessions and watches, too", async () => {
    await using zk = await testEnsemble();
    const client = await zk.connect();
    await client.create("/lock", "mine", { mode: "ephemeral" });
    const events: string[] = [];
    await client.exists("/signal", { watch: ({ type, path }) => void events.push(`${type} ${path}`) });
    const leader = zk.leader!;
    await zk.crash(leader);
    assert.equal(zk.leader, null);
    assert.throws(() => zk.picture(), /There is no leader \(.*3 is down\): await untilLeader\(\) first/);
    assert.notEqual(await zk.untilLeader(), leader);
    await createSurely(zk, client, "/signal");
    assert.equal(client.state, "connected");
    zk.expectTree({ "/lock": { data: "mine", owner: client }, "/signal": null });
    assert.deepEqual(events, ["NodeCreated /signal"]);
    zk.expectEvents(client, ["NodeCreated /signal"]);
    await zk.restart(leader);
    await zk.untilLeader();
    assert.equal(zk.member(leader).picture(), zk.picture());
  });

  test("a leader that is cut off commits nothing any more, and what it had begun is undone", async () => {
    await using zk = await testEnsemble();
    const old = zk.leader!;
    const left = await zk.connect({ member: old });
    const partition = zk.partition([old]);
    const lost = left.create("/lost", "x");
    lost.catch(() => {});
    const next = await zk.untilLeader();
    assert.notEqual(next, old);
    const client = await zk.connect({ member: next });
    await client.create("/kept", "x");
    zk.expectTree({ "/kept": "x" });
    await assert.rejects(zk.clock.runUntil(lost), { code: "ConnectionLoss", applied: "unknown" });
    assert.equal(zk.member(old).inspect("/kept"), null);
    assert.equal(zk.member(old).state, "looking");
    partition.heal();
    await zk.untilLeader();
    for (const member of zk.members) member.expectTree({ "/kept": "x" });
  });

  test("has one leader, also while the one of before has not heard of it", async () => {
    await using zk = await testEnsemble();
    await zk.crash(3);
    const old = await zk.untilLeader();
    await zk.restart(3);
    await zk.untilLeader();
    const partition = zk.partition([old]);
    const next = await zk.untilLeader();
    partition.heal();
    assert.equal(zk.member(old).state, "leading");
    assert.equal(zk.leader, next);
    assert.equal(await zk.untilLeader(), next);
    assert.equal(zk.member(old).state, "following");
  });

  test("a minority serves nobody, and a majority on its side goes on", async () => {
    await using zk = await testEnsemble({ members: 5 });
    const few = [zk.leader!, others(zk, zk.leader!)[0]!];
    {
      using _ = zk.partition(few);
      const leader = await zk.untilLeader();
      assert.ok(!few.includes(leader));
      await zk.clock.advance("1m");
      for (const id of few) assert.equal(zk.member(id).state, "looking");
      const client = await zk.clock.runUntil(zk.connect());
      await client.create("/majority", null);
    }
    await zk.untilLeader();
    for (const member of zk.members) member.expectTree({ "/majority": null });
  });

  test("loses what no disk had synced, and nothing that was acknowledged", async () => {
    await using zk = await testEnsemble();
    const client = await zk.connect();
    await client.create("/durable", null);
    for (const { disk } of zk.members) disk.hold();
    const lost = client.create("/volatile", null);
    lost.catch(() => {});
    await zk.clock.advance("1ms");
    assert.equal(zk.inspect("/volatile"), null);
    await Promise.all(zk.members.map(({ id }) => zk.crash(id)));
    await Promise.all(zk.members.map(({ id }) => zk.restart(id)));
    await zk.untilLeader();
    assert.notEqual(zk.inspect("/durable"), null);
    await assert.rejects(zk.clock.runUntil(lost), { code: "ConnectionLoss" });
  });

  test("takes faults as a test server does: the reply to a create is lost on whichever member it is", async () => {
    await using zk = await testEnsemble();
    await zk.fixture({ "/queue": null });
    const client = await zk.connect();
    zk.faults.on({ op: "create", path: "/queue/*" }).once().loseReply();
    await assert.rejects(client.create("/queue/one"), { code: "ConnectionLoss", applied: "unknown" });
    zk.expectTree({ "/queue/one": null });
    const partition = zk.faults.partition(client);
    await zk.clock.advance("2m");
    assert.equal(client.state, "expired");
    assert.deepEqual(zk.sessions(), []);
    partition.heal();
  });

  test("ends sessions on demand, and explains what was done", async () => {
    await using zk = await testEnsemble();
    const [one, other] = [await zk.connect({ member: 1 }), await zk.connect({ member: 2 })];
    await one.create("/worker", null, { mode: "ephemeral" });
    const gone = new Promise((resolve) => other.exists("/worker", { watch: resolve }));
    await other.sync("/");
    const { stat } = zk.inspect("/worker")!;
    zk.expire(one);
    await gone;
    assert.match(zk.explain(stat.czxid), /^zxid 0x10000000\d: create \/worker null ephemeral\n {2}asked for by session 0x/);
    assert.match(zk.whyNot({ session: other, path: "/worker" }), /it did fire: NodeDeleted \/worker came of zxid 0x1/);
    await zk.clock.runUntilIdle();
    assert.equal(one.state, "expired");
  });

  test("is the same from the same seed, and another one from another", async () => {
    const story = async (seed: number): Promise<string> => {
      await using zk = await testEnsemble({ seed });
      const client = await zk.connect();
      await client.create("/a", "x");
      await zk.crash(zk.leader!);
      await createSurely(zk, client, "/b");
      await zk.restart(3);
      const partition = zk.partition([await zk.untilLeader()]);
      await createSurely(zk, client, "/c");
      partition.heal();
      await zk.clock.runUntilIdle();
      return `${zk.clock.now().mono}\n${zk.history()}`;
    };
    const [one, again, other] = [await story(1), await story(1), await story(2)];
    assert.equal(one, again);
    assert.notEqual(one, other);
  });

  test("keeps to it whatever the seed, and names the seed that does not", async () => {
    await eachSeed(10, async (seed) => {
      await using zk = await testEnsemble({ seed });
      const client = await zk.connect();
      for (let round = 0; round < 3; round++) {
        await createSurely(zk, client, `/round-${round}`);
        const victim = zk.leader ?? (await zk.untilLeader());
        await zk.crash(victim);
        await zk.untilLeader();
        await zk.restart(victim);
      }
      await zk.untilLeader();
      for (const member of zk.members) member.expectTree({ "/round-0": null, "/round-1": null, "/round-2": null });
    });
    const fails = async (seed: number): Promise<void> => assert.notEqual(seed, 3);
    await assert.rejects(eachSeed(10, fails), { message: /^Seed 3 fails: .*To replay it alone: ZOOKERNEL_TEST_SEED=3$/s });
  });

  test("comes to rest, with a leader and without one", async () => {
    await using zk = await testEnsemble();
    const client = await zk.connect();
    await client.create("/gone", null, { mode: "ephemeral" });
    using _ = zk.faults.partition(client);
    await zk.clock.runUntilIdle();
    zk.expectTree({});
    await zk.crash(1);
    await zk.crash(2);
    await zk.clock.runUntilIdle();
    assert.equal(zk.member(3).state, "looking");
    await assert.rejects(
      zk.untilLeader("1m"),
      /No leader within 1m \(1 is down, 2 is down, 3 is looking\).*testEnsemble\(\{ seed: 1 \}\)/,
    );
  });

  test("closes whatever state it is in, and tells of faults that never struck", async () => {
    const zk = await testEnsemble();
    const client = await zk.connect();
    zk.faults.on({ op: "sync" }).once().disconnect();
    zk.partition([1], [2], [3]);
    for (const { disk } of zk.members) disk.hold();
    const lost = client.create("/lost", null); // answered or not, but not left hanging
    await assert.rejects(zk.close(), /A fault never struck: sync, once: disconnect/);
    await Promise.allSettled([lost]);
    assert.equal(client.state, "closed");
    await assert.rejects(zk.connect(), /the ensemble is closed/);
  });

  test("opens a port for each member, which keeps it when it is restarted", async () => {
    await using zk = await testEnsemble();
    const { connectString } = await zk.listen();
    assert.equal(connectString.split(",").length, 3);
    await zk.restart(1);
    await zk.untilLeader();
    assert.equal((await zk.listen()).connectString, connectString);
    await using client = await connect(connectString.split(",")[0]!);
    assert.equal(zk.memberOf(client), 1);
  });

  test("tells what was left open, if asked", async () => {
    const zk = await testEnsemble({ reportLeaks: true });
    const forgetful = await zk.connect({ member: 2 });
    await forgetful.create("/mine", null, { mode: "ephemeral" });
    await forgetful.exists("/yours", { watch: () => {} });
    await assert.rejects(zk.close(), /was left open, with the ephemerals \/mine, watching \/yours/);
    const tidy = await testEnsemble({ reportLeaks: true });
    await (await tidy.connect()).close();
    await tidy.close();
  });

  test("refuses what it can't be, and what can't be done with it", async () => {
    await assert.rejects(testEnsemble({ members: 0 }), { name: "TypeError", message: /members: 0 is no whole number from 1/ });
    await assert.rejects(testEnsemble({ tickTimeMs: 0 }), { name: "TypeError", message: /tickTimeMs/ });
    await using zk = await testEnsemble({ members: 1 });
    assert.throws(() => zk.member(2), /There is no member 2: they are 1 to 1/);
    assert.throws(() => zk.partition([1]), /two sides/);
    assert.throws(() => zk.partition([1], [1]), /two groups/);
    await zk.crash(1);
    await assert.rejects(zk.crash(1), /down already/);
    assert.throws(() => zk.member(1).picture(), /Member 1 is down: await restart\(1\) first/);
  });
});
