import assert from "node:assert/strict";
import { type Transaction, TransactionError } from "../../../mod.ts";
import { text, type Verb } from "./suite.ts";

async function failure(transaction: Transaction): Promise<TransactionError> {
  const error: unknown = await transaction.commit().then(
    () => assert.fail("it was committed"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TransactionError);
  return error;
}

export const transaction: Verb = {
  verb: "transaction",
  cases: {
    "does all of it, each operation seeing those before it": async ({ zk }) => {
      await zk.create("/old", "x");
      const results = await zk
        .transaction()
        .create("/a", "0")
        .setData("/a", "1", { version: 0 })
        .create("/a/b-", "x", { mode: "persistent_sequential" })
        .check("/a", { version: 1 })
        .check("/old")
        .delete("/old")
        .commit();
      assert.deepEqual(
        results.map((result) => (result.type === "create" ? `create ${result.path}` : result.type)),
        ["create /a", "setData", "create /a/b-0000000000", "check", "check", "delete"],
      );
      assert.equal(results[1]!.type === "setData" && results[1]!.stat.version, 1);
      assert.equal(text((await zk.getData("/a")).data), "1");
      assert.equal(await zk.exists("/old"), null);
    },

    "that fails does none of it, and says where and why": async ({ zk }) => {
      await zk.create("/a", "0");
      const error = await failure(zk.transaction().setData("/a", "1").create("/b").check("/a", { version: 7 }).delete("/a"));
      assert.equal(error.code, "BadVersion");
      assert.equal(error.failedIndex, 2);
      assert.equal(error.path, "/a");
      assert.deepEqual(error.codes, ["Ok", "Ok", "BadVersion", "RuntimeInconsistency"]);
      assert.equal(error.applied, false);
      assert.equal(text((await zk.getData("/a")).data), "0");
      assert.equal(await zk.exists("/b"), null);
    },

    "fails for each operation's own reasons": async ({ zk }) => {
      await zk.create("/a");
      await zk.create("/a/b");
      assert.equal((await failure(zk.transaction().create("/a"))).code, "NodeExists");
      assert.equal((await failure(zk.transaction().create("/none/a"))).code, "NoNode");
      assert.equal((await failure(zk.transaction().delete("/a"))).code, "NotEmpty");
      assert.equal((await failure(zk.transaction().setData("/none", ""))).code, "NoNode");
      assert.equal((await failure(zk.transaction().check("/none"))).code, "NoNode");
    },

    "of nothing is nothing": async ({ zk }) => {
      assert.deepEqual(await zk.transaction().commit(), []);
    },

    "creates every kind of znode": async ({ zk }) => {
      const results = await zk
        .transaction()
        .create("/container", "", { mode: "container" })
        .create("/ttl", "", { mode: "persistent_with_ttl", ttlMs: 1_000_000 })
        .create("/e", "", { mode: "ephemeral" })
        .commit();
      assert.deepEqual(
        results.map((result) => result.type === "create" && result.path),
        ["/container", "/ttl", "/e"],
      );
      assert.equal((await zk.exists("/e"))!.ephemeralOwner, zk.sessionId);
    },

    "with a malformed path is refused before it is sent": async ({ zk }) => {
      assert.throws(() => zk.transaction().create("a"), { code: "BadArguments" });
    },

    "fires watches only once it is committed": async ({ zk }) => {
      const events: string[] = [];
      await zk.create("/a");
      await zk.getData("/a", { watch: ({ type }) => events.push(type) });
      await failure(zk.transaction().setData("/a", "1").check("/none"));
      assert.deepEqual(events, []);
      await zk.transaction().setData("/a", "1").commit();
      assert.deepEqual(events, ["NodeDataChanged"]);
    },
  },
};
