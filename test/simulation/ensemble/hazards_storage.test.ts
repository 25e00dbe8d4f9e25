/**
 * Bugs that ZooKeeper has had in what it writes and recovers, each by its JIRA number: that they are not to be had here.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { OPEN_ACL_UNSAFE } from "../../../lib/acl/perms.ts";
import { apply } from "../../../lib/kernel/apply.ts";
import { Database } from "../../../lib/kernel/database.ts";
import type { Proposal, SubTxn, Txn } from "../../../lib/model/txns.ts";
import { makeZxid } from "../../../lib/model/zxid.ts";
import type { Storage } from "../../../lib/ports.ts";
import { RecordEncoder } from "../../../lib/store/log_records.ts";
import { recover } from "../../../lib/store/recovery.ts";
import { snapshotChunks } from "../../../lib/store/snapshot_records.ts";
import { Tree, type TreeOptions } from "../../../lib/tree/tree.ts";

const TREE: TreeOptions = { extendedTypes: true, digest: true, counterWraps: false, configNode: true };
const LOGGER = { debug() {}, info() {}, warn() {}, error() {} };

describe("what is recovered", () => {
  test("ZOOKEEPER-1549, 1653: a snapshot beyond a cut is gone with it, and so is what it held", async () => {
    const { storage, proposals } = await stored([1, 2, 3], [2, 3]);
    await storage.truncate(makeZxid(1, 2));
    const { database } = await recovered(storage);
    assert.equal(database.lastZxid, makeZxid(1, 2));
    assert.equal(database.tree.digest, proposals[1]!.digest);
    assert.equal(database.tree.get("/n3"), undefined);
  });

  test("ZOOKEEPER-3701: a cut that can't be made is refused, and nothing is lost", async () => {
    const { storage } = await stored([1, 2, 3], [1]);
    await assert.rejects(storage.truncate(makeZxid(1, 9)), /nothing can be cut there/);
    assert.equal((await recovered(storage)).database.lastZxid, makeZxid(1, 3));
  });

  test("ZOOKEEPER-2325, 3056: a log without a snapshot is not taken for the whole, unless that is said", async () => {
    const { storage } = await stored([1, 2, 3], []);
    await assert.rejects(recovered(storage), /there is a log but no snapshot/);
  });

  test("ZOOKEEPER-3644: where it is said, the whole log is replayed", async () => {
    const { storage } = await stored([1, 2, 3], []);
    assert.equal((await recovered(storage, true)).database.lastZxid, makeZxid(1, 3));
  });

  test("ZOOKEEPER-3127, 3144, 3145, 3249, 3306, 4846: txns that a snapshot holds already, in part or whole, change nothing when they come again", () => {
    const proposals = txnsOfAllKinds();
    for (let from = 0; from < proposals.length; from++) {
      const database = new Database(new Tree(TREE));
      for (const proposal of proposals) apply(database, proposal, null);
      const { digest } = database.tree;
      const stat = database.tree.get("/a")!.stat;
      for (const proposal of proposals.slice(from)) apply(database, proposal, null);
      assert.equal(database.tree.digest, digest, `from ${from}`);
      assert.deepEqual(database.tree.get("/a")!.stat, stat);
      assert.deepEqual(database.tree.get("/b")!.acl, OPEN_ACL_UNSAFE);
      assert.deepEqual([...database.sessions.keys()], [1n]);
    }
  });
});

function created(path: string, parentCVersion: number, ephemeral = false): SubTxn {
  return { kind: "create", path, data: null, acl: OPEN_ACL_UNSAFE, ephemeral, parentCVersion };
}

/** A storage that was given txns of epoch 1, one `/n<counter>` each, and a snapshot after each of some. */
async function stored(
  counters: readonly number[],
  snapshots: readonly number[],
): Promise<{ readonly storage: Storage; readonly proposals: readonly Proposal[] }> {
  const storage = memoryStorage();
  await storage.open(LOGGER);
  const database = new Database(new Tree(TREE));
  const proposals: Proposal[] = [];
  for (const counter of counters) {
    const header = { session: 1n, cxid: counter, zxid: makeZxid(1, counter), time: 0 };
    apply(database, { header, txn: created(`/n${counter}`, counter), digest: null }, null);
    const proposal = { header, txn: created(`/n${counter}`, counter), digest: database.tree.digest };
    proposals.push(proposal);
    await storage.append(new RecordEncoder().encode([proposal]));
    if (!snapshots.includes(counter)) continue;
    const content = { tree: database.tree.freeze(), sessions: database.sessions, lastZxid: database.lastZxid };
    await storage.saveSnapshot(database.lastZxid, snapshotChunks(content, { digest: true, lastZxid: false }));
  }
  await storage.close();
  await storage.open(LOGGER);
  return { storage, proposals };
}

async function recovered(storage: Storage, trustEmptySnapshot = false): ReturnType<typeof recover> {
  await storage.close();
  return await recover(storage.name, await storage.open(LOGGER), { tree: TREE, trustEmptySnapshot, logger: LOGGER });
}

function txnsOfAllKinds(): Proposal[] {
  const txns: Txn[] = [
    { kind: "createSession", timeOut: 1000 },
    created("/a", 1),
    created("/b", 2),
    created("/a/e", 1, true),
    { kind: "multi", txns: [created("/a/m", 2), { kind: "setData", path: "/a", data: Uint8Array.of(7), version: 1 }] },
    { kind: "delete", path: "/a/e" },
    { kind: "setACL", path: "/b", acl: OPEN_ACL_UNSAFE, version: 1 },
    { kind: "delete", path: "/a/m" },
  ];
  return txns.map((one, at) => ({
    header: { session: 1n, cxid: at + 1, zxid: makeZxid(1, at + 1), time: 0 },
    txn: one,
    digest: null,
  }));
}
