/**
 * Counts latencies in buckets one per cent wide, so that recording costs no memory per request.
 *
 * It keeps no order and of the single values only the longest: percentiles are exact to the width of a bucket.
 */

const BUCKET_WIDTH = Math.log(1.01);
const SMALLEST_MS = 0.001;
const BUCKETS = 2048; // up to 0.001 ms * 1.01^2048, about twelve minutes

export class Latencies {
  readonly #counts: Uint32Array = new Uint32Array(BUCKETS);
  #total = 0;
  #longest = 0;

  /** The longest of all, in milliseconds. */
  get longest(): number {
    return this.#longest;
  }

  record(milliseconds: number): void {
    if (milliseconds > this.#longest) this.#longest = milliseconds;
    const bucket = milliseconds <= SMALLEST_MS ? 0 : Math.floor(Math.log(milliseconds / SMALLEST_MS) / BUCKET_WIDTH);
    this.#counts[Math.min(bucket, BUCKETS - 1)]!++;
    this.#total++;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#longest = 0;
  }

  /** The latency in milliseconds that `share` (0–1) of the requests did not exceed; 0 when nothing was recorded. */
  percentile(share: number): number {
    let left = Math.ceil(this.#total * share);
    if (left === 0) return 0;
    let bucket = 0;
    while (bucket < BUCKETS - 1 && this.#counts[bucket]! < left) left -= this.#counts[bucket++]!;
    return SMALLEST_MS * Math.exp((bucket + 0.5) * BUCKET_WIDTH);
  }
}
