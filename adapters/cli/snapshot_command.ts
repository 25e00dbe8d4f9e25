/**
 * `zookernel snapshot`: what stands in a snapshot, a new one of a data directory, and one packed otherwise.
 */
import { basename, dirname, join } from "@std/path";
import { Database } from "../../lib/kernel/database.ts";
import { formatZxid, zxidFromHex } from "../../lib/model/zxid.ts";
import type { Logger } from "../../lib/ports.ts";
import { packed } from "../storage/compression.ts";
import { compressionOf } from "../storage/file_names.ts";
import { InUseError } from "../storage/lock.ts";
import { nodeDisk } from "../storage/node_disk.ts";
import { writeWhole } from "../storage/whole_file.ts";
import { counted, type Folders, readSnapshotFile, saveSnapshot, snapshotOf, withRecovered } from "./data_directory.ts";
import { Lines, Progress } from "./output.ts";
import { askForSnapshot } from "./snapshot_requests.ts";

/** `snapshot show <file>`: what it holds; with `all`, every session and every znode. */
export async function showSnapshot(path: string, all: boolean): Promise<number> {
  const { tree, sessions, digest } = await readSnapshotFile(path);
  const lines = new Lines();
  const until = digest === null ? "no digest" : `digest ${digest.digest} at ${formatZxid(digest.zxid)}`;
  await lines.write(
    `${path}: ${tree.size} znodes, ${tree.ephemeralCount} of them ephemeral, ${sessions.size} sessions, ${until}`,
  );
  if (all) {
    for (const [id, timeoutMs] of sessions)
      await lines.write(`session 0x${BigInt.asUintN(64, id).toString(16)} timeout ${timeoutMs} ms`);
    for (const path of tree.subtree("/")) {
      const { stat, kind, data } = tree.get(path)!;
      const size = data === null ? "null" : `${data.length} bytes`;
      await lines.write(
        `${path} ${kind} ${size} version ${stat.version} czxid ${formatZxid(stat.czxid)} mzxid ${formatZxid(stat.mzxid)}`,
      );
    }
  }
  await lines.end();
  return 0;
}

/** `snapshot take <dataDir> [dataLogDir]`: by the server that has it open, or here if none has. */
export async function takeSnapshot(folders: Folders, logger: Logger): Promise<number> {
  try {
    return await withRecovered(folders, logger, async (database, storage) => {
      await saveSnapshot(storage, database, new Progress("bytes written"));
      console.log(`${folders[0]}: snapshot taken at ${formatZxid(database.lastZxid)}, ${database.tree.size} znodes`);
      return 0;
    });
  } catch (error) {
    if (!(error instanceof InUseError)) throw error;
    console.log(`${folders[0]}: ${await askForSnapshot(folders[0])}, by the server that has it open`);
    return 0;
  }
}

/** `snapshot convert <from> <to>`: the name of the new one says how it is packed. */
export async function convertSnapshot(from: string, to: string): Promise<number> {
  const zxid = zxidFromHex(/^snapshot\.([0-9a-f]+)/i.exec(basename(from))?.[1] ?? "");
  if (zxid === null) {
    console.error(`${from}: its name says no zxid; a snapshot is called snapshot.<zxid>, with .gz or .snappy if it is packed`);
    return 1;
  }
  const { tree, sessions, digest, withoutAcl } = await readSnapshotFile(from);
  if (withoutAcl.length > 0 || (digest !== null && digest.zxid > zxid)) {
    console.error(
      `${from}: it was written while txns went on, and is of use only with the log: take a new one with "snapshot take"`,
    );
    return 1;
  }
  const chunks = counted(snapshotOf(new Database(tree, sessions, zxid)), new Progress("bytes written"));
  await writeWhole(nodeDisk, join(dirname(to), "zookernel-new-snapshot"), to, packed(chunks, compressionOf(to)));
  console.log(`${to}: ${tree.size} znodes, ${sessions.size} sessions`);
  return 0;
}
