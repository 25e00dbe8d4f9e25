/** Vectors of RFC 3174 (SHA-1), RFC 6234 (SHA-2), FIPS 202 (SHA-3), RFC 1321 (MD5) and RFC 4648 (base64), and the platform's own hashes for every length of padding. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { decodeBase64, encodeBase64 } from "../../lib/base64.ts";
import { md5 } from "../../lib/md5.ts";
import { sha1 } from "../../lib/sha1.ts";
import { sha256, sha384, sha512 } from "../../lib/sha2.ts";
import { sha3 } from "../../lib/sha3.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7);

function agreesWithPlatform(name: string, hash: (bytes: Uint8Array) => Uint8Array): void {
  for (let length = 0; length <= 300; length++) {
    const bytes = counting(length);
    assert.equal(hex(hash(bytes)), createHash(name).update(bytes).digest("hex"), `${name} of ${length} bytes`);
  }
}

describe("sha1", () => {
  test("vectors of RFC 3174", () => {
    for (const [text, times, expected] of [
      ["abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"],
      ["abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"],
      ["a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"],
      ["0123456701234567012345670123456701234567012345670123456701234567", 10, "dea356a2cddd90c7a7ecedc5ebb563934f460452"],
    ] as const) {
      assert.equal(hex(sha1(utf8(text.repeat(times)))), expected);
    }
  });
  test("agrees with the platform", () => agreesWithPlatform("sha1", sha1));
  test("of a part of a larger array", () => {
    assert.deepEqual(sha1(counting(100).subarray(13, 90)), sha1(counting(100).slice(13, 90)));
  });
  test("as a ZooKeeper digest", () => {
    assert.equal(encodeBase64(sha1(utf8("u1:p1"))), "fpT/y03U+EjItKZOSLGvjnJlyng=");
  });
});

describe("md5", () => {
  test("vectors of RFC 1321", () => {
    for (const [text, expected] of [
      ["", "d41d8cd98f00b204e9800998ecf8427e"],
      ["a", "0cc175b9c0f1b6a831c399e269772661"],
      ["abc", "900150983cd24fb0d6963f7d28e17f72"],
      ["message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
      ["abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"],
      ["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"],
      ["12345678901234567890123456789012345678901234567890123456789012345678901234567890", "57edf4a22be3c955ac49da2e2107b67a"],
    ] as const) {
      assert.equal(hex(md5(utf8(text))), expected);
    }
  });
  test("agrees with the platform", () => agreesWithPlatform("md5", md5));
});

describe("sha2", () => {
  test("vectors of RFC 6234", () => {
    assert.equal(hex(sha256(utf8("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert.equal(
      hex(sha384(utf8("abc"))),
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    );
    assert.equal(
      hex(sha512(utf8("abc"))),
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    );
  });
  test("agrees with the platform", () => {
    agreesWithPlatform("sha256", sha256);
    agreesWithPlatform("sha384", sha384);
    agreesWithPlatform("sha512", sha512);
  });
});

describe("sha3", () => {
  test("vectors of FIPS 202", () => {
    assert.equal(hex(sha3(utf8(""), 32)), "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    assert.equal(hex(sha3(utf8("abc"), 28)), "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf");
  });
  test("agrees with the platform", () => {
    agreesWithPlatform("sha3-224", (bytes) => sha3(bytes, 28));
    agreesWithPlatform("sha3-512", (bytes) => sha3(bytes, 64));
  });
});

describe("base64", () => {
  test("vectors of RFC 4648, both ways", () => {
    for (const [text, expected] of [
      ["", ""],
      ["f", "Zg=="],
      ["fo", "Zm8="],
      ["foo", "Zm9v"],
      ["foob", "Zm9vYg=="],
      ["fooba", "Zm9vYmE="],
      ["foobar", "Zm9vYmFy"],
    ] as const) {
      assert.equal(encodeBase64(utf8(text)), expected);
      assert.deepEqual(decodeBase64(expected), utf8(text));
    }
  });
  test("every byte, both ways, as the platform writes it", () => {
    for (let length = 0; length <= 260; length++) {
      const bytes = counting(length);
      const text = encodeBase64(bytes);
      assert.equal(text, Buffer.from(bytes).toString("base64"));
      assert.deepEqual(decodeBase64(text), bytes);
    }
  });
  test("what is not base64", () => {
    for (const text of ["Z", "Zg", "Zg=", "Zg===", "Z===", "====", "Z=g=", "Zm9v\n", "Zm-v", "Zm_v", "Zm9é", "Zm9\u0141"]) {
      assert.equal(decodeBase64(text), null, JSON.stringify(text));
    }
  });
});
