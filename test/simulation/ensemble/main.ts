/**
 * Runs the simulator: `node dist/test/simulation/ensemble/main.js [first seed] [seeds] [bug]`. Stops at the first seed that breaks a rule. A single
 * seed is traced: it does the same each time, and has the same fingerprint.
 */
import process from "node:process";
import { BUGS } from "./bugs.ts";
import { simulate, simulationOptions } from "./simulation.ts";
import { add, noTotals, totalsText } from "./totals.ts";

const [first = "1", count = "100", ...words] = process.argv.slice(2);
const name = words.join(" ");
const bug = BUGS.find((one) => one.name === name);
if (name !== "" && bug === undefined)
  throw new RangeError(`no such bug: ${name}. There are: ${BUGS.map((one) => one.name).join("; ")}`);
const kernel = await simulationOptions();
const totals = noTotals();
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  try {
    const result = simulate({ seed, ...(bug !== undefined && { bug }), ...(count === "1" && { trace: console.log }) }, kernel);
    add(totals, result);
    if (count === "1") console.log(`fingerprint ${result.fingerprint.toString(16)}`);
  } catch (error) {
    console.log(`seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = 1;
    break;
  }
}
console.log(totalsText(totals));
