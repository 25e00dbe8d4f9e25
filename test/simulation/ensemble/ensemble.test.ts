/**
 * Whole ensembles in simulated time: no seed breaks a rule, and rules that are broken on purpose are noticed.
 *
 * `SIMULATION_SEEDS=10000` runs more of them. A seed that fails is traced by `node dist/test/simulation/ensemble/main.js <seed> 1`.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { before, describe, test } from "node:test";
import type { KernelOptions } from "../../../lib/kernel/options.ts";
import { BUGS, simulate, simulationOptions } from "./simulation.ts";

const SEEDS = Number(process.env.SIMULATION_SEEDS ?? 100);
const SEEDS_WITH_BUG_MAX = 1000;
const STORM_MS = 60_000;
const TEN_MINUTES_MS = 600_000;

describe("simulated ensembles", { timeout: TEN_MINUTES_MS }, () => {
  let kernel: KernelOptions;
  before(async () => {
    kernel = await simulationOptions();
  });

  test(`${SEEDS} of them survive crashes, lost disks' tails, partitions and broken streams`, (context) => {
    const total = { simulatedMs: 0, faults: 0, acknowledged: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { simulatedMs, faults, acknowledged } = attempt(seed);
      total.simulatedMs += simulatedMs;
      total.faults += faults;
      total.acknowledged += acknowledged;
    }
    context.diagnostic(
      `${Math.floor(total.simulatedMs / 1000)} simulated seconds, ${total.faults} faults, ${total.acknowledged} writes acknowledged, no violation`,
    );
  });

  test("a seed is the same ensemble each time", () => {
    assert.deepEqual(attempt(7), attempt(7));
  });

  for (const bug of BUGS) {
    test(`the bug is found: ${bug}`, () => {
      for (let seed = 1; seed <= SEEDS_WITH_BUG_MAX; seed++) {
        try {
          simulate({ seed, stormMs: STORM_MS, bug }, kernel);
        } catch {
          return;
        }
      }
      assert.fail(`${SEEDS_WITH_BUG_MAX} seeds did not show it`);
    });
  }

  function attempt(seed: number): ReturnType<typeof simulate> {
    try {
      return simulate({ seed, stormMs: STORM_MS }, kernel);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
