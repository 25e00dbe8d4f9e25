/**
 * The epochs a member starts with, from what its disk kept.
 *
 * A learner logs what its leader sends before it keeps that leader's epoch, so a crash may leave a log that is ahead of it. Whoever has a txn of
 * an epoch has the whole history that the epoch began with: it may call the epoch its own, if it is one that it had accepted.
 */

import type { Zxid } from "../../model/types.ts";
import { epochOf } from "../../model/zxid.ts";
import type { StoredEpochs } from "../../ports.ts";

/** Zxids have 32 bits for the epoch, and are signed. */
export const EPOCH_MAX: number = 2 ** 31 - 1;
/**
 * Nobody is believed to have seen an epoch that is so much later than the latest that is known: each election adds one, so no honest member has,
 * and whoever could name any would end the ensemble with the last there is.
 */
export const EPOCH_LEAD_MAX: number = 2 ** 20;

/** What to do about an epoch that is near the last; null as long as it is not. */
export function epochWarning(epoch: number): string | null {
  if (epoch < EPOCH_MAX - EPOCH_LEAD_MAX + 1) return null;
  return (
    `Epoch ${epoch} is near ${EPOCH_MAX}, the last there can be: ${EPOCH_MAX - epoch} elections are left, and then no leader can be found. ` +
    "Move the data before that: stop the clients, read the tree, and write it to an ensemble that begins with empty folders"
  );
}

/** null: the log is of an epoch that this member never accepted, so the two do not belong together. */
export function startingEpochs(
  lastZxid: Zxid,
  { accepted, current, unfinished }: StoredEpochs,
): { readonly acceptedEpoch: number; readonly currentEpoch: number } | null {
  const ofLog = epochOf(lastZxid);
  const kept = current ?? ofLog;
  const isAccepted = unfinished === ofLog || (accepted !== null && accepted >= ofLog);
  if (kept < ofLog && !isAccepted) return null;
  const currentEpoch = Math.max(kept, ofLog);
  return { acceptedEpoch: Math.max(accepted ?? ofLog, currentEpoch), currentEpoch };
}
