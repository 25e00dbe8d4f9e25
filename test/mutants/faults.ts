/**
 * Faults of one line each that some test must find: what is named, the line's part as it is, and as it would be.
 *
 * Invariant: a part stands in one place of `lib/` and `adapters/` alone, in whatever file that is by now.
 */

export interface Fault {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** Of the leader, and of who is a quorum. */
const LEADERS: readonly Fault[] = [
  fault(
    "acks counted before the ACK of NEWLEADER",
    "if (!observer && acknowledged && upTo >= zxid)",
    "if (!observer && upTo >= zxid)",
  ),
  fault("the leader's own ack before its disk", "= this.#ownAcked >= zxid ? [this.#core.me] : [];", "= [this.#core.me];"),
  fault(
    "proposals: quorum of the old configuration only",
    "membership.isQuorum(this.#whoHas(zxid))",
    "membership.committed.isQuorum(this.#whoHas(zxid))",
  ),
  fault(
    "history: quorum of the old configuration only",
    "if (!this.#core.membership.isQuorum(this.#quorum))",
    "if (!this.#core.membership.committed.isQuorum(this.#quorum))",
  ),
  fault("an epoch that was there before", "this.#epoch = this.#highestAccepted + 1;", "this.#epoch = this.#highestAccepted;"),
  fault("epochs of learners not heard", "if (info.acceptedEpoch > this.#highestAccepted) this", "if (false) this"),
  fault(
    "a learner that is ahead is taken",
    "currentEpoch > mine || (currentEpoch === mine && zxid > history.last)",
    "currentEpoch > mine",
  ),
  fault(
    "who comes late is not told what is proposed",
    "if (!learner.observer) for (const proposal of history.waiting())",
    "if (false) for (const proposal of history.waiting())",
  ),
  fault(
    "commits before UPTODATE",
    "else if (isInBroadcast(learner)) learner.commits.push(",
    "else if (isInBroadcast(learner)) this.#send(learner, ",
  ),
  fault("commits after handing over", "next !== undefined && this.#successor === null;", "next !== undefined;"),
  fault(
    "answers to syncs ahead of commits",
    "if (this.#core.history.next === undefined) this.#answer(answer);",
    "if (this.#core !== null) this.#answer(answer);",
  ),
  fault(
    "leads on without a quorum",
    'else this.#core.resign("a quorum of followers is not heard of any more");',
    "else this.#rounds++;",
  ),
  fault("two streams of one learner", 'if (before !== undefined) this.#cut(before, "it has come again");', ""),
  fault("the epoch's first zxid is not taken", "this.#core.history.committed = first;", ""),
  fault(
    "the current epoch is not saved by a leader",
    'this.#core.saveEpoch("current", this.#epoch);\n  }\n\n  // ── synchronisation: a quorum',
    'this.#core.saveEpoch("current", this.#epoch - 1);\n  }\n\n  // ── synchronisation: a quorum',
  ),
  fault("half is a quorum", "2 * present.size > this.voters.size", "2 * present.size >= this.voters.size"),
  fault(
    "a quorum of either configuration",
    "this.committed.isQuorum(ids) && (!this.isChanging ||",
    "this.committed.isQuorum(ids) || (!this.isChanging ||",
  ),
  fault("those without a vote count", "if (this.voters.has(id)) present.add(id);", "present.add(id);"),
  fault("a DIFF with a hole", "txns: recent.slice(at + 1) };", "txns: recent.slice(at + 2) };"),
  fault(
    "a TRUNC across epochs",
    "if (before === undefined || epochOf(first) !== epochOf(peer)) return SNAP;",
    "if (before === undefined) return SNAP;",
  ),
  fault(
    "a TRUNC of who stands at an epoch's beginning",
    'return fresh ? SNAP : { kind: "trunc", zxid: max, txns: [] };',
    'return { kind: "trunc", zxid: max, txns: [] };',
  ),
];

/** Of learners, elections, and what a member remembers. */
const LEARNERS: readonly Fault[] = [
  fault(
    "a proposal is acknowledged before it is on disk",
    "first !== undefined && first <= durableUpTo;",
    "first !== undefined;",
  ),
  fault("NEWLEADER is acknowledged before the history is on disk", "if (!this.#core.history.isDurable) return;", ""),
  fault(
    "a promise that is not saved",
    'if (this.#counts) this.#core.saveEpoch("accepted", epoch);',
    "if (this.#counts) this.#promised();",
  ),
  fault("an earlier epoch is accepted", "if (epoch < acceptedEpoch)", "if (epoch < 0)"),
  fault("an epoch counts twice", "this.#counts = epoch > acceptedEpoch;", "this.#counts = epoch >= acceptedEpoch;"),
  fault("a commit of what was never proposed", "if (zxid > this.#lastReceived)\n", "if (zxid < 0n)\n"),
  fault("a proposal that comes twice is logged twice", "if (zxid <= this.#lastReceived) return;", ""),
  fault(
    "commits are applied before UPTODATE",
    'if (this.#phase === "active") this.#applyCommitted();',
    "this.#applyCommitted();",
  ),
  fault(
    "UPTODATE out of turn",
    'if (this.#phase !== "waiting") return this.#core.resign(',
    'if (this.#phase === "dialling") return this.#core.resign(',
  ),
  fault("the log is written while it is being cut", "if (!this.#rebuilding) this.#log();", "this.#log();"),
  fault(
    "the highest number wins a vote",
    "one.leader > other.leader : one.zxid > other.zxid;",
    "one.leader > other.leader : one.leader > other.leader;",
  ),
  fault("epochs don't count in votes", "if (one.epoch !== other.epoch) return one.epoch > other.epoch;", ""),
  fault(
    "a leader is believed that does not say so",
    "round === this.round : votes.get(leader)?.state ===",
    'round === this.round : "leading" ===',
  ),
  fault("votes of an earlier round count", "if (vote.round < this.round) {", "if (vote.round < 0n) {"),
  fault("who weighs nothing is elected", "if (this.#membership.weightOf(one.leader) === 0) return false;", ""),
  fault("looks for a leader while the disk is behind", "return this.#durable >= this.#appended;", "return true;"),
  fault("remembers what was cut off", "this.recent.filter(({ header }) => header.zxid <= zxid)", "this.recent"),
  fault("a database restored is not saved", "    await this.saveSnapshot();\n", "\n"),
  fault("a truncation ignored after SNAP", "if (cutsLog) await this.truncate(last);", ""),
];

/** Of disks, turns, and what requests become. */
const MEMBERS: readonly Fault[] = [
  fault(
    "durable before the sync that is under way",
    'if (durable === undefined) this.#step({ kind: "durable", zxid });',
    'if (batch !== null) this.#step({ kind: "durable", zxid });',
  ),
  fault("what waits at a tick comes behind it", "for (const callback of this.#beforeTick) callback();", ""),
  fault("an input during a step is lost", "      this.#queue.push(input);\n", "\n"),
  fault("of what is written together only the first is told", "this.#appending.zxid = zxid;", ""),
  fault("no sync", "        this.#file.sync();\n", "\n"),
  fault("a new log's name is not synced", "if (this.#options.forceSync) await this.#disk.syncFolder(folder);", ""),
  fault("a log that is to be cut is not", "if (end !== null) await cutLog(this.#disk, end);", ""),
  fault("snapshots behind a cut stay", "for (const { zxid, path } of snapshots) if (zxid > last) this.#disk.remove(path);", ""),
  fault(
    "the log behind the oldest snapshot goes with it",
    "logs.slice(0, Math.max(0, needed))",
    "logs.slice(0, Math.max(0, needed + 1))",
  ),
  fault("txns behind a snapshot are not counted", "this.#txns = options.txnsBehind;", ""),
  fault("a moved session is not noticed", "return session.owner !== owner;", "return false;"),
  fault("reads overtake writes", "} else if (connection.waiting.length === 0) {", "} else if (connection !== null) {"),
  fault(
    "another member's txn is taken for an answer",
    "next === undefined || next.session !== session || next.cxid !== cxid",
    "next === undefined",
  ),
  fault("the ephemerals of an ending session can be used", "for (const path of paths) this.#pending.delete(path, zxid);", ""),
  fault("a failed multi leaves its changes", "        pending.rollback();\n", "\n"),
  fault("versions are not looked at", "return wanted === -1 || wanted === actual;", "return true;"),
  fault(
    "a client of the future is served",
    "if (hello.lastZxidSeen > this.database.lastZxid || !this.#serves(hello))",
    "if (!this.#serves(hello))",
  ),
  fault(
    "passwords are not looked at",
    "if (!passwordMatches(hello.sessionId, hello.passwd, this.options.sessionSecret)) return",
    "if (false) return",
  ),
  fault(
    "a session that is renewed falls due all the same",
    "    this.#unplace(session);\n    this.#place(session, deadline);\n",
    "\n",
  ),
];

export const FAULTS: readonly Fault[] = [...LEADERS, ...LEARNERS, ...MEMBERS];

function fault(name: string, before: string, after: string): Fault {
  return { name, before, after };
}
