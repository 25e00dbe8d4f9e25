/**
 * The names of the files in a data directory, as ZooKeeper has them.
 */
import { join } from "@std/path";
import type { Zxid } from "../../lib/model/types.ts";
import { zxidFromHex, zxidToHex } from "../../lib/model/zxid.ts";
import type { Disk } from "./disk.ts";

/** Below both folders; its number is that of the files' layout. */
export const VERSION_FOLDER = "version-2";

export interface LogFile {
  /** Of its first record. */
  readonly zxid: Zxid;
  readonly path: string;
  readonly bytes: number;
}

export const COMPRESSIONS = ["none", "gzip", "snappy"] as const;
export type Compression = (typeof COMPRESSIONS)[number];

export interface SnapshotFile {
  readonly zxid: Zxid;
  readonly path: string;
  readonly bytes: number;
  readonly compression: Compression;
}

const EXTENSIONS: Readonly<Record<Compression, string>> = { none: "", gzip: ".gz", snappy: ".snappy" };
const SNAPSHOT = /^snapshot\.([0-9a-fA-F]{1,16})(\.gz|\.snappy)?$/;
const LOG = /^log\.([0-9a-fA-F]{1,16})$/;

export function logName(first: Zxid): string {
  return `log.${zxidToHex(first)}`;
}

export function snapshotName(zxid: Zxid, compression: Compression): string {
  return `snapshot.${zxidToHex(zxid)}${EXTENSIONS[compression]}`;
}

/** Whether it is the name of a log or a snapshot. */
export function hasDataName(name: string): boolean {
  return LOG.test(name) || SNAPSHOT.test(name);
}

/** The name that a file should have which has one of these in other letters, large or small; null: it is none of them, or has it. */
export function respelled(name: string): string | null {
  const lower = name.toLowerCase();
  return !hasDataName(name) && hasDataName(lower) ? lower : null;
}

/** How a snapshot's bytes are packed, by its name. */
export function compressionOf(name: string): Compression {
  if (name.endsWith(".gz")) return "gzip";
  return name.endsWith(".snappy") ? "snappy" : "none";
}

/** The log's files in a folder, oldest first. */
export function logFiles(disk: Disk, folder: string): LogFile[] {
  return (disk.list(folder) ?? [])
    .flatMap(({ name, bytes }) => {
      const zxid = zxidFromHex(LOG.exec(name)?.[1] ?? "");
      return zxid === null ? [] : [{ zxid, path: join(folder, name), bytes: bytes ?? 0 }];
    })
    .sort(byZxid);
}

/** The snapshots in a folder, newest first. */
export function snapshotFiles(disk: Disk, folder: string): SnapshotFile[] {
  return (disk.list(folder) ?? [])
    .flatMap(({ name, bytes }) => {
      const zxid = zxidFromHex(SNAPSHOT.exec(name)?.[1] ?? "");
      return zxid === null ? [] : [{ zxid, path: join(folder, name), bytes: bytes ?? 0, compression: compressionOf(name) }];
    })
    .sort(byZxid)
    .reverse();
}

function byZxid(one: { readonly zxid: Zxid }, other: { readonly zxid: Zxid }): number {
  return one.zxid < other.zxid ? -1 : one.zxid > other.zxid ? 1 : 0;
}
