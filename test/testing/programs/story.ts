/** What happens to an ensemble that is cut in two, loses a leader and gets it back, for a few seeds: printed, to be compared. */

import { testEnsemble } from "../../../adapters/testing/mod.ts";

const SEEDS = [1, 2, 3];

for (const seed of SEEDS) {
  const zk = await testEnsemble({ seed, observers: 1 });
  const [one, other] = [await zk.connect(), await zk.connect()];
  await one.create("/one", "x");
  const partition = zk.partition([zk.leader!]);
  await zk.untilLeader();
  await zk.clock.advance("10s");
  await other.create("/other", "x").catch(() => {});
  partition.heal();
  const leader = await zk.untilLeader();
  await zk.crash(leader);
  await zk.untilLeader();
  await zk.restart(leader);
  await zk.clock.runUntilIdle();
  console.log(`Seed ${seed}, after ${zk.clock.now().mono} ms:\n${zk.history()}`);
  await zk.close();
}
