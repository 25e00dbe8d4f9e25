/**
 * Files that are there whole or not at all: written under another name, put on the disk, and given their own name then.
 */
import { dirname } from "@std/path";
import { StorageError } from "../../lib/store/storage_error.ts";
import type { Disk } from "./disk.ts";

/**
 * Writes a file. Between two pieces, an empty one included, other work runs.
 *
 * @param unfinished what it is called until it is whole, in the same folder
 * @throws StorageError if the disk refuses
 */
export async function writeWhole(
  disk: Disk,
  unfinished: string,
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  try {
    const file = disk.create(unfinished);
    try {
      let position = 0;
      for await (const piece of pieces) {
        if (piece.length === 0) await new Promise<void>((done) => disk.soon(done));
        else await file.writeAside(piece, position);
        position += piece.length;
      }
      await file.syncAside();
    } finally {
      file.close();
    }
    disk.rename(unfinished, path);
    await disk.syncFolder(dirname(path));
  } catch (cause) {
    removeQuietly(disk, unfinished);
    if (cause instanceof StorageError) throw cause;
    const problem = `the file can't be written: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new StorageError({ place: path, problem, cause });
  }
}

/** It may be large, on a disk that is full. */
function removeQuietly(disk: Disk, path: string): void {
  try {
    disk.remove(path);
  } catch {
    // The next start removes it.
  }
}
