/**
 * One configuration of an ensemble: who belongs to it, and which of its members together are a quorum.
 *
 * Not here: how it is written (ensemble_text.ts), and that there may be another one on its way (membership.ts). Invariant: two quorums of one
 * ensemble have a member in common.
 */
import type { Zxid } from "../../model/types.ts";
import type { MemberId } from "./messages.ts";

/** One member. Several addresses are those of several networks. */
export interface EnsembleMember {
  readonly id: MemberId;
  readonly addresses: readonly { readonly host: string; readonly quorumPort: number; readonly electionPort: number }[];
  readonly role: "participant" | "observer";
  /** Where clients reach it; null where that is not said. */
  readonly client: { readonly host: string | null; readonly port: number } | null;
}

/** Votes that are counted by groups, each with the weights of its members. */
export interface WeightedGroups {
  /** Group → its members. */
  readonly groups: ReadonlyMap<bigint, readonly MemberId[]>;
  /** A member that isn't named weighs 1. */
  readonly weights: ReadonlyMap<MemberId, number>;
}

/** The members of an ensemble, and how their votes count; `ensembleConfig()` reads one of `server.N` lines. */
export interface EnsembleConfig {
  readonly members: readonly EnsembleMember[];
  /** null: every participant has one vote, and the majority decides. */
  readonly hierarchy: WeightedGroups | null;
  /** zxid of the change that made it; `0n` for one that was never changed. */
  readonly version: bigint;
}

export class Ensemble {
  readonly config: EnsembleConfig;
  readonly members: ReadonlyMap<MemberId, EnsembleMember>;
  readonly voters: ReadonlySet<MemberId>;

  constructor(config: EnsembleConfig) {
    this.config = config;
    this.members = new Map(config.members.map((member) => [member.id, member]));
    this.voters = new Set(config.members.filter(({ role }) => role === "participant").map(({ id }) => id));
  }

  /** zxid of the change that made it; `0n` for one that was never changed. */
  get version(): Zxid {
    return this.config.version;
  }

  /** The same members under another version. */
  withVersion(version: Zxid): Ensemble {
    return new Ensemble({ ...this.config, version });
  }

  /** As what a member takes part. Who is not listed follows without a vote, like a participant that has none. */
  roleOf(id: MemberId): EnsembleMember["role"] {
    return this.members.get(id)?.role ?? "participant";
  }

  /** Whether these members together can decide. Those without a vote don't count. */
  isQuorum(ids: Iterable<MemberId>): boolean {
    const present = new Set<MemberId>();
    for (const id of ids) if (this.voters.has(id)) present.add(id);
    const { hierarchy } = this.config;
    return hierarchy === null ? 2 * present.size > this.voters.size : this.#winsGroups(hierarchy, present);
  }

  /** 0: it can't be elected. */
  weightOf(id: MemberId): number {
    return this.voters.has(id) ? (this.config.hierarchy?.weights.get(id) ?? 1) : 0;
  }

  /** More than half of the groups that weigh anything, each won by more than half of its weight. */
  #winsGroups({ groups }: WeightedGroups, present: ReadonlySet<MemberId>): boolean {
    let counting = 0;
    let won = 0;
    for (const ids of groups.values()) {
      const total = ids.reduce((sum, id) => sum + this.weightOf(id), 0);
      const there = ids.reduce((sum, id) => sum + (present.has(id) ? this.weightOf(id) : 0), 0);
      if (total > 0) counting++;
      if (2 * there > total) won++;
    }
    return 2 * won > counting;
  }
}
