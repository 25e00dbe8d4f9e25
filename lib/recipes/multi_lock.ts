/**
 * Multi-lock: several locks that are held together or not at all.
 *
 * They are acquired one after the other in the order of their paths, so that two who want the same ones never wait for each other. It is lost as soon as
 * one of them is. Guarantees and limits are those of the locks; `fences` has the fence of each.
 */
import type { ZooKeeper } from "../client/zookeeper.ts";
import type { Zxid } from "../model/types.ts";
import type { AcquireOptions, LockOptions } from "./lock.ts";
import { mutex } from "./mutex.ts";
import type { Owned, Ownership } from "./ownership.ts";
import { within } from "./waiting.ts";

/** What the owner of several locks is given. */
export interface MultiOwnership extends AsyncDisposable {
  /** The fence of each lock, by its path. */
  readonly fences: ReadonlyMap<string, Zxid>;
  /** Aborts when the first of them is lost, or with {@link MultiOwnership.release}. */
  readonly signal: Owned["signal"];
  /** Gives all of them back. */
  release(): Promise<void>;
}

/**
 * Waits for all of the locks.
 *
 * Errors: those of {@link Lock.acquire}; then none of them is held. TypeError for a path that stands twice.
 *
 * @example
 * ```ts
 * await using both = await multiLock(zk, ["/accounts/1", "/accounts/2"]);
 * ```
 */
export async function multiLock(
  zk: ZooKeeper,
  paths: readonly string[],
  { signal, timeoutMs, ...options }: LockOptions & Omit<AcquireOptions, "owner"> = {},
): Promise<MultiOwnership> {
  const ordered = [...paths].sort();
  if (new Set(ordered).size !== ordered.length)
    throw new TypeError("Cannot acquire: a path stands twice, and would wait for itself");
  const held: Ownership[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(held.map((one) => one.release()));
  };
  const wait = { ...(signal !== undefined && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) };
  try {
    const acquire = async (limit: AbortSignal): Promise<void> => {
      for (const path of ordered) held.push(await mutex(zk, path, options).acquire({ signal: limit }));
    };
    await within(zk, { operation: "acquire", path: ordered.join(", ") }, wait, acquire, release);
  } catch (error) {
    await release();
    throw error;
  }
  const fences = new Map(held.map(({ fence }, i) => [ordered[i]!, fence]));
  return { fences, signal: AbortSignal.any(held.map((one) => one.signal)), release, [Symbol.asyncDispose]: release };
}
