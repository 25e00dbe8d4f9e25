/** Children of a recipe's znode, which is made where it is missing, so that it can be watched. */
import type { AbortSignal } from "../base/platform_types.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { mkdirs } from "./parents.ts";
import { hasCode, untilAnswered } from "./waiting.ts";

/** Names of the children, in the order of names; watches for more. */
export async function itemsIn(
  zk: ZooKeeper,
  parent: string,
  watch: (() => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  for (;;) {
    try {
      return (await untilAnswered(() => zk.getChildren(parent, { watch, signal }), signal)).children.sort();
    } catch (error) {
      if (!hasCode(error, "NoNode")) throw error;
      if (watch === undefined) return [];
    }
    await mkdirs(zk, parent, "persistent");
  }
}
