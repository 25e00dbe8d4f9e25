/** A clock that moves when told: wake-ups that have come due happen within the call that moves it. */

import type { Now } from "../../lib/model/types.ts";
import type { Clock } from "../../lib/ports.ts";

export class ManualClock implements Clock {
  #now: Now = { mono: 1_000, wall: 1_795_000_000_000 };
  readonly #wakes = new Set<{ readonly mono: number; readonly wake: () => void }>();

  now(): Now {
    return this.#now;
  }

  wakeAt(mono: number, wake: () => void): () => void {
    const entry = { mono, wake };
    this.#wakes.add(entry);
    return () => void this.#wakes.delete(entry);
  }

  /** Wake-ups that somebody waits for. */
  get armedCount(): number {
    return this.#wakes.size;
  }

  /** Moves on, stopping at each wake-up on the way. */
  advance(ms: number): void {
    const target = this.#now.mono + ms;
    for (let next = this.#nextUntil(target); next !== undefined; next = this.#nextUntil(target)) {
      this.#wakes.delete(next);
      this.#moveTo(Math.max(next.mono, this.#now.mono));
      next.wake();
    }
    this.#moveTo(target);
  }

  #nextUntil(target: number): { readonly mono: number; readonly wake: () => void } | undefined {
    const due = [...this.#wakes].filter(({ mono }) => mono <= target);
    return due.sort((one, other) => one.mono - other.mono)[0];
  }

  #moveTo(mono: number): void {
    this.#now = { mono, wall: this.#now.wall + mono - this.#now.mono };
  }
}
