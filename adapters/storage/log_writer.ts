/**
 * Writes the log: groups what is appended, one write and one sync for all that waits, into files that are filled with zeros ahead.
 *
 * A file whose length and blocks are there already needs no metadata when it is synced, which halves the time. Syncing on the event loop costs
 * less than handing it to another thread, as long as the disk is quick; a slow sync sends the following ones there.
 *
 * Invariants: a promise resolves only after a sync that came after its records' write. A group is short, or a single record: no more than that is
 * ever on its way to the disk. A file is under its name only once it has its first
 * records. Nothing is written after a failure: what a failed sync left on the disk, nobody knows.
 */
import { join } from "@std/path";
import { Fifo } from "../../lib/base/fifo.ts";
import type { Zxid } from "../../lib/model/types.ts";
import type { Logger, LogRecord } from "../../lib/ports.ts";
import {
  FRAME_HEAD_BYTES,
  frameRecord,
  GROUP_BYTES_MAX,
  LOG_HEADER_BYTES,
  logFileHeader,
} from "../../lib/store/log_records.ts";
import { StorageError } from "../../lib/store/storage_error.ts";
import { JuteWriter } from "../../lib/wire/jute.ts";
import type { Disk, WritableFile } from "./disk.ts";
import { logName } from "./file_names.ts";

/** Where a file is made before it has its name. */
export const UNFINISHED_LOG = "zookernel-new-log";
/** A sync that took longer is slow: what it would hold up is worth more than the 50 µs that another thread takes. */
const SLOW_SYNC_MS = 0.5;
/** So many syncs after a slow one are done aside. */
const SYNCS_ASIDE = 64;
/** What a file has of a record beside its bytes. */
const FRAME_BYTES = FRAME_HEAD_BYTES + 1;
/** A buffer that one group made larger than this is not kept for the next. */
const BUFFER_BYTES_KEPT = 4 << 20;

export interface LogWriterOptions {
  readonly folder: string;
  /** Wait for the disk before anything counts as durable. */
  readonly forceSync: boolean;
  /** Bytes to fill with zeros ahead; 0: none. */
  readonly preAllocBytes: number;
  /** Start another file once one is this long; null: only for a snapshot. */
  readonly fileBytesMax: number | null;
  /** Warn of a sync that takes longer. */
  readonly syncWarnMs: number;
  readonly logger: Logger;
}

/** Records that go to the disk together, framed. */
interface Group {
  readonly firstZxid: Zxid;
  readonly framed: JuteWriter;
  readonly durable: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class LogWriter {
  readonly #disk: Disk;
  readonly #options: LogWriterOptions;
  readonly #zeros: Uint8Array;
  #file: WritableFile | null = null;
  #path = "";
  /** Where the next record goes, and how far the file is filled with zeros. */
  #position = 0;
  #filledTo = 0;
  /** What waits, oldest first. */
  readonly #groups: Fifo<Group> = new Fifo<Group>();
  /** The group that takes what comes next, the last of those that wait; null: the next record begins one. */
  #open: Group | null = null;
  /** A buffer that no group has. */
  #spare: JuteWriter | null = null;
  #writing: Promise<void> | null = null;
  /** A flush is on its way. */
  #isDue = false;
  #rollWanted = false;
  #syncsAside = 0;
  #failure: StorageError | null = null;

  constructor(disk: Disk, options: LogWriterOptions) {
    this.#disk = disk;
    this.#options = options;
    this.#zeros = new Uint8Array(options.preAllocBytes);
  }

  append(records: readonly LogRecord[]): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    for (const { zxid, bytes } of records) frameRecord(this.#groupFor(zxid, bytes.length).framed, bytes);
    if (this.#writing === null) this.#flushSoon();
    return this.#open!.durable;
  }

  /** A group is bounded, so that whoever reads the log after a crash knows how much of it may be in doubt. */
  #groupFor(zxid: Zxid, recordBytes: number): Group {
    const open = this.#open;
    if (open !== null && open.framed.length + recordBytes + FRAME_BYTES <= GROUP_BYTES_MAX) return open;
    const group = newGroup(zxid, this.#spare ?? new JuteWriter(4096));
    this.#spare = null;
    this.#groups.push(group);
    this.#open = group;
    return group;
  }

  #flushSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#disk.soon(() => this.#flush());
  }

  /** The next group starts another file. */
  roll(): void {
    this.#rollWanted = true;
  }

  /** Writes what waits, and closes the file. */
  async close(): Promise<void> {
    while (this.#failure === null && (this.#groups.first !== undefined || this.#writing !== null)) {
      await (this.#writing ?? this.#groups.first?.durable)?.catch(() => {});
    }
    this.#failure ??= new StorageError({ place: this.#options.folder, problem: "the storage is closed" });
    this.#closeFile();
  }

  #flush(): void {
    this.#isDue = false;
    if (this.#writing !== null || this.#failure !== null) return;
    const group = this.#groups.shift();
    if (group === undefined) return;
    if (this.#open === group) this.#open = null;
    const bytes = group.framed.written();
    if (this.#rollWanted) this.#closeFile();
    if (this.#file === null || this.#syncsAside > 0) {
      this.#writing = this.#writeAside(group, bytes);
      return;
    }
    try {
      this.#put(this.#file, bytes);
      if (this.#options.forceSync) {
        const start = this.#disk.now();
        this.#file.sync();
        this.#synced(this.#disk.now() - start);
      }
    } catch (error) {
      return this.#fail(group, error);
    }
    this.#written(group);
  }

  async #writeAside(group: Group, bytes: Uint8Array): Promise<void> {
    try {
      if (this.#file === null) await this.#startFile(group.firstZxid, bytes);
      else {
        this.#put(this.#file, bytes);
        await this.#syncAside(this.#file);
      }
    } catch (error) {
      return this.#fail(group, error);
    } finally {
      this.#writing = null;
    }
    this.#written(group);
  }

  #written({ framed, resolve }: Group): void {
    resolve();
    this.#rollIfLong();
    if (framed.capacity <= BUFFER_BYTES_KEPT) {
      framed.clear();
      this.#spare = framed;
    }
    if (this.#groups.first !== undefined) this.#flushSoon();
  }

  /** Makes a file with its header and its first records. It gets its name when all that is on the disk. */
  async #startFile(first: Zxid, bytes: Uint8Array): Promise<void> {
    const { folder } = this.#options;
    const unfinished = join(folder, UNFINISHED_LOG);
    this.#path = join(folder, logName(first));
    const file = this.#disk.create(unfinished);
    this.#file = file;
    this.#rollWanted = false;
    this.#position = 0;
    this.#filledTo = 0;
    this.#put(file, logFileHeader());
    this.#put(file, bytes);
    await this.#syncAside(file);
    this.#disk.rename(unfinished, this.#path);
    if (this.#options.forceSync) await this.#disk.syncFolder(folder);
  }

  #put(file: WritableFile, bytes: Uint8Array): void {
    const end = this.#position + bytes.length;
    file.write(bytes, this.#position);
    this.#position = end;
    const { preAllocBytes } = this.#options;
    if (end <= this.#filledTo || preAllocBytes === 0) return;
    this.#filledTo = LOG_HEADER_BYTES + Math.ceil((end - LOG_HEADER_BYTES) / preAllocBytes) * preAllocBytes;
    file.write(this.#zeros.subarray(0, this.#filledTo - end), end);
  }

  async #syncAside(file: WritableFile): Promise<void> {
    if (!this.#options.forceSync) return;
    const start = this.#disk.now();
    await file.syncAside();
    this.#synced(this.#disk.now() - start);
  }

  #synced(milliseconds: number): void {
    if (milliseconds > SLOW_SYNC_MS) this.#syncsAside = SYNCS_ASIDE;
    else if (this.#syncsAside > 0) this.#syncsAside--;
    if (milliseconds > this.#options.syncWarnMs) {
      this.#options.logger.warn(
        `Syncing ${this.#path} took ${Math.round(milliseconds)} ms: writes wait for the disk that long`,
      );
    }
  }

  #rollIfLong(): void {
    const { fileBytesMax } = this.#options;
    if (fileBytesMax !== null && this.#position > fileBytesMax) this.#rollWanted = true;
  }

  /** Closes the file, without the zeros behind its last record. */
  #closeFile(): void {
    const file = this.#file;
    this.#file = null;
    this.#rollWanted = false;
    if (file === null) return;
    try {
      if (this.#failure?.cause === undefined) file.resize(this.#position);
    } catch {
      // The zeros do no harm.
    } finally {
      file.close();
    }
  }

  #fail(group: Group, cause: unknown): void {
    this.#failure = new StorageError({
      place: this.#path,
      problem: `the log can't be written: ${cause instanceof Error ? cause.message : String(cause)}`,
      advice: adviceOn(cause),
      cause,
    });
    group.reject(this.#failure);
    for (let next = this.#groups.shift(); next !== undefined; next = this.#groups.shift()) next.reject(this.#failure);
    this.#open = null;
  }
}

function newGroup(firstZxid: Zxid, framed: JuteWriter): Group {
  let resolve = (): void => {};
  let reject: (error: unknown) => void = () => {};
  const durable = new Promise<void>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  // Of several groups that one call fills, only the last one's promise has an owner.
  durable.catch(() => {});
  return { firstZxid, framed, durable, resolve, reject };
}

function adviceOn(cause: unknown): string {
  const code = (cause as { code?: string } | null)?.code;
  if (code === "ENOSPC" || code === "EDQUOT")
    return "The disk is full: make room, then start again; nothing acknowledged is lost";
  return "Look after the disk, then start again; nothing acknowledged is lost";
}
