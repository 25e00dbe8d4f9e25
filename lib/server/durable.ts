/**
 * A server whose data outlives it: recovers what a storage holds, and starts a server that keeps what it decides there.
 *
 * Not here: how it is recovered and kept (store/). Invariant: no server starts on less than the storage held, and the storage is let go of
 * wherever a start fails.
 */
import { Kernel } from "../kernel/kernel.ts";
import { formatZxid } from "../model/zxid.ts";
import { kernelOptions, type Settings, treeOptions } from "../options/options.ts";
import type { Storage } from "../ports.ts";
import { firstSessionId } from "../session/identity.ts";
import { Journal } from "../store/journal.ts";
import { type Recovered, recover } from "../store/recovery.ts";
import { Server, type ServerWorld } from "./server.ts";

/**
 * Starts a server on a storage.
 *
 * @throws StorageError where the storage is in use, damaged or failing
 */
export async function openDurable(storage: Storage, settings: Settings, world: ServerWorld): Promise<Server> {
  const { clock, logger, random } = world;
  const stored = await storage.open(logger);
  try {
    const { trustEmpty, everyTxns, everyBytes, lastZxid } = settings.snapshots;
    const recovered = await recover(storage.name, stored, {
      tree: treeOptions(settings),
      trustEmptySnapshot: trustEmpty,
      logger,
    });
    const { database, snapshotZxid, replayed } = recovered;
    logger.info(`${report(storage.name, recovered)}`);
    const sections = { digest: settings.digest, lastZxid };
    const limits = { snapshotTxns: everyTxns, snapshotBytes: everyBytes };
    const journal = new Journal(storage, () => database, { ...limits, sections, logger, clock, random, txnsBehind: replayed });
    // ZooKeeper does not start on a log without a snapshot: there is one before there is a log.
    if (snapshotZxid === null) await journal.saveSnapshot();
    const options = kernelOptions(settings);
    const now = clock.now();
    const kernel = new Kernel(database, options, firstSessionId(options.serverId, now.wall), now);
    return new Server(settings, world, { kernel, journal });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

function report(name: string, { database, snapshotZxid, replayed }: Recovered): string {
  const from = snapshotZxid === null ? "no snapshot" : `the snapshot at ${formatZxid(snapshotZxid)}`;
  const { tree, sessions, lastZxid } = database;
  return `${name}: ${tree.size} znodes and ${sessions.size} sessions at ${formatZxid(lastZxid)}, from ${from} and ${replayed} txns`;
}
