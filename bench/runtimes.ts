/**
 * Runtimes: the command that runs a program of the project on each, and their versions.
 *
 * Node runs what was built below dist/, Bun and Deno run the sources: as users of the project do.
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { findBinary } from "../test/runtimes/binaries.ts";
import { projectPath } from "../test/support/root.ts";
import { type RuntimeName, runtimeName } from "../test/support/runtime.ts";

export type { RuntimeName };

export const RUNTIMES: readonly RuntimeName[] = ["node", "bun", "deno"];

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** The command that runs the program whose source is given, or the reason why there is none. */
export function programOn(runtime: RuntimeName, source: string, ...args: readonly string[]): Command | string {
  const command = binaryOf(runtime);
  if (command === null) return `${runtime} is not installed (npm install brings it)`;
  const file = runtime === "node" ? projectPath("dist", source.replace(/\.ts$/, ".js")) : projectPath(source);
  if (!existsSync(file)) return `there is no ${source}${runtime === "node" ? " built below dist/ (npm run build)" : ""}`;
  return { command, args: runtime === "deno" ? ["run", "-A", file, ...args] : [file, ...args] };
}

/** The load generator, always on the same runtime within one run: this one, save that Deno leaves the work to Bun. */
export function loadRuntime(): RuntimeName {
  return runtimeName === "deno" && binaryOf("bun") !== null ? "bun" : runtimeName;
}

/** The version, `v` and name aside; null when the runtime is not there. */
export function versionOf(runtime: RuntimeName): string | null {
  const command = binaryOf(runtime);
  if (command === null) return null;
  const { stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
  return /\d+\.\d+\.\d+/.exec(stdout ?? "")?.[0] ?? null;
}

const binaries = new Map<RuntimeName, string | null>();

function binaryOf(runtime: RuntimeName): string | null {
  if (runtime === runtimeName) return process.execPath;
  if (!binaries.has(runtime)) binaries.set(runtime, runtime === "node" ? nodeInPath() : findBinary(runtime));
  return binaries.get(runtime) ?? null;
}

function nodeInPath(): string | null {
  return spawnSync("node", ["--version"]).status === 0 ? "node" : null;
}
