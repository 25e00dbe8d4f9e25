/**
 * Counters at their end: 32 bits each. Nobody counts so far in a test, so the server starts from a snapshot with a znode that has come
 * that far; the real one starts from the same.
 */

import assert from "node:assert/strict";
import { describe } from "node:test";
import type { StoredStat } from "../../lib/tree/znode.ts";
import { create, Flags, setAcl, setData } from "../support/ops.ts";
import { folderWithZnode } from "../support/stored_znode.ts";
import { type RuleClient, rule } from "./rules.ts";

const INT_MAX = 2 ** 31 - 1;
const INT_MIN = -(2 ** 31);

function overflow(name: string, counters: Partial<StoredStat>, run: (zk: RuleClient) => Promise<void>, compat?: "3.4"): void {
  rule(name, async (server) => run(await server.client()), {
    folder: () => folderWithZnode(counters),
    ...(compat === undefined ? {} : { compat }),
  });
}

describe("counters at their end", () => {
  overflow(
    "the last sequence number is 2147483647; from then on it is always that one, and taken",
    { cversion: INT_MAX - 1 },
    async (zk) => {
      const sequential = create("/a/s-", { flags: Flags.sequential });
      assert.equal(await zk.created(sequential), "/a/s-2147483646");
      assert.equal(await zk.created(sequential), "/a/s-2147483647");
      const { pzxid } = await zk.stat("/a");
      assert.equal(await zk.results(sequential, sequential), "NodeExists NodeExists");
      assert.equal(await zk.created(create("/a/t-", { flags: Flags.sequential })), "/a/t-2147483647");
      assert.equal((await zk.stat("/a")).pzxid, pzxid);
    },
  );

  overflow(
    "in 3.4 sequence numbers go on below zero",
    { cversion: INT_MAX },
    async (zk) => {
      const sequential = create("/a/s-", { flags: Flags.sequential });
      const paths = [await zk.created(sequential), await zk.created(sequential), await zk.created(sequential)];
      assert.deepEqual(paths, ["/a/s-2147483647", "/a/s--2147483648", "/a/s--2147483647"]);
    },
    "3.4",
  );

  overflow("the version of 2147483647 is followed by that of -2147483648", { version: INT_MAX }, async (zk) => {
    assert.equal(await zk.result(setData("/a", "", INT_MAX)), "Ok");
    assert.equal((await zk.stat("/a")).version, INT_MIN);
    assert.equal(await zk.result(setData("/a", "", INT_MIN)), "Ok");
  });

  overflow("a version of -1 can't be asked for: it means any", { version: -2 }, async (zk) => {
    assert.equal(await zk.result(setData("/a", "", -2)), "Ok");
    assert.equal((await zk.stat("/a")).version, -1);
    assert.equal(await zk.results(setData("/a", "", 7), setData("/a", "", -1)), "BadVersion Ok");
    assert.equal((await zk.stat("/a")).version, 0);
  });

  overflow("so it is with the versions of ACLs", { aversion: INT_MAX }, async (zk) => {
    assert.equal(await zk.result(setAcl("/a", undefined, INT_MAX)), "Ok");
    assert.equal((await zk.stat("/a")).aversion, INT_MIN);
  });

  overflow("cversion is twice the creations less the children, in 32 bits", { cversion: 2 ** 30 }, async (zk) => {
    assert.equal((await zk.stat("/a")).cversion, INT_MIN);
    await zk.ok(create("/a/b"));
    assert.equal((await zk.stat("/a")).cversion, INT_MIN + 1);
  });
});
