/** A data directory with one znode of its own, in whatever state: what no client could bring about in a test's time. */

import { fileStorage } from "../../adapters/storage/mod.ts";
import { consoleLogger } from "../../adapters/system.ts";
import { snapshotChunks } from "../../lib/store/snapshot_records.ts";
import { Tree } from "../../lib/tree/tree.ts";
import type { StoredStat } from "../../lib/tree/znode.ts";
import { temporaryFolder } from "./temporary.ts";

const ZXID = 7n;
const NEW: StoredStat = {
  ...{ czxid: ZXID, mzxid: ZXID, pzxid: ZXID, ctime: 1, mtime: 1 },
  ...{ version: 0, cversion: 0, aversion: 0, owner: 0n },
};

/** The folder, with a snapshot that holds /a; whoever asks for it removes it. */
export async function folderWithZnode(stat: Partial<StoredStat>): Promise<string> {
  const tree = new Tree({ extendedTypes: "3.5.3", digest: true, counterWraps: false, configNode: true });
  tree.load("/a", new Uint8Array(0), [{ perms: 31, scheme: "world", id: "anyone" }], { ...NEW, ...stat });
  tree.finishLoading();
  const folder = temporaryFolder("znode");
  const storage = fileStorage(folder);
  await storage.open(consoleLogger({ level: "silent" }));
  const database = { tree: tree.freeze(), sessions: new Map(), lastZxid: ZXID };
  await storage.saveSnapshot(ZXID, snapshotChunks(database, { digest: true, lastZxid: false }));
  await storage.close();
  return folder;
}
