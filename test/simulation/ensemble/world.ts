/**
 * Time and chance of a simulated ensemble: everything that happens follows from one seed.
 *
 * Time jumps from one event to the next, so that time in which nothing happens costs nothing. Not here: whom anything happens to.
 */
import { seededRandom } from "../../../lib/testing/random.ts";
import { WakeQueue } from "../../../lib/testing/wake_queue.ts";

export class World {
  readonly random: () => number;
  readonly #wakes = new WakeQueue();
  /** Milliseconds since the beginning; no member knows this time (member_clock.ts). */
  mono = 0;
  /** Of all that has happened so far, and when: two runs are the same if it is. */
  fingerprint = 0x811c9dc5;
  /** Hears what members tell of themselves, and which faults strike. */
  trace: ((line: string) => void) | null = null;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  after(ms: number, run: () => void): void {
    this.#wakes.add(this.mono + ms, run);
  }

  /** A whole number below `end`. */
  below(end: number): number {
    return Math.floor(this.random() * end);
  }

  between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** How long until something that happens so often, on average, happens again. No logarithm: runtimes differ in its last digit. */
  untilNext(everyMs: number): number {
    return 2 * this.random() * everyMs;
  }

  /** Lets things happen until then, or until `done` says so. */
  run(untilMono: number, done: () => boolean = () => false): void {
    while (!done()) {
      const next = this.#wakes.takeDue(untilMono);
      if (next === undefined) {
        this.mono = Math.max(this.mono, untilMono);
        return;
      }
      this.mono = Math.max(this.mono, next.mono);
      this.note(this.mono * 1024);
      const { run } = next;
      next.run = null;
      run?.();
    }
  }

  /** Something has happened that another run of this seed must show, too. */
  note(value: number): void {
    this.fingerprint = Math.imul(this.fingerprint ^ (value | 0), 0x01000193) >>> 0;
  }

  tell(line: string): void {
    this.trace?.(`${Math.floor(this.mono)} ms: ${line}`);
  }
}
