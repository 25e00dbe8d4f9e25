/**
 * Membership of the ensemble, as one member knows it: the configuration that is committed, and the one last seen, which is a later one while a
 * reconfiguration is on its way.
 *
 * A value: what changes it makes another one. Invariant: while the two differ, whoever decides needs a quorum of both, so that whoever knows only
 * one of them can't decide without the others.
 */
import type { Ensemble, EnsembleMember } from "./ensemble.ts";
import type { MemberId } from "./messages.ts";

export class Membership {
  readonly committed: Ensemble;
  readonly lastSeen: Ensemble;
  /** Who votes in either. */
  readonly voters: ReadonlySet<MemberId>;

  /** What was last seen counts only while it is later than what is committed. */
  constructor(committed: Ensemble, lastSeen: Ensemble = committed) {
    this.committed = committed;
    this.lastSeen = lastSeen.version > committed.version ? lastSeen : committed;
    this.voters = new Set([...committed.voters, ...this.lastSeen.voters]);
  }

  /** Whether a reconfiguration is on its way. */
  get isChanging(): boolean {
    return this.lastSeen !== this.committed;
  }

  /** Another configuration was proposed, or told by a leader: it takes the place of what was last seen. */
  sees(next: Ensemble): Membership {
    return new Membership(this.committed, next);
  }

  /** Another configuration is committed. */
  commits(next: Ensemble): Membership {
    return new Membership(next, this.lastSeen);
  }

  /** Whether these members can decide by all configurations. */
  isQuorum(ids: ReadonlySet<MemberId> | readonly MemberId[]): boolean {
    return this.committed.isQuorum(ids) && (!this.isChanging || this.lastSeen.isQuorum(ids));
  }

  /**
   * 0: it can't be elected. Only who votes by what is committed can: whoever knows no other configuration would never agree to anybody else, and
   * nothing is committed that none of those voters has.
   */
  weightOf(id: MemberId): number {
    return this.committed.weightOf(id);
  }

  /** The members of both. */
  get members(): readonly EnsembleMember[] {
    return this.isChanging
      ? [...this.committed.config.members, ...this.lastSeen.config.members]
      : this.committed.config.members;
  }

  /** A member of either. */
  memberOf(id: MemberId): EnsembleMember | undefined {
    return this.committed.members.get(id) ?? this.lastSeen.members.get(id);
  }
}
