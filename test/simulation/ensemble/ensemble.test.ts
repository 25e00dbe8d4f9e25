/**
 * Whole ensembles in simulated time: no seed breaks a rule, and rules that are broken on purpose are noticed.
 *
 * `SIMULATION_SEEDS=1000` runs more of them; `.ci/run` runs thousands (campaign.ts). A seed that fails is traced by
 * `node dist/test/simulation/ensemble/main.js <seed> 1`.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { KernelOptions } from "../../../lib/kernel/options.ts";
import { campaign } from "../../support/campaign.ts";
import { BUGS, type Bug } from "./bugs.ts";
import { simulate, simulationOptions } from "./simulation.ts";
import { add, noTotals, totalsText } from "./totals.ts";
import { Violation } from "./violation.ts";

const SEEDS = campaign("SIMULATION_SEEDS", { quick: 20, all: 40 });
const SEEDS_WITH_BUG_MAX = 1000;
const TEN_MINUTES_MS = 600_000;

describe("simulated ensembles", { timeout: TEN_MINUTES_MS }, () => {
  let kernel: KernelOptions;
  before(async () => {
    kernel = await simulationOptions();
  });

  test(`${SEEDS} of them survive what happens to them`, (context) => {
    const totals = noTotals();
    for (let seed = 1; seed <= SEEDS; seed++) add(totals, attempt(seed));
    context.diagnostic(totalsText(totals));
  });

  test("a seed is the same ensemble each time", () => {
    assert.deepEqual(attempt(7), attempt(7));
    assert.notEqual(attempt(7).fingerprint, attempt(8).fingerprint);
  });

  test("a disk that was slow is well again in calm, also in the middle of a write (seed 1774)", () => {
    attempt(1774);
  });

  for (const seed of [1521, 1707])
    test(`who has acknowledged an epoch may be in a later one before that is established (seed ${seed})`, () => {
      attempt(seed);
    });

  for (const bug of BUGS) {
    test(`the bug is found: ${bug.name}`, () => {
      if (bug.seed !== undefined && isFound(bug, bug.seed)) return;
      for (let seed = 1; seed <= SEEDS_WITH_BUG_MAX; seed++) if (isFound(bug, seed)) return;
      assert.fail(`${SEEDS_WITH_BUG_MAX} seeds did not show it`);
    });
  }

  function isFound(bug: Bug, seed: number): boolean {
    try {
      simulate({ seed, bug }, kernel);
      return false;
    } catch (error) {
      if (error instanceof Violation) return true;
      throw error;
    }
  }

  function attempt(seed: number): ReturnType<typeof simulate> {
    try {
      return simulate({ seed }, kernel);
    } catch (error) {
      throw new Error(`node dist/test/simulation/ensemble/main.js ${seed} 1`, { cause: error });
    }
  }
});
