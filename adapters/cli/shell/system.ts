/**
 * Shell in this process: its standard streams, its home folder, and servers by TCP.
 */
import { homedir } from "node:os";
import process from "node:process";
import { isatty } from "node:tty";
import { join } from "@std/path";
import { isGranted } from "../../permissions.ts";
import { connect } from "../../tcp/connect.ts";
import { descriptorOutput } from "./output.ts";
import { runShell } from "./shell.ts";

/** Colours of terminals are turned off by a variable that is there and not empty: no-color.org. */
export function wantsColour(noColour: string | undefined): boolean {
  return noColour === undefined || noColour === "";
}

/** In the home folder; null where there is none, or the process may not know it. */
function historyFile(): string | null {
  try {
    return isGranted({ name: "sys", kind: "homedir" }) ? join(homedir(), ".zookernel_history") : null;
  } catch {
    return null;
  }
}

/** Ends the process: who writes to a pipe may keep it open, and there are runtimes that would wait for its end. All that was said is written by then. */
export async function shell(args: readonly string[]): Promise<never> {
  const code = await runShell(args, {
    input: () => process.stdin,
    out: descriptorOutput(1),
    err: descriptorOutput(2),
    keyboard: isatty(0) && isatty(1) ? () => ({ input: process.stdin, output: process.stdout }) : null,
    colour: wantsColour(isGranted({ name: "env", variable: "NO_COLOR" }) ? process.env.NO_COLOR : ""),
    historyFile: historyFile(),
    connect,
  });
  process.exit(code);
}
