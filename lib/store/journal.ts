/**
 * Keeps what a running server decides: hands its proposals to the storage's log, and writes a snapshot beside it now and then.
 *
 * Not here: bytes on a disk (the storage), and reading them back (recovery.ts). Invariant: one snapshot is written at a time, and each holds
 * exactly the database after the zxid that is its name.
 */
import type { Database } from "../kernel/database.ts";
import type { Proposal } from "../model/txns.ts";
import type { Zxid } from "../model/types.ts";
import { formatZxid } from "../model/zxid.ts";
import type { Clock, Logger, Storage, StorageUsage, Stored } from "../ports.ts";
import type { CheckOfWhatIsLeft } from "./cut.ts";
import { RecordEncoder } from "./log_records.ts";
import { type SnapshotSections, snapshotChunks } from "./snapshot_records.ts";
import { StorageError } from "./storage_error.ts";

export interface JournalOptions {
  /** Write a snapshot after about this many txns: somewhere between the half and the whole of it, so that members don't do it together. */
  readonly snapshotTxns: number;
  /** The same, by bytes of log. */
  readonly snapshotBytes: number;
  /** Txns that the log holds already behind the newest snapshot. */
  readonly txnsBehind: number;
  readonly sections: SnapshotSections;
  readonly logger: Logger;
  readonly clock: Clock;
  /** A random number in [0, 1). */
  readonly random: () => number;
}

export class Journal {
  /** Where it is kept. */
  readonly storage: Storage;
  readonly #database: () => Database;
  readonly #options: JournalOptions;
  readonly #encoder = new RecordEncoder();
  #txns = 0;
  #bytes = 0;
  #txnsMax = 0;
  #bytesMax = 0;
  #saving: Promise<Zxid> | null = null;
  #lastSaved: { readonly zxid: Zxid; readonly wall: number } | null = null;
  #closed = false;

  /** @param database the one that is kept: in an ensemble it may be replaced as a whole */
  constructor(storage: Storage, database: () => Database, options: JournalOptions) {
    this.storage = storage;
    this.#database = database;
    this.#options = options;
    this.#startCounting();
    this.#txns = options.txnsBehind;
  }

  /** The last snapshot that this run has written, and when, in milliseconds of the wall clock; null before the first. */
  get lastSaved(): { readonly zxid: Zxid; readonly wall: number } | null {
    return this.#lastSaved;
  }

  /** Makes proposals durable; see {@link Storage.append}. */
  append(proposals: readonly Proposal[]): Promise<void> | undefined {
    const records = this.#encoder.encode(proposals);
    const written = this.storage.append(records);
    this.#txns += records.length;
    for (const { bytes } of records) this.#bytes += bytes.length;
    if (this.#txns > this.#txnsMax || this.#bytes > this.#bytesMax) this.#saveBeside();
    return written;
  }

  /** Writes a snapshot of the database as it is now, while the server goes on; says its zxid. One that is being written already comes first. */
  async saveSnapshot(): Promise<Zxid> {
    while (this.#saving !== null) await this.#saving.catch(() => {});
    this.#saving = this.#save();
    try {
      return await this.#saving;
    } finally {
      this.#saving = null;
    }
  }

  /**
   * The database is another one, which ends at `last`: it is kept, and then a log that goes further is cut. In this order there is a whole history at
   * every step.
   */
  async saveRestored(last: Zxid, cutsLog: boolean): Promise<void> {
    await this.saveSnapshot();
    if (cutsLog) await this.truncate(last);
  }

  /** Cuts the log; see {@link Storage.truncate}. */
  async truncate(last: Zxid, check?: CheckOfWhatIsLeft): Promise<Stored> {
    while (this.#saving !== null) await this.#saving.catch(() => {});
    return await this.storage.truncate(last, check);
  }

  usage(): StorageUsage {
    return this.storage.usage();
  }

  /** Gives up the snapshot that is being written, and lets go of the storage. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#saving?.catch(() => {});
    await this.storage.close();
  }

  #saveBeside(): void {
    this.#startCounting();
    if (this.#saving !== null || this.#closed) return;
    // Without it nothing is lost: the log is longer.
    this.saveSnapshot().catch((error: unknown) => {
      if (this.#closed) return;
      this.#options.logger.error(`No snapshot was written: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  async #save(): Promise<Zxid> {
    const { tree, sessions, lastZxid } = this.#database();
    const frozen = tree.freeze();
    try {
      const content = { tree: frozen, sessions: new Map(sessions), lastZxid };
      await this.storage.saveSnapshot(lastZxid, this.#untilClosed(snapshotChunks(content, this.#options.sections)));
    } finally {
      frozen.nodes.release();
      frozen.children.release();
    }
    this.#lastSaved = { zxid: lastZxid, wall: this.#options.clock.now().wall };
    this.#options.logger.info(`Snapshot written at ${formatZxid(lastZxid)}`);
    return lastZxid;
  }

  /** A server that closes does not wait for a snapshot: without it the log is longer. */
  *#untilClosed(chunks: Iterable<Uint8Array>): Generator<Uint8Array, void, void> {
    for (const chunk of chunks) {
      if (this.#closed) throw new StorageError({ place: this.storage.name, problem: "the server is closing" });
      yield chunk;
    }
  }

  #startCounting(): void {
    const { snapshotTxns, snapshotBytes, random } = this.#options;
    this.#txns = 0;
    this.#bytes = 0;
    this.#txnsMax = (snapshotTxns / 2) * (1 + random());
    this.#bytesMax = (snapshotBytes / 2) * (1 + random());
  }
}
