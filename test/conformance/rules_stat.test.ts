/** What a Stat says after each kind of change. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import type { Stat } from "../../lib/model/types.ts";
import { CLOSE_SESSION, create, Flags, multi, remove, setAcl, setData } from "../support/ops.ts";
import { type RuleClient, rule } from "./rules.ts";

/** The fields of a Stat that a change has moved. */
async function changes(zk: RuleClient, path: string, change: () => Promise<unknown>): Promise<Partial<Stat>> {
  const before = await zk.stat(path);
  await change();
  const after = await zk.stat(path);
  return Object.fromEntries(Object.entries(after).filter(([key, value]) => before[key as keyof Stat] !== value));
}

describe("Stat", () => {
  rule("a new znode: all three zxids are its txn's, both times the same, all counters 0", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a", { data: "abc" }));
    const { ctime, mtime, ...stat } = await zk.stat("/a");
    assert.equal(ctime, mtime);
    assert.deepEqual(stat, {
      czxid: 2n,
      mzxid: 2n,
      pzxid: 2n,
      version: 0,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: 0n,
      dataLength: 3,
      numChildren: 0,
    });
  });

  rule("setData moves mzxid, mtime and version, also with the same bytes", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a", { data: "x" }));
    const { mtime: _, ...moved } = await changes(zk, "/a", () => zk.ok(setData("/a", "x")));
    assert.deepEqual(moved, { mzxid: 3n, version: 1 });
  });

  rule("setACL moves aversion and nothing else", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    assert.deepEqual(await changes(zk, "/a", () => zk.ok(setAcl("/a"))), { aversion: 1 });
  });

  rule("a child that comes or goes moves pzxid and cversion", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    assert.deepEqual(await changes(zk, "/a", () => zk.ok(create("/a/b"))), { pzxid: 3n, cversion: 1, numChildren: 1 });
    assert.deepEqual(await changes(zk, "/a", () => zk.ok(remove("/a/b"))), { pzxid: 4n, cversion: 2, numChildren: 0 });
  });

  rule("a child's data, a grandchild, and the failure of a child move nothing", async (server) => {
    const zk = await server.client();
    await zk.results(create("/a"), create("/a/b"));
    const ops = [setData("/a/b", "x"), setAcl("/a/b"), create("/a/b/c"), create("/a/b"), remove("/a/none"), remove("/a/b")];
    assert.deepEqual(await changes(zk, "/a", () => zk.results(...ops)), {});
  });

  rule(
    "cversion counts creations and deletions together: twice the creations less the children that are left",
    async (server) => {
      const zk = await server.client();
      await zk.results(create("/a"), create("/a/1"), create("/a/2"), create("/a/3"), remove("/a/2"));
      const { cversion, numChildren } = await zk.stat("/a");
      assert.deepEqual([cversion, numChildren], [4, 2]);
    },
  );

  rule("each child that comes in one multi counts, and pzxid is the multi's", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    await zk.ok(multi(create("/a/1"), create("/a/2"), remove("/a/1")));
    const { cversion, pzxid } = await zk.stat("/a");
    assert.deepEqual([cversion, pzxid], [3, 3n]);
  });

  rule("each ephemeral that goes with its session counts", async (server) => {
    const [zk, other] = [await server.client(), await server.client()];
    await zk.ok(create("/a"));
    await other.results(create("/a/1", { flags: Flags.ephemeral }), create("/a/2", { flags: Flags.ephemeral }));
    await other.ok(CLOSE_SESSION);
    const { cversion, pzxid, numChildren } = await zk.stat("/a");
    assert.deepEqual([cversion, pzxid, numChildren], [4, 6n, 0]);
  });

  rule("a znode that is created again starts afresh", async (server) => {
    const zk = await server.client();
    await zk.results(create("/a"), setData("/a"), setAcl("/a"), create("/a/b"), remove("/a/b"), remove("/a"), create("/a"));
    const { version, cversion, aversion } = await zk.stat("/a");
    assert.deepEqual([version, cversion, aversion], [0, 0, 0]);
  });

  rule("null data has length 0 and is read back as null", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a", { data: null }));
    assert.deepEqual([(await zk.stat("/a")).dataLength, await zk.data("/a")], [0, null]);
  });

  rule("-1 asks for any version, everything else for that very one", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    const versions = [-2, 1, 2 ** 31 - 1, 0, 1, -1, 3];
    assert.equal(
      await zk.results(...versions.map((version) => setData("/a", "", version))),
      "BadVersion BadVersion BadVersion Ok Ok Ok Ok",
    );
    assert.equal(
      await zk.results(setAcl("/a", undefined, 1), setAcl("/a", undefined, 0), remove("/a", 0), remove("/a", 4)),
      "BadVersion Ok BadVersion Ok",
    );
  });

  rule("times are the same in all that one txn has made", async (server) => {
    const zk = await server.client();
    await zk.ok(multi(create("/a"), create("/b"), create("/a/c")));
    const times = await Promise.all(["/a", "/b", "/a/c"].map(async (path) => (await zk.stat(path)).ctime));
    assert.equal(new Set(times).size, 1);
  });
});
