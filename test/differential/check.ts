/** Plays random scripts on both servers until so many operations are done, or one script tells the two apart: that one is shrunk. */

import fc from "fast-check";
import { scripts } from "./generate.ts";
import { type Divergence, describeDivergence, Pair } from "./pair.ts";
import { describeScript, operationsIn, type Script } from "./script.ts";
import { SETUPS, type SetupName } from "./servers.ts";

export interface CheckOptions {
  readonly seed: number;
  /** Operations to do at least: requests and handshakes of scripts, what looks at their outcome not counted. */
  readonly operations: number;
  readonly setup: SetupName;
  /** Steps of one script at most. */
  readonly steps?: number;
  /** Hears how far it is, now and then. */
  readonly progress?: (operations: number, scripts: number) => void;
}

export interface CheckResult {
  readonly operations: number;
  readonly scripts: number;
  /** Txns that are the same in both logs. */
  readonly txns: number;
  /** How often each op was answered in each way. */
  readonly answers: ReadonlyMap<string, number>;
  /** null: nothing told the two apart. */
  readonly failure: string | null;
}

/** Scripts that are drawn from one seed; the next ones come from the next seed. */
const SCRIPTS_A_SEED = 50;
/** How long to look for a shorter script, milliseconds. */
const SHRINK_MS_MAX = 90_000;

export async function check(options: CheckOptions): Promise<CheckResult> {
  const pair = await Pair.start(SETUPS[options.setup]);
  const done = { operations: 0, scripts: 0 };
  let failure: string | null = null;
  for (let seed = options.seed; failure === null && done.operations < options.operations; seed++) {
    failure = await checkSeed(pair, seed, options, done);
    options.progress?.(done.operations, done.scripts);
  }
  const { answers } = pair;
  const logs = await pair.finish();
  return { ...done, answers, txns: logs.same, failure: failure ?? logs.failure };
}

async function checkSeed(
  pair: Pair,
  seed: number,
  { operations, setup, steps = 40 }: CheckOptions,
  done: { operations: number; scripts: number },
): Promise<string | null> {
  let last: { readonly script: Script; readonly divergence: Divergence } | null = null;
  let shrinkingSince = 0;
  const property = fc.asyncProperty(scripts(steps), async (script) => {
    if (last === null && done.operations >= operations) return true;
    if (last !== null && performance.now() - shrinkingSince > SHRINK_MS_MAX) return true;
    const divergence = await pair.play(script);
    if (last === null) {
      done.operations += operationsIn(script);
      done.scripts++;
    }
    if (divergence === null) return true;
    if (last === null) shrinkingSince = performance.now();
    last = { script, divergence };
    return false;
  });
  const result = await fc.check(property, { seed, numRuns: SCRIPTS_A_SEED });
  if (!result.failed) return null;
  if (last === null) return `seed ${seed}: ${String(result.errorInstance)}`;
  const { script, divergence } = last as { script: Script; divergence: Divergence };
  return [
    `The two servers part, with seed ${seed} and setup ${setup}, after ${result.numRuns} scripts, shrunk ${result.numShrinks} times:`,
    describeScript(script),
    describeDivergence(divergence, script),
    `Again: bun test/differential/main.ts --seed ${seed} --setup ${setup}`,
  ].join("\n");
}
