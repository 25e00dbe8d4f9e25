/**
 * The admin commands `snapshot` and `restore` of ZooKeeper 3.9: all that a server holds as a stream of ZooKeeper's own snapshot format, and back.
 *
 * Not here: who may ask (handler.ts). Invariants: the server goes on meanwhile; what is no whole snapshot changes nothing.
 */
import { AclInterner } from "../../lib/acl/intern.ts";
import { Database } from "../../lib/kernel/database.ts";
import { type Server, Snapshot } from "../../lib/server/server.ts";
import { readSnapshot } from "../../lib/store/snapshot_reader.ts";
import { snapshotChunks } from "../../lib/store/snapshot_records.ts";
import { restoreQuotas } from "../../lib/tree/quota.ts";

/** The stream, and the zxid that it ends at. */
export function snapshotStream(server: Server): { readonly lastZxid: bigint; readonly stream: ReadableStream<Uint8Array> } {
  const { tree, sessions, lastZxid } = server.snapshot().fork();
  const frozen = tree.freeze();
  const release = (): void => {
    frozen.nodes.release();
    frozen.children.release();
  };
  const chunks = snapshotChunks({ tree: frozen, sessions: new Map(sessions), lastZxid }, { digest: true, lastZxid: true });
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setImmediate(resolve)); // others have their turn between two pieces
      let next = chunks.next();
      while (!next.done && next.value.length === 0) next = chunks.next();
      if (next.done) {
        release();
        controller.close();
      } else controller.enqueue(next.value.slice()); // a piece is valid until the next is asked for
    },
    cancel: release,
  });
  return { lastZxid, stream };
}

/**
 * Puts a snapshot in place of all that the server holds, and says its zxid.
 *
 * @throws SnapshotError for what is none; TypeError for a server that can't take it, such as one with a storage
 */
export async function restoreFrom(server: Server, bytes: AsyncIterable<Uint8Array>): Promise<bigint> {
  const { options } = server.snapshot().fork().tree;
  const acls = new AclInterner();
  const { tree, sessions, digest } = await readSnapshot(bytes, options, acls);
  restoreQuotas(tree);
  const database = new Database(tree, sessions, digest?.zxid ?? 0n, acls);
  server.restore(new Snapshot(database));
  return database.lastZxid;
}
