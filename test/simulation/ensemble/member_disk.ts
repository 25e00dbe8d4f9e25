/**
 * The disk of a simulated member: what was written is on it only once it says so. It does one thing after the other, and writes snapshots beside.
 *
 * A crash keeps any beginning of what it was doing: of a batch of records some, the last of them torn and so dropped; an epoch, a database or a cut
 * that was not confirmed is there or is not.
 *
 * Invariant: what it has said to be on it is there after every crash, unless it was told to lie.
 */
import type { Ensemble } from "../../../lib/broadcast/zab/ensemble.ts";
import { apply } from "../../../lib/kernel/apply.ts";
import { Database } from "../../../lib/kernel/database.ts";
import type { Proposal } from "../../../lib/model/txns.ts";
import type { Zxid } from "../../../lib/model/types.ts";
import { counterOf } from "../../../lib/model/zxid.ts";
import { Tree, type TreeOptions } from "../../../lib/tree/tree.ts";
import { type Entry, followedBy } from "./history.ts";
import type { World } from "./world.ts";

const TREE: TreeOptions = { extendedTypes: true, digest: true, counterWraps: false, configNode: true };

/** Bugs put in on purpose. */
export interface Lies {
  /** It says that a record is on it as soon as it has it. */
  readonly early?: true;
  /** It forgets the epochs that were promised. */
  readonly forgetful?: true;
  /** It cuts nothing off. */
  readonly uncut?: true;
  /** It says that a database is on it as soon as it has it. */
  readonly hasty?: true;
  /** It forgets whose history was taken over. */
  readonly epochless?: true;
}

/** A database, and what it was made of. */
export interface Made {
  readonly database: Database;
  readonly entry: Entry;
}

export interface Recovered extends Made {
  /** The txns behind the snapshot. */
  readonly recent: readonly Proposal[];
  /** The zxid of that snapshot. */
  readonly loggedFrom: Zxid;
  readonly accepted: number | null;
  readonly current: number | null;
  /** The configuration that was committed last; null: the one that it began with. */
  readonly ensemble: Ensemble | null;
}

type Job =
  | { readonly kind: "append"; readonly proposals: Proposal[]; readonly done: (zxid: Zxid) => void }
  | { readonly kind: "other"; readonly work: () => void; readonly done: () => void };

const SNAPSHOTS_KEPT = 3;
/** Now and then it takes so many times as long. */
const SELDOM = 40;
/** One is written after so many txns, on average. */
const TXNS_A_SNAPSHOT = 40;

export class MemberDisk {
  readonly #world: World;
  readonly #lies: Lies;
  readonly #usualMs: number;
  /** Oldest first. */
  #snapshots: Made[];
  #log: Proposal[] = [];
  #accepted: number | null = null;
  #current: number | null = null;
  #ensemble: Ensemble | null = null;
  /** What it was asked to do. The first of them it is doing. */
  #jobs: Job[] = [];
  /** When the first of them is done; one that is begun anew is done at another time. */
  #doneMono = 0;
  /** Snapshots that are being written beside. */
  #beside: Made[] = [];
  /** Grows with each crash: what was on its way then is lost. */
  #life = 0;
  /** How many times as long as usual everything takes. */
  slowness = 1;
  /** It is full, or broken: it can't do what it does next, and says so. null: it is well. */
  failed: (() => void) | null = null;

  /** @param usualMs what it usually takes at most for a thing */
  constructor(world: World, lies: Lies, first: Entry, usualMs: number) {
    this.#world = world;
    this.#usualMs = usualMs;
    this.#lies = lies;
    this.#snapshots = [{ database: new Database(new Tree(TREE)), entry: first }];
  }

  /** Of the leader whose history it took over last, as it is on the disk. */
  get currentEpoch(): number | null {
    return this.#current;
  }

  /** Whether a txn is on the disk: in the log, or in the snapshot that a start would read. */
  has({ header }: Proposal): boolean {
    if (this.#newest.database.lastZxid >= header.zxid) return true;
    const kept = this.#log.findLast(({ header: { zxid } }) => zxid === header.zxid);
    return kept !== undefined && kept.header.session === header.session && kept.header.cxid === header.cxid;
  }

  get #newest(): Made {
    return this.#snapshots.at(-1)!;
  }

  // ── what a member asks of it ──

  append(proposal: Proposal, done: (zxid: Zxid) => void): void {
    const waiting = this.#jobs.length > 1 ? this.#jobs.at(-1)! : null;
    if (waiting?.kind === "append") waiting.proposals.push(proposal);
    else this.#add({ kind: "append", proposals: [proposal], done: this.#lies.early ? () => {} : done });
    if (this.#lies.early) this.#later(0, () => done(proposal.header.zxid));
  }

  saveEpochs(accepted: number | null, current: number | null, done: () => void): void {
    const work = (): void => this.keepEpochs(this.#lies.forgetful ? null : accepted, this.#lies.epochless ? null : current);
    this.#add({ kind: "other", work, done });
  }

  /** At once, whatever else it has to do. */
  keepEpochs(accepted: number | null, current: number | null): void {
    this.#accepted = accepted ?? this.#accepted;
    this.#current = current ?? this.#current;
  }

  /** Nobody waits for it, so that a crash may lose it. */
  saveEnsemble(ensemble: Ensemble): void {
    const work = (): void => {
      this.#ensemble = ensemble;
    };
    this.#add({ kind: "other", work, done: () => {} });
  }

  /** Its database is another one from now on. What went on behind it in the log, and in snapshots, is gone with it where `cutsLog` says that it did. */
  restore({ database, entry }: Made, cutsLog: boolean, done: () => void): void {
    const made = { database: database.fork(), entry };
    const work = (): void => {
      this.#snapshots.push(made);
      if (cutsLog) this.#cut(made.database.lastZxid);
    };
    if (!this.#lies.hasty) return this.#add({ kind: "other", work, done });
    this.#later(1000 * this.slowness, work);
    this.#later(0, done);
  }

  /** `done` is told null where that can't be done: then nothing was. */
  truncate(zxid: Zxid, done: (made: Made | null) => void): void {
    let made: Made | null = null;
    const work = (): void => {
      // A snapshot that is being written comes first, so that none comes back from the dead.
      for (const beside of this.#beside.splice(0)) this.#keep(beside);
      if (this.#lies.uncut) made = this.#replay();
      else if (this.#cut(zxid)) {
        made = this.#replay();
        made.database.lastZxid = zxid;
      }
    };
    this.#add({ kind: "other", work, done: () => done(made) });
  }

  #cut(zxid: Zxid): boolean {
    // The first zxid of an epoch is no txn.
    const isThere = counterOf(zxid) === 0 || this.#log.some(({ header }) => header.zxid === zxid);
    if (!isThere && !this.#snapshots.some(({ database }) => database.lastZxid === zxid)) return false;
    const left = this.#snapshots.filter(({ database }) => database.lastZxid <= zxid);
    if (left.length === 0) return false;
    this.#snapshots = left;
    this.#log = this.#log.filter(({ header }) => header.zxid <= zxid);
    return true;
  }

  /** `done` is told the txns of the log from one to another; null where they are not all there any more. */
  readLog(from: Zxid, to: Zxid, done: (txns: readonly Proposal[] | null) => void): void {
    let txns: readonly Proposal[] | null = null;
    const work = (): void => {
      const found = this.#log.filter(({ header: { zxid } }) => zxid >= from && zxid <= to);
      if (found[0]?.header.zxid === from && found.at(-1)!.header.zxid === to) txns = found;
    };
    this.#add({ kind: "other", work, done: () => done(txns) });
  }

  /** A txn was applied: now and then that is the time for a snapshot. */
  applied(make: () => Made): void {
    if (this.#beside.length > 0 || !this.#world.chance(1 / TXNS_A_SNAPSHOT)) return;
    const made = make();
    this.#beside.push(made);
    this.#later(this.#world.random() * 100 * this.slowness, () => {
      if (this.#beside.includes(made)) this.#keep(made);
      this.#beside = this.#beside.filter((one) => one !== made);
    });
  }

  // ── what happens to it ──

  /** The process dies. */
  crash(): void {
    this.#life++;
    for (const job of this.#jobs.splice(0)) {
      if (job.kind === "append") {
        const kept = this.#world.below(job.proposals.length + 1);
        this.#log.push(...job.proposals.slice(0, kept));
        if (kept < job.proposals.length) break;
      } else if (this.#world.chance(0.5)) job.work();
      else break;
    }
    this.#beside = [];
  }

  /** It is well again. What it began while it was slow could take hours, and is begun anew. */
  repair(): void {
    if (this.#jobs.length > 0 && this.#doneMono > this.#world.mono + SELDOM * this.#usualMs) this.#begin();
  }

  recover(): Recovered {
    const { lastZxid } = this.#newest.database;
    const recent = this.#log.filter(({ header }) => header.zxid > lastZxid);
    return {
      ...this.#replay(),
      recent,
      loggedFrom: lastZxid,
      accepted: this.#accepted,
      current: this.#current,
      ensemble: this.#ensemble,
    };
  }

  #replay(): Made {
    const snapshot = this.#newest;
    const database = snapshot.database.fork();
    let { entry } = snapshot;
    for (const proposal of this.#log) {
      if (proposal.header.zxid <= snapshot.database.lastZxid) continue;
      apply(database, proposal, null);
      entry = followedBy(entry, proposal);
    }
    return { database, entry };
  }

  #keep(made: Made): void {
    if (made.database.lastZxid < this.#newest.database.lastZxid) return;
    this.#snapshots = [...this.#snapshots, made].slice(-SNAPSHOTS_KEPT);
    const oldest = this.#snapshots[0]!.database.lastZxid;
    this.#log = this.#log.filter(({ header }) => header.zxid > oldest);
  }

  #add(job: Job): void {
    this.#jobs.push(job);
    if (this.#jobs.length === 1) this.#begin();
  }

  #begin(): void {
    const { random } = this.#world;
    const ms = random() * (random() < 0.95 ? this.#usualMs : SELDOM * this.#usualMs) * this.slowness;
    const doneMono = this.#world.mono + ms;
    this.#doneMono = doneMono;
    this.#later(ms, () => {
      if (this.#doneMono !== doneMono) return;
      if (this.failed !== null) return this.failed();
      const job = this.#jobs.shift()!;
      if (job.kind === "append") this.#log.push(...job.proposals);
      else job.work();
      if (this.#jobs.length > 0) this.#begin();
      if (job.kind === "append") job.done(job.proposals.at(-1)!.header.zxid);
      else job.done();
    });
  }

  #later(ms: number, run: () => void): void {
    const life = this.#life;
    this.#world.after(ms, () => {
      if (life === this.#life) run();
    });
  }
}
