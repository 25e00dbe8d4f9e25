/**
 * Mutex: one owner at a time, in the order in which they came.
 *
 * Guarantees: two owners never have the same fence, and a later one has a higher; a session that ends lets the next one in; the order of waiting is
 * kept, also over lost connections and changes of leader. Not guaranteed: that the former owner has noticed, if its process stands still; compare
 * fences where it matters. Layouts: Curator's InterProcessMutex, kazoo's Lock.
 */
import type { ZooKeeper } from "../client/zookeeper.ts";
import { checkOwnedOptions } from "./checks.ts";
import { LAYOUTS, type Layout } from "./layouts.ts";
import { inFront } from "./line.ts";
import { Lock, type LockOptions } from "./lock.ts";

/** The kind of contender, as both libraries write it. */
const KIND: Readonly<Record<Layout, string>> = { curator: "lock-", kazoo: "__lock__" };

/**
 * A lock at a path. Nothing is asked of the server before the first {@link Lock.acquire}.
 *
 * @example
 * ```ts
 * const lock = mutex(zk, "/locks/report");
 * await using held = await lock.acquire({ timeoutMs: 10_000 });
 * ```
 */
export function mutex(zk: ZooKeeper, path: string, options: LockOptions = {}): Lock {
  checkOwnedOptions("make a mutex", options, LAYOUTS);
  const kind = KIND[options.layout ?? "curator"];
  return new Lock(zk, path, options, { kind, kinds: [kind], shares: () => null, blocker: inFront });
}
