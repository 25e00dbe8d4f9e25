/**
 * Counts what happens between two moments, and reads at both what it cost the server and the generator.
 *
 * Work outside the measured time is not counted. Errors are counted always: an error while warming up is no better.
 */

import type { Metrics } from "../metrics.ts";
import { cpuSeconds } from "../process_stat.ts";
import type { Target } from "./job.ts";
import { Latencies } from "./latencies.ts";

interface Reading {
  readonly at: number;
  readonly serverCpu: number;
  readonly loadCpu: number;
}

export class Meter {
  readonly #target: Target;
  readonly #latencies: Latencies = new Latencies();
  #operations = 0;
  #errors = 0;
  #measuring = false;
  /** Never resolves; rejects once the load cannot go on. */
  readonly #breaks: Promise<never>;

  /** The load cannot go on: ends the measurement. */
  readonly broken: (error: Error) => void;

  constructor(target: Target) {
    this.#target = target;
    let broken: (error: Error) => void = () => {};
    this.#breaks = new Promise((_, reject) => {
      broken = reject;
    });
    this.#breaks.catch(() => {}); // it may break while nobody waits
    this.broken = broken;
  }

  /** One operation ended, `milliseconds` after it was sent. */
  done(milliseconds: number): void {
    if (!this.#measuring) return;
    this.#operations++;
    this.#latencies.record(milliseconds);
  }

  /** One operation ended with an error, or its reply was not the one due. The first is printed. */
  failed(what: string): void {
    if (this.#errors++ === 0) console.error(`load: ${what}`);
  }

  /** Warms up, measures, and says what was seen. Rejects as soon as the load breaks. */
  async run(): Promise<Metrics> {
    await Promise.race([sleep(this.#target.warmUpSeconds), this.#breaks]);
    const before = this.#read();
    this.#measuring = true;
    await Promise.race([sleep(this.#target.seconds), this.#breaks]);
    this.#measuring = false;
    return this.#summary(before, this.#read());
  }

  #read(): Reading {
    const { user, system } = process.cpuUsage();
    return { at: performance.now(), serverCpu: cpuSeconds(this.#target.pids), loadCpu: (user + system) / 1e6 };
  }

  #summary(before: Reading, after: Reading): Metrics {
    const seconds = (after.at - before.at) / 1000;
    return {
      perSecond: this.#operations / seconds,
      cpuUs: ((after.serverCpu - before.serverCpu) * 1e6) / this.#operations,
      p50Ms: this.#latencies.percentile(0.5),
      p99Ms: this.#latencies.percentile(0.99),
      maxMs: this.#latencies.longest,
      errors: this.#errors,
      loadCpuShare: (after.loadCpu - before.loadCpu) / seconds,
    };
  }
}

export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
