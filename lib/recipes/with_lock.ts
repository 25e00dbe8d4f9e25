/**
 * Work under a lock, in one line: `withLock(zk, "/locks/a", fn)`.
 *
 * Guarantees and limits are those of the mutex (mutex.ts).
 */
import type { ZooKeeper } from "../client/zookeeper.ts";
import type { AcquireOptions, LockOptions } from "./lock.ts";
import { mutex } from "./mutex.ts";
import type { Owned } from "./ownership.ts";

/**
 * Waits for the lock, runs `fn` with it, gives it back, and hands on what `fn` returns or throws.
 *
 * Errors: those of {@link Lock.acquire}; whatever `fn` throws.
 *
 * @example
 * ```ts
 * await withLock(zk, "/locks/report", async ({ signal, fence }) => {
 *   await writeReport({ signal, fence });
 * });
 * ```
 */
export async function withLock<T>(
  zk: ZooKeeper,
  path: string,
  fn: (owned: Owned) => T | Promise<T>,
  { layout, id, rule, ...wait }: LockOptions & AcquireOptions = {},
): Promise<T> {
  const held = await mutex(zk, path, {
    ...(layout !== undefined && { layout }),
    ...(id !== undefined && { id }),
    ...(rule !== undefined && { rule }),
  }).acquire(wait);
  try {
    return await fn(held);
  } finally {
    await held.release();
  }
}
