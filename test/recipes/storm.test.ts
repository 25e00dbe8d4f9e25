/**
 * Recipes in a storm: members crash and are cut off, connections break, replies get lost, sessions end, and nobody ever owns what another one owns.
 *
 * `ZOOKERNEL_SEEDS` says how many storms for each recipe, 12 unless told. The control is an owner that doesn't listen to its signal: in the same storms
 * it must be seen beside its successor, else they would prove nothing.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eachSeed, type Partition, type TestEnsemble, testEnsemble } from "../../adapters/testing/mod.ts";
import { election, mutex, type Ownership, readWriteLock, semaphore } from "../../lib/recipes/mod.ts";
import type { ZooKeeper } from "../../mod.ts";
import { campaign } from "../support/campaign.ts";
import { Random } from "../support/random.ts";

const SEEDS = campaign("ZOOKERNEL_SEEDS", { quick: 12, all: 50 });
const BLOWS = 25;
const ACTORS = 3;
/** Longer than a session outlives silence: who doesn't listen is seen beside its successor. */
const LONG_MS = 60_000;

interface Recipe {
  readonly name: string;
  /** Of how many at a time it lets in. */
  readonly most: number;
  acquire(zk: ZooKeeper, signal: AbortSignal): Promise<Ownership>;
}

const RECIPES: readonly Recipe[] = [
  { name: "mutex", most: 1, acquire: (zk, signal) => mutex(zk, "/recipe").acquire({ signal }) },
  {
    name: "mutex by the rule leaseEnd",
    most: 1,
    acquire: (zk, signal) => mutex(zk, "/recipe", { rule: "leaseEnd" }).acquire({ signal }),
  },
  { name: "election", most: 1, acquire: (zk, signal) => election(zk, "/recipe").elected({ signal }) },
  { name: "write lock", most: 1, acquire: (zk, signal) => readWriteLock(zk, "/recipe").write.acquire({ signal }) },
  {
    name: "semaphore of two",
    most: 2,
    acquire: (zk, signal) => semaphore(zk, "/recipe", { leases: 2 }).acquire({ signal }),
  },
];

/** Who owns at the moment, by their signals; and who would if nobody listened. */
class Owners {
  readonly #most: number;
  readonly #listening = new Set<Ownership>();
  readonly #deaf = new Set<Ownership>();
  #highest = 0n;
  grants = 0;
  /** How often a deaf owner was seen beside one too many. */
  caught = 0;

  constructor(most: number) {
    this.#most = most;
  }

  enter(own: Ownership): void {
    this.grants++;
    assert.equal(own.signal.aborted, false, "granted and lost in one");
    this.#listening.add(own);
    this.#deaf.add(own);
    own.signal.addEventListener("abort", () => this.#listening.delete(own));
    assert.ok(this.#listening.size <= this.#most, `${this.#listening.size} owners at once`);
    if (this.#deaf.size > this.#most) this.caught++;
    if (this.#most === 1) assert.ok(own.fence > this.#highest, `fence ${own.fence} after ${this.#highest}`);
    this.#highest = own.fence;
  }

  leave(own: Ownership): void {
    this.#deaf.delete(own);
  }
}

class Storm {
  readonly #zk: TestEnsemble;
  readonly #random: Random;
  readonly #recipe: Recipe;
  readonly owners: Owners;
  readonly #owning = new Map<Ownership, ZooKeeper>();
  readonly #cuts: Partition[] = [];
  readonly #end = new AbortController();

  constructor(zk: TestEnsemble, seed: number, recipe: Recipe) {
    this.#zk = zk;
    this.#random = new Random(seed);
    this.#recipe = recipe;
    this.owners = new Owners(recipe.most);
  }

  /** Owns, works for a while, and gives back, again and again; with a new session where the old one has ended. */
  async act(number: number): Promise<void> {
    const random = new Random(1000 + number);
    let client = await this.#zk.connect({ sessionTimeoutMs: 30_000 });
    while (!this.#end.signal.aborted && client.state !== "closed") {
      try {
        const own = await this.#recipe.acquire(client, this.#end.signal);
        this.owners.enter(own);
        this.#owning.set(own, client);
        await this.#zk.clock.sleep(random.below(5) === 0 ? LONG_MS : random.below(8000));
        this.owners.leave(own);
        this.#owning.delete(own);
        await own.release();
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        if (client.state === "expired") client = await this.#zk.connect({ sessionTimeoutMs: 30_000 });
      }
    }
    await client.close();
  }

  async blow(): Promise<void> {
    const zk = this.#zk;
    const { id } = this.#random.of(zk.members);
    const chance = this.#random.next();
    if (zk.member(id).state === "down") await zk.restart(id);
    else if (chance < 0.2) await zk.crash(id);
    else if (chance < 0.4) zk.partition([id]);
    else if (chance < 0.55) this.#cutOff();
    else if (chance < 0.65) zk.faults.on({ op: "create" }).once().loseReply();
    else if (chance < 0.72) zk.faults.on({ op: "getChildren" }).once().disconnect();
    else zk.heal();
    await zk.clock.advance(this.#random.below(15_000));
  }

  /** Whoever owns something, until its session has ended or the storm is over. */
  #cutOff(): void {
    const client = this.#owning.values().next().value;
    if (client?.state === "connected") this.#cuts.push(this.#zk.faults.partition(client));
  }

  async calm(): Promise<void> {
    const zk = this.#zk;
    zk.heal();
    for (const cut of this.#cuts) cut.heal();
    for (const { id, state } of zk.members) if (state === "down") await zk.restart(id);
    await zk.untilLeader();
    await zk.clock.advance("2m");
    const before = this.owners.grants;
    await zk.clock.advance("10m");
    assert.ok(this.owners.grants > before + ACTORS, "after the storm it goes from one to the next again");
    this.#end.abort();
  }
}

for (const recipe of RECIPES) {
  describe(recipe.name, () => {
    test(`${SEEDS} storms let nobody in too many, and leave nobody out for ever`, async () => {
      let caught = 0;
      await eachSeed(SEEDS, async (seed) => {
        await using zk = await testEnsemble({ seed, members: 3 });
        const storm = new Storm(zk, seed, recipe);
        const acting = Promise.all(Array.from({ length: ACTORS }, (_, number) => storm.act(number)));
        acting.catch(() => {});
        for (let blow = 0; blow < BLOWS; blow++) await storm.blow();
        await storm.calm();
        await zk.clock.runUntil(acting);
        caught += storm.owners.caught;
      });
      assert.ok(caught > 0, "the control was never caught: these storms prove nothing");
    });
  });
}
