/**
 * Programs that others' clients are in, and that know nothing of tests, live through what happens to sessions: expiry, lost answers, lost requests,
 * partitions. Not a line of them is changed for it.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type TestEnsemble, type TestServer, testEnsemble, testServer } from "../../adapters/testing/mod.ts";
import { findKazoo } from "../support/peers.ts";
import { projectPath } from "../support/root.ts";
import { programCommand } from "../support/runtime.ts";
import { until } from "../support/until.ts";
import { Program } from "./programs/program.ts";

/** Their clocks are real: sessions must be short for them to notice anything soon. */
const SHORT = { tickTimeMs: 250, minSessionTimeoutMs: 500 };

describe("a program on node-zookeeper-client", () => {
  const ME = "/workers/me";

  async function start(zk: TestServer | TestEnsemble): Promise<Program> {
    await zk.fixture({ "/workers": null });
    const { connectString } = await zk.listen();
    const { command, args } = programCommand("test/testing/programs/node_worker.ts", connectString, ME);
    return new Program(command, args);
  }

  const owner = (zk: TestServer | TestEnsemble): bigint => zk.inspect(ME)!.stat.ephemeralOwner;

  test("registers again after its session has expired", async () => {
    await using zk = await testServer(SHORT);
    await using worker = await start(zk);
    await worker.says("registered");
    const before = owner(zk);
    zk.expire(before);
    assert.equal(zk.inspect(ME), null);
    await worker.says("EXPIRED");
    await worker.says("registered");
    assert.notEqual(owner(zk), before);
  });

  test("finds itself registered after the answer was lost", async () => {
    await using zk = await testServer(SHORT);
    zk.faults.on({ op: "create", path: ME }).once().loseReply();
    await using worker = await start(zk);
    await worker.says("CONNECTION_LOSS");
    await worker.says("NODE_EXISTS");
    await worker.says("registered already");
    assert.equal(zk.inspect("/workers")!.stat.cversion, 1, "created once");
  });

  test("waits for the server to find it silent after its request was lost, and begins anew", async () => {
    await using zk = await testServer(SHORT);
    const fault = zk.faults.on({ op: "create", path: ME }).once().dropRequest();
    await using worker = await start(zk);
    await until(() => fault.hits === 1, "the request that gets lost");
    await zk.clock.advance("5s");
    await worker.says("CONNECTION_LOSS");
    await worker.says("EXPIRED");
    await worker.says("registered");
    assert.equal(zk.inspect("/workers")!.stat.cversion, 1);
  });

  test("is told what it missed after a partition that outlasted its session", async () => {
    await using zk = await testServer(SHORT);
    await using worker = await start(zk);
    await worker.says("registered");
    const partition = zk.faults.partition(owner(zk));
    await zk.clock.advance("5s");
    assert.equal(zk.inspect(ME), null, "others know by now");
    assert.equal(worker.count("DISCONNECTED"), 0, "it does not");
    partition.heal();
    await worker.says("EXPIRED");
    await worker.says("registered");
  });

  test("never learns of a partition that is short by the server's clock", async () => {
    await using zk = await testServer(SHORT);
    await using worker = await start(zk);
    await worker.says("registered");
    const before = owner(zk);
    using _ = zk.faults.partition(before);
    await zk.clock.advance("500ms");
    assert.equal(owner(zk), before);
    assert.equal(worker.count("DISCONNECTED"), 0);
  });

  test("goes to another member of the ensemble when its own crashes, and is registered still", async () => {
    await using zk = await testEnsemble(SHORT);
    await using worker = await start(zk);
    await worker.says("registered");
    const before = owner(zk);
    await zk.crash(zk.memberOf(before)!);
    await zk.untilLeader();
    await worker.says("DISCONNECTED");
    await worker.says("NODE_EXISTS");
    await worker.says("registered already");
    assert.equal(owner(zk), before);
  });
});

const kazoo = findKazoo();

describe("a program on kazoo", { skip: kazoo.skip }, () => {
  async function start(zk: TestServer | TestEnsemble): Promise<Program> {
    assert.ok(kazoo.skip === false);
    const { connectString } = await zk.listen();
    return new Program(kazoo.python, [projectPath("test/testing/programs/kazoo_worker.py"), connectString]);
  }

  const contenders = (zk: TestServer | TestEnsemble): readonly string[] => zk.inspect("/locks/job")?.children ?? [];
  const rounds = (zk: TestServer): number => zk.inspect("/rounds")?.children.length ?? 0;
  const holder = (zk: TestServer | TestEnsemble): bigint => zk.inspect(`/locks/job/${contenders(zk)[0]}`)!.stat.ephemeralOwner;

  test("takes the lock again after its session has expired", async () => {
    await using zk = await testServer(SHORT);
    await using worker = await start(zk);
    await worker.says("holding");
    const before = holder(zk);
    zk.expire(before);
    assert.deepEqual(contenders(zk), []);
    await worker.says("LOST");
    await worker.says("holding");
    assert.equal(contenders(zk).length, 1);
    assert.notEqual(holder(zk), before);
    assert.equal(rounds(zk), 2);
  });

  test("stands in line once, though the answer to its ticket was lost", async () => {
    await using zk = await testServer(SHORT);
    const fault = zk.faults.on({ op: "create", path: "/locks/job/*" }).once().loseReply();
    await using worker = await start(zk);
    await worker.says("SUSPENDED");
    await worker.says("holding");
    assert.equal(fault.hits, 1);
    assert.equal(contenders(zk).length, 1);
  });

  test("goes on where the connection was broken before anything was done", async () => {
    await using zk = await testServer(SHORT);
    zk.faults.on({ op: "create", path: "/rounds/*" }).once().disconnect();
    await using worker = await start(zk);
    await worker.says("SUSPENDED");
    await worker.says("holding");
    assert.equal(rounds(zk), 1);
  });

  test("loses the lock by a partition that outlasts its session, and takes it again", async () => {
    await using zk = await testServer(SHORT);
    await using worker = await start(zk);
    await worker.says("holding");
    const partition = zk.faults.partition(holder(zk));
    await worker.says("SUSPENDED");
    await zk.clock.advance("1m");
    assert.deepEqual(contenders(zk), [], "others may take it now");
    partition.heal();
    await worker.says("LOST");
    await worker.says("holding");
    assert.equal(contenders(zk).length, 1);
  });

  test("keeps the lock through a partition that is short by the server's clock", async () => {
    await using zk = await testServer(SHORT);
    await using worker = await start(zk);
    await worker.says("holding");
    const before = holder(zk);
    const partition = zk.faults.partition(before);
    await worker.says("SUSPENDED");
    partition.heal();
    await worker.says("CONNECTED");
    await until(() => zk.inspect("/locks/job")!.children.length === 1, "one contender");
    assert.equal(holder(zk), before);
    assert.equal(worker.count("LOST"), 0);
  });

  test("keeps the lock when the ensemble loses its leader, and the member that it was connected to", async () => {
    await using zk = await testEnsemble({ ...SHORT, members: 5 });
    await using worker = await start(zk);
    await worker.says("holding");
    const before = holder(zk);
    const [leader, its] = [zk.leader!, zk.memberOf(before)!];
    await zk.crash(leader);
    if (its !== leader) await zk.crash(its);
    await zk.untilLeader();
    await worker.says("SUSPENDED");
    await worker.says("CONNECTED");
    assert.equal(holder(zk), before);
    assert.equal(worker.count("LOST"), 0);
  });
});
