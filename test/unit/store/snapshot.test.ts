import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AclInterner } from "../../../lib/acl/intern.ts";
import { OPEN_ACL_UNSAFE, READ_ACL_UNSAFE } from "../../../lib/acl/perms.ts";
import { parentOf } from "../../../lib/model/path.ts";
import type { AclList } from "../../../lib/model/types.ts";
import { readSnapshot, type SnapshotContent } from "../../../lib/store/snapshot_reader.ts";
import { snapshotChunks } from "../../../lib/store/snapshot_records.ts";
import { SnapshotError } from "../../../lib/store/storage_error.ts";
import { Tree, type TreeOptions } from "../../../lib/tree/tree.ts";
import { Random } from "../../support/random.ts";

const OPTIONS: TreeOptions = { extendedTypes: true, digest: true, counterWraps: false, configNode: true };
const ALL = { digest: true, lastZxid: true };

/** A tree with some of everything, children in front of and behind their parents' changes. */
function treeOf(random: Random, znodes: number): Tree {
  const tree = new Tree(OPTIONS);
  const paths = ["/"];
  for (let number = 1; number <= znodes; number++) {
    const parentPath = random.of(paths);
    const path = `${parentPath === "/" ? "" : parentPath}/${random.of(["n", "ö✓", "long-name-"])}${number}`;
    const owner = random.of([
      0n,
      0n,
      0n,
      0x100000000000007n,
      Tree.ownerFor("container", 0n, 0),
      Tree.ownerFor("ttl", 0n, 5000),
    ]);
    const acl: AclList = random.of([
      OPEN_ACL_UNSAFE,
      [...OPEN_ACL_UNSAFE],
      READ_ACL_UNSAFE,
      [{ perms: 3, scheme: "digest", id: "a:b" }],
    ]);
    const data = random.of([null, new Uint8Array(0), random.bytes(random.below(300))]);
    const zxid = BigInt(number);
    tree.create({ path, parentPath, data, acl, owner, parentCVersion: -1, zxid, time: 1_700_000_000_000 + number });
    if (owner !== 0x100000000000007n) paths.push(path);
    if (random.next() < 0.3) tree.setData(random.of(paths), random.bytes(5), number, zxid, 1_800_000_000_000);
  }
  return tree;
}

/** One random change, the same in both, to one of the paths that are or were there. */
function changeBoth(random: Random, trees: readonly [Tree, Tree], paths: string[], number: number): void {
  const path = random.of(paths);
  const node = trees[0].get(path);
  if (node === undefined) return;
  const parentPath = parentOf(path);
  const zxid = BigInt(10_000 + number);
  const change = random.below(4);
  const data = random.bytes(3);
  const child = `${path === "/" ? "" : path}/new${number}`;
  if (change === 0 && node.kind !== "ephemeral") paths.push(child);
  for (const one of trees) {
    if (change === 0 && node.kind !== "ephemeral") {
      one.create({
        path: child,
        parentPath: path,
        data,
        acl: OPEN_ACL_UNSAFE,
        owner: 0n,
        parentCVersion: -1,
        zxid,
        time: number,
      });
    } else if (change === 1 && path !== "/" && node.childCount === 0) one.delete(path, parentPath, zxid);
    else if (change === 2) one.setAcl(path, READ_ACL_UNSAFE, node.aversion + 1);
    else one.setData(path, data, node.version + 1, zxid, number);
  }
}

function bytesOf(tree: Tree, sections = ALL): Uint8Array {
  const database = { tree: tree.freeze(), sessions: new Map([[0x100000000000007n, 30_000]]), lastZxid: 77n };
  return Buffer.concat(Array.from(snapshotChunks(database, sections), (chunk) => chunk.slice()));
}

function read(bytes: Uint8Array, chunkBytes = 65_536): Promise<SnapshotContent> {
  const chunks = (async function* () {
    const buffer = new Uint8Array(chunkBytes);
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const chunk = buffer.subarray(0, Math.min(chunkBytes, bytes.length - at));
      chunk.set(bytes.subarray(at, at + chunk.length));
      yield chunk;
    }
  })();
  return readSnapshot(chunks, OPTIONS, new AclInterner());
}

function assertSameTree(one: Tree, other: Tree): void {
  assert.equal(one.size, other.size);
  assert.equal(one.digest, other.digest);
  assert.equal(one.ephemeralCount, other.ephemeralCount);
  assert.deepEqual(new Set(one.reapable), new Set(other.reapable));
  for (const [path, node] of one.entries()) {
    const there = other.get(path);
    assert.ok(there !== undefined, path);
    assert.deepEqual([there.data, there.acl, there.owner, there.stat], [node.data, node.acl, node.owner, node.stat], path);
    assert.deepEqual(new Set(other.children(path)), new Set(one.children(path)), path);
  }
}

describe("a snapshot", () => {
  test("is read as the tree and the sessions that were written", async () => {
    const random = Random.seeded("ZOOKERNEL_SEED");
    for (const sections of [ALL, { digest: true, lastZxid: false }, { digest: false, lastZxid: false }]) {
      const tree = treeOf(random, 500);
      const content = await read(bytesOf(tree, sections));
      assertSameTree(tree, content.tree);
      assert.deepEqual(content.sessions, new Map([[0x100000000000007n, 30_000]]));
      assert.deepEqual(content.digest, sections.digest ? { zxid: 77n, digest: tree.digest } : null);
      assert.deepEqual(content.withoutAcl, []);
    }
  });

  test("is a tree like any other, however large, and one that can be forked and frozen", async () => {
    const random = Random.seeded("ZOOKERNEL_SEED");
    const one = treeOf(random, 4000);
    const other = (await read(bytesOf(one))).tree;
    assertSameTree(one, other);
    assertSameTree(other, one);
    const [fork, before] = [other.fork(), bytesOf(other)];
    const frozen = { tree: other.freeze(), sessions: new Map([[0x100000000000007n, 30_000]]), lastZxid: 77n };
    const paths = [...one.subtree("/")];
    for (let number = 0; number < 3000; number++) changeBoth(random, [one, other], paths, number);
    assertSameTree(one, other);
    assertSameTree(other, one);
    assert.deepEqual(Buffer.concat(Array.from(snapshotChunks(frozen, ALL), (chunk) => chunk.slice())), before);
    frozen.tree.nodes.release();
    frozen.tree.children.release();
    assertSameTree(one, other);
    assert.deepEqual(bytesOf(fork), before);
    assertSameTree(one, (await read(bytesOf(other))).tree);
  });

  test("is read a byte at a time", async () => {
    const tree = treeOf(new Random(4), 40);
    for (const chunkBytes of [1, 3, 64]) assertSameTree(tree, (await read(bytesOf(tree), chunkBytes)).tree);
  });

  test("does not change with the tree", () => {
    const tree = treeOf(new Random(5), 3000);
    const before = bytesOf(tree);
    const frozen = tree.freeze();
    const parts: Uint8Array[] = [];
    let number = 0;
    for (const chunk of snapshotChunks(
      { tree: frozen, sessions: new Map([[0x100000000000007n, 30_000]]), lastZxid: 77n },
      ALL,
    )) {
      parts.push(chunk.slice());
      for (const [path, node] of [...tree.entries()].slice(number, number + 40)) {
        if (path !== "/" && node.childCount === 0) tree.delete(path, parentOf(path), 1000n);
        else tree.setData(path, new Uint8Array(9), 99, 1001n, 5);
      }
      number += 40;
    }
    assert.ok(parts.length > 5);
    assert.deepEqual(Buffer.concat(parts), Buffer.from(before));
  });

  test("that is cut anywhere but behind a seal is refused", async () => {
    const tree = treeOf(new Random(6), 12);
    const bytes = bytesOf(tree);
    const behindSeals = new Set<number>();
    for (const sections of [ALL, { digest: true, lastZxid: false }, { digest: false, lastZxid: false }]) {
      behindSeals.add(bytesOf(tree, sections).length);
    }
    for (let length = 0; length < bytes.length; length++) {
      if (behindSeals.has(length)) assertSameTree(tree, (await read(bytes.subarray(0, length))).tree);
      else await assert.rejects(read(bytes.subarray(0, length)), SnapshotError, `cut at ${length}`);
    }
  });

  test("with a changed bit is refused", async () => {
    const bytes = bytesOf(treeOf(new Random(7), 12));
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 1 << (at % 8);
      await assert.rejects(read(changed), SnapshotError, `byte ${at}`);
    }
  });

  test("is not read for longer than it goes on", async () => {
    let closed = false;
    const endless = (async function* () {
      try {
        yield bytesOf(treeOf(new Random(8), 5));
        for (;;) yield new Uint8Array(1000);
      } finally {
        closed = true;
      }
    })();
    await readSnapshot(endless, OPTIONS, new AclInterner());
    assert.ok(closed);
  });
});

test("data that is longer than 64 MiB, where a configuration allowed it, comes back from a snapshot in pieces", async () => {
  const tree = new Tree(OPTIONS);
  const data = new Uint8Array(70 << 20);
  tree.create({ path: "/long", parentPath: "/", data, acl: null, owner: 0n, parentCVersion: 1, zxid: 1n, time: 0 });
  tree.create({ path: "/z", parentPath: "/", data: null, acl: null, owner: 0n, parentCVersion: 2, zxid: 2n, time: 0 });
  const found = await read(bytesOf(tree), 1 << 20);
  assert.equal(found.tree.get("/long")!.data!.length, data.length);
  assert.equal(found.tree.get("/z")!.czxid, 2n);
});
