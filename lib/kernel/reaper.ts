/**
 * Says which containers are empty and which TTL znodes have expired, at its own pace. Whether they go is a txn's matter, like any other change.
 *
 * Invariant: without containers and TTL znodes it has nothing to do and asks for no wake-up.
 */

import type { Now } from "../model/types.ts";
import type { Tree } from "../tree/tree.ts";
import { ttlOf, type Znode } from "../tree/znode.ts";
import type { KernelOptions } from "./options.ts";

/** More candidates than the rate allows are looked at again after this time. */
const CATCH_UP_MS = 1000;

export class Reaper {
  readonly #tree: Tree;
  readonly #options: KernelOptions;
  /** When it looks again, in monotonic milliseconds. */
  nextCheck: number;

  constructor(tree: Tree, options: KernelOptions, now: Now) {
    this.#tree = tree;
    this.#options = options;
    this.nextCheck = now.mono + options.reapIntervalMs;
  }

  get deadline(): number | null {
    return this.#tree.reapable.size === 0 ? null : this.nextCheck;
  }

  /** Paths to remove now. Children come before their parents' turn, so a tree of containers goes level by level, as in ZooKeeper. */
  candidates(now: Now): string[] {
    if (now.mono < this.nextCheck) return [];
    const most = Math.max(1, Math.ceil((this.#options.reapsPerMinuteMax * CATCH_UP_MS) / 60_000));
    const paths: string[] = [];
    for (const path of this.#tree.reapable) {
      if (!this.#isDue(this.#tree.get(path)!, now.wall)) continue;
      if (paths.length === most) {
        this.nextCheck = now.mono + CATCH_UP_MS;
        return paths;
      }
      paths.push(path);
    }
    this.nextCheck = now.mono + this.#options.reapIntervalMs;
    return paths;
  }

  #isDue(node: Znode, wall: number): boolean {
    if (node.childCount > 0) return false;
    if (node.kind === "ttl") return wall - node.mtime > ttlOf(node.owner);
    const neverUsedMs = this.#options.containerNeverUsedMs;
    return node.cversion > 0 || (neverUsedMs > 0 && wall - node.mtime > neverUsedMs);
  }
}
