/**
 * The rule of durability: whenever a leader announces a commit, the txn is on the disks of a quorum of the configuration that is committed and, while
 * it is being changed, of the next one, too; and whenever a leader is established, its whole history and its epoch are.
 *
 * It looks at the disks at once, not at what members say of them: a txn that a later accident would lose is found without the accident.
 */
import { Ensemble } from "../../../lib/broadcast/zab/ensemble.ts";
import type { Membership } from "../../../lib/broadcast/zab/membership.ts";
import type { MemberId } from "../../../lib/broadcast/zab/messages.ts";
import type { Proposal } from "../../../lib/model/txns.ts";
import { formatZxid } from "../../../lib/model/zxid.ts";
import type { Entry } from "./history.ts";
import type { MemberDisk } from "./member_disk.ts";
import { Violation } from "./violation.ts";

export class Durability {
  readonly #disks = new Map<MemberId, MemberDisk>();
  /** The same configurations with a notion of a quorum that no bug has changed. */
  readonly #sound = new WeakMap<Ensemble, Ensemble>();

  join(member: MemberId, disk: MemberDisk): void {
    this.#disks.set(member, disk);
  }

  /** @param membership by which it was decided */
  committed(leader: MemberId, proposal: Proposal, membership: Membership): void {
    this.#check(`${leader} commits ${formatZxid(proposal.header.zxid)}`, membership, (disk) => disk.has(proposal));
  }

  /**
   * Who has acknowledged the epoch may have gone on to a later one since: what was acknowledged is there all the same.
   *
   * @param last the end of the history that the leader has
   */
  established(leader: MemberId, epoch: number, { proposal }: Entry, membership: Membership): void {
    const hasAll = (disk: MemberDisk): boolean =>
      (disk.currentEpoch ?? 0) >= epoch && (proposal === null || disk.has(proposal));
    this.#check(`${leader} leads epoch ${epoch}`, membership, hasAll);
  }

  #check(what: string, { committed, lastSeen }: Membership, has: (disk: MemberDisk) => boolean): void {
    const having = [...this.#disks].filter(([, disk]) => has(disk)).map(([id]) => id);
    for (const ensemble of new Set([committed, lastSeen])) {
      if (this.#soundOf(ensemble).isQuorum(having)) continue;
      const voters = [...ensemble.voters].join(", ");
      throw new Violation(`${what}, which is on the disks of ${having.join(", ") || "nobody"} alone, and ${voters} vote`);
    }
  }

  #soundOf(ensemble: Ensemble): Ensemble {
    const known = this.#sound.get(ensemble) ?? new Ensemble(ensemble.config);
    this.#sound.set(ensemble, known);
    return known;
  }
}
