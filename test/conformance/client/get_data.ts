import assert from "node:assert/strict";
import type { WatchedEvent } from "../../../mod.ts";
import type { Verb } from "./suite.ts";

export const getData: Verb = {
  verb: "getData",
  cases: {
    "reads data and Stat": async ({ zk }) => {
      await zk.create("/a", "data");
      const { data, stat } = await zk.getData("/a");
      assert.deepEqual(data, new TextEncoder().encode("data"));
      assert.deepEqual(
        { ...stat, czxid: 0n, mzxid: 0n, pzxid: 0n, ctime: 0, mtime: 0 },
        {
          ...{ czxid: 0n, mzxid: 0n, pzxid: 0n, ctime: 0, mtime: 0, version: 0, cversion: 0, aversion: 0 },
          ...{ ephemeralOwner: 0n, dataLength: 4, numChildren: 0 },
        },
      );
      assert.ok(Math.abs(stat.ctime - Date.now()) < 600_000);
    },

    "gives bytes that the caller may write into": async ({ zk }) => {
      await zk.create("/a", "data");
      const { data } = await zk.getData("/a");
      data!.fill(0);
      assert.deepEqual((await zk.getData("/a")).data, new TextEncoder().encode("data"));
    },

    "of none is refused, and leaves no watch": async ({ zk }) => {
      const events: WatchedEvent[] = [];
      await assert.rejects(zk.getData("/a", { watch: (event) => events.push(event) }), {
        ...{ code: "NoNode", message: 'Cannot getData "/a": NoNode' },
      });
      await zk.create("/a");
      assert.deepEqual(events, []);
    },

    "watches once for a change or the end": async ({ zk }) => {
      const events: string[] = [];
      const watch = ({ type, path }: WatchedEvent): void => void events.push(`${type} ${path}`);
      await zk.create("/a");
      await zk.getData("/a", { watch });
      await zk.create("/a/child");
      assert.deepEqual(events, []);
      await zk.setData("/a", "1");
      await zk.setData("/a", "2");
      assert.deepEqual(events, ["NodeDataChanged /a"]);
      await zk.getData("/a/child", { watch });
      await zk.delete("/a/child");
      assert.deepEqual(events, ["NodeDataChanged /a", "NodeDeleted /a/child"]);
    },

    "one watcher set twice hears once": async ({ zk }) => {
      let heard = 0;
      const watch = (): void => void heard++;
      await zk.create("/a");
      await Promise.all([zk.getData("/a", { watch }), zk.exists("/a", { watch }), zk.getData("/a", { watch })]);
      await zk.setData("/a", "1");
      assert.equal(heard, 1);
    },

    "of the configuration is not below the chroot": async ({ zk }) => {
      const { data, stat } = await zk.getConfig();
      assert.deepEqual([data?.length ?? 0, stat.czxid], [0, 0n]);
    },
  },
};
