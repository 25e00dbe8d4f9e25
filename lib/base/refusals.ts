/**
 * Log of what is refused again and again: connections above a limit. The first is told at once, all others of a minute in one line.
 *
 * Invariant: however many are refused, there is no more than a line for each minute and one.
 */
import type { Clock, Logger } from "../ports.ts";

const MINUTE_MS = 60_000;
/** So many reasons are told in one line. */
const REASONS_MAX = 3;

export class Refusals {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Since the last line; null while nothing was refused for a minute. */
  #reasons: Map<string, number> | null = null;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @param reason the limit, without what differs between two that are refused for the same */
  add(reason: string, from: string): void {
    if (this.#reasons === null) {
      this.#logger.warn(`Too many connections: ${reason}; another one from ${from} was refused`);
      this.#begin();
    } else if (this.#reasons.has(reason) || this.#reasons.size < REASONS_MAX) {
      this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
    } else {
      this.#reasons.set(OTHERS, (this.#reasons.get(OTHERS) ?? 0) + 1);
    }
  }

  #begin(): void {
    this.#reasons = new Map();
    this.#clock.wakeAt(this.#clock.now().mono + MINUTE_MS, () => this.#tell());
  }

  #tell(): void {
    const reasons = this.#reasons ?? new Map<string, number>();
    this.#reasons = null;
    if (reasons.size === 0) return;
    const told = Array.from(reasons, ([reason, count]) => `${count} for ${reason}`).join(", ");
    this.#logger.warn(`Too many connections: in the last minute more were refused: ${told}`);
    this.#begin();
  }
}

const OTHERS = "other reasons";
