import assert from "node:assert/strict";
import type { WatchedEvent } from "../../../mod.ts";
import type { Verb } from "./suite.ts";

export const exists: Verb = {
  verb: "exists",
  cases: {
    "tells the Stat, or null": async ({ zk }) => {
      assert.equal(await zk.exists("/a"), null);
      await zk.create("/a", "data");
      assert.deepEqual(await zk.exists("/a"), (await zk.getData("/a")).stat);
    },

    "watches for what comes, and for what there is": async ({ zk }) => {
      const events: string[] = [];
      const watch = ({ type, path }: WatchedEvent): void => void events.push(`${type} ${path}`);
      await zk.exists("/a", { watch });
      await zk.create("/a");
      assert.deepEqual(events, ["NodeCreated /a"]);
      await zk.exists("/a", { watch });
      await zk.setData("/a", "1");
      await zk.exists("/a", { watch });
      await zk.delete("/a");
      assert.deepEqual(events, ["NodeCreated /a", "NodeDataChanged /a", "NodeDeleted /a"]);
    },

    "of the root": async ({ zk, connectToRoot, chroot }) => {
      assert.deepEqual(await zk.exists("/"), await (await connectToRoot()).exists(chroot));
    },
  },
};
