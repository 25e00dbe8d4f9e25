/** Published check values, and zlib's own checksums as it writes them behind compressed data. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { adler32, crc32, crc32OfText } from "../../lib/base/checksum.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 31 + (i >> 8));
/** gzip ends in CRC-32 and length, both little-endian. */
const crcOfZlib = (bytes: Uint8Array): number => gzipSync(bytes).readUInt32LE(gzipSync(bytes).length - 8);
/** A zlib stream ends in Adler-32, big-endian. */
const adlerOfZlib = (bytes: Uint8Array): number => deflateSync(bytes).readUInt32BE(deflateSync(bytes).length - 4);

for (const [name, checksum, nothing, known, ofZlib] of [
  ["crc32", crc32, 0, 0xcbf43926, crcOfZlib],
  ["adler32", adler32, 1, 0x091e01de, adlerOfZlib],
] as const) {
  describe(name, () => {
    test("check value", () => {
      assert.equal(checksum(utf8("123456789")), known);
      assert.equal(checksum(new Uint8Array(0)), nothing);
    });
    test("agrees with zlib", () => {
      for (let length = 0; length <= 70; length++)
        assert.equal(checksum(counting(length)), ofZlib(counting(length)), `${length} bytes`);
      for (const length of [3839, 3840, 3841, 7681, 100_003])
        assert.equal(checksum(counting(length)), ofZlib(counting(length)));
    });
    test("the worst case overflows nothing", () => {
      const ones = new Uint8Array(1 << 17).fill(0xff);
      assert.equal(checksum(ones), ofZlib(ones));
    });
    test("piece by piece, and of ranges", () => {
      const bytes = counting(5000);
      for (const cut of [0, 1, 7, 8, 9, 2500, 4999, 5000]) {
        assert.equal(checksum(bytes.subarray(cut), checksum(bytes.subarray(0, cut))), checksum(bytes));
        assert.equal(checksum(bytes, checksum(bytes, undefined, 0, cut), cut), checksum(bytes));
      }
      assert.equal(checksum(bytes, undefined, 3, 50), checksum(bytes.slice(3, 50)));
    });
  });
}

test("crc32 of text is that of its UTF-8 bytes", () => {
  for (const text of ["", "/", "/app/config", "/é", "/a/é中", "/\u007f\u0080\u07ff\u0800\uffef", "/😀"]) {
    assert.equal(crc32OfText(text), crc32(utf8(text)), text);
    assert.equal(crc32OfText(text, 0x12345678), crc32(utf8(text), 0x12345678), text);
  }
});
