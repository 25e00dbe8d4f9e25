/** Who is told of what, in the modes of 3.8 (the last kind of watch set at a path counts) and of 3.9 (kinds stand beside one another). */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ConnId } from "../../../lib/model/types.ts";
import { type Change, trigger } from "../../../lib/watch/triggers.ts";
import { WatcherType, Watches, type WatchModes } from "../../../lib/watch/watches.ts";

function told(watches: Watches, type: Change["type"], path: string): string[] {
  const parentPath = path.slice(0, path.lastIndexOf("/")) || "/";
  const events: string[] = [];
  trigger(watches, { type, path, parentPath, acl: null, parentAcl: null } as Change, (conn: ConnId, event, at) => {
    events.push(`${conn} ${event} ${at}`);
  });
  return events;
}

for (const modes of ["replace", "separate"] satisfies WatchModes[]) {
  describe(`watches, kinds ${modes}`, () => {
    test("standard watches fire once", () => {
      const watches = new Watches(modes);
      watches.addData(1, "/a");
      watches.addData(1, "/a");
      assert.deepEqual(told(watches, "changed", "/a"), ["1 NodeDataChanged /a"]);
      assert.deepEqual(told(watches, "changed", "/a"), []);
      assert.equal(watches.count, 0);
    });

    test("a deletion is told once to who watches data and children", () => {
      const watches = new Watches(modes);
      watches.addData(1, "/a");
      watches.addChild(1, "/a");
      watches.addChild(2, "/a");
      watches.addChild(3, "/");
      assert.deepEqual(told(watches, "deleted", "/a"), ["1 NodeDeleted /a", "2 NodeDeleted /a", "3 NodeChildrenChanged /"]);
      assert.equal(watches.count, 0);
    });

    test("persistent watches stay, and see their znode and its list of children", () => {
      const watches = new Watches(modes);
      watches.addPersistent(1, "/a");
      assert.deepEqual(told(watches, "changed", "/a"), ["1 NodeDataChanged /a"]);
      assert.deepEqual(told(watches, "created", "/a/b"), ["1 NodeChildrenChanged /a"]);
      assert.deepEqual(told(watches, "changed", "/a/b"), []);
      assert.deepEqual(told(watches, "deleted", "/a"), ["1 NodeDeleted /a"]);
    });

    test("recursive watches see everything below by component, and no lists of children", () => {
      const watches = new Watches(modes);
      watches.addRecursive(1, "/a");
      watches.addRecursive(1, "/");
      assert.deepEqual(told(watches, "created", "/a/b/c"), ["1 NodeCreated /a/b/c"]);
      assert.deepEqual(told(watches, "changed", "/ab"), ["1 NodeDataChanged /ab"], "through the root's, not /a's");
      watches.remove(1, "/", WatcherType.any);
      assert.deepEqual(told(watches, "changed", "/ab"), []);
    });

    test("a connection that goes takes its watches along", () => {
      const watches = new Watches(modes);
      watches.addData(1, "/a");
      watches.addRecursive(1, "/b");
      watches.addData(2, "/a");
      watches.drop(1);
      assert.deepEqual(told(watches, "changed", "/a"), ["2 NodeDataChanged /a"]);
      assert.equal(watches.count, 0);
    });
  });
}

describe("several kinds of watch at one path", () => {
  test("3.8: a standard watch set later takes the place of the persistent one in its table", () => {
    const watches = new Watches("replace");
    watches.addPersistent(1, "/a");
    watches.addData(1, "/a");
    assert.equal(told(watches, "changed", "/a").length, 1);
    assert.equal(told(watches, "changed", "/a").length, 0);
    assert.equal(told(watches, "created", "/a/b").length, 1, "the child table still has the persistent one");
  });

  test("3.9: the standard one is used up, the persistent one stays", () => {
    const watches = new Watches("separate");
    watches.addPersistent(1, "/a");
    watches.addData(1, "/a");
    assert.equal(told(watches, "changed", "/a").length, 1);
    assert.equal(told(watches, "changed", "/a").length, 1);
  });

  test("3.8 removes by table, 3.9 by kind", () => {
    const old = new Watches("replace");
    old.addPersistent(1, "/a");
    assert.equal(old.remove(1, "/a", WatcherType.data), true);
    assert.deepEqual(told(old, "changed", "/a"), []);
    const now = new Watches("separate");
    now.addPersistent(1, "/a");
    assert.equal(now.remove(1, "/a", WatcherType.data), false);
    assert.equal(now.remove(1, "/a", WatcherType.persistent), true);
    assert.equal(now.count, 0);
  });
});
