/**
 * Time that a test owns: it stands still until it is told to move, and then stops at every wake-up on its way.
 *
 * Not here: what hangs on it. Sessions, TTLs, containers, pings, reconnects and delayed faults all ask this clock.
 *
 * Invariant: whatever a wake-up set in motion has come to rest, promises included, before time moves on.
 */

import { type Duration, durationText, milliseconds } from "../base/duration.ts";
import { argumentError, checkFunction, describe } from "../base/validate.ts";
import type { Now } from "../model/types.ts";
import type { Clock } from "../ports.ts";
import { type Wake, WakeQueue } from "./wake_queue.ts";

/** What the clock must know of its world to see that nothing is left to happen. */
export interface Foresight {
  /** Grows whenever something happens, pings aside. */
  activity(): number;
  /** By when all that is bound to happen has happened, as things stand, in monotonic milliseconds. */
  horizon(): number;
}

export interface VirtualClockOptions {
  readonly now: Now;
  /** Resolves once every promise that could be settled has been, and every function that waited for one has run. */
  readonly settle: () => Promise<void>;
  readonly foresight: Foresight;
}

/** Longest time that {@link VirtualClock.runUntilIdle} looks ahead. */
const IDLE_AFTER_MS_MAX = 100 * 86_400_000;
/** How far {@link VirtualClock.runUntil} goes, unless told. */
const RUN_UNTIL: Duration = "1h";
/** Wake-ups at one and the same moment, before they count as an endless loop. */
const WAKES_AT_ONCE_MAX = 100_000;

/**
 * The clock of a test server.
 *
 * @example
 * ```ts
 * await zk.clock.advance("30s"); // sessions that were silent that long expire
 * await zk.clock.runUntilIdle(); // … and whatever else is bound to happen, happens
 * ```
 */
export class VirtualClock implements Clock {
  readonly #options: VirtualClockOptions;
  readonly #wakes = new WakeQueue();
  #now: Now;
  /** The date when `mono` was 0. */
  #beganWall: number;
  /** Sleepers woken so far: that, too, is something that happens. */
  #woken = 0;
  /** Of the move that was asked for last; they don't overlap. */
  #moved: Promise<unknown> = Promise.resolve();

  /** Clocks are made by `testServer()`. */
  constructor(options: VirtualClockOptions) {
    this.#options = options;
    this.#now = Object.freeze({ ...options.now });
    this.#beganWall = options.now.wall - options.now.mono;
  }

  now(): Now {
    return this.#now;
  }

  wakeAt(mono: number, run: () => void): () => void {
    if (typeof mono !== "number" || Number.isNaN(mono))
      throw argumentError("wake", `mono must be a number of milliseconds, not ${describe(mono)}`);
    checkFunction("wake", "run", run, "() => …");
    const wake = this.#wakes.add(mono, run);
    return () => {
      wake.run = null;
    };
  }

  /** A promise that resolves once so much time has passed here. */
  async sleep(duration: Duration): Promise<void> {
    const ms = milliseconds(duration);
    await new Promise<void>((resolve) => {
      this.wakeAt(this.#now.mono + ms, () => {
        this.#woken++;
        resolve();
      });
    });
  }

  /** @internal The date, where it is later than this clock's: what was dumped then isn't older than its znodes. */
  catchUp(wall: number): void {
    if (wall <= this.#now.wall) return;
    this.#beganWall = wall - this.#now.mono;
    this.#now = Object.freeze({ mono: this.#now.mono, wall });
  }

  /**
   * Moves time on, by way of every wake-up in between, and resolves once all that they set in motion has come to rest. Moves that are asked for
   * while another one is going on come after it.
   *
   * Rejects with a TypeError for what is no duration.
   */
  async advance(duration: Duration): Promise<void> {
    const ms = milliseconds(duration);
    await this.#afterOthers(() => this.#advanceTo(this.#now.mono + ms));
  }

  /**
   * Moves time on until nothing more would happen by itself: silent sessions have expired, abandoned TTL znodes and empty containers are gone,
   * clients have come back, sleepers have woken. What goes on for ever without changing anything, such as pings, isn't waited for.
   *
   * Rejects if there is no end of it within a hundred days.
   */
  runUntilIdle(): Promise<void> {
    return this.#afterOthers(() => this.#runUntilIdle());
  }

  /**
   * Moves time on until a promise is settled, and no further; gives what it gives. For what a client can't get while time stands still, such as an
   * answer while there is no leader.
   *
   * Rejects if the promise does, or if it is not settled within that time, an hour unless told.
   *
   * @example
   * ```ts
   * const path = await zk.clock.runUntil(client.create("/jobs/job-", "x", { mode: "persistent_sequential" }));
   * ```
   */
  async runUntil<T>(promise: Promise<T>, within: Duration = RUN_UNTIL): Promise<T> {
    if (typeof (promise as Promise<T> | null | undefined)?.then !== "function")
      throw argumentError("run until a promise is settled", `it must be a promise, not ${describe(promise)}`);
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    const isInTime = await this.runUntilTrue(() => isSettled, within);
    if (!isInTime) throw new Error(`Nothing came of it within ${durationText(milliseconds(within))}`);
    return await promise;
  }

  /** @internal Moves time on until it is so, and says whether that came about within the time. */
  async runUntilTrue(isSo: () => boolean, within: Duration): Promise<boolean> {
    const ms = milliseconds(within);
    await this.#afterOthers(() => this.#advanceTo(this.#now.mono + ms, isSo));
    return isSo();
  }

  #afterOthers(move: () => Promise<void>): Promise<void> {
    const moved = this.#moved.then(move);
    this.#moved = moved.catch(() => {});
    return moved;
  }

  async #advanceTo(target: number, isEnough: () => boolean = () => false): Promise<void> {
    await this.#options.settle();
    for (let next = this.#next(); next <= target && !isEnough(); next = this.#next()) await this.#goTo(next);
    if (!isEnough()) this.#set(target);
  }

  async #runUntilIdle(): Promise<void> {
    const { foresight } = this.#options;
    const limit = this.#now.mono + IDLE_AFTER_MS_MAX;
    let seen = -1;
    let horizon = 0;
    await this.#options.settle();
    for (;;) {
      const happened = foresight.activity() + this.#woken;
      if (happened !== seen) {
        seen = happened;
        horizon = Math.max(foresight.horizon(), this.#wakes.lastMono);
      }
      const next = this.#next();
      if (next > horizon || next === Number.POSITIVE_INFINITY) return;
      if (next > limit) throw new Error(`After ${durationText(IDLE_AFTER_MS_MAX)} there is still something going on`);
      await this.#goTo(next);
    }
  }

  #next(): number {
    return this.#wakes.first?.mono ?? Number.POSITIVE_INFINITY;
  }

  /** Moves to a wake-up, runs all that are due by then, and lets what follows from them happen. Not async: an hour has thousands of them. */
  #goTo(mono: number): Promise<void> {
    this.#set(mono);
    for (let count = 0; this.#next() <= this.#now.mono; count++) {
      if (count > WAKES_AT_ONCE_MAX) throw new Error("Time can't move on: wake-ups for the same moment beget one another");
      this.#run(this.#wakes.takeDue(this.#now.mono)!);
    }
    return this.#options.settle();
  }

  #run(wake: Wake): void {
    const { run } = wake;
    wake.run = null;
    run?.();
  }

  #set(mono: number): void {
    // The date has no fractions of a millisecond, as on a real machine.
    if (mono > this.#now.mono) this.#now = Object.freeze({ mono, wall: Math.floor(this.#beganWall + mono) });
  }
}
