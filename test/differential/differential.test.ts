/**
 * Random scripts on Apache ZooKeeper and ours, a bounded number: two seeds that are always the same, and a fresh one. More by hand,
 * see main.ts. `ZOOKERNEL_DIFFERENTIAL_SEED` is the fresh seed of a run to repeat.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findJavaZooKeeper } from "../support/peers.ts";
import { check } from "./check.ts";
import type { SetupName } from "./servers.ts";

const OPERATIONS = 3000;
const FRESH = Number(process.env.ZOOKERNEL_DIFFERENTIAL_SEED ?? Math.floor(Math.random() * 2 ** 31));

const RUNS: readonly { readonly seed: number; readonly setup: SetupName }[] = [
  { seed: 1, setup: "quota" },
  { seed: 2, setup: "skipAcl" },
  { seed: FRESH, setup: "plain" },
];

describe("nobody can tell Apache ZooKeeper and ours apart", { skip: findJavaZooKeeper().skip }, () => {
  for (const { seed, setup } of RUNS) {
    test(`by ${OPERATIONS} operations of seed ${seed}, setup ${setup}`, { timeout: 300_000 }, async (t) => {
      const { operations, scripts, txns, failure } = await check({ seed, setup, operations: OPERATIONS });
      t.diagnostic(`seed ${seed}, ${setup}: ${operations} operations in ${scripts} scripts, ${txns} txns in the logs`);
      assert.equal(failure, null, failure ?? "");
    });
  }
});
