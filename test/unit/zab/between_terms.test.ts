/** Between two terms, while the disk is waited for: nobody is asked and answered in a circle. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { active, txn } from "../../support/zab_rig.ts";

test("a member whose disk is waited for answers those who look for a leader, but not at once and for ever", () => {
  const rig = active();
  rig.packet(-1, { kind: "proposal", proposal: txn(1, 1) }); // not on disk
  rig.step({ kind: "closed", link: -1 });
  rig.takeTold();
  // Who is in a later round says so whenever it hears of an earlier one.
  for (let i = 0; i < 3; i++) rig.vote(2, 2, "looking", 9n);
  assert.deepEqual(rig.takeTold(), [2n]);
  rig.mono += 50;
  rig.vote(2, 2, "looking", 9n);
  assert.deepEqual(rig.takeTold(), [2n]);
});
