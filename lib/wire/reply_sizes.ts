/**
 * Sizes of replies in bytes, frame by frame and without the four of its length: the last one, the shortest, the longest, -1 each before
 * there is one; and all together. Handshakes and words don't count, as in ZooKeeper.
 */
import type { Extent } from "../report/report.ts";

export class ReplySizes implements Extent {
  last = -1;
  min = -1;
  max = -1;
  total = 0;

  add(bytes: number): void {
    this.total += bytes;
    this.last = bytes;
    if (this.min === -1 || bytes < this.min) this.min = bytes;
    if (bytes > this.max) this.max = bytes;
  }

  reset(): void {
    this.last = -1;
    this.min = -1;
    this.max = -1;
    this.total = 0;
  }
}
