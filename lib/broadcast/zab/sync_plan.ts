/**
 * Plan of a learner's synchronization: by what it has missed (DIFF), by giving up what nobody else has (TRUNC) and then what it has missed, or by a whole
 * database (SNAP).
 *
 * Pure: a decision about zxids. Invariant: what the plan leaves in the learner's log is a part of the leader's history, without a gap.
 */
import { proposalLength } from "../../model/txn_size.ts";
import type { Proposal } from "../../model/txns.ts";
import type { Zxid } from "../../model/types.ts";
import { counterOf, epochOf } from "../../model/zxid.ts";

export type SyncPlan =
  /** Then the txns, each with its commit. `zxid` is the last of them. */
  | { readonly kind: "diff"; readonly zxid: Zxid; readonly txns: readonly Proposal[] }
  /** The log is cut behind `zxid` first. */
  | { readonly kind: "trunc"; readonly zxid: Zxid; readonly txns: readonly Proposal[] }
  | { readonly kind: "snap" };

const SNAP: SyncPlan = { kind: "snap" };

/**
 * @param peer the last zxid that the learner has logged
 * @param txnBytesMax a txn that is longer can't be sent by itself: Apache's members would not take it
 */
export function syncPlan(peer: Zxid, committed: Zxid, recent: readonly Proposal[], txnBytesMax: number): SyncPlan {
  const plan = planOf(peer, committed, recent);
  return plan.kind !== "snap" && plan.txns.some((txn) => proposalLength(txn) > txnBytesMax) ? SNAP : plan;
}

function planOf(peer: Zxid, committed: Zxid, recent: readonly Proposal[]): SyncPlan {
  const min = recent[0]?.header.zxid ?? committed;
  const max = recent.at(-1)?.header.zxid ?? committed;
  // Its history ends with the beginning of an epoch, which is no txn.
  const fresh = counterOf(peer) === 0;
  if (peer === committed) return { kind: "diff", zxid: peer, txns: [] };
  if (peer > max) return fresh ? SNAP : { kind: "trunc", zxid: max, txns: [] };
  return peer < min ? SNAP : walk(peer, fresh, max, recent);
}

function walk(peer: Zxid, fresh: boolean, max: Zxid, recent: readonly Proposal[]): SyncPlan {
  const at = recent.findIndex(({ header }) => header.zxid >= peer);
  const first = recent[at]!.header.zxid;
  if (first === peer) return { kind: "diff", zxid: max, txns: recent.slice(at + 1) };
  if (fresh) return { kind: "diff", zxid: max, txns: recent.slice(at) };
  const before = recent[at - 1]?.header.zxid;
  // A cut must not cross epochs: what the learner has of another one may be no part of this history.
  if (before === undefined || epochOf(first) !== epochOf(peer)) return SNAP;
  return { kind: "trunc", zxid: before, txns: recent.slice(at) };
}
