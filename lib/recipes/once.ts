/**
 * Work that is done once by all programs that share a ZooKeeper: `once(zk, "nightly-report", fn)`.
 *
 * Whoever comes first does it, under a lock, and keeps the result in a znode; everybody else is given that. Guarantees: `fn` has come to its end once,
 * and is not begun again after that. Not guaranteed: that it was begun only once. If a process dies on the way the next one begins anew, with a higher
 * fence. Layout: ours.
 */
import type { LossRule } from "../client/lease.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { checkWait } from "./checks.ts";
import { election } from "./leader.ts";
import type { Owned } from "./ownership.ts";
import { taskPath } from "./tasks.ts";
import { hasCode, untilAnswered, type WaitOptions } from "./waiting.ts";

/** Options of {@link once}. */
export interface OnceOptions extends WaitOptions {
  /** Where results are kept. Default `/zookernel/tasks`. */
  readonly root?: string;
  /** How long the result is kept, milliseconds; after that it may be done again. Default: for ever. Needs a server that has TTL znodes. */
  readonly ttlMs?: number;
  /** When the right to do it counts as lost. Default `suspended`. */
  readonly rule?: LossRule;
}

/**
 * Does something unless it was done before, and gives what whoever did it returned: a value that JSON can hold.
 *
 * Errors: `OperationTimeout` after `timeoutMs`; the signal's reason; whatever `fn` throws: then it counts as not done; `SessionExpired`, `NoAuth`.
 *
 * @example
 * ```ts
 * const { rows } = await once(zk, "report-2026-12-01", async ({ fence, signal }) => writeReport({ fence, signal }));
 * ```
 */
export async function once<T>(
  zk: ZooKeeper,
  name: string,
  fn: (owned: Owned) => T | Promise<T>,
  { root, ttlMs, rule = "suspended", ...wait }: OnceOptions = {},
): Promise<T> {
  checkWait("do something once", wait);
  const path = taskPath(root, name);
  const resultPath = `${path}/result`;
  const done = await readResult<T>(zk, resultPath);
  if (done !== null) return done.value;
  /** What `fn` returned here; it isn't run again because its result could not be kept at once. */
  let result: { value: T } | null = null;
  return await election(zk, `${path}/lock`, { layout: "selector", rule }).lead(async (owned) => {
    const other = await readResult<T>(zk, resultPath);
    if (other !== null) return other.value;
    result ??= { value: await fn(owned) };
    owned.signal.throwIfAborted();
    const mode = ttlMs === undefined ? {} : { mode: "persistent_with_ttl" as const, ttlMs };
    await zk.transaction().check(owned.path).create(resultPath, JSON.stringify(result), mode).commit();
    return result.value;
  }, wait);
}

async function readResult<T>(zk: ZooKeeper, path: string): Promise<{ value: T } | null> {
  try {
    const { data } = await untilAnswered(() => zk.getData(path));
    return JSON.parse(new TextDecoder().decode(data!)) as { value: T };
  } catch (error) {
    if (hasCode(error, "NoNode")) return null;
    throw error;
  }
}
