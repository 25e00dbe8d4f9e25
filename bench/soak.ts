/**
 * `npm run soak`: hostile clients of every kind at once against one server, while one good client measures what it gets.
 *
 *     npm run soak -- [--seconds 180] [--runtimes bun,node,deno] [--rows multi_read,…] [--times 1]
 *
 * Each runtime's server is measured by itself. Afterwards it is killed and must come back with all that was acknowledged. `--times 3`
 * allows three times the limits, for machines whose speed nobody knows. Exits with 1 beyond a limit.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { connect } from "../adapters/tcp/mod.ts";
import { sleep } from "./load/meter.ts";
import { residentBytes } from "./process_stat.ts";
import { loadRuntime, programOn, RUNTIMES, type RuntimeName, versionOf } from "./runtimes.ts";
import { type GoodClientReport, KEPT_PATH, VALUE_PATH } from "./soak/good_client.ts";
import type { HostileReport } from "./soak/hostile.ts";
import { SoakServer } from "./soak/server.ts";

/** A figure beside the most that it may be. */
interface Figure {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
  /** Whether a slower machine may have more of it. */
  readonly scales: boolean;
}

interface Options {
  readonly seconds: number;
  readonly rows: string;
  readonly times: number;
}

const CALM_SECONDS = 3;
const SAMPLE_SECONDS = 0.1;
/** What programs may take beyond the time of the soak. */
const PATIENCE_SECONDS = 30;
const MEGABYTE = 1_000_000;

/** A helper program; `line` resolves with what it prints last, or null if it has failed or takes too long. */
interface Helper {
  readonly child: ChildProcess;
  firstLine(): Promise<void>;
  lastLine(secondsMax: number): Promise<string | null>;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "180" },
      runtimes: { type: "string", default: RUNTIMES.join(",") },
      rows: { type: "string", default: "" },
      times: { type: "string", default: "1" },
    },
  });
  const options = { seconds: Number(values.seconds), rows: values.rows, times: Number(values.times) };
  let beyond = 0;
  for (const runtime of RUNTIMES.filter((name) => values.runtimes.split(",").includes(name))) {
    if (versionOf(runtime) === null) console.log(`without ${runtime}: it is not installed`);
    else beyond += print(runtime, await soak(runtime, options), options.times);
  }
  return beyond === 0 ? 0 : 1;
}

async function soak(runtime: RuntimeName, { seconds, rows }: Options): Promise<Figure[]> {
  console.log(`\n${runtime}: ${seconds} s${rows === "" ? "" : ` of ${rows}`}`);
  const server = await SoakServer.start(runtime);
  try {
    const hostile = helper("bench/soak/hostile.ts", `${server.port}`, `${server.tlsPort}`, `${seconds}`, rows);
    await hostile.firstLine();
    const good = helper("bench/soak/good_client.ts", `${server.port}`);
    await sleep(CALM_SECONDS);
    const before = residentBytes([server.pid]);
    hostile.child.stdin!.write("begin\n");
    const most = await peakMemory(server, seconds);
    const did = JSON.parse((await hostile.lastLine(PATIENCE_SECONDS)) ?? "null") as HostileReport | null;
    good.child.stdin!.end();
    const seen = JSON.parse((await good.lastLine(PATIENCE_SECONDS)) ?? "null") as GoodClientReport | null;
    printRows(did);
    if (seen?.firstError) console.log(`first error of the good client: ${seen.firstError}`);
    const wasAlive = server.isAlive;
    if (!wasAlive) console.log(`the server ended:\n${server.log()}`);
    await server.kill();
    return [
      figure("server ended", wasAlive ? 0 : 1, 0, ""),
      scaled("p99 of the good client", seen?.p99Ms, 100, "ms"),
      scaled("longest stall", seen?.longestMs, 500, "ms"),
      figure("failed requests of the good client", seen?.errors, 0, `of ${seen?.operations}`),
      scaled("growth of memory", (most - before) / MEGABYTE, 300, "MB"),
      ...(did?.slowClientShare == null
        ? []
        : [figure("lost by the slow honest client", (1 - did.slowClientShare) * 100, 0, "%")]),
      ...(await restart(server, seen)),
    ];
  } finally {
    await server.remove();
  }
}

/** The most that the server has resident within the time, looked at often. */
async function peakMemory(server: SoakServer, seconds: number): Promise<number> {
  let most = 0;
  for (const end = performance.now() + seconds * 1000; performance.now() < end && server.isAlive; await sleep(SAMPLE_SECONDS)) {
    most = Math.max(most, residentBytes([server.pid]) || 0);
  }
  return most;
}

/** Starts the server again on what it kept, and looks for what was acknowledged. */
async function restart(server: SoakServer, seen: GoodClientReport | null): Promise<Figure[]> {
  try {
    const seconds = await server.start();
    const zk = await connect(`127.0.0.1:${server.port}`, { sessionTimeoutMs: 30_000 });
    const { data } = await zk.getData(VALUE_PATH);
    const names = new Set((await zk.getChildren(KEPT_PATH)).children);
    await zk.close();
    const lost = (seen?.acknowledgedNames ?? []).filter((name) => !names.has(name)).length;
    const older = Number(new TextDecoder().decode(data!)) < (seen?.acknowledgedValue ?? 0) ? 1 : 0;
    return [scaled("restart", seconds, 20, "s"), figure("acknowledged writes lost", lost + older, 0, "")];
  } catch (error) {
    console.log(String(error));
    return [figure("restart failed", 1, 0, "")];
  }
}

function figure(name: string, value: number | undefined, limit: number, unit: string): Figure {
  return { name, value: value ?? Number.POSITIVE_INFINITY, limit, unit, scales: false };
}

function scaled(name: string, value: number | undefined, limit: number, unit: string): Figure {
  return { ...figure(name, value, limit, unit), scales: true };
}

function printRows(report: HostileReport | null): void {
  if (report === null) console.log("the hostile clients did not end in time");
  for (const [id, { rounds, error }] of Object.entries(report?.rows ?? {})) {
    console.log(`  ${id.padEnd(24)}${String(rounds).padStart(4)} rounds${error === null ? "" : `, the last: ${error}`}`);
  }
}

/** Prints the table; how many figures are beyond their limits. */
function print(runtime: RuntimeName, figures: readonly Figure[], times: number): number {
  let beyond = 0;
  for (const { name, value, limit, unit, scales } of figures) {
    const most = scales ? limit * times : limit;
    const isBeyond = !(value <= most);
    if (isBeyond) beyond++;
    const text = value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
    console.log(
      `${runtime}  ${name.padEnd(36)}${text.padStart(8)} ${unit.padEnd(12)} limit ${String(most).padStart(5)}  ${isBeyond ? "✗" : "✓"}`,
    );
  }
  return beyond;
}

function helper(source: string, ...args: readonly string[]): Helper {
  const program = programOn(loadRuntime(), source, ...args);
  if (typeof program === "string") throw new Error(program);
  const child = spawn(program.command, program.args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => {}); // it ended: its output says why
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  let output = "";
  let first: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    first = resolve;
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    first();
  });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  void closed.then(() => process.off("exit", kill));
  return {
    child,
    firstLine: () => Promise.race([begun, closed.then(() => Promise.reject(new Error(`${source} ended early`)))]),
    async lastLine(secondsMax) {
      await Promise.race([closed, sleep(secondsMax)]);
      kill();
      const line = output.trimEnd().split("\n").at(-1) ?? "";
      return line.startsWith("{") ? line : null;
    },
  };
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1)); // what was started ends with us
process.exit(await main());
