/**
 * A learner's stream, as its leader knows it.
 *
 * Not here: what follows from it (leader.ts). Data, and questions about it.
 */
import type { Proposal } from "../../model/txns.ts";
import type { Zxid } from "../../model/types.ts";
import type { LeaderPacket, LinkId, MemberId } from "./messages.ts";

export interface LearnerStream {
  readonly link: LinkId;
  /** null until it has said who it is. */
  id: MemberId | null;
  observer: boolean;
  /**
   * greeted: it has the new epoch; ready: and has said what it has; reading: what it lacks is sought in the log; synchronised: it was sent what it
   * lacks; active: and serves clients.
   */
  state: "new" | "known" | "greeted" | "ready" | "reading" | "synchronised" | "active";
  lastZxid: Zxid;
  /** Whether it has acknowledged this leader's history. */
  acknowledged: boolean;
  /** Commits since it was sent what it lacked. They wait until it is active: Apache's learners fail at one that comes before (ZOOKEEPER-4394). */
  readonly commits: LeaderPacket[];
  /** The last proposal it has on disk. */
  acked: Zxid;
  heardMono: number;
  /** A proposal that was sent to it and is not acknowledged, and since when. */
  unacked: { readonly zxid: Zxid; readonly mono: number } | null;
}

export function newLearnerStream(link: LinkId, mono: number): LearnerStream {
  return {
    link,
    id: null,
    observer: false,
    state: "new",
    lastZxid: 0n,
    acknowledged: false,
    commits: [],
    acked: -1n,
    heardMono: mono,
    unacked: null,
  };
}

/** It was sent what it lacked, and hears of everything since. */
export function isInBroadcast({ state }: LearnerStream): boolean {
  return state === "synchronised" || state === "active";
}

/** `leader`: who leads in the configuration that is committed by it; null for what is no reconfiguration. */
export function commitPacket({ observer }: LearnerStream, proposal: Proposal, leader: MemberId | null): LeaderPacket {
  const { zxid } = proposal.header;
  if (leader === null) return observer ? { kind: "inform", proposal } : { kind: "commit", zxid };
  return observer ? { kind: "informAndActivate", proposal, leader } : { kind: "commitAndActivate", zxid, leader };
}

/** How many learners a leader has of which kind, as `mntr` tells them. */
export interface LearnerCounts {
  readonly learners: number;
  /** The others have been sent what they lacked. */
  readonly syncedFollowers: number;
  readonly syncedNonVotingFollowers: number;
  readonly syncedObservers: number;
}

/** What a leader tells about itself. */
export interface LeadingReport extends LearnerCounts {
  /** Requests to sync that wait for a commit. */
  readonly pendingSyncs: number;
  readonly uptimeMs: number;
}

export function learnerCounts(learners: readonly LearnerStream[], voters: ReadonlySet<MemberId>): LearnerCounts {
  const synced = learners.filter(isInBroadcast);
  const followers = synced.filter(({ observer }) => !observer);
  const syncedFollowers = followers.filter(({ id }) => voters.has(id!)).length;
  return {
    learners: learners.length,
    syncedFollowers,
    syncedNonVotingFollowers: followers.length - syncedFollowers,
    syncedObservers: synced.length - followers.length,
  };
}
