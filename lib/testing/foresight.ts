/**
 * Horizon of a world: the time by which all has happened that is bound to happen by itself.
 */
import type { Kernel } from "../kernel/kernel.ts";
import type { Now } from "../model/types.ts";
import { ttlOf } from "../tree/znode.ts";

/**
 * By when, if nobody does anything more, every session that will expire has expired and every TTL znode that will go has gone, in monotonic
 * milliseconds.
 */
export function foreseeableMono({ sessions, database, options }: Kernel, now: Now): number {
  let mono = now.mono;
  for (const { deadline } of sessions.all()) mono = Math.max(mono, deadline);
  const { tree } = database;
  for (const path of tree.reapable) {
    const node = tree.get(path)!;
    if (node.childCount > 0) continue;
    const livesMs = node.kind === "ttl" ? ttlOf(node.owner) : options.containerNeverUsedMs;
    // It goes when the reaper comes by after that.
    mono = Math.max(mono, now.mono + (node.mtime + livesMs - now.wall) + options.reapIntervalMs + 1);
  }
  return mono;
}
