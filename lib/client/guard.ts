/**
 * Calls of a caller's functions: watchers and listeners of states. What they throw is logged, and breaks nothing of what goes on around them.
 *
 * Invariant: {@link guard} never throws, and leaves no rejected promise behind.
 */
import { logThrown } from "../base/log_thrown.ts";
import type { Logger } from "../ports.ts";

/** Calls the function; what it throws, at once or as a promise, is logged. */
export function guard<T>(logger: Logger, listener: (value: T) => unknown, value: T): void {
  const failed = (error: unknown): void => logThrown(logger, "A watcher or state listener threw", error);
  try {
    const result = listener(value);
    // An async function, most often.
    if (typeof result === "object" && result !== null) Promise.resolve(result).catch(failed);
  } catch (error) {
    failed(error);
  }
}
