/** What a learner has missed, out of the log: all of it, or nothing. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryStorage } from "../../../adapters/storage/mod.ts";
import { consoleLogger } from "../../../adapters/system.ts";
import { History } from "../../../lib/broadcast/zab/history.ts";
import type { Proposal } from "../../../lib/model/txns.ts";
import { makeZxid } from "../../../lib/model/zxid.ts";
import { missedTxns } from "../../../lib/peers/missed_txns.ts";
import { RecordEncoder } from "../../../lib/store/log_records.ts";
import { established, txn } from "../../support/zab_rig.ts";

const EVERYTHING = Number.POSITIVE_INFINITY;

async function read(
  from: bigint,
  to: bigint,
  bytesMax = EVERYTHING,
  logged: readonly number[] = [3, 4, 5, 7, 8],
): Promise<readonly bigint[] | null> {
  const storage = memoryStorage();
  await storage.open(consoleLogger({ level: "silent" }));
  await storage.append(new RecordEncoder().encode(logged.map((counter) => txn(1, counter))));
  const txns = await missedTxns(storage.readLog(from), from, to, bytesMax);
  return txns?.map(({ header }) => header.zxid) ?? null;
}

describe("txns from the log", () => {
  const at = (counter: number): bigint => makeZxid(1, counter);

  test("begin with the one that the learner has, and end with the oldest that is remembered", async () => {
    assert.deepEqual(await read(at(4), at(7)), [at(4), at(5), at(7)]);
  });

  test("are none where the log begins later, lacks the learner's last, or ends too early (ZOOKEEPER-2418)", async () => {
    assert.equal(await read(at(2), at(7)), null);
    assert.equal(await read(at(6), at(8)), null);
    assert.equal(await read(at(4), at(9)), null);
  });

  test("come once, also where the log has them twice (ZOOKEEPER-4394)", async () => {
    assert.deepEqual(await read(at(4), at(8), EVERYTHING, [3, 4, 5, 4, 5, 7, 5, 7, 8]), [at(4), at(5), at(7), at(8)]);
    assert.deepEqual(await read(at(4), at(7), EVERYTHING, [3, 4, 5, 7, 3, 4, 5, 7, 8]), [at(4), at(5), at(7)]);
  });

  test("are none where a database would be less", async () => {
    assert.equal(await read(at(3), at(8), 100), null);
  });
});

describe("a leader", () => {
  /** It leads epoch 2 and remembers no more than the txns from 1:8 on; its log is known from 1:3 on. */
  function leader(): ReturnType<typeof established> {
    const rig = established();
    const { history } = rig.zab;
    history.recent.push(txn(1, 8), txn(1, 9));
    history.loggedFrom = makeZxid(1, 3);
    rig.step({ kind: "opened", link: 2 });
    rig.packet(2, { kind: "learnerInfo", observer: false, acceptedEpoch: 1, id: 2n, configVersion: 0n });
    return rig;
  }

  test("asks the log for what it does not remember, and forgets nothing meanwhile", () => {
    const rig = leader();
    assert.deepEqual(rig.packet(2, { kind: "ackEpoch", zxid: makeZxid(1, 6), currentEpoch: null }), ["readLog"]);
    assert.equal(rig.zab.history.isHeld, true);
    const txns = [txn(1, 6), txn(1, 7), txn(1, 8)];
    assert.deepEqual(rig.step({ kind: "logRead", link: 2, txns }).slice(0, 7), [
      "to 2: diff 1:9",
      ...["to 2: proposal 1:7", "to 2: commit 1:7", "to 2: proposal 1:8", "to 2: commit 1:8"],
      ...["to 2: proposal 1:9", "to 2: commit 1:9"],
    ]);
    assert.equal(rig.zab.history.isHeld, false);
  });

  test("sends a database where the log does not have it, or is not known so far back (ZOOKEEPER-2846)", () => {
    const rig = leader();
    rig.packet(2, { kind: "ackEpoch", zxid: makeZxid(1, 6), currentEpoch: null });
    assert.equal(rig.step({ kind: "logRead", link: 2, txns: null })[0], "sendDatabase");
    assert.equal(leader().packet(2, { kind: "ackEpoch", zxid: makeZxid(1, 2), currentEpoch: null })[0], "sendDatabase");
  });

  test("knows nothing of a log that a database has replaced", () => {
    const history = new History(makeZxid(1, 9), [], makeZxid(1, 3));
    history.restart(makeZxid(1, 8), true);
    assert.equal(history.loggedFrom, makeZxid(1, 3), "a cut leaves what is before it");
    history.restart(makeZxid(2, 4), false);
    assert.equal(history.loggedFrom, makeZxid(2, 4));
  });
});

describe("what is remembered", () => {
  const large = (counter: number): Proposal => ({ ...txn(1, counter), bytes: new Uint8Array(1 << 20) });
  const bytesOf = (txns: readonly Proposal[]): number => txns.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);

  test("is bounded in bytes, and ends with the last txn", () => {
    const history = new History(0n, []);
    let most = 0;
    for (let counter = 1; counter <= 200; counter++) {
      history.append(large(counter));
      history.commit();
      most = Math.max(most, bytesOf(history.recent));
    }
    assert.ok(most <= 33 << 20, `${most} bytes`);
    assert.equal(history.recent.at(-1)!.header.zxid, makeZxid(1, 200));
    assert.ok(history.recent.length >= 16, `${history.recent.length} txns`);
  });

  test("is bounded in bytes from the start on, and by the data of a txn that was made here", () => {
    const data = new Uint8Array(1 << 20);
    const made = Array.from({ length: 100 }, (_, at): Proposal => {
      return { ...txn(1, at + 1), txn: { kind: "setData", path: "/a", data, version: at } };
    });
    assert.ok(new History(makeZxid(1, 100), made).recent.length <= 32);
  });

  test("keeps a txn that is longer than all that may be", () => {
    const history = new History(0n, []);
    history.append({ ...txn(1, 1), bytes: new Uint8Array(40 << 20) });
    history.commit();
    assert.equal(history.recent.length, 1);
  });

  test("may begin later than what a learner's log was read for: then a database is sent", () => {
    const rig = established();
    rig.zab.history.recent.push(txn(1, 8), txn(1, 9));
    rig.zab.history.loggedFrom = makeZxid(1, 3);
    rig.step({ kind: "opened", link: 2 });
    rig.packet(2, { kind: "learnerInfo", observer: false, acceptedEpoch: 1, id: 2n, configVersion: 0n });
    rig.packet(2, { kind: "ackEpoch", zxid: makeZxid(1, 6), currentEpoch: null });
    rig.zab.history.recent.splice(0, 1);
    const txns = [txn(1, 6), txn(1, 7), txn(1, 8)];
    assert.equal(rig.step({ kind: "logRead", link: 2, txns })[0], "sendDatabase");
  });
});
