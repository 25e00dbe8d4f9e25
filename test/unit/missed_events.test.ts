/** CVE-2024-23944, the part of setWatches: who may not read a znode is not told by it what `exists` would not tell. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Database } from "../../lib/kernel/database.ts";
import { Reads } from "../../lib/kernel/read.ts";
import type { SetWatchesOp } from "../../lib/model/ops.ts";
import type { AclList } from "../../lib/model/types.ts";
import { completed, kernelOptions } from "../../lib/options/options.ts";
import { Tree } from "../../lib/tree/tree.ts";
import { Watches } from "../../lib/watch/watches.ts";

const READABLE: AclList = [{ perms: 31, scheme: "world", id: "anyone" }];
const HIDDEN: AclList = [{ perms: 30, scheme: "world", id: "anyone" }];

function missed(compat: "3.8" | "3.9", acl: AclList, lists: Partial<SetWatchesOp>): string[] {
  const options = kernelOptions(completed({ compat }, false));
  const tree = new Tree({ extendedTypes: true, digest: false, counterWraps: false, configNode: true });
  tree.create({ path: "/a", parentPath: "/", data: null, acl, owner: 0n, parentCVersion: -1, zxid: 9n, time: 1 });
  const told: string[] = [];
  const watches = new Watches(options.behaviour.watchModes);
  const database = new Database(tree);
  const reads = new Reads(database, watches, options, (_conn, type, path) => told.push(`${type} ${path}`));
  const none = { dataWatches: [], existWatches: [], childWatches: [], persistentWatches: [], persistentRecursiveWatches: [] };
  const op = { kind: "setWatches2", relativeZxid: 1n, ...none, ...lists } as SetWatchesOp;
  reads.answer(op, { conn: 1 as never, session: 1n, authIds: [] });
  return told;
}

describe("setWatches", () => {
  for (const [list, type] of [
    ["dataWatches", "NodeDataChanged"],
    ["existWatches", "NodeCreated"],
    ["childWatches", "NodeChildrenChanged"],
  ] as const) {
    test(`tells ${type} to who may read the znode, and to others only where exists does`, () => {
      const lists = { [list]: ["/a"] };
      assert.deepEqual(missed("3.9", READABLE, lists), [`${type} /a`]);
      assert.deepEqual(missed("3.9", HIDDEN, lists), []);
      assert.deepEqual(missed("3.8", HIDDEN, lists), [`${type} /a`]);
    });
  }

  test("tells everybody of a znode that is gone, as exists does", () => {
    assert.deepEqual(missed("3.9", HIDDEN, { dataWatches: ["/b"], childWatches: ["/b"] }), [
      "NodeDeleted /b",
      "NodeDeleted /b",
    ]);
  });
});
