/**
 * Finds the binaries of Bun and Deno that npm brought.
 *
 * Their npm packages put the binary for this machine into a package of its own and link or move it with an install script. Where
 * npm runs no install scripts only that platform package is there, so it is looked for by itself. Several may fit (a build for
 * old processors, one for another C library): the first that starts is taken.
 */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { projectPath } from "../support/root.ts";
import type { RuntimeName } from "../support/runtime.ts";

/** The runtime's binary, or null if none on this machine starts. */
export function findBinary(runtime: RuntimeName): string | null {
  switch (runtime) {
    case "node":
      return process.execPath;
    case "bun":
      return firstThatStarts("bun/bin/bun.exe", "@oven", ["bin/bun", "bin/bun.exe"]);
    case "deno":
      return firstThatStarts("deno/deno", "@deno", ["deno", "deno.exe"]);
  }
}

function firstThatStarts(installed: string, scope: string, names: readonly string[]): string | null {
  const folder = projectPath("node_modules", scope);
  const platforms = existsSync(folder) ? readdirSync(folder).sort() : [];
  const candidates = [
    projectPath("node_modules", installed),
    ...platforms.flatMap((name) => names.map((file) => join(folder, name, file))),
  ].filter((file) => existsSync(file));
  return candidates.find((file) => spawnSync(file, ["--version"], { stdio: "ignore" }).status === 0) ?? null;
}
