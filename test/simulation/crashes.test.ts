/**
 * A member's disk at every step of what Zab asks of it: a database restored, a log cut, a snapshot taken, epochs saved. Wherever the machine goes off,
 * the member starts again with a history that it had or was given, whole and not mixed, and with an epoch that it had or was given.
 *
 * The real storage and journal run on simulated disks. `ZOOKERNEL_CRASH_SEEDS` says how many of each.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FileStorage } from "../../adapters/storage/file.ts";
import { apply } from "../../lib/kernel/apply.ts";
import { Database } from "../../lib/kernel/database.ts";
import type { Proposal } from "../../lib/model/txns.ts";
import type { Zxid } from "../../lib/model/types.ts";
import { formatZxid, makeZxid } from "../../lib/model/zxid.ts";
import type { Epochs, Logger, Stored, StoredEpochs } from "../../lib/ports.ts";
import { Journal } from "../../lib/store/journal.ts";
import { recover } from "../../lib/store/recovery.ts";
import { NothingCutError } from "../../lib/store/storage_error.ts";
import { Tree } from "../../lib/tree/tree.ts";
import { campaign } from "../support/campaign.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { Random } from "../support/random.ts";
import { PowerFailure, SimulatedDisk } from "./disk.ts";

const SEEDS = campaign("ZOOKERNEL_CRASH_SEEDS", { quick: 1, all: 20 });
const TREE = { digest: true, extendedTypes: true, configNode: true, counterWraps: true } as const;
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const ACL = [{ perms: 31, scheme: "world", id: "anyone" }];
/** Of the member; what a leader has may end before it or behind it. */
const OWN_TXNS = 24;
const ALL_TXNS = 30;
const EPOCH_TXNS = 10;

/** The one history there is: each txn makes a znode, in three epochs. */
const HISTORY: readonly Proposal[] = Array.from({ length: ALL_TXNS }, (_, at): Proposal => {
  const zxid = makeZxid(1 + Math.floor(at / EPOCH_TXNS), 1 + (at % EPOCH_TXNS));
  const txn = {
    kind: "create",
    path: `/n${at}`,
    data: new Uint8Array(at * 40),
    acl: ACL,
    ephemeral: false,
    parentCVersion: at + 1,
  } as const;
  return { header: { session: 1n, cxid: at, zxid, time: at }, txn, digest: null };
});
const zxidOf = (count: number): Zxid => (count === 0 ? 0n : HISTORY[count - 1]!.header.zxid);

/** What the first of them make. */
function databaseOf(count: number): Database {
  const database = new Database(new Tree(TREE));
  database.tree.ensureConfigNode();
  for (const proposal of HISTORY.slice(0, count)) apply(database, proposal, () => {});
  return database;
}

/** The member, with its own history on a disk. */
class DiskOfMember {
  readonly disk: SimulatedDisk;
  readonly journal: Journal;
  readonly storage: FileStorage;
  database = databaseOf(0);

  private constructor(disk: SimulatedDisk, storage: FileStorage) {
    this.disk = disk;
    this.storage = storage;
    const never = { snapshotTxns: 1e9, snapshotBytes: 1e12, txnsBehind: 0 };
    const options = {
      ...never,
      sections: { digest: true, lastZxid: true },
      logger: quiet,
      clock: new ManualClock(),
      random: () => 0.5,
    };
    this.journal = new Journal(storage, () => this.database, options);
  }

  /** The same for the same seed: where its snapshots are, and how long its logs. */
  static async of(seed: number): Promise<DiskOfMember> {
    const random = new Random(seed);
    const disk = new SimulatedDisk(random);
    const storage = new FileStorage(optionsOf(seed), disk.mount());
    await storage.open(quiet);
    const member = new DiskOfMember(disk, storage);
    await storage.saveEpochs({ accepted: 3, current: 3 });
    await member.journal.saveSnapshot();
    for (const proposal of HISTORY.slice(0, OWN_TXNS)) {
      await member.journal.append([proposal]);
      apply(member.database, proposal, () => {});
      if (random.below(7) === 0) await member.journal.saveSnapshot();
    }
    return member;
  }

  /** The machine goes off, and on again. */
  async startAgain(
    power: boolean,
  ): Promise<{ readonly count: number; readonly epochs: StoredEpochs; readonly stored: Stored }> {
    this.disk.restart(power);
    await this.storage.close().catch(() => {}); // what is left of the process that is gone
    const storage = new FileStorage(optionsOf(0), this.disk.mount());
    const stored = await storage.open(quiet);
    const { database } = await recover("/sim", stored, { tree: TREE, trustEmptySnapshot: false, logger: quiet });
    const count = HISTORY.findIndex(({ header }) => header.zxid > database.lastZxid);
    const last = count < 0 ? ALL_TXNS : count;
    assert.equal(formatZxid(database.lastZxid), formatZxid(zxidOf(last)), "it ends with a txn");
    assert.equal(database.tree.digest, databaseOf(last).tree.digest, `the tree at ${formatZxid(database.lastZxid)} is mixed`);
    const { epochs } = stored;
    await storage.close();
    return { count: last, epochs, stored };
  }
}

function optionsOf(seed: number): { dataDir: string; preAllocBytes: number; snapshotsKept: number; logFileBytesMax: number } {
  const random = new Random(seed);
  return { dataDir: "/sim", preAllocBytes: 4096, snapshotsKept: 3, logFileBytesMax: random.of([1000, 5000, 100_000]) };
}

interface Work {
  readonly run: (member: DiskOfMember) => Promise<unknown>;
  /** Wherever it was interrupted. */
  readonly check: (started: Awaited<ReturnType<DiskOfMember["startAgain"]>>) => void;
  /** Once it was done. */
  readonly checkDone: (started: Awaited<ReturnType<DiskOfMember["startAgain"]>>) => void;
}

/** The machine goes off after each number of calls of the disk, until all is done. Says how many there are. */
async function crashEverywhere(work: Work, seed: number, power: boolean): Promise<number> {
  for (let calls = 0; ; calls++) {
    const member = await DiskOfMember.of(seed);
    member.disk.stopAfter(calls);
    const isDone = await work.run(member).then(
      () => true,
      (error: unknown) => {
        if (!isPowerFailure(error)) throw error;
        return false;
      },
    );
    try {
      const started = await member.startAgain(power);
      (isDone ? work.checkDone : work.check)(started);
      if (isDone) return calls;
    } catch (error) {
      throw new Error(
        `seed ${seed}, off after ${calls} calls${power ? "" : ", the process alone"}: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }
}

function isPowerFailure(error: unknown): boolean {
  return (
    error instanceof PowerFailure ||
    (error instanceof Error && (isPowerFailure(error.cause) || /machine is off/.test(error.message)))
  );
}

function restore(leaders: number): Work {
  return {
    run: async (member) => {
      member.database = databaseOf(leaders);
      await member.journal.saveRestored(zxidOf(leaders), OWN_TXNS > leaders);
    },
    check: ({ count }) =>
      assert.ok(count >= Math.min(leaders, OWN_TXNS), `${count} txns are left of ${OWN_TXNS}, and ${leaders} came`),
    checkDone: ({ count }) => assert.equal(count, leaders),
  };
}

/** Where no snapshot is left before it, nothing is cut. */
function truncate(last: number): Work {
  let isRefused = false;
  const refused = (error: unknown): void => {
    if (!(error instanceof NothingCutError)) throw error;
    isRefused = true;
  };
  return {
    run: async (member) => {
      isRefused = false;
      const cut = member.journal.truncate(zxidOf(last), async (left) => {
        const { database } = await recover("/sim", left, { tree: TREE, trustEmptySnapshot: false, logger: quiet });
        assert.equal(database.tree.digest, databaseOf(last).tree.digest);
      });
      await cut.catch(refused);
    },
    check: ({ count }) => assert.ok(count >= last && count <= OWN_TXNS, `${count} txns are left, where ${last} were to stay`),
    checkDone: ({ count }) => assert.equal(count, isRefused ? OWN_TXNS : last),
  };
}

const snapshot: Work = {
  run: (member) => member.journal.saveSnapshot(),
  check: ({ count }) => assert.equal(count, OWN_TXNS),
  checkDone: ({ count, stored }) => {
    assert.equal(count, OWN_TXNS);
    assert.equal(stored.snapshots[0]!.zxid, zxidOf(OWN_TXNS));
  },
};

function saveEpochs(epochs: Epochs): Work {
  const isOneOf = (saved: number | null, asked: number | null): boolean => saved === 3 || (asked !== null && saved === asked);
  return {
    run: (member) => member.storage.saveEpochs(epochs),
    check: ({ count, epochs: { accepted, current } }) => {
      assert.equal(count, OWN_TXNS);
      assert.ok(isOneOf(accepted, epochs.accepted) && isOneOf(current, epochs.current), `${accepted}, ${current}`);
      // What a member has taken over it has promised before.
      assert.ok(accepted! >= current!, `current epoch ${current}, and ${accepted} was accepted`);
    },
    checkDone: ({ epochs: { accepted, current } }) =>
      assert.deepEqual([accepted, current], [epochs.accepted ?? 3, epochs.current ?? 3]),
  };
}

const WORKS: readonly (readonly [name: string, work: Work])[] = [
  ...[3, 11, 20, OWN_TXNS, ALL_TXNS].map((count) => [`a database of ${count} txns is restored`, restore(count)] as const),
  ...[1, 9, 10, 17, OWN_TXNS - 1].map((count) => [`the log is cut behind ${count} txns`, truncate(count)] as const),
  ["a snapshot is taken", snapshot],
  ["an epoch is accepted", saveEpochs({ accepted: 4, current: null })],
  ["both epochs are saved", saveEpochs({ accepted: 4, current: 4 })],
];

describe("the machine goes off while", () => {
  for (const [name, work] of WORKS)
    test(name, { timeout: 60_000 + SEEDS * 10_000 }, async (context) => {
      let steps = 0;
      for (let seed = 1; seed <= SEEDS; seed++)
        for (const power of [false, true]) steps += await crashEverywhere(work, seed, power);
      assert.ok(steps >= 4 * SEEDS);
      context.diagnostic(`${steps} steps`);
    });
});
