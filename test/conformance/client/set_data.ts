import assert from "node:assert/strict";
import { text, type Verb } from "./suite.ts";

export const setData: Verb = {
  verb: "setData",
  cases: {
    "replaces the data and counts its version": async ({ zk }) => {
      await zk.create("/a", "0");
      const first = await zk.setData("/a", "one");
      assert.deepEqual([first.version, first.dataLength], [1, 3]);
      const second = await zk.setData("/a", null, { version: 1 });
      assert.deepEqual([second.version, second.dataLength], [2, 0]);
      assert.ok(second.mzxid > first.mzxid && second.czxid === first.czxid);
      assert.equal((await zk.getData("/a")).data, null);
    },

    "with another version, or of none, is refused": async ({ zk }) => {
      await zk.create("/a", "0");
      await assert.rejects(zk.setData("/a", "x", { version: 1 }), {
        ...{ code: "BadVersion", applied: false, message: 'Cannot setData "/a": BadVersion' },
      });
      await assert.rejects(zk.setData("/none", "x"), { code: "NoNode" });
      assert.equal(text((await zk.getData("/a")).data), "0");
    },

    "is seen by whoever reads after a sync": async ({ zk, connect }) => {
      const other = await connect();
      await zk.create("/a", "0");
      for (let i = 1; i <= 20; i++) {
        await zk.setData("/a", String(i));
        await other.sync("/a");
        assert.equal(text((await other.getData("/a")).data), String(i));
      }
    },

    "in many flights at once keeps the order of the calls": async ({ zk }) => {
      await zk.create("/a", "");
      const stats = await Promise.all(Array.from({ length: 300 }, (_, i) => zk.setData("/a", String(i))));
      assert.deepEqual(
        stats.map(({ version }) => version),
        Array.from({ length: 300 }, (_, i) => i + 1),
      );
      assert.equal(text((await zk.getData("/a")).data), "299");
    },

    "between reads: each read sees the write before it": async ({ zk }) => {
      await zk.create("/a", "");
      const reads: Promise<string | null>[] = [];
      for (let i = 0; i < 100; i++) {
        void zk.setData("/a", String(i));
        reads.push(zk.getData("/a").then(({ data }) => text(data)));
      }
      assert.deepEqual(
        await Promise.all(reads),
        Array.from({ length: 100 }, (_, i) => String(i)),
      );
    },
  },
};
