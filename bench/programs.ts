/**
 * Runs the benchmark's own helper programs as processes of their own, and hands back the figures they print.
 */

import { spawn } from "node:child_process";
import type { Job, Target, Times } from "./load/job.ts";
import type { Metrics } from "./metrics.ts";
import { loadRuntime, programOn, type RuntimeName } from "./runtimes.ts";
import type { LocalWork } from "./workloads.ts";

/** What a program may take besides the time it measures: opening 15,000 sessions, creating a million znodes. */
const PREPARATION_SECONDS_MAX = 300;

/** Does one job of load against a server. */
export function runLoad(job: Job, target: Target): Promise<Metrics> {
  const args = [JSON.stringify(job), JSON.stringify(target)];
  return runProgram(loadRuntime(), "bench/load.ts", args, target.warmUpSeconds + target.seconds);
}

/** Does one kind of work in process, on the given runtime. */
export function runLocal(work: LocalWork, runtime: RuntimeName, { seconds, warmUpSeconds }: Times): Promise<Metrics> {
  return runProgram(runtime, "bench/local.ts", [work, `${seconds}`, `${warmUpSeconds}`], warmUpSeconds + seconds);
}

async function runProgram(
  runtime: RuntimeName,
  source: string,
  programArgs: readonly string[],
  seconds: number,
): Promise<Metrics> {
  const program = programOn(runtime, source, ...programArgs);
  if (typeof program === "string") throw new Error(program);
  const child = spawn(program.command, program.args, { stdio: ["ignore", "pipe", "pipe"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), (seconds + PREPARATION_SECONDS_MAX) * 1000);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  let complained = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complained += text;
  });
  const status = await new Promise<number | string | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  clearTimeout(timer);
  if (status !== 0) throw new Error(complained.trim() || `${source} ended with ${status}`);
  if (complained !== "") console.error(complained.trim());
  return JSON.parse(said);
}
