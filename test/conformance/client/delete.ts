import assert from "node:assert/strict";
import type { Verb } from "./suite.ts";

export const deleting: Verb = {
  verb: "delete",
  cases: {
    "removes a znode, whatever its version unless one is named": async ({ zk }) => {
      await zk.create("/a");
      await zk.setData("/a", "1");
      await assert.rejects(zk.delete("/a", { version: 0 }), { code: "BadVersion", applied: false });
      await zk.delete("/a", { version: 1 });
      assert.equal(await zk.exists("/a"), null);
      await zk.create("/b");
      await zk.delete("/b");
    },

    "of none, or of one with children, is refused": async ({ zk }) => {
      await assert.rejects(zk.delete("/none"), { code: "NoNode", path: "/none" });
      await zk.create("/a");
      await zk.create("/a/b");
      await assert.rejects(zk.delete("/a"), { code: "NotEmpty" });
    },

    "counts as a change of the parent's children": async ({ zk }) => {
      await zk.create("/a");
      await zk.create("/a/b");
      await zk.delete("/a/b");
      const stat = (await zk.exists("/a"))!;
      assert.equal(stat.cversion, 2);
      assert.equal(stat.numChildren, 0);
      assert.equal(stat.pzxid, zk.lastZxid);
    },
  },
};
