/**
 * Shell in this process: its standard streams, its home folder, and servers by TCP.
 */
import { homedir } from "node:os";
import process from "node:process";
import { isatty } from "node:tty";
import { join } from "@std/path";
import { connect } from "../../tcp/connect.ts";
import { descriptorOutput } from "./output.ts";
import { runShell } from "./shell.ts";

/** @returns the exit code */
export async function shell(args: readonly string[]): Promise<number> {
  const code = await runShell(args, {
    input: () => process.stdin,
    out: descriptorOutput(1),
    err: descriptorOutput(2),
    isInteractive: isatty(0) && isatty(1),
    colour: (process.env.NO_COLOR ?? "") === "" && process.env.TERM !== "dumb",
    historyFile: join(homedir(), ".zookernel_history"),
    connect,
  });
  return code;
}
