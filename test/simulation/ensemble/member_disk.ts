/**
 * The disk of a simulated member: what was written is on it only once it says so, and a crash keeps any beginning of the rest.
 *
 * Invariant: what it has said to be on it is there after every crash, unless it was told to lie.
 */
import { apply } from "../../../lib/kernel/apply.ts";
import { Database } from "../../../lib/kernel/database.ts";
import { Tree, type TreeOptions } from "../../../lib/tree/tree.ts";
import type { Proposal } from "../../../lib/txns.ts";
import type { Zxid } from "../../../lib/types.ts";
import { epochOf, formatZxid } from "../../../lib/zxid.ts";
import { type Entry, entryOf, Violation } from "./history.ts";
import type { World } from "./world.ts";

const TREE: TreeOptions = { extendedTypes: true, digest: true, counterWraps: false, configNode: true };

/** Bugs put in on purpose. */
export type Lie = "says it is on disk when it is not" | "forgets what it promised";

interface Snapshot {
  readonly database: Database;
  /** What it was made of. */
  readonly entries: readonly Entry[];
}

const SNAPSHOTS_KEPT = 3;

interface Recovered {
  readonly database: Database;
  readonly recent: readonly Proposal[];
  readonly entries: Entry[];
}

export class MemberDisk {
  readonly #world: World;
  readonly #lie: Lie | null;
  /** Oldest first. */
  #snapshots: Snapshot[] = [{ database: new Database(new Tree(TREE)), entries: [] }];
  #log: Proposal[] = [];
  #unsynced: Proposal[] = [];
  #accepted: number | null = null;
  #current: number | null = null;
  /** Grows with each crash: what was on its way then is lost. */
  #life = 0;

  constructor(world: World, lie: Lie | null) {
    this.#world = world;
    this.#lie = lie;
  }

  append(proposal: Proposal, durable: (zxid: Zxid) => void): void {
    const { zxid } = proposal.header;
    this.#unsynced.push(proposal);
    if (this.#lie === "says it is on disk when it is not") this.#soon(() => durable(zxid), 0);
    this.#soon(() => {
      const synced = this.#unsynced.findIndex(({ header }) => header.zxid > zxid);
      this.#log.push(...this.#unsynced.splice(0, synced === -1 ? this.#unsynced.length : synced));
      if (this.#lie !== "says it is on disk when it is not") durable(zxid);
    });
  }

  saveEpochs(accepted: number | null, current: number | null, saved: () => void): void {
    this.#soon(() => {
      if (accepted !== null && this.#lie !== "forgets what it promised") this.#accepted = accepted;
      if (current !== null) this.#current = current;
      saved();
    });
  }

  restore(database: Database, entries: readonly Entry[], restored: () => void): void {
    const snapshot = { database: database.fork(), entries: [...entries] };
    this.#soon(() => {
      this.#snapshots = [snapshot];
      this.#log = [];
      restored();
    });
  }

  truncate(zxid: Zxid, truncated: (database: Database, entries: Entry[]) => void): void {
    this.#soon(() => {
      // What a snapshot holds beyond the cut must go, too.
      this.#snapshots = this.#snapshots.filter(({ database }) => database.lastZxid <= zxid);
      this.#log = this.#log.filter(({ header }) => header.zxid <= zxid);
      if (this.#snapshots.length === 0)
        throw new Violation(`the log is to be cut at ${formatZxid(zxid)}, before all that is kept`);
      const { database, entries } = this.#replay();
      truncated(database, entries);
    });
  }

  /** The process dies: of what was being written some beginning is kept. */
  crash(): void {
    this.#life++;
    this.#log.push(...this.#unsynced.splice(0, this.#world.below(this.#unsynced.length + 1)));
    this.#unsynced = [];
  }

  recover(): Recovered & { readonly accepted: number; readonly current: number } {
    const recovered = this.#replay();
    const epoch = epochOf(recovered.database.lastZxid);
    return { ...recovered, accepted: this.#accepted ?? epoch, current: this.#current ?? epoch };
  }

  #replay(): Recovered {
    const snapshot = this.#snapshots.at(-1)!;
    const database = snapshot.database.fork();
    const recent = this.#log.filter(({ header }) => header.zxid > snapshot.database.lastZxid);
    for (const proposal of recent) apply(database, proposal, null);
    const entries = [...snapshot.entries, ...recent.map(({ header }) => entryOf(header))];
    // A snapshot now and then: who has fewer recent txns sends more databases.
    if (recent.length > 20 && this.#world.random() < 0.3) this.#takeSnapshot(database, entries);
    return { database, recent, entries };
  }

  #takeSnapshot(database: Database, entries: readonly Entry[]): void {
    this.#snapshots.push({ database: database.fork(), entries: [...entries] });
    this.#snapshots = this.#snapshots.slice(-SNAPSHOTS_KEPT);
    const oldest = this.#snapshots[0]!.database.lastZxid;
    this.#log = this.#log.filter(({ header }) => header.zxid > oldest);
  }

  #soon(
    run: () => void,
    ms: number = this.#world.random() < 0.95 ? this.#world.random() * 8 : this.#world.random() * 300,
  ): void {
    const life = this.#life;
    this.#queue = Math.max(this.#queue, this.#world.mono + ms);
    this.#world.after(this.#queue - this.#world.mono, () => {
      if (life === this.#life) run();
    });
  }

  /** When the last of what it was asked to do is done: it does one thing after the other. */
  #queue = 0;
}
