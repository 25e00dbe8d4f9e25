import assert from "node:assert/strict";
import type { Verb } from "./suite.ts";

export const tree: Verb = {
  verb: "tree",
  cases: {
    "below a chroot is a tree of its own": async ({ zk, connectToRoot, chroot }) => {
      const root = await connectToRoot();
      await zk.create("/a", "x");
      assert.equal(zk.chroot, chroot);
      assert.deepEqual((await root.getChildren(chroot)).children, ["a"]);
      assert.deepEqual((await root.getData(`${chroot}/a`)).data, (await zk.getData("/a")).data);
      await assert.rejects(zk.delete("/none"), { path: "/none", message: 'Cannot delete "/none": NoNode' });
    },

    "getEphemerals tells the session's own, without the chroot": async ({ zk, connect }) => {
      const other = await connect();
      await zk.create("/a");
      await zk.create("/a/mine", "", { mode: "ephemeral" });
      await zk.create("/mine", "", { mode: "ephemeral" });
      await other.create("/a/theirs", "", { mode: "ephemeral" });
      assert.deepEqual((await zk.getEphemerals()).sort(), ["/a/mine", "/mine"]);
      assert.deepEqual(await zk.getEphemerals("/a"), ["/a/mine"]);
    },

    "sync of any path": async ({ zk }) => {
      await zk.sync();
      await zk.sync("/none");
    },
  },
};
