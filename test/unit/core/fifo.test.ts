/** The queue keeps order and content through growth and wrap-around. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Fifo } from "../../../lib/base/fifo.ts";

test("a queue gives back what it was given, in order, while it grows and wraps around", () => {
  const queue = new Fifo<number>();
  let pushed = 0;
  let shifted = 0;
  for (let round = 1; round <= 40; round++) {
    for (let i = 0; i < round; i++) queue.push(pushed++);
    assert.equal(queue.first, shifted);
    for (let i = 0; i < round - 1; i++) assert.equal(queue.shift(), shifted++);
  }
  assert.equal(queue.length, pushed - shifted);
  assert.deepEqual(
    [...queue],
    Array.from({ length: pushed - shifted }, (_, i) => shifted + i),
  );
  while (queue.length > 0) queue.shift();
  assert.equal(queue.shift(), undefined);
  assert.equal(queue.first, undefined);
});
