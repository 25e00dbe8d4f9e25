/**
 * The check before a history is cut: whether what would be left is one that a server can start from.
 *
 * Not here: the cutting itself (each storage's own). Invariant: nothing is changed by it.
 */

import type { Zxid } from "../model/types.ts";
import { counterOf, endsAt, formatZxid } from "../model/zxid.ts";
import type { Stored } from "../ports.ts";
import { NothingCutError } from "./storage_error.ts";

/** What {@link Storage.truncate} asks its caller. */
export type CheckOfWhatIsLeft = (left: Stored) => Promise<void>;

/**
 * Checks what would be left of a history that is cut behind `last`.
 *
 * @param hadSnapshots whether there are snapshots now
 * @throws NothingCutError that says why it can't be cut there
 */
export async function checkCut(
  place: string,
  last: Zxid,
  left: Stored,
  hadSnapshots: boolean,
  check: CheckOfWhatIsLeft | undefined,
): Promise<void> {
  const refuse = (problem: string, cause?: unknown): never => {
    throw new NothingCutError({ place, problem: `${formatZxid(last)} ${problem}: nothing can be cut there`, cause });
  };
  if (!(await endsThere(last, left))) refuse("is neither in the log nor a snapshot");
  if (hadSnapshots && left.snapshots.length === 0) refuse("is before every snapshot");
  try {
    await check?.(left);
  } catch (cause) {
    refuse(`ends nothing that can be used (${cause instanceof Error ? cause.message : String(cause)})`, cause);
  }
}

async function endsThere(last: Zxid, left: Stored): Promise<boolean> {
  if (left.snapshots.some(({ zxid }) => endsAt(zxid, last))) return true;
  for await (const { records } of left.readLog(counterOf(last) === 0 ? 0n : last)) {
    if (records.some(({ zxid }) => endsAt(zxid, last))) return true;
  }
  return false;
}
