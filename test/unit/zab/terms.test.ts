/** Terms as leader and learner, step by step: what must be on disk before what is said, by the hazards that ZooKeeper has had. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Fifo } from "../../../lib/base/fifo.ts";
import type { BroadcastEffect } from "../../../lib/broadcast/contract.ts";
import { History } from "../../../lib/broadcast/zab/history.ts";
import type { LeaderPacket, LearnerPacket } from "../../../lib/broadcast/zab/messages.ts";
import { COUNTER_MAX, makeZxid } from "../../../lib/model/zxid.ts";
import { active, elected, established, follower, Rig, synchronising, txn } from "../../support/zab_rig.ts";

describe("a learner", () => {
  test("keeps the epoch before it accepts it (ZOOKEEPER-2307)", () => {
    const rig = follower();
    assert.deepEqual(rig.packet(-1, { kind: "leaderInfo", epoch: 1 }), ["save accepted 1"]);
    assert.deepEqual(rig.step({ kind: "epochsSaved" }), ["to -1: ackEpoch 0"]);
  });

  test("does not count for an epoch that it has accepted before, and leaves a leader of an older one", () => {
    const again = new Rig(1, undefined, [1, 0]);
    again.vote(2, 3, "following");
    again.vote(3, 3, "leading");
    again.step({ kind: "opened", link: -1 });
    assert.deepEqual(again.packet(-1, { kind: "leaderInfo", epoch: 1 }), ["to -1: ackEpoch null"]);
    const late = new Rig(1, undefined, [2, 0]);
    late.vote(2, 3, "following");
    late.vote(3, 3, "leading");
    late.step({ kind: "opened", link: -1 });
    assert.deepEqual(late.packet(-1, { kind: "leaderInfo", epoch: 1 }), ["role looking", "cut"]);
  });

  test("has history, then epoch, on disk before it acknowledges either; proposals after that (ZOOKEEPER-4643, 4646)", () => {
    const rig = synchronising();
    rig.packet(-1, { kind: "diff", zxid: makeZxid(1, 1) });
    rig.packet(-1, { kind: "proposal", proposal: txn(1, 1) });
    rig.packet(-1, { kind: "commit", zxid: makeZxid(1, 1) });
    assert.deepEqual(rig.packet(-1, { kind: "newLeader", epoch: 1, config: "" }), ["append 1:1"]);
    assert.deepEqual(rig.packet(-1, { kind: "proposal", proposal: txn(1, 2) }), [], "waits until the epoch is taken over");
    assert.deepEqual(rig.step({ kind: "durable", zxid: makeZxid(1, 1) }), ["save current 1"]);
    assert.deepEqual(rig.step({ kind: "epochsSaved" }), ["to -1: ack 1:0", "append 1:2"]);
    assert.deepEqual(rig.step({ kind: "durable", zxid: makeZxid(1, 2) }), [], "nothing before UPTODATE");
    assert.deepEqual(rig.packet(-1, { kind: "commit", zxid: makeZxid(1, 2) }), [], "nor is anything served (ZOOKEEPER-4394)");
    assert.deepEqual(rig.packet(-1, { kind: "upToDate" }), [
      "commit 1:1",
      "commit 1:2",
      "role follower",
      "to -1: ack 1:0",
      "to -1: ack 1:1",
      "to -1: ack 1:2",
    ]);
  });

  test("acknowledges a proposal once it is on disk, and passes over one that comes twice", () => {
    const rig = active();
    assert.deepEqual(rig.packet(-1, { kind: "proposal", proposal: txn(1, 1) }), ["append 1:1"]);
    assert.deepEqual(rig.packet(-1, { kind: "proposal", proposal: txn(1, 1) }), []);
    assert.deepEqual(rig.step({ kind: "durable", zxid: makeZxid(1, 1) }), ["to -1: ack 1:1"]);
    assert.deepEqual(rig.packet(-1, { kind: "commit", zxid: makeZxid(1, 1) }), ["commit 1:1"]);
  });

  test("warns of a zxid that its leader leaves out, once a term, and takes what follows", () => {
    const rig = active();
    rig.packet(-1, { kind: "proposal", proposal: txn(1, 1) });
    assert.deepEqual(rig.warnings, []);
    assert.deepEqual(rig.packet(-1, { kind: "proposal", proposal: txn(1, 5) }), ["append 1:5"]);
    assert.match(rig.warnings.join(), /0x100000005 behind 0x100000001/);
    assert.deepEqual(rig.step({ kind: "durable", zxid: makeZxid(1, 5) }), ["to -1: ack 1:1", "to -1: ack 1:5"]);
    rig.packet(-1, { kind: "proposal", proposal: txn(1, 7) });
    assert.equal(rig.warnings.length, 1);
    const observer = active(4);
    observer.packet(-1, { kind: "inform", proposal: txn(1, 3) });
    assert.equal(observer.warnings.length, 1, "as an observer, too");
  });

  test("that observes keeps nothing of what is committed and on disk", () => {
    const queues = new Set<Fifo<unknown>>();
    const { push } = Fifo.prototype;
    Fifo.prototype.push = function (item) {
      queues.add(this);
      push.call(this, item);
    };
    try {
      const rig = active(4);
      for (let counter = 1; counter <= 100; counter++) rig.packet(-1, { kind: "inform", proposal: txn(1, counter) });
      rig.step({ kind: "durable", zxid: makeZxid(1, 100) });
    } finally {
      Fifo.prototype.push = push;
    }
    assert.ok(queues.size > 0);
    assert.deepEqual(
      [...queues].filter(({ length }) => length > 0),
      [],
    );
  });

  test("leaves a leader that commits what it never proposed", () => {
    assert.deepEqual(active().packet(-1, { kind: "commit", zxid: makeZxid(1, 9) }), ["role looking", "cut"]);
  });

  test("waits with the next election until its log has come to rest, and then counts what is in it (ZOOKEEPER-2845)", () => {
    const rig = active();
    rig.packet(-1, { kind: "proposal", proposal: txn(1, 1) });
    assert.deepEqual(rig.step({ kind: "closed", link: -1 }), ["role looking"]);
    assert.equal(rig.zab.deadline, null);
    assert.deepEqual(rig.step({ kind: "durable", zxid: makeZxid(1, 1) }), ["commit 1:1"]);
    assert.equal(rig.zab.history.last, makeZxid(1, 1));
    assert.notEqual(rig.zab.deadline, null);
  });

  test("logs nothing while its log is being cut", () => {
    const rig = synchronising(new History(makeZxid(1, 7), []));
    assert.deepEqual(rig.packet(-1, { kind: "trunc", zxid: makeZxid(1, 5) }), ["truncate 1:5"]);
    rig.packet(-1, { kind: "proposal", proposal: txn(2, 1) });
    assert.deepEqual(rig.packet(-1, { kind: "newLeader", epoch: 1, config: "" }), []);
    assert.deepEqual(rig.step({ kind: "truncated", image: { lastZxid: makeZxid(1, 5) } }), ["append 2:1"]);
  });

  test("leaves a leader that calls it up to date before it has the history", () => {
    assert.deepEqual(synchronising().packet(-1, { kind: "upToDate" }), ["role looking", "cut"]);
    assert.deepEqual(active().packet(-1, { kind: "upToDate" }), ["role looking", "cut"], "or again");
  });

  test("whose log can't be cut where the leader says asks for a whole database, and does not stop", () => {
    for (const isLate of [false, true]) {
      const rig = synchronising(new History(makeZxid(0, 7), []));
      assert.deepEqual(rig.packet(-1, { kind: "trunc", zxid: makeZxid(0, 5) }), ["truncate 0:5"]);
      rig.packet(-1, { kind: "newLeader", epoch: 1, config: "" });
      if (isLate) assert.deepEqual(rig.step({ kind: "closed", link: -1 }), ["role looking"]);
      assert.equal(rig.zab.term === null, isLate);
      assert.deepEqual(rig.step({ kind: "notTruncated" }), isLate ? [] : ["role looking", "cut"]);
      assert.equal(rig.zab.history.last, makeZxid(0, 7));
      rig.vote(2, 3, "following", 2n);
      rig.vote(3, 3, "leading", 2n);
      rig.step({ kind: "opened", link: -2 });
      const effects = rig.zab.step(
        { kind: "packet", link: -2, packet: { kind: "leaderInfo", epoch: 1 } },
        { mono: rig.mono, wall: 0 },
      );
      assert.deepEqual(effects, [{ kind: "send", link: -2, packet: { kind: "ackEpoch", zxid: 0n, currentEpoch: null } }]);
      const image = { lastZxid: makeZxid(0, 5) };
      assert.deepEqual(rig.packet(-2, { kind: "snap", zxid: image.lastZxid, image }), ["restore"]);
    }
  });

  test("whose tree is not the leader's asks for a whole database: once of a leader, and only where nothing is decided by it", () => {
    const rig = active();
    rig.packet(-1, { kind: "proposal", proposal: txn(1, 1) });
    rig.step({ kind: "durable", zxid: makeZxid(1, 1) });
    rig.packet(-1, { kind: "commit", zxid: makeZxid(1, 1) });
    rig.packet(-1, { kind: "proposal", proposal: txn(1, 2) });
    rig.step({ kind: "durable", zxid: makeZxid(1, 2) });
    assert.deepEqual(rig.step({ kind: "differs", zxid: makeZxid(1, 1) }), [], "it is in the middle of a commit");
    assert.deepEqual(rig.packet(-1, { kind: "ping", zxid: makeZxid(1, 2) }), ["role looking", "cut", "commit 1:2"]);
    rig.vote(2, 3, "following", 2n);
    rig.vote(3, 3, "leading", 2n);
    rig.step({ kind: "opened", link: -2 });
    const said = (packet: LeaderPacket): readonly BroadcastEffect[] =>
      rig.zab.step({ kind: "packet", link: -2, packet }, { mono: rig.mono, wall: 0 }).filter(({ kind }) => kind !== "tell");
    assert.deepEqual(said({ kind: "leaderInfo", epoch: 1 }), [
      { kind: "send", link: -2, packet: { kind: "ackEpoch", zxid: 0n, currentEpoch: null } },
    ]);
    const image = { lastZxid: makeZxid(1, 1) };
    // What it had logged behind that comes again.
    assert.deepEqual(said({ kind: "snap", zxid: makeZxid(1, 1), image }), [{ kind: "restore", image, cutsLog: true }]);
    rig.packet(-2, { kind: "newLeader", epoch: 1, config: "" });
    rig.step({ kind: "restored" });
    rig.step({ kind: "epochsSaved" });
    rig.packet(-2, { kind: "upToDate" });
    rig.step({ kind: "differs", zxid: makeZxid(1, 2) });
    assert.deepEqual(rig.packet(-2, { kind: "ping", zxid: makeZxid(1, 2) }), ["to -2: pong 1:2"]);
  });

  test("does not leave a leader again and again that can't lead without it, and whose every epoch it would end", () => {
    const rig = active();
    const leaves = (link: number, zxid: bigint): string[] => {
      rig.step({ kind: "differs", zxid });
      return rig.packet(link, { kind: "ping", zxid });
    };
    const follows = (link: number, leader: number, epoch: number): void => {
      for (const from of [2, 3]) rig.vote(from, leader, from === leader ? "leading" : "following", BigInt(epoch));
      rig.step({ kind: "opened", link });
      rig.packet(link, { kind: "leaderInfo", epoch });
      assert.deepEqual(rig.step({ kind: "epochsSaved" }), [`to ${link}: ackEpoch ${epoch - 1}`], "what it has decides");
      rig.packet(link, { kind: "diff", zxid: 0n });
      rig.packet(link, { kind: "newLeader", epoch, config: "" });
      rig.step({ kind: "epochsSaved" });
      rig.packet(link, { kind: "upToDate" });
    };
    assert.deepEqual(leaves(-1, makeZxid(1, 1)), ["role looking", "cut"]);
    follows(-2, 3, 2);
    assert.deepEqual(leaves(-2, makeZxid(2, 1)), ["to -2: pong 2:1"]);
    rig.step({ kind: "closed", link: -2 });
    follows(-3, 2, 3);
    assert.deepEqual(leaves(-3, makeZxid(3, 1)), ["role looking", "cut"], "of another leader");
  });

  test("waits for a database for as long as some of it comes, and a leader for as long as some of it is taken", () => {
    const rig = synchronising();
    const leading = established();
    leading.step({ kind: "opened", link: 2 });
    leading.packet(2, { kind: "learnerInfo", observer: false, acceptedEpoch: 1, id: 2n, configVersion: 0n });
    leading.packet(2, { kind: "ackEpoch", zxid: 0n, currentEpoch: null });
    for (let part = 0; part < 3; part++) {
      assert.deepEqual(rig.pass(9000), []);
      rig.step({ kind: "alive", link: -1 });
      leading.packet(1, { kind: "pong", zxid: 0n, touched: [] });
      leading.step({ kind: "alive", link: 2 });
      assert.ok(!leading.pass(5000).includes("cut"));
    }
    assert.deepEqual(rig.pass(10_000), ["role looking", "cut"]);
    leading.packet(1, { kind: "pong", zxid: 0n, touched: [] });
    leading.pass(4000);
    leading.packet(1, { kind: "pong", zxid: 0n, touched: [] });
    assert.ok(leading.pass(4000).includes("cut"), "nothing of it was taken any more");
  });

  test("gives a leader up that can't be reached, and one that is silent", () => {
    const rig = new Rig(1);
    rig.vote(2, 3, "following");
    rig.vote(3, 3, "leading");
    let last: string[] = [];
    for (let dial = 1; dial <= 20; dial++) {
      last = rig.step({ kind: "closed", link: -dial });
      if (dial < 20) assert.deepEqual(rig.pass(100), ["dial 3"]);
    }
    assert.deepEqual(last, ["role looking"]);
    assert.deepEqual(active().pass(5000), ["role looking", "cut"]);
  });
});

describe("a leader", () => {
  test("founds its epoch with a quorum, step by step on disk, and serves once a quorum has its history", () => {
    const rig = elected();
    assert.deepEqual(rig.packet(1, { kind: "learnerInfo", observer: false, acceptedEpoch: 4, id: 1n, configVersion: 0n }), [
      "save accepted 5",
    ]);
    assert.deepEqual(rig.step({ kind: "epochsSaved" }), ["to 1: leaderInfo 5"]);
    assert.deepEqual(rig.packet(1, { kind: "ackEpoch", zxid: 0n, currentEpoch: 0 }), ["save current 5"]);
    assert.deepEqual(rig.step({ kind: "epochsSaved" }), ["to 1: diff 0:0", "to 1: newLeader 5"]);
    assert.deepEqual(rig.packet(1, { kind: "ack", zxid: makeZxid(5, 0) }), ["role leader", "to 1: upToDate"]);
  });

  test("cuts off who has a later history than it has itself", () => {
    const rig = elected();
    rig.packet(1, { kind: "learnerInfo", observer: false, acceptedEpoch: 0, id: 1n, configVersion: 0n });
    rig.step({ kind: "epochsSaved" });
    assert.deepEqual(rig.packet(1, { kind: "ackEpoch", zxid: makeZxid(0, 9), currentEpoch: 0 }), ["cut"]);
  });

  test("waits no longer for a quorum once a voter without whom there is none looks for another leader", () => {
    const rig = elected();
    rig.vote(1, 1, "looking", 1n);
    assert.equal(rig.zab.term === null, false, "a vote of the same round is a late one");
    rig.vote(1, 1, "looking", 2n);
    assert.equal(rig.zab.term, null);
    const joined = elected();
    joined.packet(1, { kind: "learnerInfo", observer: false, acceptedEpoch: 0, id: 1n, configVersion: 0n });
    joined.vote(2, 2, "looking", 2n);
    assert.notEqual(joined.zab.term, null, "a quorum is here without it");
  });

  test("gives way to a voter that has promised itself to a later epoch, and begins behind that one", () => {
    const rig = established();
    rig.step({ kind: "opened", link: 2 });
    assert.deepEqual(rig.packet(2, { kind: "learnerInfo", observer: false, acceptedEpoch: 4, id: 2n, configVersion: 0n }), [
      "save accepted 4",
      "role looking",
      "accept",
      "cut",
      "cut",
    ]);
    rig.step({ kind: "epochsSaved" });
    assert.equal(rig.zab.acceptedEpoch, 4);
  });

  test("commits what a quorum has on disk, itself or not, and in order", () => {
    const rig = established();
    assert.deepEqual(rig.step({ kind: "propose", proposal: txn(1, 1) }), ["to 1: proposal 1:1", "append 1:1"]);
    rig.step({ kind: "propose", proposal: txn(1, 2) });
    assert.deepEqual(rig.packet(1, { kind: "ack", zxid: makeZxid(1, 1) }), []);
    assert.deepEqual(rig.step({ kind: "durable", zxid: makeZxid(1, 2) }), ["to 1: commit 1:1", "commit 1:1"]);
    assert.deepEqual(rig.packet(1, { kind: "ack", zxid: makeZxid(1, 2) }), ["to 1: commit 1:2", "commit 1:2"]);
  });

  test("commits nothing to a learner between its history and UPTODATE (ZOOKEEPER-4394)", () => {
    const rig = established();
    rig.step({ kind: "propose", proposal: txn(1, 1) });
    for (const [link, observer] of [
      [2, false],
      [4, true],
    ] as const) {
      rig.step({ kind: "opened", link });
      rig.packet(link, { kind: "learnerInfo", observer, acceptedEpoch: 1, id: BigInt(link), configVersion: 0n });
      const offered = observer ? [] : [`to ${link}: proposal 1:1`];
      assert.deepEqual(rig.packet(link, { kind: "ackEpoch", zxid: makeZxid(1, 0), currentEpoch: null }), [
        `to ${link}: diff 1:0`,
        ...offered,
        `to ${link}: newLeader 1`,
      ]);
    }
    rig.step({ kind: "durable", zxid: makeZxid(1, 1) });
    assert.deepEqual(rig.packet(1, { kind: "ack", zxid: makeZxid(1, 1) }), ["to 1: commit 1:1", "commit 1:1"]);
    rig.step({ kind: "propose", proposal: txn(1, 2) });
    rig.step({ kind: "durable", zxid: makeZxid(1, 2) });
    assert.deepEqual(rig.packet(1, { kind: "ack", zxid: makeZxid(1, 2) }), ["to 1: commit 1:2", "commit 1:2"]);
    assert.deepEqual(rig.packet(2, { kind: "ack", zxid: makeZxid(1, 0) }), [
      "to 2: upToDate",
      "to 2: commit 1:1",
      "to 2: commit 1:2",
    ]);
    assert.deepEqual(rig.packet(4, { kind: "ack", zxid: makeZxid(1, 0) }), [
      "to 4: upToDate",
      "to 4: inform 1:1",
      "to 4: inform 1:2",
    ]);
    rig.step({ kind: "propose", proposal: txn(1, 3) });
    rig.step({ kind: "durable", zxid: makeZxid(1, 3) });
    assert.deepEqual(rig.packet(1, { kind: "ack", zxid: makeZxid(1, 3) }), [
      "to 1: commit 1:3",
      "to 2: commit 1:3",
      "to 4: inform 1:3",
      "commit 1:3",
    ]);
  });

  test("has one stream for each learner: who comes again has lost the one before", () => {
    const rig = established();
    rig.step({ kind: "opened", link: 5 });
    const info = { kind: "learnerInfo", observer: false, acceptedEpoch: 1, id: 1n, configVersion: 0n } as const;
    assert.deepEqual(rig.packet(5, info), ["cut", "to 5: leaderInfo 1"]);
    assert.deepEqual(rig.packet(1, { kind: "ping", zxid: 0n } as never), [], "nothing is heard on the former");
    rig.packet(5, { kind: "ackEpoch", zxid: makeZxid(1, 0), currentEpoch: null });
    rig.packet(5, { kind: "ack", zxid: makeZxid(1, 0) });
    assert.deepEqual(rig.step({ kind: "propose", proposal: txn(1, 1) }), ["to 5: proposal 1:1", "append 1:1"]);
  });

  test("lets a learner go whose disk takes longer than syncLimit, as Apache's does; the others, and its own slow disk, hold nothing up", () => {
    const rig = established();
    rig.step({ kind: "opened", link: 2 });
    rig.packet(2, { kind: "learnerInfo", observer: false, acceptedEpoch: 1, id: 2n, configVersion: 0n });
    rig.packet(2, { kind: "ackEpoch", zxid: makeZxid(1, 0), currentEpoch: null });
    rig.packet(2, { kind: "ack", zxid: makeZxid(1, 0) });
    rig.step({ kind: "propose", proposal: txn(1, 1) });
    const said: string[] = [];
    const passes = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 500) {
        for (const link of [1, 2]) said.push(...rig.packet(link, { kind: "pong", zxid: makeZxid(1, 1), touched: [] }));
        said.push(...rig.pass(500));
      }
    };
    passes(5000);
    assert.ok(!said.includes("cut") && !said.includes("commit 1:1"), "neither disk has it, nor its own");
    const acked = rig.packet(1, { kind: "ack", zxid: makeZxid(1, 1) });
    assert.deepEqual(acked, [], "one of three");
    passes(1000);
    assert.equal(said.filter((line) => line === "cut").length, 1, "the second is let go");
    rig.step({ kind: "opened", link: 3 });
    rig.packet(3, { kind: "learnerInfo", observer: false, acceptedEpoch: 1, id: 2n, configVersion: 0n });
    rig.packet(3, { kind: "ackEpoch", zxid: makeZxid(1, 0), currentEpoch: null });
    assert.ok(rig.packet(3, { kind: "ack", zxid: makeZxid(1, 0) }).includes("to 3: upToDate"), "it comes back");
    assert.ok(
      rig.packet(3, { kind: "ack", zxid: makeZxid(1, 1) }).includes("commit 1:1"),
      "two of three, its own disk is still at it",
    );
    assert.deepEqual(rig.step({ kind: "durable", zxid: makeZxid(1, 1) }), []);
  });

  test("says that a session lives behind the commits of what it had proposed: where its client begins its xids anew, those would be taken for its own", () => {
    const rig = established();
    const says = (valid: boolean): string[] => rig.step({ kind: "revalidated", origin: 1, session: 7n, valid });
    assert.deepEqual(says(true), ["to 1: revalidated"]);
    rig.step({ kind: "propose", proposal: txn(1, 1) });
    assert.deepEqual([...says(true), ...says(false)], []);
    rig.step({ kind: "durable", zxid: makeZxid(1, 1) });
    assert.deepEqual(rig.packet(1, { kind: "ack", zxid: makeZxid(1, 1) }), [
      "to 1: commit 1:1",
      "commit 1:1",
      "to 1: revalidated",
      "to 1: revalidated",
    ]);
  });

  test("answers a sync behind the commits of what it had proposed", () => {
    const rig = established();
    const sync: LearnerPacket = {
      kind: "request",
      request: { session: 1n, cxid: 1, op: { kind: "sync", path: "/" }, authIds: [] },
    };
    assert.deepEqual(rig.packet(1, sync), ["to 1: synced"]);
    rig.step({ kind: "propose", proposal: txn(1, 1) });
    assert.deepEqual(rig.packet(1, sync), []);
    rig.step({ kind: "durable", zxid: makeZxid(1, 1) });
    assert.deepEqual(rig.packet(1, { kind: "ack", zxid: makeZxid(1, 1) }), ["to 1: commit 1:1", "commit 1:1", "to 1: synced"]);
  });

  test("gives way when the zxids of its epoch are used up (ZOOKEEPER-1277)", () => {
    const rig = established();
    const last = txn(1, COUNTER_MAX);
    assert.deepEqual(rig.step({ kind: "propose", proposal: last }), ["role looking", "accept", "cut"]);
  });

  test("gives way when a quorum is not heard of any more", () => {
    const rig = established();
    const said: string[] = [];
    for (let round = 0; round < 13; round++) said.push(...rig.pass(500));
    assert.ok(said.includes("role looking"), said.join(", "));
  });
});

describe("a leader believes an epoch", () => {
  const told = (id: bigint | null, acceptedEpoch: number, observer = false): LearnerPacket => ({
    kind: "learnerInfo",
    observer,
    acceptedEpoch,
    id,
    configVersion: 0n,
  });
  const LAST = 2 ** 31 - 1;

  test("of a voter or an observer, up to 2^20 above its own", () => {
    assert.deepEqual(elected().packet(1, told(1n, 2 ** 20)), [`save accepted ${2 ** 20 + 1}`]);
    const rig = elected();
    rig.step({ kind: "opened", link: 4 });
    rig.packet(4, told(4n, 7, true));
    assert.deepEqual(rig.packet(1, told(1n, 0)), ["save accepted 8"]);
  });

  for (const [name, packet] of [
    ["the last, of a voter", told(1n, LAST)],
    ["the last, of an observer", told(4n, LAST, true)],
    ["one that is too far, of a voter", told(1n, 2 ** 20 + 1)],
    ["any, of somebody who is not in the configuration", told(9n, 1)],
    ["any, of somebody who doesn't say who it is", told(null, 1)],
  ] as const) {
    test(`and not ${name}: refused and logged, before a quorum is there and afterwards`, () => {
      const rig = elected();
      assert.deepEqual(rig.packet(1, packet), ["cut"]);
      assert.match(rig.warnings.join(), /is refused: it says that it has accepted epoch/);
      rig.step({ kind: "opened", link: 2 });
      assert.deepEqual(rig.packet(2, told(2n, 0)), ["save accepted 1"]);
      const leader = established();
      leader.step({ kind: "opened", link: 2 });
      const late = packet.kind === "learnerInfo" && packet.acceptedEpoch === 1 ? { ...packet, acceptedEpoch: 2 } : packet;
      assert.deepEqual(
        leader.packet(2, packet.kind === "learnerInfo" && packet.id === 1n ? { ...packet, id: 2n, acceptedEpoch: LAST } : late),
        ["cut"],
      );
      assert.equal(leader.zab.acceptedEpoch, 1);
    });
  }

  test("from 2^31 - 2^20 on each election logs an error that says what to do", () => {
    for (const [kept, expected] of [
      [2 ** 31 - 2 ** 20 - 2, 0],
      [2 ** 31 - 2 ** 20 - 1, 1],
    ] as const) {
      const rig = new Rig(3, undefined, [kept, 0]);
      rig.vote(1, 3);
      rig.pass(200);
      rig.step({ kind: "opened", link: 1 });
      assert.deepEqual(rig.packet(1, told(1n, 0)), [`save accepted ${kept + 1}`]);
      assert.equal(rig.warnings.length, expected);
      if (expected === 1) assert.match(rig.warnings[0]!, /Move the data .* to an ensemble that begins with empty folders/);
    }
  });
});
