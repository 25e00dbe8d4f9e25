/** A learner on its way to its leader: how often it dials, and what ends that. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ensemble } from "../../../lib/broadcast/zab/ensemble.ts";
import { ensembleText } from "../../../lib/broadcast/zab/ensemble_text.ts";
import type { Proposal } from "../../../lib/model/txns.ts";
import { makeZxid } from "../../../lib/model/zxid.ts";
import { active, follower, member, Rig, txn } from "../../support/zab_rig.ts";

describe("a learner", () => {
  test("dials again where the stream ends before the leader has told its epoch, but not for ever: whoever stands between accepts in its place", () => {
    const rig = follower();
    const lines: string[] = [];
    for (let dial = 1; lines.at(-1) !== "role looking" && dial < 100; dial++) {
      lines.push(...rig.step({ kind: "closed", link: -dial }), ...rig.pass(100));
      // Some are taken and ended, others are refused.
      if (dial % 3 !== 0) rig.step({ kind: "opened", link: -dial - 1 });
    }
    assert.deepEqual(lines, [...Array.from({ length: 19 }, () => "dial 3"), "role looking"]);
  });

  test("is lost with its leader once that has told its epoch", () => {
    const rig = follower();
    rig.packet(-1, { kind: "leaderInfo", epoch: 1 });
    rig.step({ kind: "epochsSaved" });
    assert.deepEqual(rig.step({ kind: "closed", link: -1 }), ["role looking"]);
  });

  test("hears nothing on the stream of a term that is over, and leaves a leader whose epoch is", () => {
    const rig = follower();
    rig.packet(-1, { kind: "leaderInfo", epoch: 5 });
    rig.step({ kind: "epochsSaved" });
    rig.step({ kind: "closed", link: -1 });
    rig.vote(2, 3, "following", 2n);
    assert.deepEqual(rig.vote(3, 3, "leading", 2n), ["dial 3"]);
    assert.deepEqual(rig.step({ kind: "opened", link: -1 }), [], "the stream of before");
    assert.deepEqual(rig.packet(-1, { kind: "leaderInfo", epoch: 6 }), []);
    assert.deepEqual(rig.step({ kind: "closed", link: -1 }), []);
    assert.deepEqual(rig.step({ kind: "opened", link: -2 }), ["to -2: learnerInfo"]);
    assert.deepEqual(rig.packet(-2, { kind: "leaderInfo", epoch: 4 }), ["role looking", "cut"]);
    assert.equal(rig.zab.acceptedEpoch, 5);
  });

  describe("dials no more once votes say otherwise:", () => {
    test("whom it dials looks for a leader in a later round, or follows another", () => {
      for (const state of ["looking", "following"] as const) {
        const rig = follower();
        rig.step({ kind: "closed", link: -1 });
        assert.deepEqual(rig.vote(3, 2, state, 2n), ["role looking"]);
      }
    });

    test("too few are left for a quorum; who comes back counts again", () => {
      const ensemble = new Ensemble({ members: [1, 2, 3, 5, 6].map((id) => member(id)), hierarchy: null, version: 0n });
      const rig = new Rig(1, undefined, undefined, { ensemble });
      for (const id of [2, 5]) rig.vote(id, 3, "following");
      rig.vote(3, 3, "leading");
      assert.deepEqual(rig.vote(5, 6, "looking", 2n), []);
      assert.deepEqual(rig.vote(6, 6, "looking", 2n), []);
      assert.deepEqual(rig.vote(6, 3, "following", 1n), []);
      assert.deepEqual(rig.vote(2, 6, "looking", 2n), []);
      assert.deepEqual(rig.vote(6, 6, "looking", 2n), ["role looking", "cut"]);
    });

    test("not by votes of the round that made it leader, nor once its epoch is known", () => {
      const rig = follower();
      assert.deepEqual(rig.vote(3, 3, "looking", 1n), []);
      assert.deepEqual(rig.vote(3, 3, "leading", 1n), []);
      rig.packet(-1, { kind: "leaderInfo", epoch: 1 });
      rig.step({ kind: "epochsSaved" });
      assert.deepEqual(rig.vote(3, 2, "looking", 2n), []);
    });
  });

  test("looks for a leader where it is to follow one that it does not know", () => {
    const rig = active(1, { reconfiguration: { votersMin: 2 } });
    const next = new Ensemble({ members: [member(1), member(2)], hierarchy: null, version: makeZxid(1, 1) });
    const data = new TextEncoder().encode(ensembleText(next));
    const proposal: Proposal = { ...txn(1, 1), txn: { kind: "reconfig", path: "/zookeeper/config", data, version: -1 } };
    rig.packet(-1, { kind: "proposal", proposal });
    rig.step({ kind: "durable", zxid: makeZxid(1, 1) });
    const lines = rig.packet(-1, { kind: "commitAndActivate", zxid: makeZxid(1, 1), leader: 77n });
    assert.ok(lines.includes("role looking"), lines.join());
    assert.ok(!lines.some((line) => line.startsWith("dial")), lines.join());
  });
});
