/**
 * zkCli.sh, the command line client of Apache ZooKeeper: started, and its output made comparable.
 *
 * Its main thread prints results, its event thread prints watch events to the same stream at its own pace. So events are taken
 * out of the text and compared as a list of their own; each of the two is in a fixed order, their mixture is not.
 */

import { type Heard, type Shell, startShell } from "./shell.ts";

export interface ZkCliOutput {
  readonly stdout: string;
  readonly stderr: string;
  /** `WatchedEvent …` lines, in the order in which they were printed. */
  readonly events: readonly string[];
}

// A shell lives for seconds: without these the JVM spends them on optimising itself.
const JVM_FLAGS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx128m";

function environment(jvmFlags: readonly string[]): NodeJS.ProcessEnv {
  return { CLIENT_JVMFLAGS: [JVM_FLAGS, ...jvmFlags].join(" ") };
}

/** The interactive shell. It reads commands from a pipe, so it prints neither prompt nor echo. */
export function startZkCli(command: string, address: string): Shell {
  return startShell(command, ["-server", address], environment([]));
}

/** Runs to its end, with `lines` waiting in its standard input from the start. */
export async function runZkCli(
  command: string,
  args: readonly string[],
  lines: readonly string[] = [],
  jvmFlags: readonly string[] = [],
): Promise<Heard & { readonly exit: number | null }> {
  await using shell = startShell(command, args, environment(jvmFlags));
  for (const line of lines) shell.send(line);
  const exit = await shell.end();
  return { ...shell.take(), exit };
}

const EVENT = /\nWATCHER::\n\n(WatchedEvent .*)\n/g;

/** Takes the events apart and hides what differs from run to run: dates, the server's port, the logger's complaints. */
export function comparable(heard: Heard): ZkCliOutput {
  return {
    stdout: masked(heard.stdout.replaceAll(EVENT, "")),
    stderr: masked(heard.stderr.replaceAll(/^SLF4J: .*\n/gm, "")),
    events: [...heard.stdout.matchAll(EVENT)].map((match) => match[1] ?? ""),
  };
}

function masked(text: string): string {
  return text
    .replaceAll(/^(ctime|mtime) = .*$/gm, "$1 = <date>")
    .replaceAll(/^Connecting to .*$/gm, "Connecting to <address>")
    .replaceAll(/^ZooKeeper CLI version: .*$/gm, "ZooKeeper CLI version: <version>");
}
