/**
 * Figures of the process for `/metrics`: CPU, memory, and how late the event loop is.
 *
 * Not here: those of the server. Invariant: what is measured keeps no process alive, and a runtime that can't tell a figure has none.
 */
import process from "node:process";
import { type Metric, single } from "./metrics.ts";

const PERIOD_MS = 500;
/** Five minutes: no scraper is that slow. */
const IDLE_PERIODS_MAX = 600;

/** How late timers are. It is measured from the first time it is asked for until it hasn't been for a while. */
export class LoopDelay {
  #longestMs = 0;
  #due = 0;
  /** Periods since it was asked for. */
  #idle = 0;
  #timer: NodeJS.Timeout | null = null;

  /** The longest since it was asked for last, milliseconds; 0 the first time. */
  take(): number {
    this.#idle = 0;
    if (this.#timer === null) this.#start();
    const longest = Math.max(this.#longestMs, performance.now() - this.#due, 0);
    this.#longestMs = 0;
    return longest;
  }

  #start(): void {
    this.#due = performance.now() + PERIOD_MS;
    this.#timer = setInterval(() => this.#tick(), PERIOD_MS);
    this.#timer.unref();
  }

  #tick(): void {
    const now = performance.now();
    this.#longestMs = Math.max(this.#longestMs, now - this.#due);
    this.#due = now + PERIOD_MS;
    if (++this.#idle < IDLE_PERIODS_MAX || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

export function runtimeMetrics(delay: LoopDelay): readonly Metric[] {
  const { rss, heapUsed, heapTotal } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    single("process_cpu_seconds_total", "counter", (user + system) / 1e6, "CPU time of the process, seconds."),
    single("process_resident_memory_bytes", "gauge", rss, "Resident memory of the process."),
    single("process_heap_bytes", "gauge", heapTotal, "Bytes of the JavaScript heap."),
    single("process_heap_used_bytes", "gauge", heapUsed, "Bytes of the JavaScript heap that are used."),
    single(
      "process_event_loop_delay_max_seconds",
      "gauge",
      delay.take() / 1000,
      "The event loop's longest delay since the last scrape.",
    ),
  ];
}
