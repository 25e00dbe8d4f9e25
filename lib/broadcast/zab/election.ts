/**
 * Fast leader election: members tell one another whom they want, the better candidate wins them over, and a quorum that agrees has a leader.
 *
 * What it finds may be wrong, since the leader may be gone by now: discovery finds that out, and another round begins.
 *
 * Not here: who is told what once there is a leader (zab.ts). Invariant: while the members are the same, the round never goes back, and a vote
 * in it only ever gets better.
 */
import type { Zxid } from "../../model/types.ts";
import type { Membership } from "./membership.ts";
import { type MemberId, NOBODY, type Notification, type Vote } from "./messages.ts";

/** An outcome is believed once nothing better was heard for so long, milliseconds, or nobody is left who could know better. */
const FINALIZE_MS = 200;
/**
 * How long to wait for votes before asking again, milliseconds: doubled each time. ZooKeeper goes up to a minute; but who was cut off, and is asked by
 * nobody since the others have a leader, comes back only when it asks.
 */
const ASK_AGAIN_MS = 200;
const ASK_AGAIN_MS_MAX = 10_000;

export interface ElectionOptions {
  readonly me: MemberId;
  /** As it is now. */
  readonly membership: () => Membership;
  /** Tells a member the vote. */
  readonly tell: (to: MemberId, vote: Vote) => void;
}

type Candidate = Omit<Vote, "round">;

export class Election {
  /** Number of the round, for the life of the process or until the members are others. */
  round = 0n;
  readonly #options: ElectionOptions;
  #own: Candidate = { leader: NOBODY, zxid: NOBODY, epoch: NOBODY };
  #proposed: Candidate = this.#own;
  /** Of this round, the votes of the others. */
  readonly #received = new Map<MemberId, Notification>();
  /** Votes of those who have a leader, of whatever round. */
  readonly #settled = new Map<MemberId, Notification>();
  #askAgainMs = ASK_AGAIN_MS;
  #askAt = 0;
  /** When the outcome stands; null without one. */
  #finalAt: number | null = null;
  /** The leader that was there before and is gone: nobody waits for its vote. */
  #lost: MemberId | null = null;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  get deadline(): number {
    return this.#finalAt === null ? this.#askAt : Math.min(this.#finalAt, this.#askAt);
  }

  get vote(): Vote {
    return { ...this.#proposed, round: this.round };
  }

  /**
   * A new round, with what this member's history is worth.
   *
   * @param lost the leader whose stream has ended; null: none
   */
  begin(zxid: Zxid, epoch: number, lost: MemberId | null, mono: number): void {
    this.round++;
    this.#lost = lost;
    this.#own = this.#candidacy(zxid, BigInt(epoch));
    this.#proposed = this.#own;
    this.#received.clear();
    this.#settled.clear();
    this.#askAgainMs = ASK_AGAIN_MS;
    this.#askAt = mono + this.#askAgainMs;
    this.#tellAll();
    this.#judge(mono);
  }

  /**
   * The members are others: the rounds with those before say nothing. As in ZooKeeper, it counts from the first again: who is in an early one hears
   * nobody who can't be elected, and would wait for the vote of such a member for ever.
   */
  forgetRounds(): void {
    this.round = 0n;
  }

  /** Who is not listed tells what its history is worth. Observers don't even that, nor does who will vote once a reconfiguration is through. */
  #candidacy(zxid: Zxid, epoch: bigint): Candidate {
    const { me } = this.#options;
    const { committed } = this.#membership;
    if (committed.voters.has(me)) return { leader: me, zxid, epoch };
    if (committed.roleOf(me) === "observer" || this.#isVoter) return { leader: NOBODY, zxid: NOBODY, epoch: NOBODY };
    return { leader: NOBODY, zxid, epoch };
  }

  /** A voter's vote. Says who leads, once that is known. */
  hear(from: MemberId, notification: Notification, mono: number): Vote | null {
    const { voters } = this.#membership;
    if (!voters.has(from) || notification.state === "observing") return null;
    if (!voters.has(notification.vote.leader)) {
      if (notification.state === "looking" && notification.vote.leader === NOBODY) this.#hearUndecided(notification.vote.round);
      return null;
    }
    return notification.state === "looking"
      ? this.#hearLooking(from, notification, mono)
      : this.#hearSettled(from, notification);
  }

  /** Time has passed. */
  tick(mono: number): Vote | null {
    if (this.#finalAt !== null && mono >= this.#finalAt) return this.vote;
    if (mono >= this.#askAt) {
      this.#askAgainMs = Math.min(2 * this.#askAgainMs, ASK_AGAIN_MS_MAX);
      this.#askAt = mono + this.#askAgainMs;
      this.#tellAll();
    }
    return null;
  }

  /** Who can't be elected votes once it hears of a candidate, in its own round or a later one. */
  #hearUndecided(round: bigint): void {
    if (round <= this.round) return;
    this.round = round;
    this.#received.clear();
    this.#propose(this.#own);
  }

  #hearLooking(from: MemberId, notification: Notification, mono: number): null {
    const { vote } = notification;
    // zxid -1: a member that has lost what it knew, and takes no part.
    if (from === this.#options.me || vote.zxid === -1n) return null;
    if (vote.round < this.round) {
      this.#options.tell(from, this.vote);
      return null;
    }
    if (vote.round > this.round) {
      this.round = vote.round;
      this.#received.clear();
      this.#propose(this.#isBetter(vote, this.#own) ? vote : this.#own);
    } else if (this.#isBetter(vote, this.#proposed)) {
      this.#propose(vote);
    }
    this.#received.set(from, notification);
    this.#judge(mono);
    return null;
  }

  #propose({ leader, zxid, epoch }: Candidate): void {
    this.#proposed = { leader, zxid, epoch };
    this.#finalAt = null;
    this.#tellAll();
  }

  /** Whether a quorum wants what this member wants; then only quiet is needed. */
  #judge(mono: number): void {
    const mine = this.vote;
    const agreeing = this.#isVoter ? [this.#options.me] : [];
    for (const [id, { vote }] of this.#received) if (isSame(vote, mine)) agreeing.push(id);
    if (!this.#membership.isQuorum(agreeing)) this.#finalAt = null;
    else if (this.#areAll(agreeing)) this.#finalAt = mono;
    else this.#finalAt ??= mono + FINALIZE_MS;
  }

  /** Whether these are all who could have a say. */
  #areAll(ids: readonly MemberId[]): boolean {
    for (const id of this.#membership.voters) if (id !== this.#lost && !ids.includes(id)) return false;
    return true;
  }

  #hearSettled(from: MemberId, notification: Notification): Vote | null {
    const { vote } = notification;
    if (vote.round === this.round) {
      this.#received.set(from, notification);
      if (this.#isElected(this.#received, notification, agreesInRound)) return vote;
    }
    this.#settled.set(from, notification);
    if (!this.#isElected(this.#settled, notification, agreesSettled)) return null;
    this.round = vote.round;
    return vote;
  }

  /** A quorum follows the vote's leader, and that leader says so itself. */
  #isElected(votes: ReadonlyMap<MemberId, Notification>, notification: Notification, agrees: Agreement): boolean {
    const { leader, round } = notification.vote;
    const agreeing = [...votes].filter(([, other]) => agrees(other, notification)).map(([id]) => id);
    // A reconfiguration that is only on its way here has no say in who leads already: that leader knows better.
    if (!this.#membership.committed.isQuorum(agreeing)) return false;
    return leader === this.#options.me ? round === this.round : votes.get(leader)?.state === "leading";
  }

  #isBetter(one: Candidate, other: Candidate): boolean {
    if (this.#membership.weightOf(one.leader) === 0) return false;
    if (one.epoch !== other.epoch) return one.epoch > other.epoch;
    return one.zxid === other.zxid ? one.leader > other.leader : one.zxid > other.zxid;
  }

  #tellAll(): void {
    const { me, tell } = this.#options;
    for (const id of this.#membership.voters) if (id !== me) tell(id, this.vote);
  }

  get #membership(): Membership {
    return this.#options.membership();
  }

  get #isVoter(): boolean {
    return this.#membership.voters.has(this.#options.me);
  }
}

type Agreement = (one: Notification, other: Notification) => boolean;

function isSame(one: Vote, other: Vote): boolean {
  return one.leader === other.leader && one.zxid === other.zxid && one.round === other.round && one.epoch === other.epoch;
}

/** Members that have settled remember different zxids and rounds of one and the same vote. */
const agreesInRound: Agreement = (one, other) =>
  one.state === "looking" ? isSame(one.vote, other.vote) : one.vote.leader === other.vote.leader;

const agreesSettled: Agreement = (one, other) =>
  one.vote.leader === other.vote.leader &&
  ((one.version === 0) !== (other.version === 0) || one.vote.epoch === other.vote.epoch);
