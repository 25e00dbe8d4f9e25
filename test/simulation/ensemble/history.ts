/**
 * What is known from outside to have been committed, and the rules that every member keeps to.
 *
 * - There is one leader in an epoch, and each leader has the whole committed history.
 * - What members that serve have applied are beginnings of one and the same history.
 * - At the same zxid their trees are equal.
 *
 * Histories share what they have in common: each is known by its last entry, and two of them are the same if that is the same object.
 */
import type { MemberId } from "../../../lib/broadcast/zab/messages.ts";
import type { Database } from "../../../lib/kernel/database.ts";
import type { Proposal } from "../../../lib/model/txns.ts";
import type { SessionId, Zxid } from "../../../lib/model/types.ts";
import { epochOf, formatZxid } from "../../../lib/model/zxid.ts";
import { Reference } from "./reference.ts";
import { Violation } from "./violation.ts";

/** A txn with all that came before it. */
export interface Entry {
  /** null: the beginning, before any txn. */
  readonly proposal: Proposal | null;
  readonly zxid: Zxid;
  readonly index: number;
  readonly before: Entry | null;
  /** What has followed it, by whichever member. */
  readonly next: Entry[];
}

export function beginning(): Entry {
  return { proposal: null, zxid: 0n, index: -1, before: null, next: [] };
}

/** The history that goes on with this txn. */
export function followedBy(entry: Entry, proposal: Proposal): Entry {
  const { zxid, session, cxid, time } = proposal.header;
  const known = entry.next.find(({ zxid: other, proposal: its }) => {
    if (other !== zxid || its === null) return false;
    return its.header.session === session && its.header.cxid === cxid && its.header.time === time;
  });
  if (known !== undefined) return known;
  const next: Entry = { proposal, zxid, index: entry.index + 1, before: entry, next: [] };
  entry.next.push(next);
  return next;
}

export class CommittedHistory {
  readonly #entries: Entry[] = [];
  readonly #leaders = new Map<number, MemberId>();
  readonly #digests = new Map<Zxid, bigint>();
  readonly #byZxid = new Map<Zxid, Proposal>();
  /** What they make of the tree. */
  readonly reference: Reference = new Reference();
  /** The last write that any client was told of. */
  lastAcknowledged: Zxid = 0n;

  get length(): number {
    return this.#entries.length;
  }

  /** Leaders that there were. */
  get terms(): number {
    return this.#leaders.size;
  }

  get lastZxid(): Zxid {
    return this.#entries.at(-1)?.zxid ?? 0n;
  }

  /** A leader is established, with this history. */
  leads(member: MemberId, first: Zxid, applied: Entry): void {
    const epoch = epochOf(first);
    const before = this.#leaders.get(epoch);
    if (before !== undefined) throw new Violation(`epoch ${epoch} has two leaders: ${before} and ${member}`);
    this.#leaders.set(epoch, member);
    // It may hear the last acknowledgement so late, as after a pause, that another one leads a later epoch already.
    const last = this.#entries.findLast(({ zxid }) => epochOf(zxid) < epoch);
    const fresh: Entry[] = [];
    let at = applied;
    for (; at.index >= this.#entries.length; at = at.before!) fresh.push(at);
    if (last !== undefined && at !== last)
      throw new Violation(
        `${member} leads epoch ${epoch} with ${formatZxid(at.zxid)} where ${formatZxid(last.zxid)} is committed`,
      );
    for (const entry of fresh.reverse()) this.#push(entry);
  }

  /** A leader, or a member that serves clients, has applied this txn. */
  applied(member: MemberId, entry: Entry, leads: boolean): void {
    const known = this.#entries[entry.index];
    if (known === entry) return;
    if (known !== undefined)
      throw new Violation(`${member} has ${formatZxid(entry.zxid)} where ${formatZxid(known.zxid)} is committed`);
    if (!leads) throw new Violation(`${member} serves ${formatZxid(entry.zxid)}, which no leader committed`);
    if (entry.before !== (this.#entries.at(-1) ?? entry.before))
      throw new Violation(
        `${member} commits ${formatZxid(entry.zxid)} behind ${formatZxid(entry.before!.zxid)}, which is not committed`,
      );
    this.#push(entry);
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    this.#byZxid.set(entry.zxid, entry.proposal!);
    this.reference.apply(entry.proposal!);
  }

  /** The tree of a member that serves. */
  serves(member: MemberId, { lastZxid, tree }: Database): void {
    const known = this.#digests.get(lastZxid);
    if (known === undefined) this.#digests.set(lastZxid, tree.digest);
    else if (known !== tree.digest) throw new Violation(`${member} has another tree than others at ${formatZxid(lastZxid)}`);
  }

  /** A client was told that its request became this txn. */
  acknowledged(zxid: Zxid, session: SessionId, cxid: number): Proposal {
    const proposal = this.#byZxid.get(zxid);
    if (proposal === undefined || proposal.header.session !== session || proposal.header.cxid !== cxid)
      throw new Violation(`${formatZxid(zxid)} was acknowledged, and is no part of the committed history`);
    if (zxid > this.lastAcknowledged) this.lastAcknowledged = zxid;
    return proposal;
  }
}
