/**
 * The check of a data directory for what looks like data and is not read: files in the wrong folder, under another spelling, and what is no file.
 *
 * Not here: whether what is read is whole. Invariant: a server that starts beside such files is never empty, nor without its newest txns; it changes
 * nothing.
 */
import { basename, dirname, join } from "@std/path";
import { StorageError } from "../../lib/store/storage_error.ts";
import type { Disk } from "./disk.ts";
import {
  hasDataName,
  type LogFile,
  logFiles,
  respelled,
  type SnapshotFile,
  snapshotFiles,
  VERSION_FOLDER,
} from "./file_names.ts";

/** Names that logs and snapshots have, and copies of them: packed, or kept from before. */
const LOOKS_LIKE_DATA = /^(log|snapshot)\.[0-9a-f]/i;
/** What a server leaves that ended while it wrote. */
const UNFINISHED = /\.tmp$/;
/** What a log starts with. */
const LOG_START = "ZKLG";

/**
 * Checks the folders that hold snapshots and logs; they may be one, and need not be there yet.
 *
 * @throws StorageError that names what is wrong and what to do
 */
export async function checkFolders(disk: Disk, folder: string, logFolder: string): Promise<void> {
  for (const one of new Set([folder, logFolder])) for (const entry of disk.list(one) ?? []) checkEntry(one, entry);
  const snapshots = snapshotFiles(disk, folder);
  const logs = logFiles(disk, logFolder);
  if (folder !== logFolder) checkSwapped(disk, folder, logFolder);
  if (snapshots.length === 0) await checkAbove(disk, folder);
  if (logs.length === 0) await checkAbove(disk, logFolder);
  if (snapshots.length > 0 || logs.length > 0) return;
  for (const one of new Set([folder, logFolder])) {
    const stray = disk.list(one)?.find(({ name }) => LOOKS_LIKE_DATA.test(name) && !UNFINISHED.test(name));
    if (stray === undefined) continue;
    throw new StorageError({
      place: join(one, stray.name),
      problem: "it looks like data, and there is no log and no snapshot",
      advice: "Unpack it, or give it its name back; or move it away, to start empty",
    });
  }
}

function checkEntry(folder: string, { name, bytes }: { readonly name: string; readonly bytes: number | null }): void {
  const wanted = respelled(name);
  const place = join(folder, name);
  if (wanted !== null) {
    throw new StorageError({
      place,
      problem: "the name would be passed over",
      advice: `Rename it to ${wanted}, or move it away`,
    });
  }
  if (bytes !== null || !hasDataName(name)) return;
  throw new StorageError({
    place,
    problem: "it is named as a file of the data and is no file, or a link that leads nowhere",
    advice: "Put the file there, or move this away",
  });
}

/** Logs beside the snapshots of another log folder mean that a setting was changed and the files were not moved. */
function checkSwapped(disk: Disk, folder: string, logFolder: string): void {
  const [strayLog] = logFiles(disk, folder);
  const [straySnapshot] = snapshotFiles(disk, logFolder);
  const stray = strayLog ?? straySnapshot;
  if (stray === undefined) return;
  const [what, where] = stray === strayLog ? ["a log", logFolder] : ["a snapshot", folder];
  throw new StorageError({ place: stray.path, problem: `${what} is in the wrong folder`, advice: `Move it to ${where}` });
}

/** Data one folder further up: the folder that was given is the inner one, or the files were moved without theirs. */
async function checkAbove(disk: Disk, folder: string): Promise<void> {
  const above = dirname(folder);
  const found: SnapshotFile | LogFile | undefined = snapshotFiles(disk, above)[0] ?? (await firstLog(disk, above));
  if (found !== undefined) {
    const advice =
      basename(above) === VERSION_FOLDER ? `Give ${dirname(above)} as the folder instead` : `Move such files into ${folder}`;
    throw new StorageError({ place: found.path, problem: "it looks like data, and is in the wrong folder", advice });
  }
  const named = disk.list(above)?.find(({ name }) => name !== VERSION_FOLDER && name.toLowerCase() === VERSION_FOLDER);
  if (named === undefined) return;
  throw new StorageError({
    place: join(above, named.name),
    problem: "the folder's name would be passed over",
    advice: `Rename it to ${VERSION_FOLDER}, or move it away`,
  });
}

/** Other programs, too, number their logs. */
async function firstLog(disk: Disk, folder: string): Promise<LogFile | undefined> {
  for (const file of logFiles(disk, folder)) {
    for await (const bytes of disk.read(file.path)) {
      if (new TextDecoder().decode(bytes.subarray(0, LOG_START.length)) === LOG_START) return file;
      break;
    }
  }
  return undefined;
}
