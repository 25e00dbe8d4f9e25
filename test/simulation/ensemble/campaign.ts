/**
 * Simulates ensembles on every core until so much time has been simulated and so many faults have struck, and prints the totals:
 * `node dist/test/simulation/ensemble/campaign.js [simulated seconds] [faults] [minutes that it may take] [first seed]`.
 *
 * Fails at the first seed that breaks a rule, or if it takes too long. Seeds are handed out one after the other, so which of them run depends on
 * nothing but how many were needed.
 */
import { availableParallelism } from "node:os";
import process from "node:process";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { type SimulationResult, simulate, simulationOptions } from "./simulation.ts";
import { add, noTotals, totalsText } from "./totals.ts";

type Answer =
  | { readonly seed: number; readonly result: SimulationResult }
  | { readonly seed: number; readonly failure: string };

if (isMainThread) await lead();
else await serve();

async function lead(): Promise<void> {
  const [seconds = 10_000_000, faults = 100_000, minutes = 9, first = 1] = process.argv.slice(2).map(Number);
  const totals = noTotals();
  const counts: Record<string, number> = {};
  const started = process.hrtime.bigint();
  const elapsedSeconds = (): number => Number((process.hrtime.bigint() - started) / 1_000_000_000n);
  const isEnough = (): boolean => totals.simulatedMs >= seconds * 1000 && totals.faults >= faults;
  let next = first;
  let problem: string | null = null;

  const hear = (worker: Worker, answer: Answer): void => {
    if ("failure" in answer) {
      problem ??= `node dist/test/simulation/ensemble/main.js ${answer.seed} 1\n${answer.failure}`;
    } else {
      add(totals, answer.result);
      for (const [name, count] of Object.entries(answer.result.faultCounts)) counts[name] = (counts[name] ?? 0) + count;
    }
    if (elapsedSeconds() > minutes * 60) problem ??= `not done within ${minutes} minutes`;
    worker.postMessage(problem !== null || isEnough() ? null : next++);
  };
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      const worker = new Worker(new URL(import.meta.url));
      worker.on("message", (answer: Answer) => hear(worker, answer));
      worker.postMessage(next++);
      await new Promise<void>((resolve, reject) => {
        worker.on("error", reject);
        worker.on("exit", () => resolve());
      });
    }),
  );
  const byCount = Object.entries(counts).sort(([, one], [, other]) => other - one);
  console.log(byCount.map(([name, count]) => `${name} ${count}`).join(", "));
  console.log(`${totalsText(totals)}; ${problem === null ? "no violation" : problem}`);
  console.log(`in ${elapsedSeconds()} s on ${availableParallelism()} cores`);
  if (problem !== null) process.exitCode = 1;
}

/** Simulates the seeds it is told, one by one, until it is told none. */
async function serve(): Promise<void> {
  const kernel = await simulationOptions();
  parentPort!.on("message", (seed: number | null) => {
    if (seed === null) return parentPort!.close();
    try {
      parentPort!.postMessage({ seed, result: simulate({ seed }, kernel) });
    } catch (error) {
      parentPort!.postMessage({ seed, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
}
