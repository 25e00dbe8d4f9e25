/**
 * Latencies of one kind of request, summed up for `mntr`: how many, the shortest, the longest, the mean, and percentiles.
 *
 * Invariant: to count one takes a few additions, however many there were. Percentiles are of whole milliseconds, and exact below
 * {@link EXACT_MS}; ZooKeeper estimates them from a sample.
 */
import type { SummaryReport } from "../report/report.ts";

const EXACT_MS = 1024;

export class Latencies {
  #count = 0;
  #sum = 0;
  #min = 0;
  #max = 0;
  /** How many took so many milliseconds. Made when there is one to count. */
  #byMs: Uint32Array | null = null;

  add(latencyMs: number): void {
    if (this.#count === 0 || latencyMs < this.#min) this.#min = latencyMs;
    if (latencyMs > this.#max) this.#max = latencyMs;
    this.#count++;
    this.#sum += latencyMs;
    this.#byMs ??= new Uint32Array(EXACT_MS);
    if (latencyMs < EXACT_MS) this.#byMs[latencyMs]!++;
  }

  reset(): void {
    this.#count = 0;
    this.#sum = 0;
    this.#min = 0;
    this.#max = 0;
    this.#byMs = null;
  }

  get report(): SummaryReport {
    const percentiles = { p50: this.#below(0.5), p95: this.#below(0.95), p99: this.#below(0.99), p999: this.#below(0.999) };
    return { min: this.#min, max: this.#max, count: this.#count, sum: this.#sum, percentiles };
  }

  /** The latency that this part of all requests did not exceed. */
  #below(part: number): number {
    let left = Math.ceil(this.#count * part);
    for (const [ms, count] of (this.#byMs ?? []).entries()) {
      left -= count;
      if (left <= 0) return ms;
    }
    return this.#max;
  }
}
