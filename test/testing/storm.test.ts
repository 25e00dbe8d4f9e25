/**
 * The members as they run in production, journals and streams of bytes included, in a storm: they crash, are cut off and have disks that hang, while
 * clients write. What was acknowledged is there afterwards, on all of them alike.
 *
 * `ZOOKERNEL_SEEDS` says how many storms, 10 unless told; `ZOOKERNEL_TEST_SEED` which ones. Worse weather is in simulation/ensemble.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { eachSeed, type TestEnsemble, testEnsemble } from "../../adapters/testing/mod.ts";
import type { ZooKeeper } from "../../mod.ts";
import { Random } from "../support/random.ts";

const SEEDS = Number(process.env.ZOOKERNEL_SEEDS ?? 10);
const BLOWS = 40;

class Storm {
  readonly #zk: TestEnsemble;
  readonly #random: Random;
  readonly #acknowledged = new Set<string>();
  readonly #writes: Promise<void>[] = [];

  constructor(zk: TestEnsemble, seed: number) {
    this.#zk = zk;
    this.#random = new Random(seed);
  }

  async blow(client: ZooKeeper, number: number): Promise<void> {
    const path = `/write-${number}`;
    const written = client.create(path, null).then(
      () => void this.#acknowledged.add(path),
      () => {}, // it may be there or not
    );
    this.#writes.push(written);
    await this.#strike(this.#random.of(this.#zk.members).id);
    await this.#zk.clock.advance(this.#random.below(4000));
  }

  async #strike(id: number): Promise<void> {
    const zk = this.#zk;
    const chance = this.#random.next();
    if (zk.member(id).state === "down") return await zk.restart(id);
    if (chance < 0.2) await zk.crash(id);
    else if (chance < 0.3) await Promise.all(zk.members.filter(({ state }) => state !== "down").map((one) => zk.crash(one.id)));
    else if (chance < 0.4) await zk.restart(id);
    else if (chance < 0.6) zk.partition([id]);
    else if (chance < 0.7) zk.member(id).disk.hold();
    else if (chance < 0.8) zk.member(id).disk.letGo();
    else zk.heal();
  }

  async calm(): Promise<void> {
    const zk = this.#zk;
    zk.heal();
    for (const { id, state, disk } of zk.members) {
      disk.letGo();
      if (state === "down") await zk.restart(id);
    }
    await zk.untilLeader();
    await zk.clock.advance("1m");
    await Promise.all(this.#writes);
  }

  check(): void {
    const zk = this.#zk;
    for (const path of this.#acknowledged) assert.notEqual(zk.inspect(path), null, `${path} was acknowledged, and is gone`);
    for (const member of zk.members) assert.equal(member.picture(), zk.picture(), `member ${member.id}`);
  }
}

test(`${SEEDS} storms lose nothing that was acknowledged`, async () => {
  await eachSeed(SEEDS, async (seed) => {
    await using zk = await testEnsemble({ seed, members: 3, observers: seed % 2, snapshots: { everyTxns: 10 } });
    const storm = new Storm(zk, seed);
    const clients = await Promise.all([zk.connect(), zk.connect()]);
    for (let number = 0; number < BLOWS; number++) {
      const at = number % clients.length;
      if (clients[at]!.state === "expired" && zk.leader !== null) clients[at] = await zk.clock.runUntil(zk.connect());
      await storm.blow(clients[at]!, number);
    }
    await storm.calm();
    storm.check();
  });
});
