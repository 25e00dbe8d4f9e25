/**
 * A storage that a crash hits: what was appended is kept only once it has been synced, and a disk may hang for as long as a test wants.
 *
 * It stands before another storage, which has what is kept. A disk outlives its servers; each of them mounts it anew.
 *
 * Invariant: what a mount said to be durable is there after every crash.
 */

import type { Zxid } from "../model/types.ts";
import type { Epochs, LogChunk, Logger, LogRecord, Storage, StorageUsage, Stored } from "../ports.ts";
import type { CheckOfWhatIsLeft } from "../store/cut.ts";

/** Of one member. */
export class VolatileDisk {
  readonly #kept: Storage;
  readonly #random: () => number;
  #mounted: Mount | null = null;
  #held: Promise<void> = Promise.resolve();
  #letGo: () => void = () => {};

  /** @param random a number in [0, 1): how much of what was not synced a crash leaves */
  constructor(kept: Storage, random: () => number) {
    this.#kept = kept;
    this.#random = random;
  }

  /** Whether it has been asked for something that it has not done, and does not wait for {@link letGo}. */
  get isBusy(): boolean {
    return this.#mounted?.isBusy ?? false;
  }

  /** For a server that starts now. */
  mount(): Storage {
    this.#mounted = new Mount(this.#kept, () => this.#held);
    return this.#mounted;
  }

  /** It does nothing more until {@link letGo}: what is asked of it waits. */
  hold(): void {
    this.letGo();
    this.#held = new Promise((resolve) => {
      this.#letGo = resolve;
    });
    this.#mounted?.holds(true);
  }

  letGo(): void {
    this.#mounted?.holds(false);
    this.#letGo();
  }

  /** Its server is gone: of what it had not synced some beginning is kept. */
  crash(): void {
    this.#mounted?.crash(this.#random);
    this.#mounted = null;
    this.letGo();
  }
}

/** The disk as one server sees it. */
class Mount implements Storage {
  readonly name = "memory";
  readonly #kept: Storage;
  readonly #held: () => Promise<void>;
  #unsynced: LogRecord[] = [];
  #syncing: Promise<void> | null = null;
  #isHeld = false;
  #isDead = false;
  #doing = 0;

  constructor(kept: Storage, held: () => Promise<void>) {
    this.#kept = kept;
    this.#held = held;
  }

  get isBusy(): boolean {
    return this.#doing > 0 && !this.#isHeld;
  }

  holds(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  crash(random: () => number): void {
    this.#isDead = true;
    const kept = this.#unsynced.slice(0, Math.floor(random() * (this.#unsynced.length + 1)));
    if (kept.length > 0) this.#kept.append(kept);
    void this.#kept.close();
  }

  open(logger: Logger): Promise<Stored> {
    return this.#do(() => this.#kept.open(logger));
  }

  append(records: readonly LogRecord[]): Promise<void> {
    for (const { zxid, bytes } of records) this.#unsynced.push({ zxid, bytes: bytes.slice() });
    this.#syncing ??= this.#do(async () => {
      this.#syncing = null;
      await this.#kept.append(this.#unsynced.splice(0));
    });
    return this.#syncing;
  }

  saveSnapshot(zxid: Zxid, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    return this.#do(() => this.#kept.saveSnapshot(zxid, this.#whileAlive(chunks)));
  }

  async *#whileAlive(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of chunks) {
      this.#check();
      yield chunk;
    }
    this.#check();
  }

  saveEpochs(epochs: Epochs): Promise<void> {
    return this.#do(() => this.#kept.saveEpochs(epochs));
  }

  truncate(last: Zxid, check?: CheckOfWhatIsLeft): Promise<Stored> {
    return this.#do(() => this.#kept.truncate(last, check));
  }

  readLog(zxid: Zxid): AsyncIterable<LogChunk> {
    return this.#kept.readLog(zxid);
  }

  usage(): StorageUsage {
    return this.#kept.usage();
  }

  async close(): Promise<void> {
    if (this.#isDead) return;
    await this.#syncing?.catch(() => {});
    await this.#kept.close();
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    this.#doing++;
    try {
      await this.#held();
      this.#check();
      return await work();
    } finally {
      this.#doing--;
    }
  }

  #check(): void {
    if (this.#isDead) throw new Error("the machine is off");
  }
}
