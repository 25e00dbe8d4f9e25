import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Jute, JuteError, JuteReader, JuteWriter, string, text } from "../../../lib/wire/jute.ts";
import { fromHex, toHex } from "../../support/golden.ts";

/** What `write` writes. */
function written(write: (out: JuteWriter) => void, capacity = 1): string {
  const out = new JuteWriter(capacity);
  write(out);
  return toHex(out.written());
}

/** Each primitive: its bytes, and a value that reads from and writes to them. */
const PRIMITIVES: readonly { hex: string; value: unknown; pass(jute: Jute, value?: never): unknown }[] = [
  { hex: "01", value: true, pass: (jute, value) => jute.boolean(value) },
  { hex: "00", value: false, pass: (jute, value) => jute.boolean(value) },
  { hex: "00000000", value: 0, pass: (jute, value) => jute.int(value) },
  { hex: "7fffffff", value: 2147483647, pass: (jute, value) => jute.int(value) },
  { hex: "80000000", value: -2147483648, pass: (jute, value) => jute.int(value) },
  { hex: "ffffffff", value: -1, pass: (jute, value) => jute.int(value) },
  { hex: "0000000100000002", value: 0x1_0000_0002n, pass: (jute, value) => jute.long(value) },
  { hex: "ffffffffffffffff", value: -1n, pass: (jute, value) => jute.long(value) },
  { hex: "8000000000000000", value: -(2n ** 63n), pass: (jute, value) => jute.long(value) },
  { hex: "0000018bcfe56800", value: 1_700_000_000_000, pass: (jute, value) => jute.millis(value) },
  { hex: "ffffffffffffffff", value: -1, pass: (jute, value) => jute.millis(value) },
  { hex: "fffffffe00000000", value: -(2 ** 33), pass: (jute, value) => jute.millis(value) },
  { hex: "ffffffff", value: null, pass: (jute, value) => jute.string(value) },
  { hex: "00000000", value: "", pass: (jute, value) => jute.string(value) },
  { hex: "000000022f61", value: "/a", pass: (jute, value) => jute.string(value) },
  { hex: "000000032fc3a9", value: "/é", pass: (jute, value) => jute.text(value) },
  { hex: "00000004f09f9882", value: "😂", pass: (jute, value) => jute.text(value) },
  { hex: "00000003efbbbf", value: "\ufeff", pass: (jute, value) => jute.text(value) },
  { hex: "ffffffff", value: null, pass: (jute, value) => jute.buffer(value) },
  { hex: "00000000", value: new Uint8Array(0), pass: (jute, value) => jute.buffer(value) },
  { hex: "0000000300ff7f", value: Uint8Array.of(0, 255, 127), pass: (jute, value) => jute.buffer(value) },
  { hex: "ffffffff", value: null, pass: (jute, value) => jute.vector(text, value) },
  { hex: "00000000", value: [], pass: (jute, value) => jute.vector(text, value) },
  { hex: "00000002000000016100000000", value: ["a", ""], pass: (jute, value) => jute.list(text, value) },
  { hex: "00000001ffffffff", value: [null], pass: (jute, value) => jute.list(string, value) },
];

describe("jute primitives", () => {
  for (const { hex, value, pass } of PRIMITIVES) {
    test(`${String(pass).replace(/.*jute\.(\w+).*/s, "$1")} ${hex}`, () => {
      const reader = new JuteReader(fromHex(hex));
      assert.deepEqual(pass(reader), value);
      assert.equal(reader.remaining, 0);
      assert.equal(
        written((out) => pass(out, value as never)),
        hex,
      );
    });
  }

  test("a boolean is true for any byte but 0", () => {
    assert.equal(new JuteReader(Uint8Array.of(7)).boolean(), true);
  });

  test("malformed UTF-8 reads as U+FFFD, and a lone surrogate is written as it", () => {
    assert.equal(new JuteReader(fromHex("00000003ff61c3")).text(), "\ufffda\ufffd");
    // CESU-8, as Java writes characters beyond the basic plane
    assert.match(new JuteReader(fromHex("00000006eda0bdedb882")).text(), /^\ufffd+$/);
    assert.equal(
      written((out) => out.text("\ud83d")),
      "00000003efbfbd",
    );
  });

  test("long strings and buffers keep their bytes, in ASCII and beyond", () => {
    for (const one of ["x", "é", "中"]) {
      for (const length of [95, 96, 97, 600, 5000]) {
        const string = one.repeat(length);
        const bytes = fromHex(written((out) => out.text(string)));
        assert.equal(new JuteReader(bytes).text(), string);
      }
    }
    const data = Uint8Array.from({ length: 5000 }, (_, i) => i);
    assert.deepEqual(new JuteReader(fromHex(written((out) => out.buffer(data)))).buffer(), data);
  });

  test("a string equals its bytes whatever was read before it", () => {
    // More names than there are slots: each replaces another one again and again.
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 10_000; i++) {
        const name = `/n-${i}`;
        assert.equal(new JuteReader(fromHex(written((out) => out.text(name)))).text(), name);
      }
    }
  });
});

describe("what the reader refuses", () => {
  const refusals: readonly [string, string, (reader: JuteReader) => unknown][] = [
    ["an int cut short", "000000", (reader) => reader.int()],
    ["a long cut short", "00000000000000", (reader) => reader.long()],
    ["a time cut short", "00000000000000", (reader) => reader.millis()],
    ["a boolean of no bytes", "", (reader) => reader.boolean()],
    ["a string longer than what is left", "0000000361", (reader) => reader.string()],
    ["a string of negative length", "fffffffe6161", (reader) => reader.string()],
    ["a buffer longer than what is left", "7fffffff61", (reader) => reader.buffer()],
    ["a buffer of negative length", "80000000", (reader) => reader.buffer()],
    ["a vector of more elements than bytes", "7fffffff00000000", (reader) => reader.vector(text)],
    ["a vector of negative count", "fffffffd", (reader) => reader.vector(text)],
    ["a null where there must be a string", "ffffffff", (reader) => reader.text()],
    ["a null where there must be a vector", "ffffffff", (reader) => reader.list(text)],
  ];
  for (const [what, hex, read] of refusals) {
    test(what, () => {
      assert.throws(() => read(new JuteReader(fromHex(hex))), JuteError);
    });
  }

  test("bytes behind the end it was given", () => {
    const reader = new JuteReader();
    reader.reset(fromHex("000000016100000001"), 0, 5);
    assert.equal(reader.text(), "a");
    assert.throws(() => reader.int(), JuteError);
  });
});

describe("ownership of bytes", () => {
  test("what was read stays when the bytes it came from change", () => {
    const bytes = fromHex("000000036162630000000178");
    const reader = new JuteReader(bytes);
    const buffer = reader.buffer()!;
    const string = reader.text();
    bytes.fill(0);
    assert.deepEqual(buffer, Uint8Array.of(0x61, 0x62, 0x63));
    assert.equal(string, "x");
  });

  test("copies do not overlap", () => {
    const source = fromHex("000000036162630000000364656600000000");
    const reader = new JuteReader(source);
    const [first, second, empty] = [reader.buffer()!, reader.buffer()!, reader.buffer()!];
    first.fill(1);
    assert.deepEqual(second, Uint8Array.of(0x64, 0x65, 0x66));
    assert.equal(empty.length, 0);
  });

  test("a writer grows and keeps what was written", () => {
    const out = new JuteWriter(1);
    for (let i = 0; i < 1000; i++) out.int(i);
    const reader = new JuteReader(out.copy());
    for (let i = 0; i < 1000; i++) assert.equal(reader.int(), i);
    out.clear();
    assert.equal(out.length, 0);
  });
});

describe("lists of names", () => {
  test("have the same bytes each time they are written, kept or not", () => {
    for (const names of [[], ["a", "ü", ""], Array.from({ length: 10_000 }, (_, at) => `name-${at}`)]) {
      const plain = new JuteWriter();
      plain.list(text, names);
      for (let time = 0; time < 4; time++) {
        const out = new JuteWriter();
        out.int(time);
        out.names(names);
        assert.equal(toHex(out.copy().subarray(4)), toHex(plain.copy()));
      }
      assert.deepEqual(new JuteReader(plain.copy()).names(), names);
    }
  });
});
