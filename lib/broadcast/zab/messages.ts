/**
 * Messages between the members of an ensemble: votes while there is no leader, packets between a leader and its learners.
 *
 * Data only; their bytes are wire/quorum's. A database that is sent as a whole is opaque here: who sends it and who gets it know what it is.
 */
import type { Forwarded } from "../../model/ops.ts";
import type { Proposal } from "../../model/txns.ts";
import type { SessionId, Zxid } from "../../model/types.ts";

/** A member's number, as in `server.N` and `myid`. */
export type MemberId = bigint;

/** One stream between a leader and a learner, counted by whoever opens it. */
export type LinkId = number;

/** The role a member is in, as told in votes. */
export type VoterState = "looking" | "following" | "leading" | "observing";

/** Whom a member wants to lead. */
export interface Vote {
  readonly leader: MemberId;
  /** The last zxid of that leader. */
  readonly zxid: Zxid;
  /** Number of the election's round: comparable within one election alone. */
  readonly round: bigint;
  /** The epoch of the history that leader has. */
  readonly epoch: bigint;
}

/** Stands in votes of those who can't be elected. */
export const NOBODY: bigint = -(2n ** 63n);

/** What is said on the election port. */
export interface Notification {
  readonly state: VoterState;
  readonly vote: Vote;
  /** 0: members of 3.4 and older, whose epochs can't be compared; 1: without configuration; 2: the present one. */
  readonly version: number;
  /** The sender's ensemble as text; null where the version has none. */
  readonly config: string | null;
}

/** A session that a learner has heard of. */
export interface Touched {
  readonly session: SessionId;
  readonly timeoutMs: number;
}

/** A whole database. */
export interface Image {
  readonly lastZxid: Zxid;
}

export type LearnerPacket =
  /** The first: who it is and what it has promised. */
  | {
      readonly kind: "learnerInfo";
      readonly observer: boolean;
      readonly acceptedEpoch: number;
      /** null: it has no number. */
      readonly id: MemberId | null;
      readonly configVersion: bigint;
    }
  /** `currentEpoch` null: the epoch had been accepted before, and this doesn't count for it. */
  | { readonly kind: "ackEpoch"; readonly zxid: Zxid; readonly currentEpoch: number | null }
  | { readonly kind: "ack"; readonly zxid: Zxid }
  | { readonly kind: "request"; readonly request: Forwarded }
  | { readonly kind: "pong"; readonly zxid: Zxid; readonly touched: readonly Touched[] }
  | { readonly kind: "revalidate"; readonly session: SessionId; readonly timeoutMs: number };

export type LeaderPacket =
  | { readonly kind: "leaderInfo"; readonly epoch: number }
  /** How the learner catches up: by what follows, by cutting its log first, or with a database. */
  | { readonly kind: "diff"; readonly zxid: Zxid }
  | { readonly kind: "trunc"; readonly zxid: Zxid }
  | { readonly kind: "snap"; readonly zxid: Zxid; readonly image: Image }
  /** Ends what the learner must have on disk before it acknowledges the epoch. */
  | { readonly kind: "newLeader"; readonly epoch: number; readonly config: string }
  | { readonly kind: "upToDate" }
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "commit"; readonly zxid: Zxid }
  /** The same with a new configuration, and who leads in it. */
  | { readonly kind: "commitAndActivate"; readonly zxid: Zxid; readonly leader: MemberId }
  /** Proposal and commit in one, for observers. */
  | { readonly kind: "inform"; readonly proposal: Proposal }
  | { readonly kind: "informAndActivate"; readonly proposal: Proposal; readonly leader: MemberId }
  | { readonly kind: "ping"; readonly zxid: Zxid }
  /** Answers the learner's syncs, in their order. */
  | { readonly kind: "synced" }
  | { readonly kind: "revalidated"; readonly session: SessionId; readonly valid: boolean };
