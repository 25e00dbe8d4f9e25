import assert from "node:assert/strict";
import type { WatchedEvent } from "../../../mod.ts";
import { until } from "../../support/until.ts";
import type { Verb } from "./suite.ts";

/** A watcher and what it heard. */
function ear(): { heard: string[]; listen: (event: WatchedEvent) => void } {
  const heard: string[] = [];
  return { heard, listen: ({ type, path }) => void heard.push(`${type} ${path}`) };
}

export const watch: Verb = {
  verb: "watch",
  cases: {
    "persistent: hears of the znode and its list of children, again and again": async ({ zk }) => {
      const { heard, listen } = ear();
      await zk.addWatch("/a", listen);
      await zk.create("/a");
      await zk.setData("/a", "1");
      await zk.setData("/a", "2");
      await zk.create("/a/b");
      await zk.create("/a/b/c");
      await zk.delete("/a/b/c");
      await zk.delete("/a/b");
      await zk.delete("/a");
      assert.deepEqual(heard, [
        ...["NodeCreated /a", "NodeDataChanged /a", "NodeDataChanged /a"],
        ...["NodeChildrenChanged /a", "NodeChildrenChanged /a", "NodeDeleted /a"],
      ]);
    },

    "persistent and recursive: hears of everything below, and of no list of children": async ({ zk }) => {
      const { heard, listen } = ear();
      await zk.addWatch("/a", listen, { mode: "persistent_recursive" });
      await zk.create("/a");
      await zk.create("/a/b");
      await zk.create("/ab");
      await zk.setData("/a/b", "1");
      await zk.create("/a/b/c");
      await zk.delete("/a/b/c");
      assert.deepEqual(heard, [
        ...["NodeCreated /a", "NodeCreated /a/b", "NodeDataChanged /a/b", "NodeCreated /a/b/c", "NodeDeleted /a/b/c"],
      ]);
    },

    "on the root": async ({ zk }) => {
      const { heard, listen } = ear();
      await zk.addWatch("/", listen, { mode: "persistent_recursive" });
      await zk.create("/a");
      await zk.create("/a/b");
      assert.deepEqual(heard, ["NodeCreated /a", "NodeCreated /a/b"]);
    },

    "as a stream gives events in order, and ends when its reader goes": async ({ zk }) => {
      const stream = zk.watch("/a", { mode: "persistent_recursive" });
      const heard: string[] = [];
      const reading = (async () => {
        for await (const { type, path } of stream) {
          heard.push(`${type} ${path}`);
          if (type === "NodeDeleted") break;
        }
      })();
      await zk.create("/a");
      for (let i = 0; i < 50; i++) await zk.create(`/a/${i}`);
      await zk.delete("/a/7");
      await reading;
      assert.deepEqual(heard, [
        "NodeCreated /a",
        ...Array.from({ length: 50 }, (_, i) => `NodeCreated /a/${i}`),
        "NodeDeleted /a/7",
      ]);
      await zk.sync();
      await assert.rejects(zk.removeWatches("/a"), { code: "NoWatcher" });
    },

    "hears of another client's changes": async ({ zk, connect }) => {
      const other = await connect();
      const { heard, listen } = ear();
      await zk.addWatch("/a", listen);
      await other.create("/a");
      await other.setData("/a", "1");
      await until(() => heard.length === 2, "two events");
      assert.deepEqual(heard, ["NodeCreated /a", "NodeDataChanged /a"]);
    },

    "of an event: what it shows is there when it is read, and not before it": async ({ zk, connect }) => {
      const other = await connect();
      await zk.create("/a", "0");
      let heard = 0;
      await zk.addWatch("/a", () => void heard++);
      const writing = (async () => {
        for (let i = 0; i < 50; i++) await other.setData("/a", "x");
      })();
      for (let version = 0; version < 50; ) {
        ({
          stat: { version },
        } = await zk.getData("/a"));
        assert.ok(heard >= version, `version ${version} was read before its event: ${heard} came`);
      }
      await writing;
    },

    "removed, is heard no more; the others are": async ({ zk }) => {
      const [stays, goes] = [ear(), ear()];
      await zk.addWatch("/a", stays.listen);
      await zk.addWatch("/a", goes.listen);
      await zk.removeWatch("/a", goes.listen);
      await zk.create("/a");
      assert.deepEqual([stays.heard, goes.heard], [["NodeCreated /a"], []]);
      await zk.removeWatch("/a", stays.listen);
      await zk.delete("/a");
      assert.equal(stays.heard.length, 1);
      await zk.removeWatch("/a", stays.listen);
    },

    "all at a path are removed; where there is none, that is said": async ({ zk }) => {
      const { heard, listen } = ear();
      await zk.create("/a");
      await zk.getData("/a", { watch: listen });
      await zk.getChildren("/a", { watch: listen });
      await zk.addWatch("/a", listen);
      await zk.removeWatches("/a");
      await zk.setData("/a", "1");
      await zk.create("/a/b");
      assert.deepEqual(heard, []);
      await assert.rejects(zk.removeWatches("/a"), { code: "NoWatcher" });
    },

    "are removed by their kind": async ({ zk }) => {
      const { heard, listen } = ear();
      await zk.create("/a");
      await zk.getData("/a", { watch: listen });
      await assert.rejects(zk.removeWatches("/a", { kind: "children" }), { code: "NoWatcher" });
      await zk.getChildren("/a", { watch: listen });
      assert.deepEqual(await zk.removeWatches("/a", { kind: "data" }), ["data"]);
      await zk.setData("/a", "1");
      await zk.create("/a/b");
      await until(() => heard.length > 0, "the child");
      assert.deepEqual(heard, ["NodeChildrenChanged /a"]);
      await zk.exists("/a", { watch: listen });
      await zk.getChildren("/a", { watch: listen });
      assert.deepEqual(await zk.removeWatches("/a"), ["data", "children"]);
    },

    "of an ephemeral whose session ends": async ({ zk, connect }) => {
      const owner = await connect();
      await owner.create("/e", "", { mode: "ephemeral" });
      const { heard, listen } = ear();
      await zk.exists("/e", { watch: listen });
      await owner.close();
      await until(() => heard.length > 0, "the end of the ephemeral");
      assert.deepEqual(heard, ["NodeDeleted /e"]);
    },
  },
};
