/** Quotas: their znodes, how usage is counted, what a hard limit refuses. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { create, exists, multi, remove, type SendableOp, setData } from "../support/ops.ts";
import { type RuleClient, rule } from "./rules.ts";

const ENFORCED = { enforceQuota: "true" };

/** Puts a quota on a path. */
async function limit(zk: RuleClient, path: string, limits: string): Promise<void> {
  const names = path.split("/").slice(1);
  for (const [at] of names.entries()) await zk.result(create(`/zookeeper/quota/${names.slice(0, at + 1).join("/")}`));
  await zk.ok(create(`/zookeeper/quota${path}/zookeeper_limits`, { data: limits }));
  await zk.ok(create(`/zookeeper/quota${path}/zookeeper_stats`, { data: "count=0,bytes=0" }));
}

const usage = (zk: RuleClient, path: string): Promise<string | null> => zk.data(`/zookeeper/quota${path}/zookeeper_stats`);

/** Results of ops, all on a server that enforces this limit on /a. */
function enforced(name: string, limits: string, ops: readonly SendableOp[], results: string): void {
  rule(
    name,
    async (server) => {
      const zk = await server.client();
      await zk.ok(create("/a", { data: "12" }));
      await limit(zk, "/a", limits);
      assert.equal(await zk.results(...ops), results);
    },
    { config: ENFORCED },
  );
}

describe("quotas: usage", () => {
  rule(
    "creating the stats znode counts what is there: the path itself, all below it, and the bytes of their data",
    async (server) => {
      const zk = await server.client();
      await zk.results(create("/a", { data: "123" }), create("/a/b", { data: "4" }), create("/a/b/c", { data: null }));
      await limit(zk, "/a", "count=9,bytes=99");
      assert.equal(await usage(zk, "/a"), "count=3,bytes=4");
    },
  );

  rule("creations, deletions and changes of data are counted from then on", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    await limit(zk, "/a", "count=9,bytes=99");
    await zk.results(
      create("/a/b", { data: "12345" }),
      setData("/a/b", "12"),
      create("/a/c"),
      remove("/a/c"),
      setData("/a", "x"),
    );
    assert.equal(await usage(zk, "/a"), "count=2,bytes=3");
  });

  rule("only the deepest quota above a path counts", async (server) => {
    const zk = await server.client();
    await zk.results(create("/a"), create("/a/b"));
    await limit(zk, "/a", "count=9,bytes=99");
    await limit(zk, "/a/b", "count=9,bytes=99");
    const before = await usage(zk, "/a");
    await zk.results(create("/a/b/c", { data: "x" }));
    assert.deepEqual([await usage(zk, "/a"), await usage(zk, "/a/b")], [before, "count=2,bytes=1"]);
  });

  rule("a quota may be there before its path", async (server) => {
    const zk = await server.client();
    await limit(zk, "/a", "count=9,bytes=99");
    await zk.results(create("/a", { data: "x" }), create("/a/b"), create("/other"));
    assert.equal(await usage(zk, "/a"), "count=2,bytes=1");
  });

  rule("without its limits a quota counts no more", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    await limit(zk, "/a", "count=9,bytes=99");
    await zk.results(remove("/zookeeper/quota/a/zookeeper_limits"), create("/a/b"));
    assert.equal(await usage(zk, "/a"), "count=1,bytes=0");
  });

  rule("counting changes the bytes of the stats znode and nothing else, and fires no watch", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    await limit(zk, "/a", "count=9,bytes=99");
    const stats = "/zookeeper/quota/a/zookeeper_stats";
    const { version, mzxid, mtime } = await zk.stat(stats);
    await zk.ok(exists(stats, true));
    await zk.ok(create("/a/b"));
    const after = await zk.stat(stats);
    assert.deepEqual([after.version, after.mzxid, after.mtime], [version, mzxid, mtime]);
    assert.deepEqual(await zk.events(), []);
    assert.equal(await usage(zk, "/a"), "count=2,bytes=0");
  });

  rule("keys it does not know are kept, in order, behind bytes and an equals sign", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    await limit(zk, "/a", "count=9,bytes=99");
    await zk.ok(setData("/zookeeper/quota/a/zookeeper_stats", "zeta=3;count=1,alpha=2;bytes=0"));
    await zk.ok(create("/a/b"));
    assert.equal(await usage(zk, "/a"), "count=2,bytes=0=;alpha=2;zeta=3");
  });
});

describe("quotas: limits", () => {
  rule("hard limits are not enforced unless enforceQuota=true", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    await limit(zk, "/a", "count=-1,bytes=-1=;byteHardLimit=0;countHardLimit=0");
    assert.equal(await zk.results(create("/a/b", { data: "x" }), setData("/a", "xx")), "Ok Ok");
  });

  enforced("a soft limit refuses nothing", "count=1,bytes=1", [create("/a/b", { data: "123" }), setData("/a", "123")], "Ok Ok");
  enforced(
    "as many znodes as the limit says, and no more",
    "count=-1,bytes=-1=;countHardLimit=2",
    [create("/a/b"), create("/a/c"), remove("/a/b"), create("/a/c"), setData("/a/c", "any size")],
    "Ok QuotaExceeded Ok Ok Ok",
  );
  enforced(
    "as many bytes as the limit says, and no more",
    "count=-1,bytes=-1=;byteHardLimit=4",
    [create("/a/b", { data: "34" }), setData("/a/b", "345"), create("/a/c"), create("/a/d", { data: "5" })],
    "Ok QuotaExceeded Ok QuotaExceeded",
  );
  enforced(
    "data of the same size is never too much, less may still be",
    "count=-1,bytes=-1=;byteHardLimit=0",
    [setData("/a", "34"), setData("/a", "3"), setData("/a", "")],
    "Ok QuotaExceeded Ok",
  );
  enforced(
    "the ops of one multi are judged by what was used before it",
    "count=-1,bytes=-1=;countHardLimit=2",
    [multi(create("/a/b"), create("/a/c"), create("/a/d")), create("/a/e"), exists("/a/d")],
    "Ok QuotaExceeded Ok",
  );
  enforced(
    "a creation asks for it last, a setData before it asks for the version",
    "count=-1,bytes=-1=;byteHardLimit=2;countHardLimit=1",
    [create("/a/"), create("/a"), create("/a/b"), setData("/a", "123", 7), setData("/a", "12", 7)],
    "BadArguments NodeExists QuotaExceeded QuotaExceeded BadVersion",
  );
  enforced(
    "limits that can't be read make every change below them fail",
    "nonsense",
    [create("/a/b"), setData("/a"), create("/b")],
    "MarshallingError MarshallingError Ok",
  );

  rule(
    "without limits or stats nothing is refused",
    async (server) => {
      const zk = await server.client();
      await zk.ok(create("/a"));
      await limit(zk, "/a", "count=-1,bytes=-1=;countHardLimit=0");
      assert.equal(
        await zk.results(create("/a/b"), remove("/zookeeper/quota/a/zookeeper_stats"), create("/a/b")),
        "QuotaExceeded Ok Ok",
      );
    },
    { config: ENFORCED },
  );

  rule(
    "3.6 knows no hard limits",
    async (server) => {
      const zk = await server.client();
      await zk.ok(create("/a"));
      await limit(zk, "/a", "count=-1,bytes=-1=;countHardLimit=0");
      assert.equal(await zk.result(create("/a/b")), "Ok");
    },
    { config: ENFORCED, compat: "3.6" },
  );
});
