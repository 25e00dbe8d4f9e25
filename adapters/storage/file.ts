/**
 * A data directory as ZooKeeper has it, so that it can go from an Apache server to this one and back.
 *
 * Not here: what is in the files (lib/store). Invariants: one server uses a directory at a time; what is under a log's or a snapshot's name was
 * written whole; nothing is deleted before what takes its place is on the disk.
 */
import { join, resolve } from "@std/path";
import { argumentError, describe } from "../../lib/base/validate.ts";
import type { Zxid } from "../../lib/model/types.ts";
import { formatZxid } from "../../lib/model/zxid.ts";
import { flag, objectOf, oneOf, type Take, takeOptions, wholeNumber } from "../../lib/options/shape.ts";
import type {
  Epochs,
  LogChunk,
  Logger,
  LogRecord,
  Storage,
  StorageUsage,
  Stored,
  StoredEpochs,
  StoredSnapshot,
} from "../../lib/ports.ts";
import { type CheckOfWhatIsLeft, checkCut } from "../../lib/store/cut.ts";
import { StorageError } from "../../lib/store/storage_error.ts";
import { packed, unpacked } from "./compression.ts";
import type { Disk } from "./disk.ts";
import {
  COMPRESSIONS,
  type Compression,
  type LogFile,
  logFiles,
  type SnapshotFile,
  snapshotFiles,
  snapshotName,
  VERSION_FOLDER,
} from "./file_names.ts";
import { LOCK_FILE, Lock } from "./lock.ts";
import { cutLog, keepTail } from "./log_cut.ts";
import { endOf, type LogCut, placeIn, readLogFiles } from "./log_files.ts";
import { LogWriter, UNFINISHED_LOG } from "./log_writer.ts";
import { nodeDisk } from "./node_disk.ts";
import { checkFolders } from "./stray_files.ts";
import { writeWhole } from "./whole_file.ts";

/** What `fileStorage()` may be told. */
export interface FileStorageOptions {
  /** Folder for snapshots and epochs, and for the lock. Made if need be. */
  readonly dataDir: string;
  /** Folder for the log, best on a disk of its own. Default: `dataDir`. */
  readonly dataLogDir?: string;
  /**
   * Acknowledge only what is on the disk. Default true. With false a write counts once the system has it: several times as many a second, and
   * those of the last seconds are lost if the machine, not just the process, fails.
   */
  readonly forceSync?: boolean;
  /** Fill the log with zeros so many bytes ahead. Default 1 MiB; 0: not at all, which makes each sync slower. */
  readonly preAllocBytes?: number;
  /** Start another log file once one is this long. Default: only with each snapshot. */
  readonly logFileBytesMax?: number;
  /** How many snapshots to keep, and the log since the oldest of them; 0: all. Default 3. */
  readonly snapshotsKept?: number;
  /** How snapshots are packed. Default none. */
  readonly compression?: Compression;
  /**
   * What to do about a last record that is damaged as no crash should leave it, with nothing behind it: `refuse` to start, as Apache does, or
   * `cut` it off. Default refuse.
   */
  readonly damagedTail?: "refuse" | "cut";
  /** Make folders that are not there. Default true. */
  readonly autocreate?: boolean;
  /** Warn of a sync that takes longer, milliseconds. Default 1,000. */
  readonly syncWarnMs?: number;
}

/** No name at all would be the current folder, which nobody means. */
const folder: Take<string> = (given, action, name) => {
  if (typeof given === "string" && given !== "" && !given.includes("\0")) return given;
  throw argumentError(action, `${name} must be a folder's path such as "./data", not ${describe(given)}`);
};

const OPTIONS = objectOf<FileStorageOptions>(
  {
    dataDir: folder,
    dataLogDir: folder,
    forceSync: flag,
    preAllocBytes: wholeNumber(0, 2 ** 30),
    logFileBytesMax: wholeNumber(1, Number.MAX_SAFE_INTEGER),
    snapshotsKept: wholeNumber(0, Number.MAX_SAFE_INTEGER),
    compression: oneOf(COMPRESSIONS),
    damagedTail: oneOf(["refuse", "cut"]),
    autocreate: flag,
    syncWarnMs: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  },
  '{ dataDir: "./data" }',
  ["dataDir"],
);

/** Where a snapshot is made before it has its name. */
const UNFINISHED_SNAPSHOT = "zookernel-new-snapshot";
const CURRENT_EPOCH = "currentEpoch";
const ACCEPTED_EPOCH = "acceptedEpoch";

/**
 * Keeps a server's data in a folder, in ZooKeeper's own files. The folder is given by its path, alone or among other options.
 *
 * @throws TypeError that names the option that is wrong; a folder without a name is none
 *
 * @example
 * ```ts
 * await using server = await open({ storage: fileStorage("./data") });
 * ```
 */
export function fileStorage(where: string | FileStorageOptions): Storage {
  const given: unknown = typeof where === "string" ? { dataDir: where } : where;
  return new FileStorage(takeOptions("use fileStorage()", given, OPTIONS), nodeDisk);
}

export class FileStorage implements Storage {
  readonly name: string;
  readonly #options: FileStorageOptions;
  readonly #disk: Disk;
  /** For snapshots and epochs; for the log. */
  readonly #folder: string;
  readonly #logFolder: string;
  #logger: Logger | null = null;
  #locks: Lock[] = [];
  #log: LogWriter | null = null;
  #failure: StorageError | null = null;

  constructor(options: FileStorageOptions, disk: Disk) {
    const dataDir = resolve(options.dataDir);
    this.name = dataDir;
    this.#options = options;
    this.#disk = disk;
    this.#folder = join(dataDir, VERSION_FOLDER);
    this.#logFolder = join(resolve(options.dataLogDir ?? options.dataDir), VERSION_FOLDER);
  }

  async open(logger: Logger): Promise<Stored> {
    if (this.#log !== null) throw new StorageError({ place: this.name, problem: "the storage is open already" });
    this.#logger = logger;
    try {
      return await this.#open(logger);
    } catch (cause) {
      await this.close();
      if (cause instanceof StorageError) throw cause;
      const problem = `the folder can't be used: ${cause instanceof Error ? cause.message : String(cause)}`;
      throw new StorageError({ place: this.name, problem, cause });
    }
  }

  async #open(logger: Logger): Promise<Stored> {
    await checkFolders(this.#disk, this.#folder, this.#logFolder);
    this.#makeFolders();
    const lost = (error: StorageError): void => {
      this.#failure = error;
    };
    for (const folder of new Set([this.#folder, this.#logFolder])) {
      this.#locks.push(await Lock.take(this.#disk, join(folder, LOCK_FILE), lost));
    }
    this.#log = this.#newLog(logger);
    for (const path of [join(this.#folder, UNFINISHED_SNAPSHOT), join(this.#logFolder, UNFINISHED_LOG)])
      this.#disk.remove(path);
    return this.#stored();
  }

  append(records: readonly LogRecord[]): Promise<void> {
    return this.#failure === null ? this.#opened().append(records) : Promise.reject(this.#failure);
  }

  async saveSnapshot(zxid: Zxid, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    this.#opened().roll();
    const { compression = "none" } = this.#options;
    const path = join(this.#folder, snapshotName(zxid, compression));
    await writeWhole(this.#disk, join(this.#folder, UNFINISHED_SNAPSHOT), path, packed(chunks, compression));
    this.#purge(zxid, path);
  }

  async saveEpochs({ accepted, current }: Epochs): Promise<void> {
    this.#opened();
    if (accepted !== null) await this.#saveEpoch(ACCEPTED_EPOCH, accepted);
    if (current !== null) await this.#saveEpoch(CURRENT_EPOCH, current);
  }

  async truncate(last: Zxid, check?: CheckOfWhatIsLeft): Promise<Stored> {
    await this.#opened().close();
    const snapshots = snapshotFiles(this.#disk, this.#folder);
    const logs = logFiles(this.#disk, this.#logFolder);
    const left: Stored = {
      epochs: this.#epochs(),
      snapshots: snapshots.filter(({ zxid }) => zxid <= last).map((file) => this.#storedSnapshot(file)),
      hasLog: logs.length > 0,
      readLog: (zxid) => upTo(last, readLogFiles(this.#disk, logs, zxid, "cut")),
    };
    try {
      await checkCut(this.#logFolder, last, left, snapshots.length > 0, check);
      await this.#drop(last, snapshots, logs);
    } finally {
      this.#log = this.#newLog(this.#logger!);
    }
    return this.#stored();
  }

  /** The log first, and from its newest file on: wherever this is interrupted, what is left begins with a snapshot and has no gap. */
  async #drop(last: Zxid, snapshots: readonly SnapshotFile[], logs: readonly LogFile[]): Promise<void> {
    const end = await endOf(this.#disk, logs, last);
    for (const { zxid, path } of logs.toReversed()) if (zxid > last) this.#disk.remove(path);
    await this.#disk.syncFolder(this.#logFolder);
    if (end !== null) await cutLog(this.#disk, end);
    for (const { zxid, path } of snapshots) if (zxid > last) this.#disk.remove(path);
    await this.#disk.syncFolder(this.#folder);
  }

  /** What is appended meanwhile may look torn, and is left alone. */
  readLog(zxid: Zxid): AsyncIterable<LogChunk> {
    this.#opened();
    return readLogFiles(this.#disk, logFiles(this.#disk, this.#logFolder), zxid, "cut");
  }

  usage(): StorageUsage {
    const bytesIn = (folder: string): number =>
      (this.#disk.list(folder) ?? []).reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
    return {
      dataDir: this.#folder,
      dataLogDir: this.#logFolder,
      dataDirBytes: bytesIn(this.#folder),
      logDirBytes: bytesIn(this.#logFolder),
    };
  }

  async close(): Promise<void> {
    const log = this.#log;
    const locks = this.#locks;
    this.#log = null;
    this.#locks = [];
    await log?.close();
    for (const lock of locks) lock.release();
  }

  #opened(): LogWriter {
    if (this.#log === null) throw new StorageError({ place: this.name, problem: "the storage is not open" });
    return this.#log;
  }

  #newLog(logger: Logger): LogWriter {
    const { forceSync = true, preAllocBytes = 1 << 20, logFileBytesMax = null, syncWarnMs = 1000 } = this.#options;
    const settings = { folder: this.#logFolder, forceSync, preAllocBytes, fileBytesMax: logFileBytesMax, syncWarnMs, logger };
    return new LogWriter(this.#disk, settings);
  }

  // ── what is there ──

  #makeFolders(): void {
    for (const folder of [this.#folder, this.#logFolder]) {
      if (this.#disk.list(folder) !== null) continue;
      if (this.#options.autocreate === false) {
        throw new StorageError({
          place: folder,
          problem: "there is no such folder, and none is to be made (datadir.autocreate)",
        });
      }
      this.#disk.makeFolder(folder);
    }
  }

  #stored(): Stored {
    const snapshots = snapshotFiles(this.#disk, this.#folder);
    return {
      epochs: this.#epochs(),
      snapshots: snapshots.map((file) => this.#storedSnapshot(file)),
      hasLog: logFiles(this.#disk, this.#logFolder).length > 0,
      readLog: (zxid) => this.#readLog(zxid),
    };
  }

  #storedSnapshot({ zxid, path, compression }: SnapshotFile): StoredSnapshot {
    return { zxid, name: path, read: () => unpacked(this.#disk.read(path), compression) };
  }

  async *#readLog(zxid: Zxid): AsyncGenerator<LogChunk, void, void> {
    const files = logFiles(this.#disk, this.#logFolder);
    const cut = yield* readLogFiles(this.#disk, files, zxid, this.#options.damagedTail ?? "refuse");
    const last = files.at(-1);
    if (cut !== null) {
      await this.#cut(cut);
    } else if (last !== undefined) {
      await this.#sync(last.path);
    }
  }

  /** What stands whole behind a torn record was written with it: nobody was told of it. Still it is kept, for a person to look at. */
  async #cut(cut: LogCut): Promise<void> {
    const where = `${placeIn(cut.path, cut.offset)}: ${cut.problem}`;
    if (cut.following === null) this.#logger?.warn(`${where}; the log is cut there`);
    else {
      const kept = await keepTail(this.#disk, cut);
      const { zxid, last } = cut.following;
      const txns = `txns ${formatZxid(zxid)} to ${formatZxid(last)}, which stood whole behind it,`;
      this.#logger?.error(`${where}; the log is cut there, and ${txns} are in ${kept}`);
    }
    await cutLog(this.#disk, cut);
  }

  /** What was read may be in the system's memory alone: it must not be served before it is on the disk. */
  async #sync(path: string): Promise<void> {
    if (this.#options.forceSync === false) return;
    const file = this.#disk.openToWrite(path);
    try {
      await file.syncAside();
    } finally {
      file.close();
    }
  }

  // ── epochs ──

  #epochs(): StoredEpochs {
    const unfinished = this.#readEpoch(`${CURRENT_EPOCH}.tmp`);
    return { accepted: this.#readEpoch(ACCEPTED_EPOCH), current: this.#readEpoch(CURRENT_EPOCH), unfinished };
  }

  #readEpoch(name: string): number | null {
    const path = join(this.#folder, name);
    const text = this.#disk.readText(path)?.split("\n", 1)[0]?.trim();
    if (text === undefined) return null;
    if (/^\d{1,10}$/.test(text)) return Number(text);
    if (name.endsWith(".tmp")) return null; // it was being written
    throw new StorageError({
      place: path,
      problem: `an epoch must be a number, not "${text}"`,
      advice: "Restore the file from a backup",
    });
  }

  #saveEpoch(name: string, epoch: number): Promise<void> {
    const path = join(this.#folder, name);
    return writeWhole(this.#disk, `${path}.tmp`, path, [new TextEncoder().encode(String(epoch))]);
  }

  /**
   * Deletes the snapshots that are too many, and the log before the oldest one kept. The one that was just written stays, also where it is a leader's
   * and others, of what this member had before, are ahead of it; and it alone is of its zxid.
   */
  #purge(written: Zxid, path: string): void {
    const { snapshotsKept = 3 } = this.#options;
    const others = snapshotFiles(this.#disk, this.#folder).filter((other) => other.path !== path);
    for (const other of others) if (other.zxid === written) this.#disk.remove(other.path);
    const older = others.filter(({ zxid }) => zxid !== written);
    if (snapshotsKept === 0 || older.length < snapshotsKept - 1) return;
    for (const { path } of older.slice(snapshotsKept - 1)) this.#disk.remove(path);
    const kept = [written, ...older.slice(0, snapshotsKept - 1).map(({ zxid }) => zxid)];
    const oldest = kept.reduce((least, zxid) => (zxid < least ? zxid : least));
    const logs = logFiles(this.#disk, this.#logFolder);
    // The newest file that starts at or below the snapshot may go on behind it.
    const needed = logs.findLastIndex(({ zxid }) => zxid <= oldest);
    for (const { path } of logs.slice(0, Math.max(0, needed))) this.#disk.remove(path);
  }
}

/** Of a log, what stands up to a zxid. */
async function* upTo(last: Zxid, log: AsyncIterable<LogChunk>): AsyncGenerator<LogChunk, void, void> {
  for await (const chunk of log) {
    const records = chunk.records.filter(({ zxid }) => zxid <= last);
    if (records.length === chunk.records.length) yield chunk;
    else if (records.length > 0)
      yield { ...chunk, records, placeOf: (at) => chunk.placeOf(chunk.records.indexOf(records[at]!)) };
  }
}
