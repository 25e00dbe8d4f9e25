/**
 * The figures a measurement can yield, by name. Data only; how they are judged is in goals.ts, how they are printed in table.ts.
 */

export interface Metrics {
  /** Operations (or events, or sessions opened and closed) per second of wall time. */
  readonly perSecond?: number;
  /** Operations per second of CPU time of the process that does them; in-process rows only. */
  readonly perCpuSecond?: number;
  /** CPU time of the server process, all threads, per operation; microseconds. */
  readonly cpuUs?: number;
  /** CPU time of the server process for the whole of what was measured (a start, a recovery); milliseconds. */
  readonly cpuMs?: number;
  /** Wall time of what was measured; milliseconds. */
  readonly wallMs?: number;
  /** Wall time of the very first time, before anything is compiled; milliseconds. */
  readonly firstMs?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** The longest that anybody had to wait. */
  readonly maxMs?: number;
  /** Resident memory of the server process; bytes. */
  readonly residentBytes?: number;
  /** Growth of the server's resident memory per session or znode; bytes. */
  readonly bytesEach?: number;
  /** Replies that were errors or out of order. Anything but 0 makes the row worthless. */
  readonly errors?: number;
  /** Share of one core that the load generator itself needed while it measured. Near 1, the row measures the generator. */
  readonly loadCpuShare?: number;
}

export type MetricName = keyof Metrics;

/** Metrics that have a column of their own; the others are remarked upon when they matter. */
export type ShownMetric = Exclude<MetricName, "errors" | "loadCpuShare">;

/** The middle value of every metric over several rounds. */
export function medians(rounds: readonly Metrics[]): Metrics {
  const names = new Set(rounds.flatMap((round) => Object.keys(round) as MetricName[]));
  const result: Partial<Record<MetricName, number>> = {};
  for (const name of names) {
    // One round with errors spoils the row: they are added up, never outvoted.
    const values = rounds.map((round) => round[name]).filter((value) => value !== undefined);
    result[name] = name === "errors" ? values.reduce((total, value) => total + value, 0) : median(values);
  }
  return result;
}

/** The smallest value that `share` (0–1) of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1]!;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
