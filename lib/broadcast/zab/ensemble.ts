/**
 * Who belongs to an ensemble, and which of its members together are a quorum.
 *
 * Not here: where the list comes from. Invariant: two quorums of one ensemble have a member in common.
 */
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

  /** As ZooKeeper writes it: into votes, and into the configuration's znode. */
  get text(): string {
    const { members, hierarchy, version } = this.config;
    const servers = [...members].sort((one, other) => (one.id < other.id ? -1 : 1)).map(memberLine);
    const groups = Array.from(hierarchy?.groups ?? [], ([group, ids]) => `group.${group}=${ids.join(":")}`);
    const weights = Array.from(hierarchy?.weights ?? [], ([id, weight]) => `weight.${id}=${weight}`);
    return [...servers, ...groups, ...weights, `version=${version.toString(16)}`].join("\n");
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

function memberLine({ id, addresses, role, client }: EnsembleMember): string {
  const places = addresses.map(({ host, quorumPort, electionPort }) => `${bracketed(host)}:${quorumPort}:${electionPort}`);
  const clientPart = client === null ? "" : `;${bracketed(client.host ?? "0.0.0.0")}:${client.port}`;
  return `server.${id}=${places.join("|")}:${role}${clientPart}`;
}

/** An IPv6 address stands in brackets. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
