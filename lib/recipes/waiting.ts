/**
 * Waiting of recipes: for a change that was noticed, within a caller's limits, and through lost connections.
 *
 * Not here: what is waited for. A noticed change says nothing but "read again": what is read then decides.
 *
 * Invariant: every wait ends, at the latest with the session or with the caller's signal, and leaves no timer and no listener behind.
 */

import type { AbortSignal } from "../base/platform_types.ts";
import { onAbort } from "../client/abort.ts";
import { isTerminal } from "../client/session.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { ZkError } from "../model/errors.ts";
import type { Clock } from "../ports.ts";
import { checkWait } from "./checks.ts";

/** Limits of a wait. */
export interface WaitOptions {
  /** Gives up: the promise rejects with the signal's reason, and what was begun is cleaned up. */
  readonly signal?: AbortSignal;
  /** Gives up after so many milliseconds of the handle's clock, with `OperationTimeout`. Default: never. */
  readonly timeoutMs?: number;
}

/** What waits, for messages. */
export interface Waiter {
  readonly operation: string;
  readonly path: string;
}

/**
 * Runs something with a signal that aborts when the caller gives up, when the time is over, or when the session ends.
 * Rejects with the reason then, whether what runs has noticed it or not: what it gives all the same is handed to `tooLate`, null where it failed.
 */
export async function within<T>(
  zk: ZooKeeper,
  { operation, path }: Waiter,
  options: WaitOptions,
  run: (signal: AbortSignal) => Promise<T>,
  tooLate: (result: T | null) => unknown = () => {},
): Promise<T> {
  checkWait(operation, options);
  options.signal?.throwIfAborted();
  const limit = new AbortController();
  const { timeoutMs } = options;
  const timedOut = (): void =>
    limit.abort(new ZkError("OperationTimeout", { operation, path, reason: `not within ${timeoutMs} ms` }));
  const cancelTimer = timeoutMs === undefined ? null : zk.clock.wakeAt(zk.clock.now().mono + timeoutMs, timedOut);
  const offAbort = onAbort(options.signal, (reason) => limit.abort(reason));
  const ended = (reason: string): void => limit.abort(new ZkError("SessionExpired", { operation, path, reason }));
  const offState = zk.onState(({ state, reason }) => isTerminal(state) && ended(reason));
  try {
    if (isTerminal(zk.state)) ended(`the handle is ${zk.state}`);
    limit.signal.throwIfAborted();
    const running = run(limit.signal);
    try {
      return await Promise.race([running, rejection(limit.signal)]);
    } catch (error) {
      void running
        .catch(() => null)
        .then(tooLate)
        .catch(() => {});
      throw error;
    }
  } finally {
    offState();
    offAbort();
    cancelTimer?.();
  }
}

/** A promise that only rejects, when the signal aborts. */
function rejection(signal: AbortSignal): Promise<never> {
  const never = new Promise<never>((_, reject) => onAbort(signal, reject));
  never.catch(() => {}); // whoever waits hears of it; if nobody does, it is no fault
  return never;
}

/** Waits until a date, milliseconds since 1970; rejects when the signal aborts. */
export async function sleepUntil(clock: Clock, wallMs: number, signal: AbortSignal): Promise<void> {
  // Again and again: the date may be set meanwhile, and a wake-up comes by a clock that isn't.
  for (let leftMs = wallMs - clock.now().wall; leftMs > 0; leftMs = wallMs - clock.now().wall) {
    const due = clock.now().mono + Math.min(leftMs, SLEEP_MS_MAX);
    await new Promise<void>((resolve, reject) => {
      const cancel = clock.wakeAt(due, () => {
        offAbort();
        resolve();
      });
      const offAbort = onAbort(signal, (reason) => {
        cancel();
        reject(reason);
      });
    });
  }
}

/** A date that was set forward is noticed after so long, milliseconds. */
const SLEEP_MS_MAX = 60_000;

/** Asks again for as long as the connection is what fails: the session may live on. Only for what may be done twice. */
export async function untilAnswered<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!hasCode(error, "ConnectionLoss")) throw error;
      signal?.throwIfAborted();
    }
  }
}

/** Whether an error is ZooKeeper's of this code. */
export function hasCode(error: unknown, code: ZkError["code"]): error is ZkError {
  return error instanceof ZkError && error.code === code;
}

/** Changes that were noticed: how often doesn't matter, only whether there was one since the last look. */
export class Notices {
  #noticed = false;
  #wake: (() => void) | null = null;

  /** Something may have changed. A function of its own, to be handed on as a watcher. */
  readonly give = (): void => {
    this.#noticed = true;
    this.#wake?.();
  };

  /** Resolves once there was one since the last call; rejects when the signal aborts. */
  async next(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#noticed) {
      await new Promise<void>((resolve, reject) => {
        const offAbort = onAbort(signal, reject);
        this.#wake = () => {
          offAbort();
          resolve();
        };
      }).finally(() => {
        this.#wake = null;
      });
    }
    this.#noticed = false;
  }
}
