/**
 * A storage that lives as long as its object: what tests restart a server on, and the example of what a Storage is.
 *
 * Invariant: it keeps copies; nothing that was handed over is referred to afterwards.
 */
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import type { Zxid } from "../../lib/model/types.ts";
import { formatZxid } from "../../lib/model/zxid.ts";
import type { Epochs, LogChunk, LogRecord, Storage, StorageUsage, Stored } from "../../lib/ports.ts";
import { type CheckOfWhatIsLeft, checkCut } from "../../lib/store/cut.ts";
import { StorageError } from "../../lib/store/storage_error.ts";

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
  #snapshots = new Map<Zxid, Uint8Array>();
  #epochs: Epochs = { accepted: null, current: null };
  #isOpen = false;

  async open(): Promise<Stored> {
    if (this.#isOpen) throw new StorageError({ place: this.name, problem: "the storage is in use" });
    this.#isOpen = true;
    return this.#stored();
  }

  #stored(): Stored {
    return storedOf(this.name, this.#epochs, this.#records, this.#snapshots);
  }

  readLog(zxid: Zxid): AsyncIterable<LogChunk> {
    return this.#stored().readLog(zxid);
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

  async truncate(last: Zxid, check?: CheckOfWhatIsLeft): Promise<Stored> {
    this.#check();
    const records = this.#records.filter(({ zxid }) => zxid <= last);
    const snapshots = new Map([...this.#snapshots].filter(([zxid]) => zxid <= last));
    await checkCut(this.name, last, storedOf(this.name, this.#epochs, records, snapshots), this.#snapshots.size > 0, check);
    this.#records = records;
    this.#snapshots = snapshots;
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

function storedOf(name: string, epochs: Epochs, log: readonly LogRecord[], snapshots: ReadonlyMap<Zxid, Uint8Array>): Stored {
  return {
    epochs: { ...epochs, unfinished: null },
    snapshots: [...snapshots]
      .sort(([one], [other]) => (one < other ? 1 : -1))
      .map(([zxid, bytes]) => ({ zxid, name: `snapshot ${formatZxid(zxid)}`, read: () => each([bytes], (whole) => whole) })),
    hasLog: log.length > 0,
    readLog: (from) =>
      each(
        log.filter(({ zxid }) => zxid >= from),
        ({ zxid, bytes }) => ({
          file: name,
          bytes,
          records: [{ zxid, start: 0, end: bytes.length }],
          placeOf: () => `record ${formatZxid(zxid)}`,
        }),
      ),
  };
}

async function* each<From, To>(values: readonly From[], map: (value: From) => To): AsyncGenerator<To, void, void> {
  for (const value of values) yield map(value);
}
