/**
 * The cut of a log file: what stands from an offset on goes, and may be kept in a file beside the log.
 *
 * Not here: where to cut (log_files.ts). Invariant: what is kept is on the disk before it is cut off.
 */
import { basename, dirname, join } from "@std/path";
import type { Disk } from "./disk.ts";
import type { LogPlace } from "./log_files.ts";
import { writeWhole } from "./whole_file.ts";

/** Copies what is to be cut off to a file beside the log, and says which. */
export async function keepTail(disk: Disk, { path, offset }: LogPlace): Promise<string> {
  const kept = join(dirname(path), `cut-of-${basename(path)}-at-${offset}`);
  await writeWhole(disk, `${kept}.unfinished`, kept, bytesFrom(disk, path, offset));
  return kept;
}

/** Cuts a log file off. One of which nothing is left is removed: a file without a whole header is none. */
export async function cutLog(disk: Disk, { path, offset }: LogPlace): Promise<void> {
  if (offset === 0) {
    disk.remove(path);
    return await disk.syncFolder(dirname(path));
  }
  const file = disk.openToWrite(path);
  try {
    file.resize(offset);
    await file.syncAside();
  } finally {
    file.close();
  }
}

async function* bytesFrom(disk: Disk, path: string, offset: number): AsyncGenerator<Uint8Array, void, void> {
  let at = 0;
  for await (const bytes of disk.read(path)) {
    if (at + bytes.length > offset) yield bytes.subarray(Math.max(0, offset - at));
    at += bytes.length;
  }
}
