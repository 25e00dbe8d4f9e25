/**
 * A tap at a member's pump: it hears what connections say and are told, and what is logged, as it happens.
 *
 * Not here: what becomes of it (report/). Invariant: it changes nothing, and never throws.
 */
import type { Proposal } from "../model/txns.ts";
import type { ConnEffect, ConnInput } from "./host.ts";

export interface HostTap {
  /** Whether it is told of each request and its answer, too, and not only of connections and sessions. */
  readonly hearsRequests: boolean;
  /** A connection says something. */
  heard(input: ConnInput): void;
  /** It is told something. */
  said(effect: ConnEffect): void;
  /** A turn has ended; told where requests are. */
  turned(): void;
  /** A txn goes to the log. */
  logged(proposal: Proposal): void;
  /** The log has so many txns on disk, after so many milliseconds. */
  synced(txns: number, durationMs: number): void;
}
