/**
 * Bugs that ZooKeeper has had in what must be on disk when, and in how members catch up, each by its JIRA number: that they are not to be had here.
 *
 * What is recovered from disk is in hazards_storage.test.ts; those that need whole members are in hazards_ensembles.test.ts; what the simulator finds if it is put in on purpose, in ensemble.test.ts.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { History } from "../../../lib/broadcast/zab/history.ts";
import { syncPlan } from "../../../lib/broadcast/zab/sync_plan.ts";
import { Database } from "../../../lib/kernel/database.ts";
import type { Proposal } from "../../../lib/model/txns.ts";
import { makeZxid } from "../../../lib/model/zxid.ts";
import { Tree, type TreeOptions } from "../../../lib/tree/tree.ts";
import { active, elected, established, Rig, synchronising, txn } from "../../support/zab_rig.ts";

const TREE: TreeOptions = { extendedTypes: true, digest: true, counterWraps: false, configNode: true };

describe("what a learner promises is on disk first", () => {
  test("ZOOKEEPER-335, 1081, 1082: who was promised a later epoch and never had its history leads nobody by it", () => {
    const rig = elected();
    rig.packet(1, { kind: "learnerInfo", observer: false, acceptedEpoch: 9, id: 1n, configVersion: 0n });
    assert.equal(rig.zab.acceptedEpoch, 0);
    rig.step({ kind: "epochsSaved" });
    assert.deepEqual([rig.zab.acceptedEpoch, rig.zab.currentEpoch], [10, 0], "promised, and nothing more");
  });

  test("ZOOKEEPER-2307: the accepted epoch before ACKEPOCH", () => {
    const rig = new Rig(1);
    rig.vote(2, 3, "following");
    rig.vote(3, 3, "leading");
    rig.step({ kind: "opened", link: -1 });
    assert.deepEqual(rig.packet(-1, { kind: "leaderInfo", epoch: 4 }), ["save accepted 4"]);
    assert.equal(rig.zab.acceptedEpoch, 0, "nor is it believed before");
    assert.deepEqual(rig.step({ kind: "epochsSaved" }), ["to -1: ackEpoch 0"]);
  });

  test("ZOOKEEPER-3911, 4643: all of the history before the epoch, and the epoch before NEWLEADER is acknowledged", () => {
    const rig = withDiff();
    assert.deepEqual(rig.packet(-1, { kind: "newLeader", epoch: 1, config: "" }), ["append 1:1", "append 1:2"]);
    assert.deepEqual(rig.step({ kind: "durable", zxid: makeZxid(1, 1) }), [], "half of it");
    assert.deepEqual(rig.step({ kind: "durable", zxid: makeZxid(1, 2) }), ["save current 1"]);
    assert.deepEqual(rig.step({ kind: "epochsSaved" }), ["to -1: ack 1:0"]);
  });

  test("ZOOKEEPER-4646, 4685, 4785: proposals are acknowledged behind NEWLEADER, in their order", () => {
    const rig = withDiff();
    rig.packet(-1, { kind: "newLeader", epoch: 1, config: "" });
    rig.step({ kind: "durable", zxid: makeZxid(1, 2) });
    rig.step({ kind: "epochsSaved" });
    assert.deepEqual(rig.packet(-1, { kind: "upToDate" }).slice(-3), ["to -1: ack 1:0", "to -1: ack 1:1", "to -1: ack 1:2"]);
  });

  test("ZOOKEEPER-2872: a database is on disk before NEWLEADER is acknowledged", () => {
    const rig = synchronising();
    assert.deepEqual(rig.packet(-1, { kind: "snap", zxid: makeZxid(1, 5), image: image(1, 5) }), ["restore"]);
    assert.deepEqual(rig.packet(-1, { kind: "newLeader", epoch: 1, config: "" }), []);
    assert.deepEqual(rig.step({ kind: "restored" }), ["save current 1"]);
    assert.deepEqual(rig.step({ kind: "epochsSaved" }), ["to -1: ack 1:0"]);
  });

  test("ZOOKEEPER-3642: nothing is logged behind a database that is not on disk", () => {
    const rig = synchronising();
    rig.packet(-1, { kind: "snap", zxid: makeZxid(1, 5), image: image(1, 5) });
    assert.deepEqual(rig.packet(-1, { kind: "proposal", proposal: txn(1, 6) }), []);
    assert.deepEqual(rig.packet(-1, { kind: "newLeader", epoch: 1, config: "" }), []);
    assert.deepEqual(rig.step({ kind: "restored" }), ["append 1:6"]);
  });

  test("ZOOKEEPER-2355: who loses its leader in the middle of a database takes no part before that is on disk, and claims no more than it", () => {
    const rig = synchronising(new History(makeZxid(1, 9), [txn(1, 9)]));
    rig.packet(-1, { kind: "snap", zxid: makeZxid(1, 5), image: image(1, 5) });
    assert.deepEqual(rig.step({ kind: "closed", link: -1 }), ["role looking"]);
    assert.equal(rig.zab.deadline, null, "no election yet");
    rig.step({ kind: "restored" });
    assert.equal(rig.zab.history.last, makeZxid(1, 5));
    assert.notEqual(rig.zab.deadline, null);
  });

  test("ZOOKEEPER-4394: what is committed between NEWLEADER and UPTODATE waits", () => {
    const rig = withDiff();
    rig.packet(-1, { kind: "newLeader", epoch: 1, config: "" });
    rig.step({ kind: "durable", zxid: makeZxid(1, 2) });
    rig.step({ kind: "epochsSaved" });
    assert.deepEqual(rig.packet(-1, { kind: "commit", zxid: makeZxid(1, 2) }), []);
    assert.deepEqual(rig.packet(-1, { kind: "upToDate" }).slice(0, 3), ["commit 1:1", "commit 1:2", "role follower"]);
  });

  test("ZOOKEEPER-1551: an observer keeps what it is told between NEWLEADER and UPTODATE", () => {
    const rig = synchronising(undefined, 4);
    rig.packet(-1, { kind: "diff", zxid: 0n });
    rig.packet(-1, { kind: "newLeader", epoch: 1, config: "" });
    rig.step({ kind: "epochsSaved" });
    assert.deepEqual(rig.packet(-1, { kind: "inform", proposal: txn(1, 1) }), ["append 1:1"]);
    assert.deepEqual(rig.packet(-1, { kind: "upToDate" }).slice(0, 2), ["commit 1:1", "role observer"]);
  });
});

describe("between two terms", () => {
  test("ZOOKEEPER-2678, 2845: what is logged and not applied counts in the next election", () => {
    const rig = active();
    rig.packet(-1, { kind: "proposal", proposal: txn(1, 1) });
    rig.step({ kind: "closed", link: -1 });
    assert.deepEqual(rig.step({ kind: "durable", zxid: makeZxid(1, 1) }), ["commit 1:1"]);
    assert.equal(rig.zab.history.last, makeZxid(1, 1));
  });

  test("ZOOKEEPER-3023: a cut begins anew from what is left on disk", () => {
    const rig = synchronising(new History(makeZxid(1, 7), [txn(1, 5), txn(1, 6), txn(1, 7)]));
    assert.deepEqual(rig.packet(-1, { kind: "trunc", zxid: makeZxid(1, 5) }), ["truncate 1:5"]);
    rig.step({ kind: "truncated", image: image(1, 5) });
    assert.equal(rig.zab.history.last, makeZxid(1, 5));
    assert.deepEqual(
      rig.zab.history.recent.map(({ header }) => header.zxid),
      [makeZxid(1, 5)],
    );
  });

  test("ZOOKEEPER-4409, 4502, 4541, 4712: the log comes to rest before the next term, and what it ends with is acknowledged to nobody", () => {
    const rig = active();
    rig.packet(-1, { kind: "proposal", proposal: txn(1, 1) });
    rig.packet(-1, { kind: "proposal", proposal: txn(1, 2) });
    assert.deepEqual(rig.step({ kind: "closed", link: -1 }), ["role looking"]);
    assert.deepEqual(rig.step({ kind: "durable", zxid: makeZxid(1, 1) }), []);
    assert.deepEqual(rig.step({ kind: "durable", zxid: makeZxid(1, 2) }), ["commit 1:1", "commit 1:2"]);
  });
});

describe("what a learner is sent", () => {
  test("ZOOKEEPER-1154: TRUNC to the txn before, where its own is a foreign one among the leader's", () => {
    const recent = [txn(1, 1), txn(1, 2), txn(1, 4)];
    assert.deepEqual(syncPlan(makeZxid(1, 3), makeZxid(1, 4), recent, 1000), {
      kind: "trunc",
      zxid: makeZxid(1, 2),
      txns: [recent[2]],
    });
  });

  test("ZOOKEEPER-2418, 2846: SNAP, where what the leader remembers does not reach back to it: after a database came, nothing before it", () => {
    const history = new History(makeZxid(1, 3), [txn(1, 1), txn(1, 2), txn(1, 3)]);
    history.restart(makeZxid(1, 8), false);
    history.append(txn(1, 9));
    history.commit();
    assert.equal(syncPlan(makeZxid(1, 3), history.committed, history.recent, 1000).kind, "snap");
    assert.equal(syncPlan(makeZxid(1, 2), history.committed, history.recent, 1000).kind, "snap");
  });

  test("ZOOKEEPER-4925: what came by a DIFF is remembered for those who will lack it", () => {
    const rig = withDiff();
    rig.packet(-1, { kind: "newLeader", epoch: 1, config: "" });
    rig.step({ kind: "durable", zxid: makeZxid(1, 2) });
    rig.step({ kind: "epochsSaved" });
    rig.packet(-1, { kind: "upToDate" });
    assert.deepEqual(
      rig.zab.history.recent.map(({ header }) => header.zxid),
      [makeZxid(1, 1), makeZxid(1, 2)],
    );
  });

  test("ZOOKEEPER-1324, 3104: NEWLEADER once, behind all that the learner lacks", () => {
    const rig = established();
    for (const counter of [1, 2]) rig.step({ kind: "propose", proposal: txn(1, counter) });
    rig.step({ kind: "durable", zxid: makeZxid(1, 2) });
    rig.packet(1, { kind: "ack", zxid: makeZxid(1, 2) });
    rig.step({ kind: "propose", proposal: txn(1, 3) });
    assert.deepEqual(joins(rig, 2, makeZxid(1, 1)), [
      "to 2: diff 1:2",
      "to 2: proposal 1:2",
      "to 2: commit 1:2",
      "to 2: proposal 1:3",
      "to 2: newLeader 1",
    ]);
  });

  test("model checking: everything from the cut of its history on, acknowledged or not, each once, UPTODATE behind it, and commits behind that", () => {
    const rig = established();
    joins(rig, 2, makeZxid(1, 0));
    assert.deepEqual(rig.step({ kind: "propose", proposal: txn(1, 1) }).slice(0, 2), [
      "to 1: proposal 1:1",
      "to 2: proposal 1:1",
    ]);
    rig.step({ kind: "durable", zxid: makeZxid(1, 1) });
    assert.deepEqual(rig.packet(1, { kind: "ack", zxid: makeZxid(1, 1) }), ["to 1: commit 1:1", "commit 1:1"]);
    assert.deepEqual(rig.packet(2, { kind: "ack", zxid: makeZxid(1, 0) }), ["to 2: upToDate", "to 2: commit 1:1"]);
  });

  test("model checking: a proposal that comes with the history and again is logged once", () => {
    const rig = withDiff();
    rig.packet(-1, { kind: "proposal", proposal: txn(1, 2) });
    assert.deepEqual(rig.packet(-1, { kind: "newLeader", epoch: 1, config: "" }), ["append 1:1", "append 1:2"]);
  });

  test("ZOOKEEPER-4607, 4717: the very proposal that came, a failed multi's odd bytes and all", () => {
    const rig = active();
    const bytes = Uint8Array.of(1, 2, 3);
    const proposal: Proposal = { ...txn(1, 1), txn: { kind: "multi", txns: [{ kind: "error", code: "NoNode" }] }, bytes };
    rig.packet(-1, { kind: "proposal", proposal });
    assert.equal(rig.zab.history.next, proposal);
    assert.equal(rig.zab.history.next.bytes, bytes);
  });
});

/** A learner that was sent two txns it lacked. */
function withDiff(): Rig {
  const rig = synchronising();
  rig.packet(-1, { kind: "diff", zxid: makeZxid(1, 2) });
  for (const counter of [1, 2]) {
    rig.packet(-1, { kind: "proposal", proposal: txn(1, counter) });
    rig.packet(-1, { kind: "commit", zxid: makeZxid(1, counter) });
  }
  return rig;
}

/** Another member comes to the leader of epoch 1, with that history. */
function joins(rig: Rig, id: number, zxid: bigint): string[] {
  rig.step({ kind: "opened", link: id });
  rig.packet(id, { kind: "learnerInfo", observer: false, acceptedEpoch: 1, id: BigInt(id), configVersion: 0n });
  return rig.packet(id, { kind: "ackEpoch", zxid, currentEpoch: null });
}

function image(epoch: number, counter: number): Database {
  return new Database(new Tree(TREE), new Map(), makeZxid(epoch, counter));
}
