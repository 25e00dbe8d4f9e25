/** Password hashes and base64, held against the vectors of their standards and against the platform's own. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { addHashes, DIGEST_ALGORITHMS, type DigestAlgorithm, hashWith, isLoaded } from "../../lib/acl/digest_algorithms.ts";
import { LONG_DIGESTS } from "../../lib/acl/long_digests.ts";
import { decodeBase64, encodeBase64 } from "../../lib/base/base64.ts";
import { open } from "../../mod.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7);

describe("digest algorithms", () => {
  test("a server that opens has the hash that its settings name", async () => {
    await using server = await open({ acl: { digestAlg: "SHA3-512" } });
    await using zk = await server.connect();
    await zk.addAuth("digest", "u1:p1");
    await zk.create("/mine", "", { acl: [{ perms: 31, scheme: "auth", id: "" }] });
    const expected = createHash("sha3-512").update("u1:p1").digest("base64");
    assert.equal((await zk.getACL("/mine")).acl[0]?.id, `u1:${expected}`);
    addHashes(LONG_DIGESTS);
    assert.deepEqual(
      DIGEST_ALGORITHMS.filter((algorithm) => !isLoaded(algorithm)),
      [],
    );
  });

  test("a ZooKeeper digest", () => {
    assert.equal(encodeBase64(hashWith("SHA1", utf8("u1:p1"))), "fpT/y03U+EjItKZOSLGvjnJlyng=");
  });
  test("vectors of the standards", () => {
    const vectors: readonly [DigestAlgorithm, string, string][] = [
      ["MD5", "message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
      ["SHA1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
      ["SHA-256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
      ["SHA3-224", "abc", "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"],
      ["SHA3-256", "", "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"],
    ];
    for (const [algorithm, text, expected] of vectors) assert.equal(hex(hashWith(algorithm, utf8(text))), expected, algorithm);
  });
  test("each by its name is the platform's of that name", () => {
    for (const algorithm of DIGEST_ALGORITHMS) {
      const platform = algorithm.toLowerCase().replace(/^sha-/, "sha");
      for (const length of [0, 1, 63, 64, 127, 128, 300]) {
        const bytes = counting(length);
        const expected = createHash(platform).update(bytes).digest("hex");
        assert.equal(hex(hashWith(algorithm, bytes)), expected, `${algorithm} of ${length} bytes`);
      }
    }
  });
  test("of a part of a larger array", () => {
    assert.deepEqual(hashWith("SHA1", counting(100).subarray(13, 90)), hashWith("SHA1", counting(100).slice(13, 90)));
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
