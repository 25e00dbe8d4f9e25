/**
 * Txns that a learner has missed, out of the log: for those who lack more than is remembered, and still less than the whole database.
 *
 * Not here: whether the log is known to be without a gap (broadcast/zab/history). Invariant: what comes out begins with the very txn that was asked
 * for and goes on to the one that ends it; or nothing does.
 */

import type { Proposal } from "../model/txns.ts";
import type { Zxid } from "../model/types.ts";
import type { LogChunk } from "../ports.ts";
import { decodeRecord } from "../store/log_records.ts";
import type { Tree } from "../tree/tree.ts";
import { JuteReader } from "../wire/jute.ts";

/** From which share of a database on a database is sent instead, as ZooKeeper's `snapshotSizeFactor` has it. */
export const SNAPSHOT_SIZE_FACTOR = 0.33;
/** Of each znode, beside its path and data, in a snapshot. */
const STAT_BYTES = 76;

/** No DIFF is longer: it is in memory as a whole, while a database goes piece by piece. */
const DIFF_BYTES_MAX = 64 << 20;

/** How long a DIFF may be. @param factor 0: however large the database is; negative: there is none */
export function diffBytesMax(tree: Tree, factor: number): number {
  if (factor === 0) return DIFF_BYTES_MAX;
  return Math.min(DIFF_BYTES_MAX, factor * (tree.approximateDataSize + STAT_BYTES * tree.size));
}

/** The txns from `from` to `to`; null where the log has not all of them any more, or they are more bytes than may be. */
export async function missedTxns(
  log: AsyncIterable<LogChunk>,
  from: Zxid,
  to: Zxid,
  bytesMax: number,
): Promise<readonly Proposal[] | null> {
  const reader = new JuteReader();
  const txns: Proposal[] = [];
  let left = bytesMax;
  for await (const { bytes, records } of log) {
    for (const span of records) {
      if (span.zxid > to) break;
      if (txns.length > 0 && span.zxid <= txns.at(-1)!.header.zxid) continue; // it stands there twice
      left -= span.end - span.start;
      if (left < 0) return null;
      txns.push({ ...decodeRecord(reader, bytes, span), bytes: bytes.slice(span.start, span.end) });
    }
    if (txns[0] !== undefined && txns[0].header.zxid !== from) return null;
    if (records.at(-1)!.zxid >= to) break;
  }
  return txns.at(-1)?.header.zxid === to ? txns : null;
}
