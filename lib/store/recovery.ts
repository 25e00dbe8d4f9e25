/**
 * From what a storage holds to a database: the newest snapshot that is whole, and every txn of the log behind it.
 *
 * Alone in tolerating ZooKeeper's fuzzy snapshots, which may hold part of what the log replays over them.
 *
 * Invariant: what comes out holds every txn that was durable, in order and without a gap; where that can't be had, recovery fails and says what
 * is missing. It changes nothing in the storage.
 */
import { AclInterner } from "../acl/intern.ts";
import { apply } from "../kernel/apply.ts";
import { Database } from "../kernel/database.ts";
import type { Proposal } from "../model/txns.ts";
import type { Zxid } from "../model/types.ts";
import { counterOf, epochOf, formatZxid } from "../model/zxid.ts";
import type { LogChunk, Logger, LogSpan, Stored } from "../ports.ts";
import { restoreQuotas } from "../tree/quota.ts";
import { Tree, type TreeOptions } from "../tree/tree.ts";
import { JuteError, JuteReader } from "../wire/jute.ts";
import { decodeRecord } from "./log_records.ts";
import { Repeats } from "./repeats.ts";
import { readSnapshot, type SnapshotDigest } from "./snapshot_reader.ts";
import { SnapshotError, StorageError } from "./storage_error.ts";

export interface RecoveryOptions {
  readonly tree: TreeOptions;
  /** Take a log without any snapshot for the whole history, from the first txn on. */
  readonly trustEmptySnapshot: boolean;
  readonly logger: Logger;
  /** Hears of every txn that is replayed, and of its bytes, which are valid until the call returns. */
  readonly replayed?: (proposal: Proposal, bytes: Uint8Array) => void;
  /** Hears now and then how far the replay is. */
  readonly progress?: (lastZxid: Zxid, txns: number) => void;
}

export interface Recovered {
  readonly database: Database;
  /** zxid of the snapshot it started from; null: from nothing. */
  readonly snapshotZxid: Zxid | null;
  /** Txns replayed over it. */
  readonly replayed: number;
}

/**
 * Recovers the database.
 *
 * @throws StorageError that names the place, the damage, and what can be done
 */
export async function recover(name: string, stored: Stored, options: RecoveryOptions): Promise<Recovered> {
  const start = await startingPoint(name, stored, options);
  const replay = new Replay(start, options);
  // From the snapshot's own txn on, to see whether the log goes on from there.
  const from = start.database.lastZxid;
  const readLog = (): AsyncIterable<LogChunk> => stored.readLog(from);
  for await (const chunk of readLog()) {
    replay.chunk(chunk);
    if (replay.repeats.areMany) await replay.repeats.check(readLog, from);
  }
  await replay.repeats.check(readLog, from);
  const { database, count } = replay;
  replay.finish();
  database.tree.ensureConfigNode();
  restoreQuotas(database.tree);
  return { database, snapshotZxid: start.snapshotZxid, replayed: count };
}

interface StartingPoint {
  readonly database: Database;
  readonly snapshotZxid: Zxid | null;
  readonly digest: SnapshotDigest | null;
  readonly withoutAcl: readonly string[];
}

async function startingPoint(name: string, stored: Stored, options: RecoveryOptions): Promise<StartingPoint> {
  const acls = new AclInterner();
  for (const snapshot of stored.snapshots) {
    try {
      const { tree, sessions, digest, withoutAcl } = await readSnapshot(snapshot.read(), options.tree, acls);
      const database = new Database(tree, sessions, snapshot.zxid, acls);
      return { database, snapshotZxid: snapshot.zxid, digest, withoutAcl };
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      options.logger.error(`${snapshot.name} is damaged (${error.message}): the snapshot before it is tried`);
    }
  }
  if (stored.snapshots.length > 0) {
    throw new StorageError({
      place: name,
      problem: `none of its ${stored.snapshots.length} snapshots is whole`,
      advice: "Restore one from a backup or from another member of the ensemble",
    });
  }
  if (stored.hasLog && !options.trustEmptySnapshot) {
    throw new StorageError({
      place: name,
      problem: "there is a log but no snapshot: what came before the log may be missing",
      advice:
        "Restore the snapshot; if the log is the whole history, start once with snapshot.trust.empty=true (trustEmptySnapshot)",
    });
  }
  return { database: new Database(new Tree(options.tree)), snapshotZxid: null, digest: null, withoutAcl: [] };
}

/** Replays the log over a snapshot, and watches that it is the log that belongs there. */
class Replay {
  readonly database: Database;
  readonly repeats = new Repeats();
  count = 0;
  readonly #options: RecoveryOptions;
  readonly #reader = new JuteReader();
  readonly #withoutAcl: readonly string[];
  readonly #snapshotDigest: SnapshotDigest | null;
  /** From this zxid on, the tree is exactly what the log says. */
  readonly #exactFrom: Zxid;
  #lastFile = "";
  #lastPlace = "the snapshot";
  /** Txns may be missing before this place: the next digest tells. */
  #gap: StorageError | null = null;
  #differing = 0;

  constructor(start: StartingPoint, options: RecoveryOptions) {
    this.database = start.database;
    this.#options = options;
    this.#withoutAcl = start.withoutAcl;
    this.#snapshotDigest = start.digest;
    this.#exactFrom = exactFrom(start);
    this.#compareWithSnapshot();
  }

  chunk(chunk: LogChunk): void {
    if (chunk.records.length === 0) return;
    const { database } = this;
    chunk.records.forEach((record, index) => {
      const { zxid, start, end } = record;
      if (zxid <= database.lastZxid) {
        if (this.count > 0) this.repeats.add(zxid, chunk.bytes.subarray(start, end), chunk.placeOf(index));
        return;
      }
      this.#checkOrder(zxid, chunk, index);
      const proposal = this.#decode(record, chunk, index);
      apply(database, proposal, null);
      this.count++;
      this.#options.replayed?.(proposal, chunk.bytes.subarray(start, end));
      this.#compare(proposal, chunk, index);
    });
    this.#lastFile = chunk.file;
    this.#lastPlace = chunk.placeOf(chunk.records.length - 1);
    this.#options.progress?.(database.lastZxid, this.count);
  }

  finish(): void {
    if (this.#gap !== null) throw this.#gap;
    const { tree } = this.database;
    const { logger } = this.#options;
    const lost = this.#withoutAcl.filter((path) => tree.get(path)?.acl?.[0]?.perms === 0);
    for (const path of lost) logger.warn(`The snapshot lacks the ACL of ${path}: nobody but a super user can use it`);
    if (this.repeats.report !== null) logger.warn(this.repeats.report);
    if (this.#differing > 1) logger.warn(`${this.#differing} txns in all left another digest than the log says`);
  }

  /**
   * Each txn follows the one before it. ZooKeeper leaves out a zxid now and then, for a request that became no txn; but where one file ends and
   * the next begins, what is left out may have been in a file that is missing.
   */
  #checkOrder(zxid: Zxid, chunk: LogChunk, index: number): void {
    const last = this.database.lastZxid;
    if (zxid === last + 1n) return;
    if (epochOf(zxid) > epochOf(last) && counterOf(zxid) === 1) return;
    const before = `${formatZxid(last)} (${index === 0 ? this.#lastPlace : chunk.placeOf(index - 1)})`;
    const place = chunk.placeOf(index);
    if (index > 0 || chunk.file === this.#lastFile) return;
    this.#gap ??= outOfOrder(place, `txns are missing: ${formatZxid(zxid)} follows ${before}`);
  }

  #decode(record: LogSpan, chunk: LogChunk, index: number): Proposal {
    try {
      return decodeRecord(this.#reader, chunk.bytes, record);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      throw new StorageError({
        place: chunk.placeOf(index),
        problem: `the record is whole but no txn that is known: ${error.message}`,
        advice: "A newer ZooKeeper may have written it",
        cause: error,
      });
    }
  }

  #compare({ header, digest }: Proposal, chunk: LogChunk, index: number): void {
    const { tree } = this.database;
    if (!tree.options.digest) return;
    if (header.zxid === this.#exactFrom) this.#compareWithSnapshot();
    if (digest === null || header.zxid < this.#exactFrom) return;
    if (digest === tree.digest) {
      this.#gap = null; // nothing is missing
      return;
    }
    if (this.#gap !== null) throw this.#gap;
    if (this.#differing++ > 0) return;
    this.#options.logger.warn(
      `${chunk.placeOf(index)}: after txn ${formatZxid(header.zxid)} the tree's digest is ${tree.digest}, and the log says ${digest}`,
    );
  }

  #compareWithSnapshot(): void {
    const { tree, lastZxid } = this.database;
    const expected = this.#snapshotDigest;
    // A snapshot of what no txn has changed yet says zxid 0 and digest 0.
    if (!tree.options.digest || expected === null || expected.zxid !== lastZxid || lastZxid === 0n) return;
    if (expected.digest === null || expected.digest === tree.digest) return;
    this.#options.logger.warn(
      `At ${formatZxid(lastZxid)} the tree's digest is ${tree.digest}, and the snapshot says ${expected.digest}`,
    );
  }
}

function outOfOrder(place: string, problem: string): StorageError {
  return new StorageError({
    place,
    problem,
    advice: "Restore the missing files from a backup or from another member of the ensemble",
  });
}

/** From which zxid on the tree is exactly what the log says. A snapshot without a digest does not say how far it goes: never. */
function exactFrom({ digest, snapshotZxid }: StartingPoint): Zxid {
  if (snapshotZxid === null) return 0n;
  if (digest === null) return NEVER;
  // A leader takes the first zxid of its epoch without a txn, so that a snapshot's name may be ahead of the last one.
  return digest.zxid > snapshotZxid ? digest.zxid : snapshotZxid;
}

/** Greater than any zxid. */
const NEVER: Zxid = 2n ** 63n;
