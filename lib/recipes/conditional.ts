/**
 * Conditional write: of data at the version that was read, also where versions overflow.
 *
 * A version is Java's int: after 2,147,483,647 writes it is negative, and −1, which then comes one day, stands for "any version" in a request. So a
 * znode is never left at −1: the write that would leave it there is made twice in one transaction. Servers that pass −1 over count one more by it.
 *
 * Not here: writers that don't write by this file. One that leaves a znode at −1 makes the next write an unconditional one.
 */
import type { Data } from "../client/arguments.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";

/** The version whose successor stands for any. */
const BEFORE_ANY = -2;

/** Writes if the znode still has this version. Errors: those of `setData`. */
export async function setDataAt(zk: ZooKeeper, path: string, data: Data, version: number): Promise<void> {
  if (version !== BEFORE_ANY) await zk.setData(path, data, { version });
  else await zk.transaction().setData(path, data, { version }).setData(path, data).commit();
}
