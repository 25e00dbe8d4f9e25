import assert from "node:assert/strict";
import { test } from "node:test";
import { COUNTER_MAX, counterOf, epochOf, formatZxid, makeZxid, zxidFromHex, zxidToHex } from "../../lib/model/zxid.ts";

test("epoch and counter make a zxid, and come back", () => {
  for (const [epoch, counter, zxid] of [
    [0, 0, 0n],
    [0, 1, 1n],
    [1, 0, 0x100000000n],
    [1, COUNTER_MAX, 0x1ffffffffn],
    [0x7fffffff, COUNTER_MAX, 0x7fffffffffffffffn],
    [0x80000000, 0, -0x8000000000000000n],
    [0xffffffff, 7, -0xfffffff9n],
  ] as const) {
    assert.equal(makeZxid(epoch, counter), zxid);
    assert.equal(epochOf(zxid), epoch);
    assert.equal(counterOf(zxid), counter);
  }
});

test("as text", () => {
  assert.equal(zxidToHex(0n), "0");
  assert.equal(zxidToHex(makeZxid(2, 0xabc)), "200000abc");
  assert.equal(formatZxid(makeZxid(2, 0xabc)), "0x200000abc");
  assert.equal(formatZxid(-1n), "0xffffffffffffffff");
});

test("from text", () => {
  assert.equal(zxidFromHex("200000abc"), makeZxid(2, 0xabc));
  assert.equal(zxidFromHex("ffffffffffffffff"), -1n);
  for (const none of ["", "0x1", "g", "1.gz", "-1", "11111111111111111"]) assert.equal(zxidFromHex(none), null, none);
});
