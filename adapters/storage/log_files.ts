/**
 * Reads the files of a log in order, and judges how each ends.
 *
 * Invariant: records behind damage are never given out as if nothing were missing.
 */

import type { Zxid } from "../../lib/model/types.ts";
import { formatZxid } from "../../lib/model/zxid.ts";
import type { LogChunk } from "../../lib/ports.ts";
import { type FollowingRecords, type LogEnd, LogScanner } from "../../lib/store/log_scanner.ts";
import { StorageError } from "../../lib/store/storage_error.ts";
import type { Disk } from "./disk.ts";
import type { LogFile } from "./file_names.ts";

/** A place in a log file. */
export interface LogPlace {
  readonly path: string;
  readonly offset: number;
}

/** Where the log is to be cut, and why. */
export interface LogCut extends LogPlace {
  readonly problem: string;
  /** What goes with it, and is whole. */
  readonly following: FollowingRecords | null;
}

/** Says where a record stands. */
export function placeIn(path: string, offset: number): string {
  return `${path} at offset ${offset}`;
}

/**
 * The records from `zxid` on; returns where the last file is to be cut, if it is.
 *
 * @throws StorageError where a file is damaged
 */
export async function* readLogFiles(
  disk: Disk,
  files: readonly LogFile[],
  zxid: Zxid,
  damagedTail: "refuse" | "cut",
): AsyncGenerator<LogChunk, LogCut | null, void> {
  // The newest file that starts below `zxid` may hold it.
  const first = Math.max(
    0,
    files.findLastIndex((file) => file.zxid <= zxid),
  );
  let cut: LogCut | null = null;
  for (const [index, { path, bytes }] of files.entries()) {
    if (index < first) continue;
    const end = yield* chunksOf(disk, path, bytes, zxid);
    cut = judge(path, end, index === files.length - 1, damagedTail);
  }
  return cut;
}

async function* chunksOf(disk: Disk, path: string, fileBytes: number, from: Zxid): AsyncGenerator<LogChunk, LogEnd, void> {
  const scanner = new LogScanner(fileBytes);
  for await (const bytes of disk.read(path)) {
    const found = scanner.push(bytes);
    const [first] = found.records;
    const records =
      first === undefined || first.zxid >= from ? found.records : found.records.filter(({ zxid }) => zxid >= from);
    if (records.length > 0)
      yield { file: path, bytes: found.bytes, records, placeOf: (at) => placeIn(path, records[at]!.offset) };
  }
  return scanner.end();
}

function judge(path: string, end: LogEnd, isLast: boolean, damagedTail: "refuse" | "cut"): LogCut | null {
  const { kind, offset, problem, following } = end;
  if (kind === "whole") return null;
  // In an older file the next one tells whether anything is missing.
  if (kind === "torn") return isLast ? { path, offset, problem, following } : null;
  const isTail = kind === "damaged" && isLast && following === null;
  if (isTail && damagedTail === "cut") return { path, offset, problem, following };
  throw new StorageError({
    place: placeIn(path, offset),
    problem:
      following === null
        ? problem
        : `${problem}, and txn ${formatZxid(following.zxid)} stands whole behind it, at ${following.offset}`,
    advice: kind === "foreign" ? RESTORE : `${RESTORE}. ${isTail ? repairTail(path) : repair(path)}`,
  });
}

const RESTORE = "Restore the file from a backup or from another member of the ensemble";

function repair(path: string): string {
  return `Without one, \`zookernel log repair --force ${path}\` gives up everything from there on, and keeps it in a file beside`;
}

function repairTail(path: string): string {
  return `If the machine failed while this was written, nothing acknowledged is in it, and \`zookernel log repair ${path}\` cuts it off`;
}

/** Where the first record behind `zxid` stands, or what comes after the last; null if no file starts at or before it. */
export async function endOf(disk: Disk, files: readonly LogFile[], zxid: Zxid): Promise<LogPlace | null> {
  const file = files.findLast((one) => one.zxid <= zxid);
  if (file === undefined) return null;
  const { path, bytes } = file;
  const scanner = new LogScanner(bytes);
  for await (const chunk of disk.read(path)) {
    const behind = scanner.push(chunk).records.find((record) => record.zxid > zxid);
    if (behind !== undefined) return { path, offset: behind.offset };
  }
  return { path, offset: scanner.end().offset };
}
