/**
 * A term as follower or observer: promises the leader its epoch, takes over its history, then logs, acknowledges and commits what it says.
 *
 * Not here: streams, timers, what the txns mean. Invariants: everything that NEWLEADER stands for is on disk before the epoch is, and the epoch
 * before NEWLEADER is acknowledged; no proposal is acknowledged before that, nor before it is on disk. Nothing is served before UPTODATE.
 */
import { Fifo } from "../../base/fifo.ts";
import type { Forwarded } from "../../model/ops.ts";
import type { Proposal } from "../../model/txns.ts";
import type { SessionId, Zxid } from "../../model/types.ts";
import { counterOf, epochOf, formatZxid, makeZxid } from "../../model/zxid.ts";
import type { Core, Term } from "./core.ts";
import type { Ensemble } from "./ensemble.ts";
import { ensembleOf, hasSameMembers, isAtSamePlace, parseEnsemble } from "./ensemble_text.ts";
import type { LeaderPacket, LearnerPacket, LinkId, MemberId, Notification } from "./messages.ts";

/**
 * How often the leader is dialled, and after which pause, milliseconds: it may need a moment until it knows that it leads, on a machine that is busy.
 * ZooKeeper dials five times; but who gives up too early costs the others all of initLimit.
 */
const DIALS_MAX = 20;
const DIAL_AGAIN_MS = 100;

/**
 * dialling; greeting: it was told who comes; promising: its epoch is being kept; synchronising: its history comes; logging: and goes to disk;
 * taking: and is taken over; waiting: until a quorum has it; active.
 */
type Phase = "dialling" | "greeting" | "promising" | "synchronising" | "logging" | "taking" | "waiting" | "active";

export class Learner implements Term {
  readonly #core: Core;
  readonly #leader: MemberId;
  readonly #observer: boolean;
  readonly #takeLink: () => LinkId;
  #phase: Phase = "dialling";
  #link: LinkId | null = null;
  #dials = 0;
  #dialAt: number | null = null;
  #epoch = 0;
  #counts = false;
  #heardMono: number;
  /** A database that is being put to disk, or a log that is being cut: nothing is logged before it is done. */
  #rebuilding = false;
  /** A whole database came. Apache's may hold more than its zxid says, up to what is committed when the learner is called up to date. */
  #cameWhole = false;
  /** From here on the tree is what the leader's was at each zxid. */
  #exactFrom: Zxid = 0n;
  #differsAt: Zxid | null = null;
  /** Voters whose last votes were for another leader. */
  readonly #elsewhere = new Set<MemberId>();
  /** What came and is not logged yet. */
  readonly #received: Fifo<Proposal> = new Fifo<Proposal>();
  #lastReceived: Zxid;
  #hasWarnedOfGap = false;
  /** Up to where the leader has committed. */
  #committed: Zxid;
  /** Logged, and not acknowledged. */
  readonly #unacked: Fifo<Zxid> = new Fifo<Zxid>();
  readonly #touched = new Map<SessionId, number>();
  /** The configuration that came with the leader's history: it counts once a quorum has that. */
  #leaders: Ensemble | null = null;
  /** The last one that was proposed. */
  #proposed: Ensemble | null = null;

  /** @param takeLink numbers the next stream */
  constructor(core: Core, leader: MemberId, takeLink: () => LinkId, mono: number) {
    this.#core = core;
    this.#leader = leader;
    this.#takeLink = takeLink;
    this.#observer = core.membership.committed.roleOf(core.me) === "observer";
    this.#heardMono = mono;
    this.#lastReceived = core.history.last;
    this.#committed = core.history.committed;
    this.#dial();
  }

  get deadline(): number {
    const silent = this.#heardMono + this.#silenceMs;
    return this.#dialAt === null ? silent : Math.min(silent, this.#dialAt);
  }

  get isActive(): boolean {
    return this.#phase === "active";
  }

  get leader(): MemberId {
    return this.#leader;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get links(): Iterable<LinkId> {
    return this.#link === null ? [] : [this.#link];
  }

  // ── the stream ──

  #dial(): void {
    this.#dialAt = null;
    this.#dials++;
    this.#link = this.#takeLink();
    this.#core.emit({ kind: "dial", link: this.#link, leader: this.#leader });
  }

  opened(link: LinkId, mono: number): void {
    if (link !== this.#link) return;
    this.#heardMono = mono;
    this.#phase = "greeting";
    const { acceptedEpoch, me, membership } = this.#core;
    const configVersion = membership.committed.version;
    this.#send({ kind: "learnerInfo", observer: this.#observer, acceptedEpoch, id: me, configVersion });
  }

  closed(link: LinkId, mono: number): void {
    if (link !== this.#link) return;
    this.#link = null;
    if (!this.#isOnItsWay) return this.#core.resign(`the leader ${this.#leader} is gone`);
    this.#phase = "dialling";
    if (this.#dials === DIALS_MAX) return this.#core.resign(`the leader ${this.#leader} can't be reached`);
    this.#dialAt = mono + DIAL_AGAIN_MS;
  }

  /** Whether the leader has said nothing yet: a stream that ends was one to whatever stands between, such as a proxy before a port that is not open. */
  get #isOnItsWay(): boolean {
    return this.#phase === "dialling" || this.#phase === "greeting";
  }

  /** A voter's vote, in its round. On its way to a leader that no quorum can be with any more, this member looks for another. */
  notified(from: MemberId, { state, vote }: Notification, isLater: boolean): void {
    if (!this.#isOnItsWay) return;
    if (state === "looking" ? isLater : vote.leader !== this.#leader) this.#elsewhere.add(from);
    else this.#elsewhere.delete(from);
    const { voters } = this.#core.membership;
    const left = [...voters].filter((id) => !this.#elsewhere.has(id));
    if (this.#elsewhere.has(this.#leader) || !this.#core.membership.committed.isQuorum(left))
      this.#core.resign(`members ${[...this.#elsewhere].join(", ")} are with another leader, or look for one`);
  }

  due(mono: number): void {
    if (mono >= this.#heardMono + this.#silenceMs) return this.#core.resign(`nothing is heard of the leader ${this.#leader}`);
    if (this.#dialAt !== null && mono >= this.#dialAt) this.#dial();
  }

  get #silenceMs(): number {
    const { tickMs, initLimit, syncLimit } = this.#core.limits;
    return tickMs * (this.#phase === "active" ? syncLimit : initLimit);
  }

  alive(link: LinkId, mono: number): void {
    if (link === this.#link) this.#heardMono = mono;
  }

  packet(link: LinkId, packet: LeaderPacket, mono: number): void {
    if (link !== this.#link) return;
    this.#heardMono = mono;
    if (this.#differsAt !== null && this.#distrusts(this.#differsAt)) return;
    switch (packet.kind) {
      case "leaderInfo":
        return this.#promise(packet.epoch);
      case "diff":
        return this.#synchronise(null);
      case "trunc":
        return this.#synchronise({ kind: "truncate", zxid: packet.zxid });
      case "snap":
        return this.#synchronise({
          kind: "restore",
          image: packet.image,
          cutsLog: this.#core.history.last > packet.image.lastZxid,
        });
      case "proposal":
        return this.#receive(packet.proposal);
      case "commit":
        return this.#commit(packet.zxid);
      case "commitAndActivate":
        this.#commit(packet.zxid);
        return this.#activateProposed(packet.zxid, packet.leader);
      case "inform":
        this.#receive(packet.proposal);
        return this.#commit(packet.proposal.header.zxid);
      case "informAndActivate":
        this.#receive(packet.proposal);
        this.#commit(packet.proposal.header.zxid);
        return this.#activateProposed(packet.proposal.header.zxid, packet.leader);
      case "newLeader":
        return this.#takeOver(packet.epoch, packet.config);
      case "upToDate":
        return this.#serve();
      case "ping":
        return this.#pong(packet.zxid);
      case "synced":
        return this.#core.emit({ kind: "synced" });
      case "revalidated":
        return this.#core.emit({ kind: "valid", session: packet.session, valid: packet.valid });
    }
  }

  // ── discovery ──

  #promise(epoch: number): void {
    if (this.#phase !== "greeting") return this.#core.resign("the leader told its epoch twice");
    const { acceptedEpoch } = this.#core;
    if (epoch < acceptedEpoch)
      return this.#core.resign(`epoch ${epoch} is over: ${acceptedEpoch} was promised to another leader`);
    this.#epoch = epoch;
    this.#phase = "promising";
    this.#counts = epoch > acceptedEpoch;
    if (this.#counts) this.#core.saveEpoch("accepted", epoch);
    else this.#promised();
  }

  #promised(): void {
    this.#phase = "synchronising";
    const { currentEpoch, history, isDistrusted } = this.#core;
    // An epoch that was promised before does not count a second time. Then the zxid decides about nothing but what comes: for 0, all of it.
    if (this.#counts) this.#send({ kind: "ackEpoch", zxid: history.last, currentEpoch });
    else this.#send({ kind: "ackEpoch", zxid: isDistrusted ? 0n : history.last, currentEpoch: null });
  }

  // ── synchronisation ──

  #synchronise(rebuild: Parameters<Core["rebuild"]>[0] | null): void {
    if (this.#phase !== "synchronising") return this.#core.resign("the leader sent its history unasked");
    if (rebuild === null) return;
    this.#rebuilding = true;
    this.#cameWhole = rebuild.kind === "restore";
    const zxid = rebuild.kind === "truncate" ? rebuild.zxid : rebuild.image.lastZxid;
    this.#lastReceived = zxid;
    this.#committed = zxid;
    this.#core.emit({
      kind: "tell",
      message: `${rebuild.kind === "truncate" ? "Cutting the log" : "A whole database came"} at ${formatZxid(zxid)}`,
    });
    this.#core.rebuild(rebuild);
  }

  /** The database is another one, and on disk. */
  rebuilt(): void {
    this.#rebuilding = false;
    if (this.#phase === "logging") this.#log();
  }

  #receive(proposal: Proposal): void {
    const { zxid } = proposal.header;
    // It may come twice: with the history, and again as it is proposed.
    if (zxid <= this.#lastReceived) return;
    if (this.#phase === "active" && !follows(zxid, this.#lastReceived)) this.#warnOfGap(zxid);
    this.#lastReceived = zxid;
    this.#received.push(proposal);
    try {
      this.#proposed = ensembleOf(proposal) ?? this.#proposed;
    } catch (error) {
      // Whoever acknowledged it would have to go by it.
      return this.#core.resign(`the leader proposes a configuration that can't be read: ${(error as Error).message}`);
    }
    if (this.#phase === "waiting" || this.#phase === "active") this.#appendReceived();
  }

  /**
   * Apache's leader leaves zxids out, for a multi that creates a null path, so that no more can be said. Whether a txn is missing is told by the
   * digest of those that follow, where they carry one.
   */
  #warnOfGap(zxid: Zxid): void {
    if (this.#hasWarnedOfGap) return;
    this.#hasWarnedOfGap = true;
    const [next, last] = [formatZxid(zxid), formatZxid(this.#lastReceived)];
    const message = `The leader proposes ${next} behind ${last}, and nothing between them; it isn't told again in this term`;
    this.#core.emit({ kind: "warn", message });
  }

  #appendReceived(): void {
    for (let next = this.#received.shift(); next !== undefined; next = this.#received.shift()) {
      this.#core.append(next);
      if (!this.#observer) this.#unacked.push(next.header.zxid);
    }
  }

  #takeOver(epoch: number, config: string): void {
    if (this.#phase !== "synchronising" || epoch !== this.#epoch)
      return this.#core.resign("the leader ended its history out of turn");
    this.#phase = "logging";
    this.#leaders = this.#readConfig(config);
    if (!this.#rebuilding) this.#log();
  }

  /** Leaders up to 3.4 say nothing of it, and later ones might say more than is understood. */
  #readConfig(text: string): Ensemble | null {
    try {
      return text === "" ? null : parseEnsemble(text);
    } catch (error) {
      this.#core.emit({ kind: "tell", message: `The leader's configuration is passed over: ${(error as Error).message}` });
      return null;
    }
  }

  /** Everything that came goes to disk, then the epoch does. */
  #log(): void {
    this.#appendReceived();
    if (this.#leaders !== null) this.#core.see(this.#leaders);
    this.#logged();
  }

  #logged(): void {
    if (!this.#core.history.isDurable) return;
    this.#phase = "taking";
    this.#core.saveEpoch("current", this.#epoch);
  }

  epochSaved(): void {
    if (this.#phase === "promising") return this.#promised();
    this.#phase = "waiting";
    this.#acknowledgeEpoch();
    this.#appendReceived();
  }

  #acknowledgeEpoch(): void {
    this.#send({ kind: "ack", zxid: makeZxid(this.#epoch, 0) });
  }

  // ── broadcast ──

  #serve(): void {
    if (this.#phase !== "waiting") return this.#core.resign("the leader calls up to date who is not");
    this.#phase = "active";
    if (this.#cameWhole) this.#exactFrom = this.#committed;
    this.#applyCommitted();
    if (this.#activate(this.#leaders, null)) return;
    this.#core.emit({ kind: "role", role: this.#observer ? "observer" : "follower", zxid: null });
    this.#core.emit({ kind: "tell", message: `Following ${this.#leader} in epoch ${this.#epoch}` });
    // ZooKeeper's leaders wait for the first and are sent this one, too.
    this.#acknowledgeEpoch();
    this.durable();
  }

  durable(): void {
    if (this.#phase === "logging") return this.#logged();
    if (this.#phase !== "active" || this.#observer) return;
    const { durableUpTo } = this.#core.history;
    for (let first = this.#unacked.first; first !== undefined && first <= durableUpTo; first = this.#unacked.first) {
      this.#unacked.shift();
      this.#send({ kind: "ack", zxid: first });
    }
  }

  #commit(zxid: Zxid): void {
    if (zxid <= this.#committed) return;
    if (zxid > this.#lastReceived)
      return this.#core.resign(`the leader committed ${formatZxid(zxid)}, which it never proposed`);
    this.#committed = zxid;
    if (this.#phase === "active") this.#applyCommitted();
  }

  #applyCommitted(): void {
    const { history } = this.#core;
    for (let next = history.next; next !== undefined && next.header.zxid <= this.#committed; next = history.next) {
      this.#core.emit({ kind: "commit", proposal: history.commit() });
    }
  }

  /** The kernel has found the tree to be another than the leader's. It is in the middle of a commit: what follows waits for the next packet. */
  differs(zxid: Zxid): void {
    if (zxid > this.#exactFrom) this.#differsAt ??= zxid;
  }

  #activateProposed(zxid: Zxid, leader: MemberId): void {
    if (this.#proposed?.version === zxid) this.#activate(this.#proposed, leader);
  }

  /**
   * The configuration counts from now on; `leader` leads in it, and null stands for whoever does. Says whether the term ends by that, as this
   * member's role or its leader has changed.
   */
  #activate(ensemble: Ensemble | null, leader: MemberId | null): boolean {
    const { me, membership } = this.#core;
    const before = membership.committed;
    if (ensemble === null) return false;
    this.#core.activate(ensemble);
    const after = this.#core.membership.committed;
    if (after === before || hasSameMembers(before, after)) return false;
    const hasMoved = leader === null ? !this.#isLeaderIn(before, after) : leader !== this.#leader;
    if (!hasMoved && before.roleOf(me) === after.roleOf(me)) return false;
    this.#core.resign("the ensemble is reconfigured", leader);
    return true;
  }

  #distrusts(zxid: Zxid): boolean {
    this.#differsAt = null;
    return this.#core.distrust(zxid, this.#leader);
  }

  #isLeaderIn(before: Ensemble, after: Ensemble): boolean {
    return (
      before.voters.has(this.#leader) &&
      after.voters.has(this.#leader) &&
      isAtSamePlace(before.members.get(this.#leader), after.members.get(this.#leader))
    );
  }

  #pong(zxid: Zxid): void {
    if (this.#phase !== "active") return;
    const touched = Array.from(this.#touched, ([session, timeoutMs]) => ({ session, timeoutMs }));
    this.#touched.clear();
    this.#send({ kind: "pong", zxid, touched });
  }

  // ── from the kernel ──

  touch(session: SessionId, timeoutMs: number): void {
    this.#touched.set(session, timeoutMs);
  }

  forward(request: Forwarded): void {
    this.#send({ kind: "request", request });
  }

  revalidate(session: SessionId, timeoutMs: number): void {
    this.#send({ kind: "revalidate", session, timeoutMs });
  }

  #send(packet: LearnerPacket): void {
    if (this.#link !== null) this.#core.emit({ kind: "send", link: this.#link, packet });
  }
}

/** Whether no zxid is left out between the two. */
function follows(zxid: Zxid, before: Zxid): boolean {
  return zxid === before + 1n || (epochOf(zxid) > epochOf(before) && counterOf(zxid) === 1);
}
