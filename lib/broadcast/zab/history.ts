/**
 * History as one member has it: the last txns that are committed, those that are only logged, and how far the log is on disk.
 *
 * Invariants: what is logged follows what is committed; a txn is committed in the order in which it was logged.
 */

import { Fifo } from "../../base/fifo.ts";
import { invariant } from "../../model/errors.ts";
import { proposalLength } from "../../model/txn_size.ts";
import type { Proposal } from "../../model/txns.ts";
import type { Zxid } from "../../model/types.ts";

/** So many committed txns are kept for learners that have missed some, as in ZooKeeper. */
export const RECENT_TXNS = 500;
/** And of these no more bytes: a learner that lacks more gets them out of the log, or a database. */
const RECENT_BYTES_MAX = 32 << 20;

/** The last txns of a history: as many as are wanted and half as many bytes as may be at least, twice that at most, and always the last one. */
export class RecentTxns {
  /** Oldest first. */
  readonly list: Proposal[] = [];
  readonly #remembered: number;
  #bytes = 0;

  constructor(remembered: number = RECENT_TXNS) {
    this.#remembered = remembered;
  }

  /** @param isHeld none is forgotten for being one too many */
  push(proposal: Proposal, isHeld = false): void {
    const { list } = this;
    list.push(proposal);
    this.#bytes += proposalLength(proposal);
    // Trimmed now and then: a shift of the whole list for each txn would cost more than all the rest.
    if (this.#bytes > RECENT_BYTES_MAX || (list.length >= 2 * this.#remembered && !isHeld)) this.#trim();
  }

  replace(proposals: readonly Proposal[]): void {
    this.list.length = 0;
    this.#bytes = 0;
    for (const proposal of proposals) this.push(proposal);
  }

  #trim(): void {
    const { list } = this;
    let from = list.length - 1;
    let bytes = proposalLength(list[from]!);
    while (from > 0 && list.length - from < this.#remembered) {
      const length = proposalLength(list[from - 1]!);
      if (bytes + length > RECENT_BYTES_MAX / 2) break;
      bytes += length;
      from--;
    }
    list.splice(0, from);
    this.#bytes = bytes;
  }
}

export class History {
  /** The last txn applied, or the first zxid of a leader's epoch. */
  committed: Zxid;
  /** All txns behind this one are in the log, without a gap (ZOOKEEPER-2418, 2846). */
  loggedFrom: Zxid;
  /** No txn is forgotten for being one too many while that is set. */
  isHeld = false;
  readonly #recent: RecentTxns;
  /** Logged, and not committed; oldest first. */
  readonly #waiting: Fifo<Proposal> = new Fifo<Proposal>();
  #appended: Zxid;
  #durable: Zxid;

  /**
   * @param loggedFrom of what is logged already, nothing is known unless told
   * @param remembered how many committed txns are kept
   */
  constructor(committed: Zxid, recent: readonly Proposal[], loggedFrom: Zxid = committed, remembered?: number) {
    this.committed = committed;
    this.#recent = new RecentTxns(remembered);
    this.#recent.replace(recent);
    this.loggedFrom = loggedFrom;
    this.#appended = committed;
    this.#durable = committed;
  }

  /** Committed txns, oldest first; without a gap up to `committed`. */
  get recent(): Proposal[] {
    return this.#recent.list;
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
    this.#recent.push(proposal, this.isHeld);
    return proposal;
  }

  /** The database was replaced: what is known of the history ends at `zxid`, or is nothing at all. */
  restart(zxid: Zxid, keepRecent: boolean): void {
    while (this.#waiting.shift() !== undefined);
    this.committed = zxid;
    this.#appended = zxid;
    this.#durable = zxid;
    this.loggedFrom = keepRecent && this.loggedFrom < zxid ? this.loggedFrom : zxid;
    this.#recent.replace(keepRecent ? this.recent.filter(({ header }) => header.zxid <= zxid) : []);
  }
}

function later(one: Zxid, other: Zxid): Zxid {
  if (one > other) return one;
  return other;
}
