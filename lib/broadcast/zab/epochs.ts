/**
 * The epochs a member starts with, from what its disk kept.
 *
 * A learner logs what its leader sends before it keeps that leader's epoch, so a crash may leave a log that is ahead of it. Whoever has a txn of
 * an epoch has the whole history that the epoch began with: it may call the epoch its own, if it is one that it had accepted.
 */
import type { StoredEpochs } from "../../ports.ts";
import type { Zxid } from "../../types.ts";
import { epochOf } from "../../zxid.ts";

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
