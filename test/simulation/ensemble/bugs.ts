/**
 * Bugs that are put in on purpose, to see that the simulator finds them: each stands between two parts of a member, and changes what one of them
 * says to the other, or is a disk that lies. The product has no part in it.
 */
import { Ensemble } from "../../../lib/broadcast/zab/ensemble.ts";
import { Membership } from "../../../lib/broadcast/zab/membership.ts";
import type { LinkId, MemberId } from "../../../lib/broadcast/zab/messages.ts";
import type { Zab } from "../../../lib/broadcast/zab/zab.ts";
import type { MemberEffect, MemberInput } from "../../../lib/member/member.ts";
import type { SessionId } from "../../../lib/model/types.ts";
import { makeZxid } from "../../../lib/model/zxid.ts";
import type { Lies, MemberDisk } from "./member_disk.ts";

/** Stands between a member and all else. It is made anew with each start of a member. */
export interface Tamper {
  /** What the member hears instead. */
  input?(input: MemberInput, disk: MemberDisk): readonly MemberInput[];
  /** What is carried out instead. */
  effect?(effect: MemberEffect): readonly MemberEffect[];
}

export interface Bug {
  readonly name: string;
  /** A seed that has shown it, where that took many: it is tried first. */
  readonly seed?: number;
  readonly ensemble?: typeof Ensemble;
  readonly lies?: Lies;
  readonly tamper?: () => Tamper;
  /** What is done to the Zab of a member that starts. */
  readonly zab?: (zab: Zab) => void;
}

export const BUGS: readonly Bug[] = [
  { name: "ack before sync", lies: { early: true } },
  { name: "stale epoch accepted", lies: { forgetful: true } },
  { name: "TRUNC skipped", lies: { uncut: true } },
  { name: "a database restored before it is saved", lies: { hasty: true } },
  { name: "epoch not saved", lies: { epochless: true } },
  { name: "acks counted before the ACK of NEWLEADER", tamper: countsTooEarly },
  { name: "quorum of the old configuration only", zab: asksTheOldAlone },
  {
    name: "commit without quorum",
    ensemble: class extends Ensemble {
      override isQuorum(ids: Iterable<MemberId>): boolean {
        for (const id of ids) if (this.voters.has(id)) return true;
        return false;
      }
    },
  },
  { name: "DIFF with a hole", tamper: diffWithHole },
  { name: "epoch on disk before the history (ZOOKEEPER-4643)", seed: 400, tamper: epochFirst },
  { name: "a moved session expires", tamper: movedSessionsExpire },
  { name: "watch fires after the read", tamper: watchesLate },
  { name: "watch fires twice", tamper: watchesTwice },
  { name: "follower serves what is not committed", tamper: dirtyReads },
];

/** The first txn that a learner lacks is left out. */
function diffWithHole(): Tamper {
  let link: LinkId | null = null;
  return {
    effect(effect) {
      if (effect.kind !== "send") return [effect];
      const { kind } = effect.packet;
      if (kind === "diff") link = effect.link;
      else if (link === effect.link && kind === "proposal") return [];
      else if (link === effect.link) {
        link = null;
        if (kind === "commit") return [];
      }
      return [effect];
    },
  };
}

/** Whoever says what it has counts as one that has taken this leader's history over. */
function countsTooEarly(): Tamper {
  let epoch = 0;
  return {
    effect(effect) {
      if (effect.kind === "send" && effect.packet.kind === "leaderInfo") epoch = effect.packet.epoch;
      return [effect];
    },
    input(input) {
      if (input.kind !== "packet" || input.packet.kind !== "ackEpoch") return [input];
      return [input, { ...input, packet: { kind: "ack", zxid: makeZxid(epoch, 0) } }];
    },
  };
}

/** While a configuration is being changed, the next one is not asked. */
class OldMembership extends Membership {
  override sees(next: Ensemble): Membership {
    return new OldMembership(this.committed, next);
  }

  override commits(next: Ensemble): Membership {
    return new OldMembership(next, this.lastSeen);
  }

  override isQuorum(ids: ReadonlySet<MemberId> | readonly MemberId[]): boolean {
    return this.committed.isQuorum(ids);
  }
}

function asksTheOldAlone(zab: Zab): void {
  zab.membership = new OldMembership(zab.membership.committed, zab.membership.lastSeen);
}

/** As 3.8.0 does it: the new leader's epoch is kept at once, and the history that it stands for later. */
function epochFirst(): Tamper {
  return {
    input(input, disk) {
      if (input.kind === "packet" && input.packet.kind === "newLeader") disk.keepEpochs(null, input.packet.epoch);
      return [input];
    },
  };
}

/** The leader pays no attention to a session any more once its client has come back through another member. */
function movedSessionsExpire(): Tamper {
  const moved = new Set<SessionId>();
  return {
    input(input) {
      if (input.kind !== "packet") return [input];
      const { packet } = input;
      if (packet.kind === "revalidate") moved.add(packet.session);
      if (packet.kind !== "pong") return [input];
      const touched = packet.touched.filter(({ session }) => !moved.has(session));
      return [{ ...input, packet: { ...packet, touched } }];
    },
  };
}

/** An event waits until the next reply has gone out. */
function watchesLate(): Tamper {
  const waiting: MemberEffect[] = [];
  return {
    effect(effect) {
      if (effect.kind === "event") {
        waiting.push(effect);
        return [];
      }
      return effect.kind === "reply" ? [effect, ...waiting.splice(0)] : [effect];
    },
  };
}

function watchesTwice(): Tamper {
  return { effect: (effect) => (effect.kind === "event" ? [effect, effect] : [effect]) };
}

/** What is proposed counts as committed. */
function dirtyReads(): Tamper {
  let active = false;
  return {
    input(input) {
      if (input.kind === "closed") active = false;
      if (input.kind !== "packet") return [input];
      const { link, packet } = input;
      if (packet.kind === "upToDate") active = true;
      if (packet.kind !== "proposal" || !active) return [input];
      return [input, { kind: "packet", link, packet: { kind: "commit", zxid: packet.proposal.header.zxid } }];
    },
  };
}
