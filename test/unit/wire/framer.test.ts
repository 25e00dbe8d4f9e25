import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Framer } from "../../../lib/wire/framer.ts";
import { JuteReader } from "../../../lib/wire/jute.ts";

const LIMIT = 1000;

function frame(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + body.length);
  new DataView(bytes.buffer).setInt32(0, body.length);
  bytes.set(body, 4);
  return bytes;
}

function body(length: number, fill: number): Uint8Array {
  return new Uint8Array(length).fill(fill);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Feeds the chunks, whose bytes are overwritten afterwards, and gives the frames' lengths and first bytes, or "bad". */
function frames(chunks: Iterable<Uint8Array>, framer = new Framer(LIMIT)): (readonly [number, number] | "bad")[] {
  const found: (readonly [number, number] | "bad")[] = [];
  const reader = new JuteReader();
  for (const lent of chunks) {
    const chunk = lent.slice();
    framer.push(chunk);
    for (let next = framer.next(reader); next !== "more"; next = framer.next(reader)) {
      if (next === "bad") return [...found, "bad"];
      const length = reader.remaining;
      const first = length === 0 ? 0 : reader.byte();
      for (let i = 1; i < length; i++) assert.equal(reader.byte(), first);
      found.push([length, first]);
    }
    framer.keepRest();
    chunk.fill(0xee);
  }
  return found;
}

function* pieces(bytes: Uint8Array, length: number): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

describe("Framer", () => {
  const stream = concat(
    frame(body(3, 1)),
    frame(body(0, 0)),
    frame(body(LIMIT, 2)),
    frame(body(1, 3)),
    frame(body(200, 4)),
    frame(body(64, 5)),
  );
  const expected = [
    [3, 1],
    [0, 0],
    [LIMIT, 2],
    [1, 3],
    [200, 4],
    [64, 5],
  ];

  for (const length of [1, 2, 3, 4, 5, 7, 64, 100, 999, 1004, 5000]) {
    test(`finds the same frames in pieces of ${length} bytes`, () => {
      assert.deepEqual(frames(pieces(stream, length)), expected);
    });
  }

  test("finds nothing in a frame cut short", () => {
    for (let length = 0; length < 7; length++) assert.deepEqual(frames([stream.subarray(0, length)]), []);
  });

  test("refuses a length above the limit, or negative, as soon as it is known", () => {
    for (const length of [LIMIT + 1, 0x7fff_ffff, -1, -0x8000_0000]) {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setInt32(0, length);
      assert.deepEqual(frames([bytes]), ["bad"]);
      assert.deepEqual(frames(pieces(bytes, 1)), ["bad"]);
      assert.deepEqual(frames([concat(frame(body(2, 9)), bytes)]), [[2, 9], "bad"]);
    }
  });

  test("takes no memory for what was only announced", () => {
    const announced = 100 * 1024 * 1024;
    const first = concat(frame(new Uint8Array(0)).fill(0));
    new DataView(first.buffer).setInt32(0, announced);
    const before = process.memoryUsage().arrayBuffers;
    const framers = Array.from({ length: 100 }, () => new Framer(announced));
    for (const framer of framers) assert.deepEqual(frames([first, Uint8Array.of(1)], framer), []);
    assert.ok(process.memoryUsage().arrayBuffers - before < announced);
    for (const framer of framers) assert.equal(framer.waitingBytes, 5);
  });

  test("hands a frame within one chunk out where it lies", () => {
    const chunk = frame(body(8, 1));
    const framer = new Framer(LIMIT);
    const reader = new JuteReader();
    framer.push(chunk);
    assert.equal(framer.next(reader), "frame");
    chunk.fill(7);
    assert.equal(reader.int(), 0x07070707);
  });

  test("keeps frames that nobody asked for yet, and joins what comes behind them", () => {
    const framer = new Framer(LIMIT);
    const reader = new JuteReader();
    const lent = concat(frame(body(2, 1)), frame(body(3, 2)), frame(body(4, 3)).subarray(0, 5));
    framer.push(lent);
    assert.equal(framer.next(reader), "frame");
    framer.keepRest();
    lent.fill(0xee);
    assert.equal(framer.waitingBytes, 7 + 5);
    assert.deepEqual(frames([frame(body(4, 3)).subarray(5)], framer), [
      [3, 2],
      [4, 3],
    ]);
    assert.equal(framer.waitingBytes, 0);
  });

  test("drops everything when told", () => {
    const framer = new Framer(LIMIT);
    frames([stream.subarray(0, 6)], framer);
    framer.clear();
    assert.equal(framer.waitingBytes, 0);
    assert.deepEqual(frames([frame(body(1, 1))], framer), [[1, 1]]);
  });

  test("a large frame that comes byte by byte costs time in proportion to its length", () => {
    // Each byte is looked at and copied a few times; were it the whole frame each time, this would be 10¹¹ bytes.
    const large = frame(body(400_000, 6));
    assert.deepEqual(frames(pieces(large, 1), new Framer(400_000)), [[400_000, 6]]);
  });
});
