/**
 * Bugs that ZooKeeper has had, and some that the simulator found here, played through by whole members: each by its JIRA number, or by the seed
 * that showed it.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { OPEN_ACL_UNSAFE } from "../../../lib/acl/perms.ts";
import type { KernelOptions } from "../../../lib/kernel/options.ts";
import type { Op } from "../../../lib/model/ops.ts";
import { epochOf } from "../../../lib/model/zxid.ts";
import { simulationOptions } from "./simulation.ts";
import { Caller, Stage, type StageOptions } from "./stage.ts";

const EPHEMERAL = 1;

let kernel: KernelOptions;
before(async () => {
  kernel = await simulationOptions();
});

function stage(options: StageOptions = {}): Stage {
  return new Stage(kernel, options);
}

function create(path: string, flags = 0): Op {
  return { kind: "create", path, data: null, acl: OPEN_ACL_UNSAFE, flags, ttl: 0 };
}

describe("histories", () => {
  test("ZOOKEEPER-1549, 1653: what only a deposed leader had is nowhere once it has come back, also after it is started again", () => {
    const play = stage();
    const old = play.leader;
    const lonely = play.caller(old).opened();
    const mend = play.part([old]);
    lonely.say(create("/orphan"));
    play.pass(1000);
    old.crash();
    play.until("another leader", () => play.leader !== undefined && play.leader !== old);
    play.caller(play.leader).opened().ask(create("/kept"));
    old.start();
    play.pass(5000); // by itself it takes what it had logged for its history
    assert.notEqual(old.database!.tree.get("/orphan"), undefined);
    mend();
    play.heal();
    old.crash();
    play.heal();
    for (const { database } of play.members) {
      assert.equal(database!.tree.get("/orphan"), undefined);
      assert.notEqual(database!.tree.get("/kept"), undefined);
    }
  });

  test("ZOOKEEPER-1277: an epoch whose zxids are used up gives way to the next one, and what was acknowledged stays", () => {
    const play = stage({ txnsAnEpoch: 5 });
    const first = play.leader.epoch!;
    for (let round = 0; round < 4; round++) {
      const caller = play.caller(play.leader).opened();
      for (let at = 0; at < 3; at++) caller.ask(create(`/${round}-${at}`));
      // No more fits: whoever asks for it is not answered.
      caller.say(create(`/${round}-more`));
      const xid = caller.say(create(`/${round}-most`));
      play.until("its leader gives way", () => caller.isClosed);
      assert.equal(caller.hasAnswer(xid), false);
      assert.equal(epochOf(play.committed.lastZxid), first + round);
      play.heal();
    }
    for (const { database } of play.members) {
      for (let round = 0; round < 4; round++) assert.notEqual(database!.tree.get(`/${round}-2`), undefined);
    }
  });

  test("ZOOKEEPER-4882: a member whose disk fails stops, and what it had acknowledged it has when it is started again", () => {
    const play = stage();
    const caller = play.caller(play.leader).opened();
    caller.ask(create("/before"));
    const [broken] = play.followers;
    broken!.disk.failed = () => broken!.crash("the disk fails");
    caller.ask(create("/after"));
    play.until("it has stopped", () => !broken!.isUp);
    broken!.disk.failed = null;
    play.heal();
    for (const path of ["/before", "/after"]) assert.notEqual(broken!.database!.tree.get(path), undefined);
  });

  test("ZOOKEEPER-5010: ephemerals whose session ended meanwhile are gone from who catches up by DIFF", () => {
    const play = stage();
    const owner = play.caller(play.leader).opened();
    owner.ask(create("/e", EPHEMERAL));
    play.heal();
    const [late] = play.followers;
    late!.crash();
    owner.ask({ kind: "closeSession" });
    play.heal();
    assert.equal(late!.database!.tree.get("/e"), undefined);
    assert.deepEqual([...late!.database!.tree.ephemeralOwners()], []);
  });

  test("a lone check becomes no txn, on whichever member it is asked: no server could read it back", () => {
    const play = stage();
    for (const member of play.members) {
      const { length } = play.committed;
      const caller = play.caller(member).opened();
      caller.say({ kind: "check", path: "/zookeeper", version: -1 });
      play.pass(3000);
      assert.equal(play.committed.length, length + 1, "only the session");
    }
  });

  test("a member that dies between the txns of a new epoch and the epoch's file starts again", () => {
    const play = stage();
    const [late] = play.followers;
    play.leader.crash();
    play.until("a leader of a new epoch", () => play.leader !== undefined);
    play.heal();
    const follower = play.followers.find((member) => member !== late) ?? late!;
    follower.crash();
    play.caller(play.leader).opened().ask(create("/new"));
    // What it had kept of that epoch is as before; what it has logged is of it.
    follower.disk.keepEpochs(play.leader.epoch, play.leader.epoch! - 1);
    follower.start();
    follower.crashBy("newLeader");
    play.until("it has died", () => !follower.isUp);
    play.heal();
    assert.notEqual(follower.database!.tree.get("/new"), undefined);
  });
});

describe("leaders", () => {
  test("seed 2053: who was promised an epoch that came to nothing is taken in all the same", () => {
    const play = stage();
    const [promised] = play.followers;
    const { epoch } = play.leader;
    promised!.crash();
    promised!.disk.keepEpochs(epoch! + 3, null);
    play.heal();
    assert.ok(play.leader.epoch! > epoch! + 3);
  });

  test("one that has lost its quorum serves no more, and a write that it could not commit is answered by nobody", () => {
    const play = stage();
    const old = play.leader;
    const lonely = play.caller(old).opened();
    const mend = play.part([old]);
    const xid = lonely.say(create("/a"));
    play.until("another leader", () => play.leader !== old && play.leader !== undefined && lonely.isClosed);
    assert.equal(lonely.hasAnswer(xid), false);
    mend();
    play.heal();
  });
});

describe("sessions", () => {
  test("one that is moved writes through its new member only: the old one closes without a word (-118)", () => {
    const play = stage();
    const [one, other] = play.followers;
    const before = play.caller(one!).opened();
    before.ask(create("/a"));
    const after = new Caller(play, other!, before).opened();
    const xid = before.say(create("/b"));
    play.until("the old connection is closed", () => before.isClosed);
    assert.equal(before.hasAnswer(xid), false);
    assert.equal(after.ask(create("/c")).kind, "path");
    assert.equal(play.leader.database!.tree.get("/b"), undefined);
  });

  test("one that is ending is refused to whoever comes back to it", () => {
    const play = stage();
    const [one, other] = play.followers;
    const before = play.caller(one!).opened();
    for (const { disk } of play.members) disk.slowness = 500;
    before.say({ kind: "closeSession" });
    play.pass(100); // it is with the leader, and far from committed
    assert.equal(play.committed.reference.hasSession(before.session), true);
    const after = new Caller(play, other!, before).opened();
    assert.equal(after.isWelcome, false);
  });

  test("one that ends takes the ephemerals with it that were on their way", () => {
    const play = stage();
    const owner = play.caller(play.followers[0]!).opened();
    owner.say(create("/e", EPHEMERAL));
    owner.say({ kind: "closeSession" });
    play.until("its end", () => owner.isClosed);
    play.heal();
    for (const { database } of play.members) assert.equal(database!.tree.get("/e"), undefined);
  });

  test("one lives on through another leader, with its ephemerals, and ends if its client is gone", () => {
    const play = stage();
    const owner = play.caller(play.followers[0]!).opened();
    owner.ask(create("/e", EPHEMERAL));
    play.leader.crash();
    play.until("another leader", () => play.leader !== undefined);
    assert.notEqual(play.leader.database!.tree.get("/e"), undefined);
    play.until("its end", () => play.leader?.database?.tree.get("/e") === undefined);
    play.heal();
  });

  test("a request that its member can't pass on any more is answered by nobody, and not asked again", () => {
    const play = stage();
    const [cut] = play.followers;
    const caller = play.caller(cut!).opened();
    const mend = play.part([cut!]);
    const xid = caller.say(create("/unknown"));
    play.until("the member has lost its leader", () => caller.isClosed);
    mend();
    play.heal();
    assert.equal(caller.hasAnswer(xid), false);
    assert.equal(play.leader.database!.tree.get("/unknown"), undefined);
  });

  test("seed 1119: one has its whole time from when its client hears of it, not from when it was proposed", () => {
    const play = stage();
    const { leader, followers } = play;
    for (const { disk } of [leader, ...followers]) disk.slowness = 2000;
    const owner = new Caller(play, leader, null, 10_000);
    const asked = play.world.mono;
    owner.opened();
    const welcomed = play.world.mono;
    assert.ok(welcomed - asked > 1000, "a slow quorum");
    for (const { disk } of play.members) disk.slowness = 1;
    play.until("its end is proposed", () => !play.committed.reference.hasSession(owner.session));
    assert.ok(play.world.mono - welcomed >= 10_000);
  });
});
