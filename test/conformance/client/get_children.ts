import assert from "node:assert/strict";
import type { WatchedEvent } from "../../../mod.ts";
import type { Verb } from "./suite.ts";

export const getChildren: Verb = {
  verb: "getChildren",
  cases: {
    "tells names and Stat": async ({ zk }) => {
      for (const path of ["/a", "/a/x", "/a/y", "/a/x/below"]) await zk.create(path);
      const { children, stat } = await zk.getChildren("/a");
      assert.deepEqual(children.sort(), ["x", "y"]);
      assert.equal(stat.numChildren, 2);
      assert.deepEqual((await zk.getChildren("/")).children, ["a"]);
      assert.deepEqual((await zk.getChildren("/a/y")).children, []);
    },

    "of none is refused": async ({ zk }) => {
      await assert.rejects(zk.getChildren("/a"), { code: "NoNode", operation: "getChildren" });
    },

    "of many": async ({ zk }) => {
      const names = Array.from({ length: 500 }, (_, i) => `child-${i}`);
      await Promise.all(names.map((name) => zk.create(`/${name}`)));
      assert.deepEqual((await zk.getChildren("/")).children.sort(), names.sort());
    },

    "watches once for a child that comes or goes, and for the end": async ({ zk }) => {
      const events: string[] = [];
      const watch = ({ type, path }: WatchedEvent): void => void events.push(`${type} ${path}`);
      await zk.create("/a");
      await zk.getChildren("/a", { watch });
      await zk.setData("/a", "x");
      assert.deepEqual(events, []);
      await zk.create("/a/b");
      await zk.getChildren("/a", { watch });
      await zk.setData("/a/b", "x");
      await zk.delete("/a/b");
      await zk.getChildren("/a", { watch });
      await zk.delete("/a");
      assert.deepEqual(events, ["NodeChildrenChanged /a", "NodeChildrenChanged /a", "NodeDeleted /a"]);
    },

    "in all numbers counts at every depth": async ({ zk }) => {
      for (const path of ["/a", "/a/x", "/a/x/y", "/b"]) await zk.create(path);
      assert.equal(await zk.getAllChildrenNumber("/a"), 2);
      assert.equal(await zk.getAllChildrenNumber("/"), 4);
      await assert.rejects(zk.getAllChildrenNumber("/none"), { code: "NoNode" });
    },
  },
};
