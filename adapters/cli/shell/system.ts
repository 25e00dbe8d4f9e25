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

/** Ends the process: who writes to a pipe may keep it open, and there are runtimes that would wait for its end. All that was said is written by then. */
export async function shell(args: readonly string[]): Promise<never> {
  const code = await runShell(args, {
    input: () => process.stdin,
    out: descriptorOutput(1),
    err: descriptorOutput(2),
    keyboard: isatty(0) && isatty(1) ? () => ({ input: process.stdin, output: process.stdout }) : null,
    colour: (process.env.NO_COLOR ?? "") === "" && process.env.TERM !== "dumb",
    historyFile: join(homedir(), ".zookernel_history"),
    connect,
  });
  process.exit(code);
}
