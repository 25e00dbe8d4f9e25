/**
 * What stands between a kernel and whatever orders its proposals and makes them durable: the whole difference between a server that stands alone
 * and a member of an ensemble.
 *
 * Invariant: proposals are committed in zxid order, each once, and none before it is durable where it must be.
 */
import type { Proposal } from "../txns.ts";
import type { Now, Zxid } from "../types.ts";

export type BroadcastInput =
  | { readonly kind: "propose"; readonly proposal: Proposal }
  /** Everything appended up to this zxid is on disk. */
  | { readonly kind: "durable"; readonly zxid: Zxid };

export type BroadcastEffect =
  /** Write it to the log; `durable` answers. */
  { readonly kind: "append"; readonly proposal: Proposal } | { readonly kind: "commit"; readonly proposal: Proposal };

export interface Broadcast {
  step(input: BroadcastInput, now: Now): readonly BroadcastEffect[];
  /** When a step with the time alone is due, in monotonic milliseconds; null: never, as things stand. */
  readonly deadline: number | null;
}
