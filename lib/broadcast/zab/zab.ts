/**
 * The broadcast of a member of an ensemble: looks for a leader, leads or follows, and looks again.
 *
 * Between two terms it waits until the log has everything on disk, and takes over what was logged but never known to be committed: the next
 * leader decides by it.
 *
 * Not here: streams, disks, timers, and what txns mean. Invariants: one role at a time. A vote speaks of what is on disk.
 */
import { type ErrorCode, invariant } from "../../model/errors.ts";
import type { NextConfiguration, ReconfigOp } from "../../model/ops.ts";
import type { Proposal } from "../../model/txns.ts";
import type { Now, Zxid } from "../../model/types.ts";
import { formatZxid } from "../../model/zxid.ts";
import type { Broadcast, BroadcastEffect, BroadcastInput } from "../contract.ts";
import type { Core, ZabLimits } from "./core.ts";
import { Election } from "./election.ts";
import type { Ensemble } from "./ensemble.ts";
import { ensembleOf, ensembleText, hasSameMembers, parseEnsemble } from "./ensemble_text.ts";
import { epochWarning } from "./epochs.ts";
import type { History } from "./history.ts";
import { Leader } from "./leader.ts";
import { Learner } from "./learner.ts";
import { Membership } from "./membership.ts";
import type { LeaderPacket, LearnerPacket, LinkId, MemberId, Notification, Vote, VoterState } from "./messages.ts";
import { hasMemberThatCantStart, nextEnsemble, type ReconfigurationLimits } from "./reconfigure.ts";

export interface ZabOptions {
  readonly me: MemberId;
  /** The configuration that counts. */
  readonly ensemble: Ensemble;
  /** A later one that has been proposed. Default: none. */
  readonly lastSeen?: Ensemble;
  /** Whether reads are served while no leader is found, to clients that accept it. Default false. */
  readonly readOnlyMode?: boolean;
  /** Whether members may be added and removed, and how many voters must be left; null, the default: the configuration is as it is. */
  readonly reconfiguration?: ReconfigurationLimits | null;
  readonly limits: ZabLimits;
  readonly history: History;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
}

/** How long a leader is looked for before reads are served without one, milliseconds: a tick, but no less than this. */
const READ_ONLY_AFTER_MS_MIN = 2000;

/**
 * Members without a vote are answered so often at most, milliseconds, and so is everybody between two terms, while the disk is waited for: who is
 * told the vote of an earlier round answers in turn, and the two would go on in a circle.
 */
const ANSWER_AGAIN_MS = 50;

export class Zab implements Broadcast, Core {
  readonly me: MemberId;
  membership: Membership;
  readonly limits: ZabLimits;
  readonly history: History;
  acceptedEpoch: number;
  currentEpoch: number;
  readonly #reconfiguration: ReconfigurationLimits | null;
  readonly #election: Election;
  /** null while a leader is looked for, and between two terms. */
  #term: Leader | Learner | null = null;
  #isLooking = false;
  readonly #readOnlyMode: boolean;
  /** When reads are served without a leader; null while they are, and where they are not going to be. */
  #readOnlyAt: number | null = null;
  #isReadOnly = false;
  /** Who leads next, where a reconfiguration says so: no election is needed. */
  #successor: MemberId | null = null;
  /** The leader of the last term, if its stream has ended. */
  #lost: MemberId | null = null;
  /** The tree was found to differ from the leader's, or what is to go from it can't be cut off; and no other has come since. */
  #isDistrusted = false;
  /** By whose digests it was found to differ last, while no other leads. */
  #distrustedBy: MemberId | null = null;
  /** Whom the last election found. */
  #elected: Vote | null = null;
  /** What the disk was asked to do and has not done. */
  #saving: { readonly which: "accepted" | "current"; readonly epoch: number } | null = null;
  #rebuilding = false;
  readonly #answered = new Map<MemberId, number>();
  #nextLink: LinkId = -1;
  #effects: BroadcastEffect[] = [];
  #mono = 0;

  constructor(options: ZabOptions) {
    this.me = options.me;
    this.membership = new Membership(options.ensemble, options.lastSeen);
    this.limits = options.limits;
    this.history = options.history;
    this.acceptedEpoch = options.acceptedEpoch;
    this.currentEpoch = options.currentEpoch;
    this.#reconfiguration = options.reconfiguration ?? null;
    this.#readOnlyMode = options.readOnlyMode ?? false;
    this.#election = new Election({
      me: this.me,
      membership: () => this.membership,
      tell: (to, vote) => this.#notify(to, "looking", vote),
    });
  }

  /** The term that goes on, for reports. */
  get term(): Leader | Learner | null {
    return this.#term;
  }

  get deadline(): number | null {
    if (this.#term !== null) return this.#term.deadline;
    if (this.#isLooking) return Math.min(this.#election.deadline, this.#readOnlyAt ?? Number.POSITIVE_INFINITY);
    return this.#isIdle ? Number.NEGATIVE_INFINITY : null;
  }

  step(input: BroadcastInput, now: Now): readonly BroadcastEffect[] {
    this.#effects = [];
    this.#mono = now.mono;
    this.#hear(input);
    if (this.#term === null && !this.#isLooking && this.#isIdle) this.#look();
    return this.#effects;
  }

  // ── for the terms ──

  emit(effect: BroadcastEffect): void {
    this.#effects.push(effect);
  }

  saveEpoch(which: "accepted" | "current", epoch: number): void {
    invariant(this.#saving === null, "two epochs are kept at a time");
    this.#saving = { which, epoch };
    const warning = which === "accepted" ? epochWarning(epoch) : null;
    if (warning !== null) this.emit({ kind: "error", message: warning });
    this.emit({
      kind: "saveEpochs",
      accepted: which === "accepted" ? epoch : null,
      current: which === "current" ? epoch : null,
    });
  }

  rebuild(effect: Extract<BroadcastEffect, { kind: "restore" | "truncate" }>): void {
    this.#rebuilding = true;
    if (effect.kind === "restore") {
      this.#isDistrusted = false;
      this.history.restart(effect.image.lastZxid, false);
    }
    this.emit(effect);
  }

  append(proposal: Proposal): void {
    this.history.append(proposal);
    this.emit({ kind: "append", proposal });
    const ensemble = ensembleOf(proposal);
    if (ensemble !== null) this.see(ensemble);
  }

  see(ensemble: Ensemble): void {
    this.#remember(this.membership.sees(ensemble));
  }

  activate(ensemble: Ensemble): void {
    if (ensemble.version > this.membership.committed.version) this.#remember(this.membership.commits(ensemble));
  }

  #remember(membership: Membership): void {
    if (this.#reconfiguration === null) return;
    const { committed, lastSeen } = this.membership;
    if (membership.committed === committed && membership.lastSeen.version === lastSeen.version) return;
    this.membership = membership;
    this.emit({ kind: "membership", membership });
  }

  get isDistrusted(): boolean {
    return this.#isDistrusted;
  }

  distrust(zxid: Zxid, leader: MemberId): boolean {
    // Once by a leader: if it comes again, that one's digests are not what its own tree says; or it can't lead without this member, so that each time an
    // epoch would end in which no database can be asked for.
    if (this.#distrustedBy === leader) return false;
    this.#distrustedBy = leader;
    this.#isDistrusted = true;
    this.resign(`after txn ${formatZxid(zxid)} the tree's digest is not the leader's: a whole database is asked for`);
    return true;
  }

  resign(reason: string, leader: MemberId | null = null): void {
    const term = this.#term;
    if (term === null) return;
    this.#term = null;
    this.history.isHeld = false;
    this.#successor = leader;
    const next = leader === null ? "Looking for a leader" : `${leader} leads now`;
    this.emit({ kind: "tell", message: `${next}: ${reason}` });
    this.emit({ kind: "role", role: "looking", zxid: null });
    if (term instanceof Leader) this.emit({ kind: "accept", accepting: false });
    for (const link of term.links) this.emit({ kind: "cut", link });
  }

  // ── for the kernel ──

  judgeReconfig(op: ReconfigOp, zxid: Zxid): NextConfiguration | ErrorCode {
    const leader = this.#leader;
    if (leader === null || this.#reconfiguration === null) return "Unimplemented";
    const next = nextEnsemble(op, this.membership, zxid, this.#reconfiguration);
    if (typeof next === "string") return next;
    if (!leader.isFollowedBy(next, this.#mono)) return "NewConfigNoQuorum";
    const refusal = hasMemberThatCantStart(next, this.membership.committed, this.#reconfiguration) ? "BadArguments" : null;
    return { data: new TextEncoder().encode(ensembleText(next)), refusal };
  }

  // ── inputs ──

  #hear(input: BroadcastInput): void {
    switch (input.kind) {
      case "durable":
        this.history.durable(input.zxid);
        return this.#term?.durable();
      case "epochsSaved":
        return this.#epochSaved();
      case "restored":
        this.#rebuilding = false;
        return this.#learner?.rebuilt();
      case "truncated":
        this.#rebuilding = false;
        this.history.restart(input.image.lastZxid, true);
        return this.#learner?.rebuilt();
      case "notTruncated":
        this.#rebuilding = false;
        this.#isDistrusted = true;
        return this.resign("the log can't be cut where the leader says: a whole database is asked for");
      case "logRead":
        return this.#leader?.logRead(input.link, input.txns, this.#mono);
      case "notified":
        return this.#notified(input.from, input.notification);
      case "opened":
        if (this.#term === null) this.emit({ kind: "cut", link: input.link });
        return this.#term?.opened(input.link, this.#mono);
      case "alive":
        return this.#term?.alive(input.link, this.#mono);
      case "packet":
        return this.#packet(input.link, input.packet);
      case "closed":
        return this.#closed(input.link);
      case "due":
        return this.#due();
      case "propose":
        return this.#leader?.propose(input.proposal, this.#mono);
      case "revalidated":
        return this.#leader?.revalidated(input.origin, input.session, input.valid);
      case "sync":
        return this.#leader === null ? this.#learner?.forward(input.request) : this.#leader.sync();
      case "forward":
        return this.#learner?.forward(input.request);
      case "differs":
        return this.#learner?.differs(input.zxid);
      case "touch":
        return this.#learner?.touch(input.session, input.timeoutMs);
      case "revalidate":
        return this.#learner?.revalidate(input.session, input.timeoutMs);
    }
  }

  get #leader(): Leader | null {
    return this.#term instanceof Leader ? this.#term : null;
  }

  get #learner(): Learner | null {
    return this.#term instanceof Learner ? this.#term : null;
  }

  #closed(link: LinkId): void {
    const leader = this.#learner?.leader ?? null;
    this.#term?.closed(link, this.#mono);
    if (this.#term === null && leader !== null) this.#lost = leader;
  }

  #packet(link: LinkId, packet: LearnerPacket | LeaderPacket): void {
    // Which of the two it is, is the stream's: a leader's are accepted, a learner's is dialled.
    if (this.#term instanceof Leader) this.#term.packet(link, packet as LearnerPacket, this.#mono);
    else this.#term?.packet(link, packet as LeaderPacket, this.#mono);
  }

  #epochSaved(): void {
    const saved = this.#saving;
    invariant(saved !== null, "an epoch was kept that nobody asked for");
    this.#saving = null;
    if (saved.which === "accepted") this.acceptedEpoch = saved.epoch;
    else this.currentEpoch = saved.epoch;
    this.#term?.epochSaved(this.#mono);
  }

  // ── looking for a leader ──

  get #isIdle(): boolean {
    return this.#saving === null && !this.#rebuilding && this.history.isDurable;
  }

  /** What is logged counts, whether or not it was ever committed. */
  #look(): void {
    while (this.history.next !== undefined) this.emit({ kind: "commit", proposal: this.history.commit() });
    const leader = this.#successor;
    this.#successor = null;
    // Whoever is to lead by a reconfiguration must be known by it.
    if (leader === null || this.membership.memberOf(leader) === undefined) return this.#elect();
    this.#begin({ leader, zxid: this.history.last, round: this.#election.round, epoch: BigInt(this.currentEpoch) });
  }

  #elect(): void {
    if (!this.#isLooking && this.#readOnlyMode)
      this.#readOnlyAt = this.#mono + Math.max(READ_ONLY_AFTER_MS_MIN, this.limits.tickMs);
    this.#isLooking = true;
    this.#election.begin(this.history.last, this.currentEpoch, this.#lost, this.#mono);
  }

  #due(): void {
    if (this.#term !== null) {
      if (this.#mono >= this.#term.deadline) this.#term.due(this.#mono);
    } else if (this.#isLooking) {
      if (this.#readOnlyAt !== null && this.#mono >= this.#readOnlyAt) this.#serveReadOnly();
      this.#found(this.#election.tick(this.#mono));
    }
  }

  #notified(from: MemberId, notification: Notification): void {
    if (this.#isLooking && this.#learnsConfig(notification)) {
      this.#election.forgetRounds();
      return this.#elect();
    }
    if (!this.membership.voters.has(from)) return this.#answerSeldom(from);
    if (!this.#isLooking && this.#term !== null) {
      this.#tellTerm(from, notification);
      if (this.#term !== null) return notification.state === "looking" ? this.#answer(from) : undefined;
      // What ended the term is the first vote of the next election.
      if (this.#isIdle) this.#look();
    }
    if (this.#isLooking) this.#found(this.#election.hear(from, notification, this.#mono));
    else if (notification.state === "looking") this.#answerSeldom(from);
  }

  #tellTerm(from: MemberId, notification: Notification): void {
    const isLater = notification.vote.round > this.#election.round;
    this.#learner?.notified(from, notification, isLater);
    if (notification.state === "looking" && isLater) this.#leader?.abandoned(from);
  }

  /** Whoever knows a later configuration is believed. Says whether it has other members, so that the election must begin anew. */
  #learnsConfig({ config }: Notification): boolean {
    if (config === null || this.#reconfiguration === null) return false;
    const { committed } = this.membership;
    try {
      this.activate(parseEnsemble(config));
      return this.membership.committed !== committed && !hasSameMembers(committed, this.membership.committed);
    } catch (error) {
      this.emit({ kind: "tell", message: `A vote's configuration is passed over: ${(error as Error).message}` });
      return false;
    }
  }

  #found(vote: Vote | null): void {
    if (vote === null) return;
    this.emit({ kind: "tell", message: `Elected: ${vote.leader} in round ${vote.round}` });
    this.#begin(vote);
  }

  #serveReadOnly(): void {
    this.#readOnlyAt = null;
    this.#isReadOnly = true;
    this.emit({ kind: "role", role: "readOnly", zxid: null });
    this.emit({ kind: "tell", message: "No leader is found: read-only clients are served" });
  }

  #begin(vote: Vote): void {
    this.#isLooking = false;
    this.#lost = null;
    this.#readOnlyAt = null;
    if (this.#isReadOnly) this.emit({ kind: "role", role: "looking", zxid: null });
    this.#isReadOnly = false;
    this.#elected = vote;
    if (vote.leader !== this.#distrustedBy) this.#distrustedBy = null;
    this.#term =
      vote.leader === this.me
        ? new Leader(this, this.#mono)
        : new Learner(this, vote.leader, () => this.#nextLink--, this.#mono);
  }

  #answerSeldom(to: MemberId): void {
    const before = this.#answered.get(to);
    if (before !== undefined && this.#mono - before < ANSWER_AGAIN_MS) return;
    this.#answered.set(to, this.#mono);
    this.#answer(to);
  }

  #answer(to: MemberId): void {
    if (this.#term === null || this.#elected === null) return this.#notify(to, "looking", this.#election.vote);
    const { term } = this;
    const isSettled = term instanceof Leader ? term.isEstablished : term!.isActive;
    const epoch = isSettled ? BigInt(this.#term.epoch) : this.#elected.epoch;
    const round = this.#election.round;
    this.#notify(to, this.#state, { ...this.#elected, round, epoch });
  }

  get #state(): VoterState {
    if (this.#term instanceof Leader) return "leading";
    return this.membership.committed.roleOf(this.me) === "observer" ? "observing" : "following";
  }

  #notify(to: MemberId, state: VoterState, vote: Vote): void {
    const config = ensembleText(this.membership.committed);
    this.emit({ kind: "notify", to, notification: { state, vote, version: 2, config } });
  }
}
