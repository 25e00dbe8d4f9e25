/** Digests as a ZooKeeper 3.8.0 server computed them, and the rules around them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { changedDigest, nodeDigest } from "../../lib/tree/digest.ts";
import type { StoredStat } from "../../lib/tree/znode.ts";
import { projectPath } from "../support/root.ts";

interface Vector {
  readonly path: string;
  readonly dataHex: string | null;
  readonly stat: Readonly<Record<"czxid" | "mzxid" | "pzxid" | "ephemeralOwner", string>> &
    Readonly<Record<"ctime" | "mtime" | "version" | "cversion" | "aversion", number>>;
  readonly digest: number;
}
interface Vectors {
  readonly nodeDigests: readonly Vector[];
  readonly treeDigestOfThoseNodes: string;
  readonly emptyTreeDigest: string;
}
const vectors = JSON.parse(readFileSync(projectPath("test", "golden", "persistence", "vectors.json"), "utf8")) as Vectors;

const int64 = (hex: string): bigint => BigInt.asIntN(64, BigInt(hex));
const zero: StoredStat = {
  czxid: 0n,
  mzxid: 0n,
  pzxid: 0n,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  owner: 0n,
};

function digestOf(vector: Vector): number {
  const { czxid, mzxid, pzxid, ephemeralOwner, ...numbers } = vector.stat;
  const stat = { ...numbers, czxid: int64(czxid), mzxid: int64(mzxid), pzxid: int64(pzxid), owner: int64(ephemeralOwner) };
  const data = vector.dataHex === null ? null : Uint8Array.from(Buffer.from(vector.dataHex, "hex"));
  return nodeDigest(vector.path, data, stat);
}

test("every znode of the golden vectors", () => {
  assert.ok(vectors.nodeDigests.length > 0);
  for (const vector of vectors.nodeDigests) assert.equal(digestOf(vector), vector.digest, vector.path);
});

test("their sum is the tree's digest", () => {
  const sum = vectors.nodeDigests.reduce((tree, vector) => changedDigest(tree, digestOf(vector)), 0n);
  assert.equal(sum, BigInt(vectors.treeDigestOfThoseNodes));
});

test("the empty tree", () => {
  const none = new Uint8Array(0);
  const root = nodeDigest("/", none, zero);
  assert.equal(nodeDigest("", none, zero), root);
  const rest = ["/zookeeper", "/zookeeper/quota", "/zookeeper/config"].map((path) => nodeDigest(path, none, zero));
  assert.deepEqual(rest.slice(1), [0, 0]);
  assert.equal(BigInt(root + rest[0]!), BigInt(vectors.emptyTreeDigest));
});

test("what is below /zookeeper counts 0, what only looks like it does not", () => {
  assert.equal(nodeDigest("/zookeeper/a", Uint8Array.of(1), zero), 0);
  assert.notEqual(nodeDigest("/zookeepers", Uint8Array.of(1), zero), 0);
});

test("every field counts", () => {
  const before = nodeDigest("/a", Uint8Array.of(1), zero);
  for (const [field, value] of Object.entries(zero)) {
    const changed = { ...zero, [field]: typeof value === "bigint" ? -1n : 2 ** 31 - 1 };
    assert.notEqual(nodeDigest("/a", Uint8Array.of(1), changed), before, field);
  }
});

test("sums wrap at 64 bit", () => {
  assert.equal(changedDigest(2n ** 63n - 1n, 1), -(2n ** 63n));
  assert.equal(changedDigest(5n, -7), -2n);
});
