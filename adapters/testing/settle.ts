/**
 * Waiting until a program has come to rest, without a timer that a test runner may have replaced.
 */
import { setImmediate } from "node:timers";

/** The real one: fake timers that are installed later don't reach it. */
const nextTurn = setImmediate;

/** Calls back in the next turn of the event loop. */
export function soon(run: () => void): void {
  nextTurn(run);
}

/** Resolves in the next turn of the event loop: by then all promises that could be settled are, and sockets have been looked at. */
export function settle(): Promise<void> {
  return new Promise(soon);
}
