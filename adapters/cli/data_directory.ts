/**
 * A data directory that no server has open, for the commands that work on its content.
 */
import { AclInterner } from "../../lib/acl/intern.ts";
import type { Database } from "../../lib/kernel/database.ts";
import type { Logger, Storage } from "../../lib/ports.ts";
import { recover } from "../../lib/store/recovery.ts";
import { readSnapshot, type SnapshotContent } from "../../lib/store/snapshot_reader.ts";
import { snapshotChunks } from "../../lib/store/snapshot_records.ts";
import { SnapshotError, StorageError } from "../../lib/store/storage_error.ts";
import type { TreeOptions } from "../../lib/tree/tree.ts";
import { unpacked } from "../storage/compression.ts";
import { fileStorage } from "../storage/file.ts";
import { compressionOf } from "../storage/file_names.ts";
import { nodeDisk } from "../storage/node_disk.ts";
import { Progress } from "./output.ts";

/** The tree as it stands in the files. A znode's owner field is written again as it was, whatever it is taken for here. */
export const TREE: TreeOptions = { extendedTypes: true, digest: true, counterWraps: false, configNode: false };

/** Where the data is: `dataDir`, and `dataLogDir` if that is another folder. */
export type Folders = readonly [dataDir: string, dataLogDir?: string];

/** Recovers what is there, gives it to `use`, and lets go. */
export async function withRecovered<T>(
  [dataDir, dataLogDir]: Folders,
  logger: Logger,
  use: (database: Database, storage: Storage) => Promise<T>,
): Promise<T> {
  const options = dataLogDir === undefined ? {} : { dataLogDir };
  const storage = fileStorage({ dataDir, ...options, snapshotsKept: 0, autocreate: false });
  const stored = await storage.open(logger);
  try {
    const progress = new Progress("txns replayed");
    const { database } = await recover(dataDir, stored, {
      tree: TREE,
      trustEmptySnapshot: false,
      logger,
      progress: (_zxid, txns) => progress.done(txns),
    });
    return await use(database, storage);
  } finally {
    await storage.close();
  }
}

/** Keeps the database as a snapshot. */
export function saveSnapshot(storage: Storage, database: Database, progress: Progress): Promise<void> {
  return storage.saveSnapshot(database.lastZxid, counted(snapshotOf(database), progress));
}

/** The same pieces, and says how many bytes went by. */
export function* counted(pieces: Iterable<Uint8Array>, progress: Progress): Generator<Uint8Array, void, void> {
  let bytes = 0;
  for (const piece of pieces) {
    yield piece;
    bytes += piece.length;
    progress.done(bytes);
  }
}

/** The bytes of a snapshot of it. */
export function snapshotOf({ tree, sessions, lastZxid }: Database): Iterable<Uint8Array> {
  return snapshotChunks({ tree: tree.freeze(), sessions, lastZxid }, { digest: true, lastZxid: false });
}

/**
 * What one snapshot file holds.
 *
 * @throws StorageError that names the file, and what is wrong with it
 */
export async function readSnapshotFile(path: string): Promise<SnapshotContent> {
  const progress = new Progress("bytes read");
  const read = async function* (): AsyncGenerator<Uint8Array, void, void> {
    let bytes = 0;
    for await (const piece of unpacked(nodeDisk.read(path), compressionOf(path))) {
      bytes += piece.length;
      progress.done(bytes);
      yield piece;
    }
  };
  try {
    return await readSnapshot(read(), TREE, new AclInterner());
  } catch (cause) {
    if (!(cause instanceof SnapshotError)) throw cause;
    const advice =
      "A server takes the snapshot before it instead; if there is none, restore this one from a backup or another member";
    throw new StorageError({ place: path, problem: cause.message, advice, cause });
  }
}
