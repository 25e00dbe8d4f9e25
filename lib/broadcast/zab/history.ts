/**
 * What a member has of the history: the last txns that are committed, those that are only logged, and how far the log is on disk.
 *
 * Invariants: what is logged follows what is committed; a txn is committed in the order in which it was logged.
 */
import { invariant } from "../../errors.ts";
import { Fifo } from "../../fifo.ts";
import type { Proposal } from "../../txns.ts";
import type { Zxid } from "../../types.ts";

/** So many committed txns are kept for learners that have missed some, as in ZooKeeper. */
export const RECENT_TXNS = 500;

export class History {
  /** The last txn applied, or the first zxid of a leader's epoch. */
  committed: Zxid;
  /** Committed txns, oldest first; without a gap up to `committed`. */
  readonly recent: Proposal[] = [];
  /** All txns behind this one are in the log, without a gap (ZOOKEEPER-2418, 2846). */
  loggedFrom: Zxid;
  /** Nothing is forgotten while that is set. */
  isHeld = false;
  /** Logged, and not committed; oldest first. */
  readonly #waiting: Fifo<Proposal> = new Fifo<Proposal>();
  readonly #remembered: number;
  #appended: Zxid;
  #durable: Zxid;

  /**
   * @param loggedFrom of what is logged already, nothing is known unless told
   * @param remembered how many committed txns are kept
   */
  constructor(committed: Zxid, recent: readonly Proposal[], loggedFrom: Zxid = committed, remembered: number = RECENT_TXNS) {
    this.committed = committed;
    this.#remembered = remembered;
    this.loggedFrom = loggedFrom;
    this.#appended = committed;
    this.#durable = committed;
    this.recent.push(...recent.slice(-remembered));
  }

  /** The last txn logged: what a member is worth in an election. */
  get last(): Zxid {
    return later(this.#appended, this.committed);
  }

  get durableUpTo(): Zxid {
    return this.#durable;
  }

  get isDurable(): boolean {
    return this.#durable >= this.#appended;
  }

  /** The next txn that may be committed. */
  get next(): Proposal | undefined {
    return this.#waiting.first;
  }

  waiting(): Iterable<Proposal> {
    return this.#waiting;
  }

  append(proposal: Proposal): void {
    this.#appended = proposal.header.zxid;
    this.#waiting.push(proposal);
  }

  durable(zxid: Zxid): void {
    if (zxid > this.#durable) this.#durable = zxid;
  }

  /** Takes the next txn over into the committed history. */
  commit(): Proposal {
    const proposal = this.#waiting.shift();
    invariant(proposal !== undefined, "a commit of what was never logged");
    this.committed = proposal.header.zxid;
    this.recent.push(proposal);
    // Trimmed now and then: a shift of the whole list for each txn would cost more than all the rest.
    const { length } = this.recent;
    if (length >= 2 * this.#remembered && !this.isHeld) this.recent.splice(0, length - this.#remembered);
    return proposal;
  }

  /** The database was replaced: what is known of the history ends at `zxid`, or is nothing at all. */
  restart(zxid: Zxid, keepRecent: boolean): void {
    while (this.#waiting.shift() !== undefined);
    this.committed = zxid;
    this.#appended = zxid;
    this.#durable = zxid;
    this.loggedFrom = keepRecent && this.loggedFrom < zxid ? this.loggedFrom : zxid;
    const kept = keepRecent ? this.recent.filter(({ header }) => header.zxid <= zxid) : [];
    this.recent.length = 0;
    this.recent.push(...kept);
  }
}

function later(one: Zxid, other: Zxid): Zxid {
  if (one > other) return one;
  return other;
}
