/**
 * Paths of a znode and of all below it, parents before their children.
 *
 * Invariant: what goes while it is listed is left out, except the znode itself.
 */
import { ZkError } from "../../../lib/model/errors.ts";
import type { ZooKeeper } from "../../../mod.ts";
import { childOf } from "./paths.ts";

/** @throws ZkError `NoNode` where there is no such znode */
export async function branchOf(zk: ZooKeeper, path: string, signal: AbortSignal): Promise<string[]> {
  const paths = [path];
  for (let at = 0; at < paths.length; at++) {
    const parent = paths[at]!;
    try {
      const { children } = await zk.getChildren(parent, { signal });
      for (const name of children) paths.push(childOf(parent, name));
    } catch (error) {
      if (at === 0 || !(error instanceof ZkError) || error.code !== "NoNode") throw error;
    }
  }
  return paths;
}
