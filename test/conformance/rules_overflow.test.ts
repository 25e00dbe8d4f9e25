/**
 * Counters at their end: 32 bits each. Nobody counts so far in a test, so the server starts from a snapshot with a znode that has come
 * that far; the real one starts from the same.
 */

import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "node:test";
import { fileStorage } from "../../adapters/storage/mod.ts";
import { consoleLogger } from "../../adapters/system.ts";
import { snapshotChunks } from "../../lib/store/snapshot_records.ts";
import { Tree } from "../../lib/tree/tree.ts";
import { create, Flags, setAcl, setData } from "../support/ops.ts";
import { type RuleClient, rule } from "./rules.ts";

const INT_MAX = 2 ** 31 - 1;
const INT_MIN = -(2 ** 31);
const ZXID = 7n;

interface Counters {
  readonly version?: number;
  readonly cversion?: number;
  readonly aversion?: number;
}

/** A data directory whose only znode of its own, /a, has these counters. */
async function folderWith({ version = 0, cversion = 0, aversion = 0 }: Counters): Promise<string> {
  const tree = new Tree({ extendedTypes: false, digest: true, counterWraps: false, configNode: true });
  const [czxid, mzxid, pzxid] = [ZXID, ZXID, ZXID];
  tree.load("/a", new Uint8Array(0), [{ perms: 31, scheme: "world", id: "anyone" }], {
    ...{ czxid, mzxid, pzxid, ctime: 1, mtime: 1 },
    ...{ version, cversion, aversion, owner: 0n },
  });
  tree.finishLoading();
  const folder = mkdtempSync(join(tmpdir(), "zookernel-overflow-"));
  const storage = fileStorage(folder);
  await storage.open(consoleLogger({ level: "silent" }));
  const database = { tree: tree.freeze(), sessions: new Map(), lastZxid: ZXID };
  await storage.saveSnapshot(ZXID, snapshotChunks(database, { digest: true, lastZxid: false }));
  await storage.close();
  return folder;
}

function overflow(name: string, counters: Counters, run: (zk: RuleClient) => Promise<void>, compat?: "3.4"): void {
  rule(name, async (server) => run(await server.client()), {
    folder: () => folderWith(counters),
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
