/**
 * A member's own clock: begins anywhere, runs too fast or too slow, and its wall time jumps.
 *
 * Invariant: its monotonic time never goes back while the process lives.
 */
import type { Now } from "../../../lib/model/types.ts";
import type { World } from "./world.ts";

const WALL_AT_START = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
/** A wake-up that comes too early by a rounding error would have to be asked for again. */
const ROUNDING_MS = 1e-6;

export class MemberClock {
  readonly #world: World;
  /** Its monotonic time at `#since` of the world's. */
  #mono = 0;
  #since = 0;
  #rate = 1;
  #wallAhead: number;

  constructor(world: World) {
    this.#world = world;
    this.#wallAhead = world.between(-5000, 5000);
    this.restart();
  }

  /** A process begins: its monotonic time says nothing about earlier ones. */
  restart(): void {
    this.#mono = this.#world.below(1_000_000);
    this.#since = this.#world.mono;
  }

  get now(): Now {
    return { mono: this.mono, wall: WALL_AT_START + Math.floor(this.#world.mono + this.#wallAhead) };
  }

  get mono(): number {
    return this.#mono + (this.#world.mono - this.#since) * this.#rate;
  }

  /** In how many of the world's milliseconds the clock shows that. */
  msUntil(mono: number): number {
    const ahead = mono - this.mono;
    return ahead <= 0 ? 0 : ahead / this.#rate + ROUNDING_MS;
  }

  drift(): void {
    this.#mono = this.mono;
    this.#since = this.#world.mono;
    this.#rate = this.#world.between(0.97, 1.03);
  }

  jump(): void {
    this.#wallAhead += this.#world.between(-24 * HOUR_MS, 24 * HOUR_MS);
  }

  /** Somebody sets it right. */
  repair(): void {
    this.drift();
    this.#rate = 1;
    this.#wallAhead = 0;
  }
}
