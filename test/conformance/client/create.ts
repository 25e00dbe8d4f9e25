import assert from "node:assert/strict";
import { until } from "../../support/until.ts";
import { text, type Verb } from "./suite.ts";

export const create: Verb = {
  verb: "create",
  cases: {
    "keeps bytes, text, no bytes and null apart": async ({ zk }) => {
      for (const [path, data, read] of [
        ["/bytes", Uint8Array.of(0, 255), Uint8Array.of(0, 255)],
        ["/text", "grün", new TextEncoder().encode("grün")],
        ["/empty", "", new Uint8Array(0)],
        ["/null", null, null],
        ["/none", undefined, null],
      ] as const) {
        assert.equal(await zk.create(path, data), path);
        assert.deepEqual((await zk.getData(path)).data, read, path);
      }
    },

    "copies the caller's bytes": async ({ zk }) => {
      const data = Uint8Array.of(1, 2, 3);
      const creating = zk.create("/a", data);
      await creating;
      data.fill(9);
      assert.deepEqual((await zk.getData("/a")).data, Uint8Array.of(1, 2, 3));
    },

    "of a name that is taken, or below none, is refused": async ({ zk }) => {
      await zk.create("/a");
      await assert.rejects(zk.create("/a"), {
        ...{ name: "ZkError", code: "NodeExists", number: -110, path: "/a", operation: "create", applied: false },
        message: 'Cannot create "/a": NodeExists',
      });
      await assert.rejects(zk.create("/b/c"), { code: "NoNode", path: "/b/c" });
    },

    "of a malformed path is refused with the reason": async ({ zk }) => {
      for (const [path, reason] of [
        ["", /Path must not be empty/],
        ["a", /Path must start with \//],
        ["/a/", /Path must not end with \//],
        ["/a//b", /empty name/],
        ["/a/../b", /relative name/],
        ["/\0", /forbidden character U\+0000/],
      ] as const) {
        await assert.rejects(zk.create(path), (error: Error & { code?: string }) => {
          assert.equal(error.code, "BadArguments");
          assert.match(error.message, reason);
          return true;
        });
      }
    },

    "of a sequential znode appends ten digits that count on": async ({ zk }) => {
      assert.equal(await zk.create("/job-", "", { mode: "persistent_sequential" }), "/job-0000000000");
      await zk.create("/other");
      assert.equal(await zk.create("/job-", "", { mode: "ephemeral_sequential" }), "/job-0000000002");
      assert.equal(await zk.create("/", "", { mode: "persistent_sequential" }), "/0000000003");
    },

    "of an ephemeral: it has an owner, no children, and goes with its session": async ({ zk, connect }) => {
      const owner = await connect();
      await owner.create("/e", "x", { mode: "ephemeral" });
      const { stat } = await zk.getData("/e");
      assert.equal(stat.ephemeralOwner, owner.sessionId);
      await assert.rejects(zk.create("/e/child"), { code: "NoChildrenForEphemerals" });
      await owner.close();
      await until(async () => (await zk.exists("/e")) === null, "the ephemeral goes");
    },

    "of a container, and of a znode with a time to live": async ({ zk }) => {
      assert.equal(await zk.create("/container", "x", { mode: "container" }), "/container");
      assert.equal(await zk.create("/ttl", "x", { mode: "persistent_with_ttl", ttlMs: 1_000_000 }), "/ttl");
      const sequential = await zk.create("/ttl-", "x", { mode: "persistent_sequential_with_ttl", ttlMs: 1_000_000 });
      assert.match(sequential, /^\/ttl-\d{10}$/);
      for (const path of ["/container", "/ttl", sequential])
        assert.equal((await zk.getData(path)).stat.ephemeralOwner, 0n, path);
    },

    "with a time to live that doesn't fit its mode is refused": async ({ zk }) => {
      await assert.rejects(zk.create("/a", "", { ttlMs: 1000 }), { code: "BadArguments" });
      await assert.rejects(zk.create("/a", "", { mode: "persistent_with_ttl" }), { code: "BadArguments" });
      await assert.rejects(zk.create("/a", "", { mode: "persistent_with_ttl", ttlMs: 0 }), { code: "BadArguments" });
    },

    "with Stat tells the new znode's": async ({ zk }) => {
      const { path, stat } = await zk.createWithStat("/s-", "four", { mode: "persistent_sequential" });
      assert.equal(path, "/s-0000000000");
      assert.equal(stat.dataLength, 4);
      assert.equal(stat.version, 0);
      assert.equal(stat.czxid, stat.mzxid);
      assert.deepEqual(stat, await zk.exists(path));
    },

    "in many flights at once is answered in order": async ({ zk }) => {
      const paths = await Promise.all(
        Array.from({ length: 200 }, (_, i) => zk.create("/n-", String(i), { mode: "persistent_sequential" })),
      );
      for (const [i, path] of paths.entries()) {
        assert.equal(path, `/n-${String(i).padStart(10, "0")}`);
        assert.equal(text((await zk.getData(path)).data), String(i));
      }
    },

    "of data just below a request's limit": async ({ zk }) => {
      const data = new Uint8Array(1_040_000).fill(7);
      await zk.create("/large", data);
      assert.deepEqual((await zk.getData("/large")).data, data);
    },

    "is given up by its signal": async ({ zk }) => {
      await assert.rejects(zk.create("/a", "", { signal: AbortSignal.abort(new Error("no")) }), /^Error: no$/);
      assert.equal(await zk.exists("/a"), null);
    },
  },
};
