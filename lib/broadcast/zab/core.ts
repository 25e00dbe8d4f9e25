/**
 * State of a member that lasts through all of its roles; leader and learner work on it.
 */
import type { Proposal } from "../../model/txns.ts";
import type { Zxid } from "../../model/types.ts";
import type { BroadcastEffect } from "../contract.ts";
import type { Ensemble } from "./ensemble.ts";
import type { History } from "./history.ts";
import type { Membership } from "./membership.ts";
import type { LinkId, MemberId } from "./messages.ts";

/** How long proposals may be, and things may take, in ticks, as in zoo.cfg. */
export interface ZabLimits {
  /** Longest proposal that every member takes: what is longer, from times when more was allowed, is not sent as one. */
  readonly txnBytesMax: number;
  readonly tickMs: number;
  /** To find a leader, follow it and catch up. */
  readonly initLimit: number;
  /** Between two signs of life, once caught up. */
  readonly syncLimit: number;
}

export interface Core {
  readonly me: MemberId;
  readonly membership: Membership;
  readonly limits: ZabLimits;
  readonly history: History;
  /** Highest epoch promised to a leader: on disk. */
  readonly acceptedEpoch: number;
  /** Epoch of the last leader whose history was taken over: on disk. */
  readonly currentEpoch: number;
  emit(effect: BroadcastEffect): void;
  /** Keeps one of them; the role hears `epochSaved`. One at a time. */
  saveEpoch(which: "accepted" | "current", epoch: number): void;
  /** Replaces the database, or cuts the log; the learner hears `rebuilt`. */
  rebuild(effect: Extract<BroadcastEffect, { kind: "restore" | "truncate" }>): void;
  /** Logs a proposal, and sees the configuration that it may hold. */
  append(proposal: Proposal): void;
  /** A configuration has been proposed, or is a leader's. */
  see(ensemble: Ensemble): void;
  /** A configuration counts from now on, if it is later than the one before. */
  activate(ensemble: Ensemble): void;
  /** The tree is not what the leader has. Says whether a whole database is to be asked for, which ends the role. */
  distrust(zxid: Zxid, leader: MemberId): boolean;
  /** Whether that is so still. */
  readonly isDistrusted: boolean;
  /** The role is over. A new leader is looked for, unless it is known already. */
  resign(reason: string, leader?: MemberId | null): void;
}

/** A term as leader or learner. Nothing is said to it after it has resigned. */
export interface Term {
  readonly deadline: number;
  /** It was heard of the member at the other end of the stream. */
  alive(link: LinkId, mono: number): void;
  epochSaved(mono: number): void;
  /** More of the log is on disk. */
  durable(): void;
  due(mono: number): void;
}
