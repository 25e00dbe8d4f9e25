/** How a learner catches up, row by row of the decision. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { syncPlan } from "../../../lib/broadcast/zab/sync_plan.ts";
import type { Proposal } from "../../../lib/model/txns.ts";
import { makeZxid } from "../../../lib/model/zxid.ts";

/** `2:5`: counter 5 of epoch 2. */
function zxid(text: string): bigint {
  const [epoch, counter] = text.split(":").map(Number);
  return makeZxid(epoch!, counter!);
}

function txn(text: string): Proposal {
  return { header: { session: 1n, cxid: 1, zxid: zxid(text), time: 0 }, txn: { kind: "delete", path: "/a" }, digest: null };
}

const RECENT = ["1:3", "1:4", "1:5", "2:1", "2:2"].map(txn);

/** What is left of a plan: its kind, its zxid and the txns that follow. */
function plan(peer: string, committed = "2:2", recent = RECENT): string {
  const found = syncPlan(zxid(peer), zxid(committed), recent, 1000);
  if (found.kind === "snap") return "SNAP";
  const text = (one: bigint): string => `${one >> 32n}:${one & 0xffffffffn}`;
  return [found.kind.toUpperCase(), text(found.zxid), ...found.txns.map(({ header }) => text(header.zxid))].join(" ");
}

describe("a learner gets", () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ["nothing missing", "2:2", "DIFF 2:2"],
    ["one missing", "2:1", "DIFF 2:2 2:2"],
    ["the oldest that is remembered", "1:3", "DIFF 2:2 1:4 1:5 2:1 2:2"],
    ["older than all that is remembered", "1:2", "SNAP"],
    ["nothing at all", "0:0", "SNAP"],
    ["a tail of its own, newer than everything", "2:3", "TRUNC 2:2"],
    ["a tail of its own in an older epoch: a cut must not cross epochs", "1:7", "SNAP"],
    ["the beginning of an epoch, which is no txn", "2:0", "DIFF 2:2 2:1 2:2"],
    ["the beginning of an epoch that never had a txn here", "3:0", "SNAP"],
  ];
  for (const [what, peer, expected] of rows) test(`${expected}: ${what}`, () => assert.equal(plan(peer), expected));

  test("TRUNC to the txn before, and then the rest, where its history has another one in between", () => {
    const gap = ["1:1", "1:2", "1:5"].map(txn);
    assert.equal(plan("1:3", "1:5", gap), "TRUNC 1:2 1:5");
  });

  test("DIFF of nothing, or SNAP, from a leader that remembers no txn", () => {
    assert.equal(plan("1:4", "1:4", []), "DIFF 1:4");
    assert.equal(plan("1:3", "1:4", []), "SNAP");
    assert.equal(plan("1:5", "1:4", []), "TRUNC 1:4");
  });

  test("DIFF of nothing at the end of the last epoch, once the leader has begun its own", () => {
    assert.equal(plan("2:2", "3:0"), "DIFF 2:2");
  });
});
