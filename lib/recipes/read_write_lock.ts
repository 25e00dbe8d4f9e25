/**
 * Read-write lock: any number of readers, or one writer, in the order in which they came.
 *
 * Guarantees: those of the mutex, for writers; a reader that stands behind a writer waits for it, so that writers don't starve. An owner that names
 * itself and holds the write lock gets the read lock at once, and keeps it when it releases the write lock (downgrade). The other way round two of
 * them would wait for each other for ever: it is refused. Layouts: Curator's InterProcessReadWriteLock, kazoo's ReadLock and WriteLock.
 */
import type { ZooKeeper } from "../client/zookeeper.ts";
import { ZkError } from "../model/errors.ts";
import { checkOwnedOptions } from "./checks.ts";
import { LAYOUTS, type Layout } from "./layouts.ts";
import { inFront } from "./line.ts";
import { Lock, type LockOptions } from "./lock.ts";

/** Kinds of contenders, as both libraries write them. */
const READ: Readonly<Record<Layout, string>> = { curator: "__READ__", kazoo: "__rlock__" };
const WRITE: Readonly<Record<Layout, string>> = { curator: "__WRIT__", kazoo: "__lock__" };

/** Both sides of a lock. */
export interface ReadWriteLock {
  readonly read: Lock;
  /** Its `acquire` rejects with `BadArguments` for an owner that holds the read lock alone. */
  readonly write: Lock;
}

/**
 * A read-write lock at a path.
 *
 * @example
 * ```ts
 * const { read, write } = readWriteLock(zk, "/locks/table");
 * await using reading = await read.acquire();
 * ```
 */
export function readWriteLock(zk: ZooKeeper, path: string, options: LockOptions = {}): ReadWriteLock {
  checkOwnedOptions("make a read-write lock", options, LAYOUTS);
  const layout = options.layout ?? "curator";
  const kinds = [READ[layout], WRITE[layout]];
  const read = new Lock(zk, path, options, {
    ...{ kind: READ[layout], kinds },
    // In the writer's own place: behind it another writer may stand already, which must go on waiting when the first one only reads.
    shares: (owner) => write.placeOf(owner),
    blocker: (places, own, owner) => {
      const mine = write.placeOf(owner)?.name;
      return places.slice(0, own).findLast(({ kind, name }) => kind === WRITE[layout] && name !== mine) ?? null;
    },
  });
  const write = new Lock(zk, path, options, {
    ...{ kind: WRITE[layout], kinds },
    shares: (owner) => {
      if (read.placeOf(owner) === null) return null;
      const reason = "this owner holds the read lock: two of them would wait for each other for ever";
      throw new ZkError("BadArguments", { operation: "acquire the write lock", path, reason });
    },
    blocker: inFront,
  });
  return { read, write };
}
