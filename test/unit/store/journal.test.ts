/** When a journal takes snapshots: by what its log holds since the last one, also from before its start. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { Database } from "../../../lib/kernel/database.ts";
import { Journal } from "../../../lib/store/journal.ts";
import { Tree } from "../../../lib/tree/tree.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { txn } from "../../support/zab_rig.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** After how many more txns the journal takes a snapshot, with so many in its log from before. */
async function txnsUntilSnapshot(txnsBehind: number): Promise<number> {
  const storage = memoryStorage();
  await storage.open(quiet);
  const database = new Database(new Tree({ digest: false, extendedTypes: true, configNode: true, counterWraps: true }));
  let snapshots = 0;
  const { saveSnapshot } = storage;
  storage.saveSnapshot = (...args) => {
    snapshots++;
    return saveSnapshot.apply(storage, args);
  };
  const limits = { snapshotTxns: 20, snapshotBytes: 1e9, sections: { digest: false, lastZxid: false }, txnsBehind };
  const journal = new Journal(storage, () => database, { ...limits, logger: quiet, clock: new ManualClock(), random: () => 0 });
  for (let counter = 1; counter <= 100; counter++) {
    await journal.append([txn(1, counter)]);
    if (snapshots === 0) continue;
    await journal.close();
    return counter;
  }
  throw new Error("it takes none");
}

test("a snapshot is taken after half as many txns as are wanted, and by chance up to that many; those from before the start count", async () => {
  assert.equal(await txnsUntilSnapshot(0), 11);
  assert.equal(await txnsUntilSnapshot(8), 3);
  assert.equal(await txnsUntilSnapshot(500), 1);
});
