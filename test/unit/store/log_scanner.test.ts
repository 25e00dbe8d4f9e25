import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Zxid } from "../../../lib/model/types.ts";
import { frameRecord, LOG_HEADER_BYTES, logFileHeader } from "../../../lib/store/log_records.ts";
import { type LogEnd, LogScanner } from "../../../lib/store/log_scanner.ts";
import { JuteWriter } from "../../../lib/wire/jute.ts";
import { projectPath } from "../../support/root.ts";

/** A log of records with data of these lengths, without padding. */
function logOf(...lengths: readonly number[]): Uint8Array {
  const out = new JuteWriter();
  out.raw(logFileHeader());
  lengths.forEach((length, index) => {
    frameRecord(out, record(BigInt(index + 1), length, 0x80 + index));
  });
  return out.copy();
}

function record(zxid: Zxid, length: number, fill: number): Uint8Array {
  const bytes = new Uint8Array(32 + length).fill(fill);
  new DataView(bytes.buffer).setBigInt64(12, zxid);
  return bytes;
}

/** Where the records of such a log start. */
function offsetsOf(...lengths: readonly number[]): number[] {
  let offset = LOG_HEADER_BYTES;
  return lengths.map((length) => {
    const start = offset;
    offset += 45 + length;
    return start;
  });
}

function scan(bytes: Uint8Array, chunkBytes = bytes.length, fileBytes = 0): { readonly zxids: Zxid[]; readonly end: LogEnd } {
  const scanner = new LogScanner(fileBytes);
  const zxids: Zxid[] = [];
  const buffer = new Uint8Array(chunkBytes);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    // The same buffer for every chunk, as a file is read.
    const chunk = buffer.subarray(0, Math.min(chunkBytes, bytes.length - at));
    chunk.set(bytes.subarray(at, at + chunk.length));
    for (const { zxid } of scanner.push(chunk).records) zxids.push(zxid);
  }
  return { zxids, end: scanner.end() };
}

/** The same with zeros behind it. */
function padded(bytes: Uint8Array, zeros: number): Uint8Array {
  const all = new Uint8Array(bytes.length + zeros);
  all.set(bytes);
  return all;
}

function withBytes(bytes: Uint8Array, at: number, ...values: readonly number[]): Uint8Array {
  const changed = bytes.slice();
  changed.set(values, at);
  return changed;
}

function withZeros(bytes: Uint8Array, at: number, count: number): Uint8Array {
  return bytes.slice().fill(0, at, at + count);
}

function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  return withBytes(bytes, at, bytes[at]! ^ (1 << bit));
}

const LENGTHS = [10, 0, 700, 25] as const;
const LOG = logOf(...LENGTHS);
const OFFSETS = offsetsOf(...LENGTHS);
const LAST = OFFSETS[3]!;

describe("a log is scanned", () => {
  for (const chunkBytes of [1, 7, 512, LOG.length]) {
    test(`${chunkBytes} bytes at a time`, () => {
      for (const zeros of [0, 5, 3000]) {
        const { zxids, end } = scan(padded(LOG, zeros), chunkBytes);
        assert.deepEqual(zxids, [1n, 2n, 3n, 4n]);
        assert.deepEqual(end, { kind: "whole", offset: LOG.length, problem: "", following: null });
      }
    });
  }

  test("an Apache log, a byte at a time", () => {
    const bytes = readFileSync(projectPath("test", "golden", "persistence", "01-plain", "version-2", "log.1"));
    const { zxids, end } = scan(bytes, 1);
    assert.deepEqual([zxids.length, zxids[0], zxids.at(-1)], [51, 1n, 0x33n]);
    assert.deepEqual([end.kind, end.offset], ["whole", 5435]);
  });

  test("a record of 70 MB, as older versions wrote it, in pieces as it is read", () => {
    const bytes = logOf(10, 70 << 20, 25);
    const { zxids, end } = scan(bytes, 1 << 20, bytes.length);
    assert.deepEqual([zxids, end.kind, end.offset], [[1n, 2n, 3n], "whole", bytes.length]);
  });

  test("a length that is longer than the file is damage, and not waited for", () => {
    const [, second] = offsetsOf(...LENGTHS);
    const { zxids, end } = scan(withBytes(LOG, second! + 8, 0x70), 100, LOG.length);
    assert.deepEqual([zxids, end.kind, end.offset], [[1n], "damaged", second]);
  });

  test("a record's span and offset say where it is", () => {
    const { bytes, records } = new LogScanner().push(LOG);
    assert.deepEqual(
      records.map(({ offset }) => offset),
      OFFSETS,
    );
    const { start, end } = records[2]!;
    assert.deepEqual(bytes.slice(start, end), record(3n, 700, 0x82));
  });
});

describe("a log that ends early is torn", () => {
  for (const zeros of [0, 2000]) {
    test(`at every byte of the last record, with ${zeros} zeros behind`, () => {
      for (let cut = LAST + 1; cut < LOG.length; cut++) {
        const { zxids, end } = scan(padded(LOG.subarray(0, cut), zeros), 100);
        assert.deepEqual(zxids, [1n, 2n, 3n], `cut at ${cut}`);
        // A checksum starts with zeros.
        const kind = cut < LAST + 5 ? "whole" : "torn";
        assert.deepEqual([end.kind, end.offset, end.following], [kind, LAST, null], `cut at ${cut}`);
      }
    });
  }

  test("where a sector is lost and what was written with it stands behind", () => {
    const lengths = [10, 1500, 300, 40] as const;
    const bytes = logOf(...lengths);
    const [, second, third] = offsetsOf(...lengths);
    const { zxids, end } = scan(withBytes(bytes, 1024, ...new Uint8Array(512)));
    assert.deepEqual(zxids, [1n]);
    assert.equal(end.kind, "torn");
    assert.equal(end.offset, second);
    assert.deepEqual(end.following, { zxid: 3n, offset: third, last: 4n });
  });

  test("where the only record of a group is a large one and lost its first sector, or one in the middle", () => {
    const bytes = logOf(10, 3 << 20);
    const [, second] = offsetsOf(10, 3 << 20);
    for (const lost of [512, 1 << 20]) {
      const from = lost === 512 ? second! : lost;
      const { zxids, end } = scan(withZeros(bytes, from, 1024 - (from % 512)), 1 << 20);
      assert.deepEqual([zxids, end.kind, end.offset, end.following], [[1n], "torn", second, null]);
    }
  });

  test("where a lost sector held no more than the last byte of a record", () => {
    // The second record's last byte is the first of a sector.
    const first = 512 - LOG_HEADER_BYTES - 45 - 44 - 100;
    const lengths = [first, 100, 600, 30];
    const bytes = logOf(...lengths);
    assert.equal(offsetsOf(...lengths)[2], 513);
    const { end } = scan(withBytes(bytes, 512, ...new Uint8Array(512)));
    assert.deepEqual([end.kind, end.offset], ["torn", offsetsOf(...lengths)[1]]);
    assert.equal(end.following?.zxid, 4n);
  });
});

describe("a lost sector with whole records behind it", () => {
  // 3,000 records of 1,045 bytes are three groups of a writer, at least.
  const lengths = Array.from({ length: 3000 }, () => 1000);
  const bytes = logOf(...lengths);
  const offsets = offsetsOf(...lengths);

  for (const [behind, kind] of [
    [3000, "damaged"],
    [2000, "damaged"],
    [1010, "damaged"],
    [1000, "torn"],
    [500, "torn"],
    [2, "torn"],
  ] as const) {
    test(`${behind} records before the end is ${kind}: no more than a group is ever on its way to the disk`, () => {
      const hit = lengths.length - behind;
      const sector = Math.ceil(offsets[hit]! / 512) * 512;
      const { zxids, end } = scan(withZeros(bytes, sector, 512), 1 << 20);
      assert.deepEqual([zxids.length, end.kind, end.offset], [hit, kind, offsets[hit]]);
      assert.equal(end.following?.last, 3000n);
    });
  }
});

describe("a changed bit is never an end", () => {
  test("anywhere in the records", () => {
    for (let at = LOG_HEADER_BYTES; at < LOG.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        for (const zeros of [0, 2000]) {
          const { zxids, end } = scan(padded(flipped(LOG, at, bit), zeros));
          const hit = OFFSETS.findLastIndex((offset) => offset <= at);
          assert.equal(zxids.length, hit, `byte ${at} bit ${bit}`);
          assert.equal(end.kind, "damaged", `byte ${at} bit ${bit}, ${zeros} zeros: ${end.problem}`);
          assert.equal(end.offset, OFFSETS[hit]);
          assert.equal(end.following?.zxid, hit === 3 ? undefined : BigInt(hit + 2), `byte ${at} bit ${bit}`);
        }
      }
    }
  });

  test("in a record full of zeros", () => {
    const out = new JuteWriter();
    out.raw(logFileHeader());
    frameRecord(out, record(1n, 2000, 0));
    frameRecord(out, record(2n, 40, 1));
    const bytes = out.copy();
    for (let at = LOG_HEADER_BYTES; at < bytes.length; at += 3) {
      for (const bit of [0, 3, 7]) {
        const { end } = scan(padded(flipped(bytes, at, bit), 1000));
        assert.equal(end.kind, "damaged", `byte ${at} bit ${bit}: ${end.problem}`);
      }
    }
  });

  test("in the padding, nothing is lost by it", () => {
    const { zxids, end } = scan(flipped(padded(LOG, 4000), LOG.length + 1500, 4));
    assert.deepEqual([zxids.length, end.kind, end.offset], [4, "torn", LOG.length]);
  });
});

describe("a file that is none", () => {
  for (const [what, bytes, kind, problem] of [
    ["empty", new Uint8Array(0), "damaged", "the file is empty"],
    ["half a header", LOG.subarray(0, 9), "damaged", "the file ends inside its header"],
    ["something else", withBytes(LOG, 0, 1), "foreign", "this is no ZooKeeper log: it does not start with ZKLG"],
    ["another layout", withBytes(LOG, 7, 3), "foreign", "the log has layout 3, and only 2 is known"],
  ] as const) {
    test(what, () => {
      for (const chunkBytes of [1, 1000]) {
        const { zxids, end } = scan(bytes, chunkBytes);
        assert.deepEqual([zxids, end], [[], { kind, offset: 0, problem, following: null }]);
      }
    });
  }
});
