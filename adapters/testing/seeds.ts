/**
 * Tests that chance has a part in: run with one seed after the other, and the one that fails again.
 */
import process from "node:process";
import { checkFunction, checkWholeNumber } from "../../lib/base/validate.ts";

const SEEDS_MAX = 2 ** 31;
/** Names the seeds to take instead, separated by commas. */
const VARIABLE = "ZOOKERNEL_TEST_SEED";

/**
 * Runs a test once for each seed, 1 to `count`, one after the other. The first that fails ends it, and the error says which seed that was and how
 * to replay it: with `ZOOKERNEL_TEST_SEED=17` in the environment only that one is run.
 *
 * @throws TypeError for a count that is none; Error whose `cause` is what the test threw
 *
 * @example
 * ```ts
 * await eachSeed(20, async (seed) => {
 *   await using zk = await testEnsemble({ seed });
 *   const client = await zk.connect();
 *   await client.create("/config", "v1");
 *   await zk.crash(await zk.untilLeader());
 *   await zk.untilLeader();
 *   zk.expectTree({ "/config": "v1" });
 * });
 * ```
 */
export async function eachSeed(count: number, run: (seed: number) => Promise<void>): Promise<void> {
  // Without any seed nothing would be tested.
  checkWholeNumber("run a test", "count", count, 1, SEEDS_MAX);
  checkFunction("run a test", "run", run, "async (seed) => …");
  const asked = process.env[VARIABLE] ?? "";
  const seeds = asked === "" ? Array.from({ length: count }, (_, at) => at + 1) : seedsOf(asked);
  for (const seed of seeds) {
    try {
      await run(seed);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`Seed ${seed} fails: ${reason}\nTo replay it alone: ${VARIABLE}=${seed}`, { cause });
    }
  }
}

function seedsOf(text: string): number[] {
  if (!/^\s*\d{1,15}\s*(,\s*\d{1,15}\s*)*$/.test(text))
    throw new TypeError(`${VARIABLE}: "${text}" is no list of whole numbers`);
  return text.split(",").map(Number);
}
