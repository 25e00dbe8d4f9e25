/** Base buffers: a length that is none is refused and leaves nothing behind, and copies share nothing with what they were made of. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Fifo } from "../../../lib/base/fifo.ts";
import { Slab } from "../../../lib/base/slab.ts";
import { writeRequest } from "../../../lib/wire/codec.ts";
import { JuteWriter } from "../../../lib/wire/jute.ts";
import { Outbox } from "../../../lib/wire/outbox.ts";

/** Bytes that say they are so many. */
function claiming(length: unknown): Uint8Array {
  return Object.defineProperty(new Uint8Array(3), "length", { value: length });
}

const NO_LENGTHS = [Number.NaN, 0.5, -1, Infinity, "3", undefined];

describe("a slab", () => {
  test("refuses a length that is none, and goes on", () => {
    const slab = new Slab(1024);
    for (const length of NO_LENGTHS) {
      assert.throws(() => slab.copyOf(claiming(length)), { name: "RangeError", message: `${length} is no length of bytes` });
      assert.throws(() => slab.copy(new Uint8Array(3), 0, length as number), { name: "RangeError" });
      assert.deepEqual(slab.copyOf(Uint8Array.of(1, 2)), Uint8Array.of(1, 2));
    }
  });

  test("copies whatever class its bytes have, short or long", () => {
    const slab = new Slab(1024);
    for (const length of [3, 100, 1000]) {
      const bytes = Buffer.alloc(length, 1);
      const copies = [slab.copyOf(bytes), slab.copy(bytes, 0, length), slab.copy(bytes, 1, length - 1)];
      bytes.fill(2);
      for (const copy of copies) assert.ok(copy.constructor === Uint8Array && copy.every((byte) => byte === 1), `${length}`);
    }
  });
});

describe("a writer of jute", () => {
  test("refuses a length that is none, and goes on", () => {
    const out = new JuteWriter(4);
    for (const length of NO_LENGTHS) assert.throws(() => out.raw(claiming(length)), { name: "RangeError" });
    out.raw(Uint8Array.of(1, 2));
    assert.deepEqual(out.copy(), Uint8Array.of(1, 2));
  });

  test("has nothing of a request that can't be written", () => {
    const out = new JuteWriter(4);
    writeRequest(out, 1, { kind: "ping" });
    const before = out.copy();
    for (const data of [claiming(Number.NaN), claiming(1e15)]) {
      assert.throws(() => writeRequest(out, 2, { kind: "setData", path: "/a", data, version: 0 }));
      assert.deepEqual(out.copy(), before);
    }
  });
});

test("an outbox gives what was written before a length that is none", () => {
  let announced = 0;
  const outbox = new Outbox(() => announced++);
  outbox.writer.int(7);
  assert.throws(() => outbox.writer.buffer(claiming(Number.NaN)), RangeError);
  assert.deepEqual(outbox.take(), Uint8Array.of(0, 0, 0, 7));
  outbox.writer.int(8);
  assert.deepEqual(outbox.take(), Uint8Array.of(0, 0, 0, 8));
  assert.equal(announced, 2);
});

test("a queue takes back its newest item alone", () => {
  const queue = new Fifo<string>();
  assert.equal(queue.takeBack("a"), false);
  for (const item of "abcdefghij") queue.push(item);
  assert.equal(queue.takeBack("i"), false);
  assert.equal(queue.takeBack("j"), true);
  queue.shift();
  queue.push("k");
  assert.deepEqual([...queue], [..."bcdefghik"]);
});
