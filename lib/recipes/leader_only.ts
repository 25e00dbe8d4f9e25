/**
 * Work of the leader alone, in one line: `leaderOnly(zk, "/leader", fn)`.
 *
 * Guarantees and limits are those of the election (leader.ts).
 */
import type { ZooKeeper } from "../client/zookeeper.ts";
import { type ElectionOptions, election } from "./leader.ts";
import type { Owned } from "./ownership.ts";
import type { WaitOptions } from "./waiting.ts";

/**
 * Runs `fn` each time this program is elected, until it has come to its end while still leading, and gives what it gives.
 *
 * Errors: those of {@link Election.lead}.
 *
 * @example
 * ```ts
 * await leaderOnly(zk, "/leader", async ({ signal }) => {
 *   while (!signal.aborted) await doOnePieceOfWork({ signal });
 * });
 * ```
 */
export function leaderOnly<T>(
  zk: ZooKeeper,
  path: string,
  fn: (owned: Owned) => T | Promise<T>,
  { signal, timeoutMs, ...options }: ElectionOptions & WaitOptions = {},
): Promise<T> {
  return election(zk, path, options).lead(fn, {
    ...(signal !== undefined && { signal }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
}
