/**
 * One step of a kernel: when it happens, and what has been said in it so far. The kernel's parts share it, so that all they say stands in one order.
 */
import type { Now } from "../model/types.ts";
import type { Effect } from "./messages.ts";

export class Step {
  now: Now;
  #effects: Effect[] = [];

  constructor(now: Now) {
    this.now = now;
  }

  begin(now: Now): void {
    this.now = now;
    this.#effects = [];
  }

  get effects(): readonly Effect[] {
    return this.#effects;
  }

  say(effect: Effect): void {
    this.#effects.push(effect);
  }
}
