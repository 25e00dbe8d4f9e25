/**
 * Txns that stand in a log more than once, and the check that they are the same each time.
 *
 * Apache's learners write such logs: one that fails between NEWLEADER and UPTODATE is sent again what it had logged, and logs it again
 * (ZOOKEEPER-4394). Not here: replaying. Invariant: nothing is passed over that differs from what stood first.
 */

import type { Zxid } from "../model/types.ts";
import { formatZxid } from "../model/zxid.ts";
import type { LogChunk } from "../ports.ts";
import { StorageError } from "./storage_error.ts";

/** When so many bytes wait, they are checked. */
const BYTES_MAX = 16 << 20;

interface Repeat {
  readonly zxid: Zxid;
  readonly bytes: Uint8Array;
  readonly place: string;
}

export class Repeats {
  /** Not checked yet. */
  #waiting: Repeat[] = [];
  #bytes = 0;
  #first: Repeat | null = null;
  #count = 0;

  /** Copies the bytes. */
  add(zxid: Zxid, bytes: Uint8Array, place: string): void {
    const repeat = { zxid, bytes: bytes.slice(), place };
    this.#first ??= repeat;
    this.#waiting.push(repeat);
    this.#bytes += bytes.length;
    this.#count++;
  }

  get areMany(): boolean {
    return this.#bytes > BYTES_MAX;
  }

  /**
   * Compares what waits with what stands first in the log.
   *
   * @param log from `from` on, as when the repeats were found: what stands behind later txns and goes no further than that is in the snapshot
   * @throws StorageError for one that differs, or that has not been there before
   */
  async check(log: () => AsyncIterable<LogChunk>, from: Zxid): Promise<void> {
    const wanted = new Map<Zxid, Repeat[]>();
    for (const repeat of this.#waiting) wanted.set(repeat.zxid, [...(wanted.get(repeat.zxid) ?? []), repeat]);
    this.#waiting = [];
    this.#bytes = 0;
    if (wanted.size === 0) return;
    for await (const chunk of log()) {
      for (const [index, { zxid, start, end }] of chunk.records.entries()) {
        const repeats = wanted.get(zxid);
        if (repeats === undefined) continue;
        wanted.delete(zxid);
        const place = chunk.placeOf(index);
        for (const repeat of repeats) {
          const isFirst = repeat.place === place && zxid > from;
          if (isFirst || !isSame(repeat.bytes, chunk.bytes.subarray(start, end))) throw outOfOrder(repeat);
        }
      }
      if (wanted.size === 0) return;
    }
  }

  /** What was passed over, in words; null: nothing. */
  get report(): string | null {
    if (this.#first === null) return null;
    const { place, zxid } = this.#first;
    const what = this.#count === 1 ? "1 txn stands" : `${this.#count} txns stand`;
    return `${place}: ${what} in the log again, the first of them ${formatZxid(zxid)}, each as it was before: passed over`;
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

function outOfOrder({ zxid, place }: Repeat): StorageError {
  return new StorageError({
    place,
    problem: `txn ${formatZxid(zxid)} stands behind later ones, and is not one that stood before them`,
    advice: "Restore the file from a backup or from another member of the ensemble",
  });
}
