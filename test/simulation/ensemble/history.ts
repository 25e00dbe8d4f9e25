/**
 * What is known from outside to have been committed, and the rules that every member keeps to.
 *
 * - There is one leader in an epoch, and each leader has the whole committed history.
 * - What members that serve have applied are beginnings of one and the same history.
 * - At the same zxid their trees are equal.
 */
import type { MemberId } from "../../../lib/broadcast/zab/messages.ts";
import type { Database } from "../../../lib/kernel/database.ts";
import type { SessionId, Zxid } from "../../../lib/types.ts";
import { epochOf, formatZxid } from "../../../lib/zxid.ts";

export class Violation extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Violation";
  }
}

export interface Entry {
  readonly zxid: Zxid;
  readonly session: SessionId;
  readonly cxid: number;
}

export class CommittedHistory {
  readonly entries: Entry[] = [];
  readonly #leaders = new Map<number, MemberId>();
  readonly #digests = new Map<Zxid, bigint>();

  /** A leader is established, with this history. */
  leads(member: MemberId, first: Zxid, applied: readonly Entry[]): void {
    const epoch = epochOf(first);
    const before = this.#leaders.get(epoch);
    if (before !== undefined) throw new Violation(`epoch ${epoch} has two leaders: ${before} and ${member}`);
    this.#leaders.set(epoch, member);
    for (const [at, entry] of this.entries.entries()) this.#compare(member, entry, applied[at]);
    this.entries.push(...applied.slice(this.entries.length));
  }

  /** A leader, or a member that serves clients, has applied its `index`th txn. */
  applied(member: MemberId, index: number, entry: Entry, leads: boolean): void {
    const known = this.entries[index];
    if (known !== undefined) this.#compare(member, known, entry);
    else if (leads) this.entries.push(entry);
    else throw new Violation(`${member} serves ${formatZxid(entry.zxid)}, which no leader committed`);
  }

  /** The tree of a member that serves. */
  serves(member: MemberId, { lastZxid, tree }: Database): void {
    const known = this.#digests.get(lastZxid);
    if (known === undefined) this.#digests.set(lastZxid, tree.digest);
    else if (known !== tree.digest) throw new Violation(`${member} has another tree than others at ${formatZxid(lastZxid)}`);
  }

  /** A client was told that its request became this txn. */
  acknowledged({ zxid, session, cxid }: Entry): void {
    const entry = this.entries.findLast((one) => one.zxid <= zxid);
    if (entry?.zxid !== zxid || entry.session !== session || entry.cxid !== cxid) {
      throw new Violation(`${formatZxid(zxid)} was acknowledged, and is no part of the committed history`);
    }
  }

  #compare(member: MemberId, committed: Entry, other: Entry | undefined): void {
    if (other === undefined) throw new Violation(`${member} lacks ${formatZxid(committed.zxid)}, which is committed`);
    if (committed.zxid === other.zxid && committed.session === other.session && committed.cxid === other.cxid) return;
    throw new Violation(`${member} has ${formatZxid(other.zxid)} where ${formatZxid(committed.zxid)} is committed`);
  }
}

export function entryOf({ zxid, session, cxid }: Entry): Entry {
  return { zxid, session, cxid };
}
