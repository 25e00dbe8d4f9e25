/** The epochs a member starts with. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startingEpochs } from "../../../lib/broadcast/zab/epochs.ts";
import { makeZxid } from "../../../lib/model/zxid.ts";

describe("a member starts", () => {
  const last = makeZxid(5, 7);

  test("in the epoch of its log, where no epoch was ever kept", () => {
    const kept = { accepted: null, current: null, unfinished: null };
    assert.deepEqual(startingEpochs(last, kept), { acceptedEpoch: 5, currentEpoch: 5 });
    assert.deepEqual(startingEpochs(0n, kept), { acceptedEpoch: 0, currentEpoch: 0 });
  });

  test("with what was kept, where the log is not ahead of it", () => {
    assert.deepEqual(startingEpochs(last, { accepted: 9, current: 8, unfinished: null }), {
      acceptedEpoch: 9,
      currentEpoch: 8,
    });
  });

  test("in the epoch of a leader whose txns it had logged and whose epoch it had accepted, and not kept yet", () => {
    assert.deepEqual(startingEpochs(last, { accepted: 5, current: 4, unfinished: null }), {
      acceptedEpoch: 5,
      currentEpoch: 5,
    });
    assert.deepEqual(startingEpochs(last, { accepted: 6, current: 4, unfinished: null }), {
      acceptedEpoch: 6,
      currentEpoch: 5,
    });
    assert.deepEqual(startingEpochs(last, { accepted: 4, current: 4, unfinished: 5 }), { acceptedEpoch: 5, currentEpoch: 5 });
  });

  test("not at all with a log of an epoch that it never accepted", () => {
    assert.equal(startingEpochs(last, { accepted: 4, current: 4, unfinished: null }), null);
  });
});
