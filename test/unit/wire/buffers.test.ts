/** Base buffers: a length that is none is refused and leaves nothing behind, and copies share nothing with what they were made of. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Fifo } from "../../../lib/base/fifo.ts";
import { Slab } from "../../../lib/base/slab.ts";
import type { Stat } from "../../../lib/model/types.ts";
import { writeReply, writeRequest } from "../../../lib/wire/codec.ts";
import { JuteWriter } from "../../../lib/wire/jute.ts";
import { Outbox } from "../../../lib/wire/outbox.ts";

/** Bytes that say they are so many. */
function claiming(length: unknown): Uint8Array {
  return Object.defineProperty(new Uint8Array(3), "length", { value: length });
}

const STAT: Stat = {
  ...{ czxid: 1n, mzxid: 2n, ctime: 3, mtime: 4, version: 5, cversion: 6, aversion: 7 },
  ...{ ephemeralOwner: 0n, dataLength: 8, numChildren: 9, pzxid: 10n },
};
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

describe("a writer that lends", () => {
  const LONG = new Uint8Array(100).fill(7);
  const joined = (out: JuteWriter): Uint8Array => Uint8Array.from(out.pieces().flatMap((piece) => [...piece]));

  test("has the bytes of one that copies, and long ones are its callers' own", () => {
    const [lending, copying] = [new JuteWriter(4, 100), new JuteWriter(4)];
    for (const out of [lending, copying]) {
      writeReply(out, 1, 5n, { kind: "data", data: LONG, stat: STAT });
      writeReply(out, 2, 6n, { kind: "data", data: LONG.subarray(1), stat: STAT });
      writeReply(out, 3, 7n, { kind: "data", data: LONG, stat: STAT });
      out.raw(LONG);
    }
    assert.equal(lending.length, copying.length);
    assert.deepEqual(joined(lending), copying.copy());
    assert.deepEqual(
      lending.pieces().map((piece) => piece === LONG),
      [false, true, false, true, false, true],
    );
  });

  test("forgets what stands behind the first bytes, lent or not", () => {
    for (let length = 0; length <= 212; length++) {
      if ((length > 4 && length < 104) || (length > 108 && length < 208)) continue; // within what is lent
      const out = new JuteWriter(4, 100);
      for (let i = 0; i < 2; i++) {
        out.int(i);
        out.raw(LONG);
      }
      out.int(2);
      const before = joined(out);
      out.clear(length);
      assert.deepEqual(joined(out), before.subarray(0, length));
      out.int(9);
      assert.equal(out.length, length + 4);
      assert.deepEqual(joined(out).subarray(length), Uint8Array.of(0, 0, 0, 9));
    }
  });
});

test("an outbox that lends gives long bytes as they are, in their place", () => {
  const long = new Uint8Array(100_000).fill(1);
  const outbox = new Outbox(() => {}, true);
  for (const part of [Uint8Array.of(1), long, long, Uint8Array.of(2)]) outbox.writer.raw(part);
  const pieces: Uint8Array[] = [];
  for (let piece = outbox.take(); piece !== null; piece = outbox.take()) pieces.push(piece);
  assert.deepEqual(pieces, [Uint8Array.of(1), long, long, Uint8Array.of(2)]);
  assert.equal(pieces[1], long);
  outbox.writer.int(3);
  assert.deepEqual(outbox.take(), Uint8Array.of(0, 0, 0, 3));
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
