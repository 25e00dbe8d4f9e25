/**
 * What is seen of a member from outside: what its kernel and its Zab say to each other, and what its database was made of.
 *
 * Invariant: it hears everything before anybody acts on it.
 */
import type { BroadcastEffect } from "../../../lib/broadcast/contract.ts";
import { Leader } from "../../../lib/broadcast/zab/leader.ts";
import type { Membership } from "../../../lib/broadcast/zab/membership.ts";
import type { MemberId } from "../../../lib/broadcast/zab/messages.ts";
import type { Zab } from "../../../lib/broadcast/zab/zab.ts";
import type { Database } from "../../../lib/kernel/database.ts";
import type { Now, Zxid } from "../../../lib/model/types.ts";
import { COUNTER_MAX, epochOf, makeZxid } from "../../../lib/model/zxid.ts";
import type { Durability } from "./durability.ts";
import { ExpiryRule } from "./expiry.ts";
import { type CommittedHistory, type Entry, followedBy } from "./history.ts";
import type { World } from "./world.ts";

export interface MemberWatchOptions {
  readonly world: World;
  readonly id: MemberId;
  readonly committed: CommittedHistory;
  readonly durability: Durability;
  /** So many txns a leader may make before the zxids of its epoch are used up; null: as many as there are. */
  readonly txnsAnEpoch: number | null;
}

/** What a database was made of. */
const madeOf = new WeakMap<Database, Entry>();

export function entryOf(database: Database): Entry {
  return madeOf.get(database)!;
}

export function rememberEntry(database: Database, entry: Entry): void {
  madeOf.set(database, entry);
}

export class MemberWatch {
  readonly expiry: ExpiryRule = new ExpiryRule();
  readonly #options: MemberWatchOptions;
  #checkedZxid: Zxid = -1n;
  #hasApplied = false;
  /** Where a leader that is to make few txns begins. */
  #beginning: Zxid | null = null;

  constructor(options: MemberWatchOptions) {
    this.#options = options;
  }

  watch(zab: Zab, database: () => Database): void {
    const step = zab.step.bind(zab);
    zab.step = (input, now) => {
      if (input.kind === "propose") this.expiry.proposed(input.proposal, now.mono);
      let { term, membership } = zab;
      let next = membership;
      const effects = step(input, now).map((effect) => this.#shortened(effect));
      for (const effect of effects) {
        if (effect.kind === "role" && effect.role === "looking") term = null;
        if (effect.kind === "membership") next = effect.membership;
        if (effect.kind === "commit" && term instanceof Leader)
          this.#options.durability.committed(this.#options.id, effect.proposal, membership);
        this.#sees(effect, term, database(), now, membership);
        // A reconfiguration is decided by the members as they were, and all that follows by those that it makes.
        if (effect.kind === "commit") membership = next;
      }
      return effects;
    };
  }

  /** The member serves with this database. */
  serves(database: Database): void {
    if (database.lastZxid === this.#checkedZxid) return;
    this.#checkedZxid = database.lastZxid;
    this.#options.committed.serves(this.#options.id, database);
  }

  /** Whether a txn was applied since that was last asked. */
  takeApplied(): boolean {
    const hasApplied = this.#hasApplied;
    this.#hasApplied = false;
    return hasApplied;
  }

  /** A leader that is to make few txns begins far behind the first zxid of its epoch. */
  #shortened(effect: BroadcastEffect): BroadcastEffect {
    const { txnsAnEpoch } = this.#options;
    if (effect.kind !== "role" || effect.zxid === null || txnsAnEpoch === null) return effect;
    this.#beginning = makeZxid(epochOf(effect.zxid), COUNTER_MAX - txnsAnEpoch);
    return { ...effect, zxid: this.#beginning };
  }

  /** That was for its kernel to count from: its database stands at the first zxid of the epoch, as ever. */
  stepped(database: Database): void {
    if (database.lastZxid === this.#beginning) database.lastZxid = makeZxid(epochOf(this.#beginning), 0);
    this.#beginning = null;
  }

  /** @param term in which it is said; @param membership by which it was decided */
  #sees(effect: BroadcastEffect, term: Zab["term"], database: Database, now: Now, membership: Membership): void {
    const { id, committed, durability, world } = this.#options;
    if (effect.kind === "role" && effect.role === "leader") {
      this.expiry.begins(database.sessions, now.mono);
      committed.leads(id, effect.zxid!, entryOf(database));
      durability.established(id, epochOf(effect.zxid!), entryOf(database), membership);
    }
    if (effect.kind !== "commit") return;
    const entry = followedBy(entryOf(database), effect.proposal);
    // Between two terms what is only logged is applied, too: nobody is served by it yet.
    if (term !== null) committed.applied(id, entry, term instanceof Leader);
    rememberEntry(database, entry);
    world.note(entry.index);
    this.#hasApplied = true;
  }
}
