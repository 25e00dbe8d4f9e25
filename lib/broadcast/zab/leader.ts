/**
 * A term as leader: finds an epoch that no one has seen yet (discovery), makes a quorum share its history (synchronisation), then orders
 * proposals and commits what a quorum has on disk (broadcast).
 *
 * Not here: what a learner lacks (sync_plan), streams, timers. Invariants: what is promised is on disk first. The decision what a learner gets
 * and its place in the broadcast are one step, so that nothing is between them. One learner hears everything in one order.
 */
import type { Proposal } from "../../model/txns.ts";
import type { SessionId, Zxid } from "../../model/types.ts";
import { COUNTER_MAX, counterOf, formatZxid, makeZxid } from "../../model/zxid.ts";
import type { Core, Term } from "./core.ts";
import { type DelayedAnswer, DelayedAnswers } from "./delayed_answers.ts";
import type { Ensemble } from "./ensemble.ts";
import { ensembleOf, ensembleText, isAtSamePlace } from "./ensemble_text.ts";
import { EPOCH_LEAD_MAX, EPOCH_MAX } from "./epochs.ts";
import {
  commitPacket,
  isInBroadcast,
  type LeadingReport,
  type LearnerStream,
  learnerCounts,
  newLearnerStream,
} from "./learner_stream.ts";
import type { LeaderPacket, LearnerPacket, LinkId, MemberId } from "./messages.ts";
import { syncPlan } from "./sync_plan.ts";

/**
 * discovery: a quorum tells which epochs it has seen; promising: the new one is being kept; promised: a quorum says what history it has;
 * founding: the epoch is being taken over; synchronising: a quorum gets this history; broadcast: it has it.
 */
type Phase = "discovery" | "promising" | "promised" | "founding" | "synchronising" | "broadcast";

type LearnerInfo = Extract<LearnerPacket, { kind: "learnerInfo" }>;

export class Leader implements Term {
  readonly #core: Core;
  readonly #leadingSinceMono: number;
  readonly #learners = new Map<LinkId, LearnerStream>();
  #phase: Phase = "discovery";
  #epoch = 0;
  /** Voters who have taken the step that the phase waits for. */
  readonly #quorum = new Set<MemberId>();
  #highestAccepted: number;
  #deadline: number;
  #nextRound: number;
  #rounds = 0;
  #lastProposed: Zxid;
  /** Of this member itself: what it has on disk. */
  #ownAcked: Zxid = -1n;
  readonly #delayed = new DelayedAnswers();
  #unnamed = -1n;
  /** Who leads after a reconfiguration, where that is another: nothing is committed any more, and its followers go there. */
  #successor: MemberId | null = null;

  constructor(core: Core, mono: number) {
    this.#core = core;
    this.#leadingSinceMono = mono;
    this.#highestAccepted = core.acceptedEpoch;
    this.#lastProposed = core.history.last;
    this.#deadline = mono + this.#ticks(core.limits.initLimit);
    this.#nextRound = mono + core.limits.tickMs / 2;
    core.emit({ kind: "accept", accepting: true });
    this.#quorum.add(core.me);
    this.#discovered(mono);
  }

  get deadline(): number {
    return this.#phase === "broadcast" ? this.#nextRound : Math.min(this.#nextRound, this.#deadline);
  }

  get isEstablished(): boolean {
    return this.#phase === "broadcast";
  }

  get epoch(): number {
    return this.#epoch;
  }

  get links(): Iterable<LinkId> {
    return this.#learners.keys();
  }

  report(mono: number): LeadingReport {
    const counts = learnerCounts([...this.#learners.values()], this.#core.membership.voters);
    return { ...counts, pendingSyncs: this.#delayed.syncCount, uptimeMs: mono - this.#leadingSinceMono };
  }

  // ── learners come and go ──

  opened(link: LinkId, mono: number): void {
    this.#learners.set(link, newLearnerStream(link, mono));
  }

  closed(link: LinkId, mono: number): void {
    this.#learners.delete(link);
    if (this.#successor !== null && !this.#hasQuorum(mono)) this.#handOver();
  }

  /**
   * A voter looks for a leader in a later round: it has given this one up, or never knew of it. Where a quorum can't come without it, there is
   * nothing to wait for.
   */
  abandoned(by: MemberId): void {
    if (this.#phase === "broadcast") return;
    const present = [...this.#learners.values()].filter(({ id, observer }) => !observer && id !== null && id !== by);
    if (this.#core.membership.committed.isQuorum([this.#core.me, ...present.map(({ id }) => id!)])) return;
    this.#core.resign(`member ${by} looks for another leader already (${this.#phase})`);
  }

  #cut(learner: LearnerStream, reason: string): void {
    this.#core.emit({ kind: "tell", message: `Learner ${learner.id ?? "?"} is cut off: ${reason}` });
    this.#core.emit({ kind: "cut", link: learner.link });
    this.#learners.delete(learner.link);
  }

  alive(link: LinkId, mono: number): void {
    const learner = this.#learners.get(link);
    if (learner !== undefined) learner.heardMono = mono;
  }

  packet(link: LinkId, packet: LearnerPacket, mono: number): void {
    const learner = this.#learners.get(link);
    if (learner === undefined) return;
    learner.heardMono = mono;
    if (packet.kind === "learnerInfo") return this.#introduce(learner, packet, mono);
    if (packet.kind === "ackEpoch") return this.#learnerHas(learner, packet.zxid, packet.currentEpoch, mono);
    if (learner.id === null) return this.#cut(learner, "it does not say who it is");
    if (packet.kind === "ack") return this.#acked(learner, packet.zxid, mono);
    if (learner.state !== "active") return;
    switch (packet.kind) {
      case "pong":
        return this.#core.emit({ kind: "touched", touched: packet.touched });
      case "request":
        if (packet.request.op.kind === "sync") return this.#sync(link);
        return this.#core.emit({ kind: "forwarded", origin: link, request: packet.request });
      case "revalidate": {
        const { session, timeoutMs } = packet;
        return this.#core.emit({ kind: "revalidation", origin: link, session, timeoutMs });
      }
    }
  }

  // ── discovery: an epoch that nobody in the quorum has seen ──

  #introduce(learner: LearnerStream, info: LearnerInfo, mono: number): void {
    if (learner.state !== "new") return this.#cut(learner, "it says twice who it is");
    if (info.configVersion > this.#core.membership.committed.version)
      return this.#cut(learner, "it knows a later configuration of the ensemble");
    const disbelief = this.#disbelief(info);
    if (disbelief !== null) {
      this.#core.emit({ kind: "warn", message: `Learner ${info.id ?? "?"} is refused: ${disbelief}` });
      return this.#cut(learner, disbelief);
    }
    const before = [...this.#learners.values()].find(({ id }) => id !== null && id === info.id);
    if (before !== undefined) this.#cut(before, "it has come again");
    learner.id = info.id ?? this.#unnamed--;
    learner.observer = info.observer;
    learner.state = "known";
    if (this.#phase === "discovery") {
      if (info.acceptedEpoch > this.#highestAccepted) this.#highestAccepted = info.acceptedEpoch;
      this.#count(learner);
      this.#discovered(mono);
    } else if (this.#phase !== "promising") {
      if (this.#isOutdone(info)) return this.#giveWay(info.acceptedEpoch);
      this.#greet(learner);
    }
  }

  /** Why its epoch is not believed; null where it is, or where it is none that this member would have to outdo. */
  #disbelief({ id, acceptedEpoch }: LearnerInfo): string | null {
    const known = Math.max(this.#core.acceptedEpoch, this.#epoch);
    if (acceptedEpoch <= known) return null;
    const says = `it says that it has accepted epoch ${acceptedEpoch}, where ${known} is the latest known here`;
    if (id === null || !this.#core.membership.committed.members.has(id)) return `${says}, and is no member of the ensemble`;
    return acceptedEpoch > Math.min(known + EPOCH_LEAD_MAX, EPOCH_MAX - 1) ? says : null;
  }

  /** Whether a voter has promised itself to a later epoch: it can't follow before there is one that is later still. */
  #isOutdone({ id, observer, acceptedEpoch }: LearnerInfo): boolean {
    if (observer || id === null || !this.#core.membership.voters.has(id)) return false;
    return acceptedEpoch > this.#epoch && this.#phase !== "founding";
  }

  /** The next epoch is to be later than that. */
  #giveWay(acceptedEpoch: number): void {
    this.#core.saveEpoch("accepted", acceptedEpoch);
    this.#core.resign(`epoch ${acceptedEpoch} was promised by a voter`);
  }

  #discovered(mono: number): void {
    if (!this.#core.membership.committed.isQuorum(this.#quorum)) return;
    if (this.#highestAccepted >= EPOCH_MAX) return this.#core.resign("the epochs are used up: move the data to a new ensemble");
    this.#epoch = this.#highestAccepted + 1;
    this.#enter("promising", mono);
    this.#core.saveEpoch("accepted", this.#epoch);
  }

  epochSaved(mono: number): void {
    if (this.#phase === "promising") {
      this.#enter("promised", mono);
      this.#nameFirstConfig();
      for (const learner of this.#learners.values()) if (learner.state === "known") this.#greet(learner);
      this.#promised(mono);
    } else {
      this.#enter("synchronising", mono);
      for (const learner of this.#learners.values()) if (learner.state === "ready") this.#catchUp(learner, mono);
      this.#shared(mono);
    }
  }

  /** A configuration that was never changed gets a version with the first epoch, so that it counts for more than a joiner's own idea of it. */
  #nameFirstConfig(): void {
    const { lastSeen } = this.#core.membership;
    if (lastSeen.version === 0n) this.#core.see(lastSeen.withVersion(makeZxid(this.#epoch, 0)));
  }

  #greet(learner: LearnerStream): void {
    learner.state = "greeted";
    this.#send(learner, { kind: "leaderInfo", epoch: this.#epoch });
  }

  #learnerHas(learner: LearnerStream, zxid: Zxid, currentEpoch: number | null, mono: number): void {
    if (learner.state !== "greeted") return this.#cut(learner, "it accepts an epoch that it was not told");
    learner.lastZxid = zxid;
    learner.state = "ready";
    if (this.#phase === "promised" && currentEpoch !== null) {
      const { currentEpoch: mine, history } = this.#core;
      // Then this member should not have been elected.
      if (currentEpoch > mine || (currentEpoch === mine && zxid > history.last))
        return this.#cut(learner, `its history, up to ${formatZxid(zxid)}, is ahead`);
      this.#count(learner);
      this.#promised(mono);
    } else if (this.#phase === "synchronising" || this.#phase === "broadcast") {
      this.#catchUp(learner, mono);
    }
  }

  #promised(mono: number): void {
    if (!this.#core.membership.committed.isQuorum(this.#quorum)) return;
    this.#enter("founding", mono);
    this.#core.saveEpoch("current", this.#epoch);
  }

  // ── synchronisation: a quorum has this history ──

  /** What is not remembered any more may be in the log. */
  #catchUp(learner: LearnerStream, mono: number): void {
    const { history } = this.#core;
    const { lastZxid, link } = learner;
    const oldest = history.recent[0]?.header.zxid ?? history.committed;
    if (lastZxid < history.loggedFrom || lastZxid >= oldest) return this.#synchronise(learner, history.recent, mono);
    learner.state = "reading";
    history.isHeld = true;
    this.#core.emit({ kind: "readLog", link, from: lastZxid, to: oldest });
  }

  logRead(link: LinkId, txns: readonly Proposal[] | null, mono: number): void {
    const { history } = this.#core;
    const learner = this.#learners.get(link);
    if (learner?.state === "reading") {
      const [oldest] = history.recent;
      // Between what the log was asked for and what is remembered by now may be txns that were forgotten for their bytes.
      const isWhole = oldest === undefined || (txns !== null && txns.at(-1)!.header.zxid >= oldest.header.zxid);
      const older = isWhole ? (txns ?? []) : [];
      const before = oldest === undefined ? older : older.filter(({ header }) => header.zxid < oldest.header.zxid);
      this.#synchronise(learner, [...before, ...history.recent], mono);
    }
    history.isHeld = [...this.#learners.values()].some(({ state }) => state === "reading");
  }

  #synchronise(learner: LearnerStream, committed: readonly Proposal[], mono: number): void {
    const { history, membership, limits } = this.#core;
    const plan = syncPlan(learner.lastZxid, history.committed, committed, limits.txnBytesMax);
    learner.acked = learner.lastZxid;
    if (plan.kind === "snap") {
      this.#core.emit({ kind: "sendDatabase", link: learner.link, zxid: history.committed });
    } else {
      this.#send(learner, { kind: plan.kind, zxid: plan.zxid });
      for (const proposal of plan.txns) {
        this.#send(learner, { kind: "proposal", proposal });
        this.#send(learner, { kind: "commit", zxid: proposal.header.zxid });
      }
    }
    this.#core.emit({
      kind: "tell",
      message: `Learner ${learner.id} at ${formatZxid(learner.lastZxid)} catches up by ${plan.kind.toUpperCase()}`,
    });
    learner.state = "synchronised";
    learner.heardMono = mono;
    if (!learner.observer) for (const proposal of history.waiting()) this.#offer(learner, proposal, mono);
    // The learner activates it. One that is only proposed comes with its proposal, unless this term begins with it.
    const ensemble = this.#phase === "broadcast" ? membership.committed : membership.lastSeen;
    this.#send(learner, { kind: "newLeader", epoch: this.#epoch, config: ensembleText(ensemble) });
  }

  #acked(learner: LearnerStream, zxid: Zxid, mono: number): void {
    if (learner.unacked !== null && zxid >= learner.unacked.zxid) {
      learner.unacked = zxid < this.#lastProposed ? { zxid: this.#lastProposed, mono } : null;
    }
    if (counterOf(zxid) === 0) return this.#sharesHistory(learner, zxid, mono);
    if (zxid <= learner.acked) return;
    learner.acked = zxid;
    this.#commit();
  }

  #sharesHistory(learner: LearnerStream, zxid: Zxid, mono: number): void {
    if (learner.state !== "synchronised" || zxid !== makeZxid(this.#epoch, 0)) return;
    learner.acknowledged = true;
    if (this.#phase === "broadcast") return this.#activate(learner);
    this.#count(learner);
    this.#shared(mono);
  }

  #shared(mono: number): void {
    if (!this.#core.membership.isQuorum(this.#quorum)) return;
    const first = makeZxid(this.#epoch, 0);
    const sharing = [...this.#quorum];
    this.#enter("broadcast", mono);
    this.#lastProposed = first;
    this.#core.history.committed = first;
    // A reconfiguration that was found under way is complete by this: a quorum of both configurations has it.
    this.#reconfigured(this.#core.membership.lastSeen, sharing);
    this.#core.emit({ kind: "role", role: "leader", zxid: first });
    this.#core.emit({ kind: "tell", message: `Leading in epoch ${this.#epoch}` });
    for (const learner of this.#learners.values()) if (learner.acknowledged) this.#activate(learner);
  }

  #activate(learner: LearnerStream): void {
    learner.state = "active";
    this.#send(learner, { kind: "upToDate" });
    for (const packet of learner.commits.splice(0)) this.#send(learner, packet);
  }

  // ── broadcast ──

  propose(proposal: Proposal, mono: number): void {
    const { zxid } = proposal.header;
    // A counter must not run over into the epoch: the next leader begins a new one.
    if (counterOf(zxid) === COUNTER_MAX) return this.#core.resign("the zxids of the epoch are used up");
    this.#lastProposed = zxid;
    for (const learner of this.#learners.values())
      if (!learner.observer && isInBroadcast(learner)) this.#offer(learner, proposal, mono);
    this.#core.append(proposal);
  }

  #offer(learner: LearnerStream, proposal: Proposal, mono: number): void {
    this.#send(learner, { kind: "proposal", proposal });
    learner.unacked ??= { zxid: proposal.header.zxid, mono };
  }

  durable(): void {
    this.#ownAcked = this.#core.history.durableUpTo;
    this.#commit();
  }

  /** Commits what a quorum has on disk. */
  #commit(): void {
    if (this.#phase !== "broadcast") return;
    const { history } = this.#core;
    for (let next = history.next; next !== undefined && this.#successor === null; next = history.next) {
      const { zxid } = next.header;
      if (!this.#core.membership.isQuorum(this.#whoHas(zxid))) return;
      history.commit();
      const ensemble = ensembleOf(next);
      const leader = ensemble === null ? null : this.#reconfigured(ensemble, this.#whoHas(zxid));
      for (const learner of this.#learners.values()) {
        if (learner.state === "active") this.#send(learner, commitPacket(learner, next, leader));
        else if (isInBroadcast(learner)) learner.commits.push(commitPacket(learner, next, leader));
      }
      this.#core.emit({ kind: "commit", proposal: next });
      for (let due = this.#delayed.next(zxid); due !== undefined; due = this.#delayed.next(zxid)) this.#answer(due);
    }
  }

  /** Those who have it on disk and have taken this leader's history over. */
  #whoHas(zxid: Zxid): MemberId[] {
    const having: MemberId[] = this.#ownAcked >= zxid ? [this.#core.me] : [];
    for (const { id, observer, acked: upTo, acknowledged } of this.#learners.values()) {
      if (!observer && acknowledged && upTo >= zxid) having.push(id!);
    }
    return having;
  }

  // ── reconfiguration ──

  /** The configuration counts from now on; these have it on disk. Says who leads in it. */
  #reconfigured(ensemble: Ensemble, having: readonly MemberId[]): MemberId {
    const leader = this.#leaderOf(ensemble, having);
    this.#core.activate(ensemble);
    if (leader !== this.#core.me) this.#successor = leader;
    return leader;
  }

  /** This member, if it may still lead where it is; else the voter that has most of what was proposed since. */
  #leaderOf(ensemble: Ensemble, having: readonly MemberId[]): MemberId {
    const { me, membership } = this.#core;
    const [before, after] = [membership.committed.members.get(me), ensemble.members.get(me)];
    if (ensemble.voters.has(me) && isAtSamePlace(before, after)) return me;
    const candidates = having.filter((id) => id !== me && ensemble.voters.has(id));
    const ackedBy = new Map([...this.#learners.values()].map(({ id, acked }) => [id, acked]));
    const best = candidates.sort((one, other) => (ackedBy.get(one)! > ackedBy.get(other)! ? -1 : 1))[0];
    return best ?? me;
  }

  /** Its followers have gone to the one who leads now. */
  #handOver(): void {
    this.#core.resign("the ensemble is reconfigured", this.#successor);
  }

  /** Whether a quorum of that configuration follows, up to date. */
  isFollowedBy(ensemble: Ensemble, mono: number): boolean {
    const following = [...this.#learners.values()].filter(
      ({ observer, state, heardMono }) =>
        !observer && state === "active" && mono - heardMono <= this.#ticks(this.#core.limits.syncLimit),
    );
    return ensemble.isQuorum([this.#core.me, ...following.map(({ id }) => id!)]);
  }

  /**
   * Its client has moved. What that had asked of the member before it must not be taken for what it asks of this one, which it may number alike: so all
   * that is proposed is committed first.
   */
  revalidated(origin: LinkId, session: SessionId, valid: boolean): void {
    this.#answerBehindProposals({ origin, packet: { kind: "revalidated", session, valid } });
  }

  /** This member's own client wants what has been proposed so far to be committed. */
  sync(): void {
    this.#sync(null);
  }

  #sync(origin: LinkId | null): void {
    this.#answerBehindProposals({ origin, packet: { kind: "synced" } });
  }

  #answerBehindProposals(answer: DelayedAnswer): void {
    if (this.#core.history.next === undefined) this.#answer(answer);
    else this.#delayed.push(answer, this.#lastProposed);
  }

  #answer({ origin, packet }: DelayedAnswer): void {
    if (origin === null) return this.#core.emit({ kind: "synced" });
    const learner = this.#learners.get(origin);
    if (learner !== undefined) this.#send(learner, packet);
  }

  // ── liveness ──

  due(mono: number): void {
    if (this.#phase !== "broadcast" && mono >= this.#deadline) return this.#core.resign(`no quorum in time (${this.#phase})`);
    if (mono < this.#nextRound) return;
    this.#nextRound = mono + this.#core.limits.tickMs / 2;
    this.#rounds++;
    for (const learner of [...this.#learners.values()]) this.#attend(learner, mono);
    if (this.#phase === "broadcast" && this.#rounds % 2 === 0 && !this.#hasQuorum(mono)) {
      if (this.#successor !== null) this.#handOver();
      else this.#core.resign("a quorum of followers is not heard of any more");
    }
  }

  #attend(learner: LearnerStream, mono: number): void {
    const { initLimit, syncLimit } = this.#core.limits;
    const silence = this.#ticks(learner.state === "active" ? syncLimit : initLimit);
    if (mono - learner.heardMono > silence) return this.#cut(learner, "nothing was heard of it");
    if (learner.state === "active" && learner.unacked !== null && mono - learner.unacked.mono > silence) {
      return this.#cut(learner, `it does not acknowledge ${formatZxid(learner.unacked.zxid)}`);
    }
    if (isInBroadcast(learner)) this.#send(learner, { kind: "ping", zxid: this.#lastProposed });
  }

  #hasQuorum(mono: number): boolean {
    const { me, membership, limits } = this.#core;
    const alive: MemberId[] = [me];
    for (const learner of this.#learners.values()) {
      const allowed = this.#ticks(learner.state === "active" ? limits.syncLimit : limits.initLimit + limits.syncLimit);
      if (isInBroadcast(learner) && mono - learner.heardMono <= allowed) alive.push(learner.id!);
    }
    return membership.isQuorum(alive);
  }

  // ── small things ──

  #enter(phase: Phase, mono: number): void {
    this.#phase = phase;
    this.#quorum.clear();
    this.#quorum.add(this.#core.me);
    this.#deadline = mono + this.#ticks(this.#core.limits.initLimit);
  }

  /** It has taken the step that the phase waits for. Whether it has a vote is the configurations' matter. */
  #count({ id }: LearnerStream): void {
    this.#quorum.add(id!);
  }

  #ticks(count: number): number {
    return count * this.#core.limits.tickMs;
  }

  #send(learner: LearnerStream, packet: LeaderPacket): void {
    this.#core.emit({ kind: "send", link: learner.link, packet });
  }
}
