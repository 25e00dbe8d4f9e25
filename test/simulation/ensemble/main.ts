/**
 * Runs the simulator: `node dist/test/simulation/ensemble/main.js [first seed] [seeds] [storm ms] [bug]`. A single seed is traced. Stops at the first seed that breaks a rule.
 */
import process from "node:process";
import { BUGS, simulate, simulationOptions } from "./simulation.ts";

const [first = "1", count = "100", storm = "60000", ...words] = process.argv.slice(2);
const bug = BUGS.find((one) => one === words.join(" "));
const kernel = await simulationOptions();
const total = { simulatedMs: 0, faults: 0, messages: 0, commits: 0, acknowledged: 0 };
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  try {
    const result = simulate(
      { seed, stormMs: Number(storm), ...(bug !== undefined && { bug }), ...(count === "1" && { trace: console.log }) },
      kernel,
    );
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += result[key];
  } catch (error) {
    console.log(`seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = 1;
    break;
  }
}
console.log(
  `${Math.floor(total.simulatedMs / 1000)} simulated seconds, ${total.faults} faults, ${total.messages} messages, ${total.commits} txns, ${total.acknowledged} acknowledged`,
);
