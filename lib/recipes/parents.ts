/**
 * Parents of what recipes create: containers, which go by themselves once nobody uses them; ordinary znodes where a server has none.
 */
import type { ZooKeeper } from "../client/zookeeper.ts";
import { hasCode, untilAnswered } from "./waiting.ts";

/** Creates a znode, a container unless told, and what is missing above it. One that is there already is left as it is. */
export async function mkdirs(zk: ZooKeeper, path: string, mode: "container" | "persistent" = "container"): Promise<void> {
  for (let end = path.indexOf("/", 1); ; end = path.indexOf("/", end + 1)) {
    const isLast = end < 0;
    await make(zk, isLast ? path : path.slice(0, end), isLast ? mode : "persistent");
    if (isLast) return;
  }
}

async function make(zk: ZooKeeper, path: string, mode: "container" | "persistent"): Promise<void> {
  try {
    await untilAnswered(() => zk.create(path, null, { mode }));
  } catch (error) {
    if (hasCode(error, "Unimplemented") && mode === "container") await make(zk, path, "persistent");
    else if (!hasCode(error, "NodeExists")) throw error;
  }
}
