/**
 * A storage that lives as long as its object: what tests restart a server on, and the example of what a Storage is.
 *
 * Invariant: it keeps copies; nothing that was handed over is referred to afterwards.
 */
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import type { Epochs, LogChunk, LogRecord, Storage, StorageUsage, Stored } from "../../lib/ports.ts";
import { StorageError } from "../../lib/store/storage_error.ts";
import type { Zxid } from "../../lib/types.ts";
import { endsAt, formatZxid } from "../../lib/zxid.ts";

/**
 * Keeps a server's data in memory, so that the next server on the same storage finds it.
 *
 * @example
 * ```ts
 * const storage = memoryStorage();
 * await using server = await open({ storage });
 * ```
 */
export function memoryStorage(): Storage {
  return new MemoryStorage();
}

class MemoryStorage implements Storage {
  readonly name = "memory";
  #records: LogRecord[] = [];
  readonly #snapshots = new Map<Zxid, Uint8Array>();
  #epochs: Epochs = { accepted: null, current: null };
  #isOpen = false;

  async open(): Promise<Stored> {
    if (this.#isOpen) throw new StorageError({ place: this.name, problem: "the storage is in use" });
    this.#isOpen = true;
    return this.#stored();
  }

  #stored(): Stored {
    const snapshots = [...this.#snapshots].sort(([one], [other]) => (one < other ? 1 : -1));
    return {
      epochs: { ...this.#epochs, unfinished: null },
      snapshots: snapshots.map(([zxid, bytes]) => ({
        zxid,
        name: `snapshot ${formatZxid(zxid)}`,
        read: () => each([bytes], (whole) => whole),
      })),
      hasLog: this.#records.length > 0,
      readLog: (zxid) => this.readLog(zxid),
    };
  }

  readLog(zxid: Zxid): AsyncIterable<LogChunk> {
    const wanted = this.#records.filter((record) => record.zxid >= zxid);
    return each(wanted, (record) => ({
      file: this.name,
      bytes: record.bytes,
      records: [{ zxid: record.zxid, start: 0, end: record.bytes.length }],
      placeOf: () => `record ${formatZxid(record.zxid)}`,
    }));
  }

  append(records: readonly LogRecord[]): undefined {
    this.#check();
    for (const { zxid, bytes } of records) this.#records.push({ zxid, bytes: bytes.slice() });
  }

  async saveSnapshot(zxid: Zxid, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    this.#check();
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) {
      parts.push(chunk.slice());
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
    this.#snapshots.set(zxid, Buffer.concat(parts));
  }

  async saveEpochs({ accepted, current }: Epochs): Promise<void> {
    this.#check();
    this.#epochs = { accepted: accepted ?? this.#epochs.accepted, current: current ?? this.#epochs.current };
  }

  async truncate(last: Zxid): Promise<Stored> {
    this.#check();
    const kept = [...this.#snapshots.keys(), ...this.#records.map(({ zxid }) => zxid)];
    if (!kept.some((zxid) => endsAt(zxid, last))) {
      throw new StorageError({
        place: this.name,
        problem: `${formatZxid(last)} is neither in the log nor a snapshot: nothing can be cut there`,
      });
    }
    this.#records = this.#records.filter(({ zxid }) => zxid <= last);
    for (const zxid of this.#snapshots.keys()) if (zxid > last) this.#snapshots.delete(zxid);
    return this.#stored();
  }

  usage(): StorageUsage {
    const snapshots = [...this.#snapshots.values()].reduce((sum, { length }) => sum + length, 0);
    const log = this.#records.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return { dataDir: "", dataLogDir: "", dataDirBytes: snapshots, logDirBytes: log };
  }

  async close(): Promise<void> {
    this.#isOpen = false;
  }

  #check(): void {
    if (!this.#isOpen) throw new StorageError({ place: this.name, problem: "the storage is not open" });
  }
}

async function* each<From, To>(values: readonly From[], map: (value: From) => To): AsyncGenerator<To, void, void> {
  for (const value of values) yield map(value);
}
