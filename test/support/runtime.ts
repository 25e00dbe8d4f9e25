/**
 * The JavaScript runtime that this test runs on, and how to start another program of the project on the same one.
 *
 * Bun and Deno run the sources, Node what was built of them below dist/.
 */

import { projectPath } from "./root.ts";

export type RuntimeName = "bun" | "deno" | "node";

export const runtimeName: RuntimeName = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";

/**
 * The command that runs a program of the project, named by its source, on this runtime.
 *
 *     const { command, args } = programCommand("adapters/cli/main.ts", "start-foreground", file);
 *     const child = spawn(command, args);
 */
export function programCommand(source: string, ...programArgs: readonly string[]): { command: string; args: string[] } {
  const command = process.execPath;
  switch (runtimeName) {
    case "bun":
      return { command, args: [projectPath(source), ...programArgs] };
    case "deno":
      return { command, args: ["run", "--quiet", "--allow-all", "--no-check", projectPath(source), ...programArgs] };
    case "node":
      return { command, args: [projectPath("dist", source.replace(/\.ts$/, ".js")), ...programArgs] };
  }
}
