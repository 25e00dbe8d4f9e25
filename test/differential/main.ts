/**
 * The comparison by hand, as long as one likes:
 *
 *     bun test/differential/main.ts --ops 200000 --seed 7 --setup plain
 *     node dist/test/differential/main.js --ops 200000
 *
 * Without a seed one is drawn, and printed. Setups: see servers.ts. With --answers it tells how often each op was answered how.
 */

import { parseArgs } from "node:util";
import { check } from "./check.ts";
import { SETUPS, type SetupName } from "./servers.ts";

const { values } = parseArgs({
  options: {
    ops: { type: "string", default: "3000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    setup: { type: "string", default: "plain" },
    steps: { type: "string", default: "40" },
    answers: { type: "boolean", default: false },
  },
});
if (!(values.setup in SETUPS)) throw new Error(`no setup ${values.setup}: there are ${Object.keys(SETUPS).join(", ")}`);

const start = performance.now();
console.log(`seed ${values.seed}, setup ${values.setup}`);
const { operations, scripts, txns, answers, failure } = await check({
  seed: Number(values.seed),
  operations: Number(values.ops),
  setup: values.setup as SetupName,
  steps: Number(values.steps),
  progress: (done) => console.error(`${done} operations, ${((performance.now() - start) / 1000).toFixed(0)} s`),
});
if (values.answers) for (const [answer, count] of [...answers].toSorted()) console.log(`${count}\t${answer}`);
if (failure !== null) console.log(failure);
const outcome = failure === null ? "no difference" : "a difference";
console.log(`${operations} operations in ${scripts} scripts, ${txns} txns in the logs: ${outcome}`);
process.exitCode = failure === null ? 0 : 1;
