#!/usr/bin/env node
/**
 * `zookernel`: the server as a command.
 *
 * Only the command line is judged here; each command is loaded when it is asked for, so that help is quick and a start reads no more
 * than it needs. Standard output is for answers, standard error for logs and complaints.
 */
import process from "node:process";
import { parseArgs } from "node:util";

const USAGE = `Usage: zookernel <command> [options]

Commands:
  start-foreground [zoo.cfg]
      Serve ZooKeeper clients until SIGTERM or SIGINT. Without a file: in memory only, on 127.0.0.1:2181.
  start-foreground <port> <dataDir> [tickTime] [maxClientCnxns]
      The same without a file.
  status [zoo.cfg]
      Tell whether the server of this configuration serves, and in which mode.

Options:
  --compat <version>   Answer like ZooKeeper 3.4, 3.5, 3.6, 3.7, 3.8 (default) or 3.9
  --log-level <level>  debug, info (default), warn, error or silent
  -h, --help           This text
  -V, --version        The version
`;

/** What was asked for was not understood, or can't be: as in Apache ZooKeeper. */
const INVALID_INVOCATION = 2;

async function main(args: readonly string[]): Promise<number> {
  const given = readArguments(args);
  if (typeof given === "string") return refuse(given);
  const { values, positionals } = given;
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.version) {
    const { VERSION } = await import("../../lib/version.ts");
    process.stdout.write(`zookernel ${VERSION}\n`);
    return 0;
  }
  const [command, ...rest] = positionals;
  if (command === "start-foreground" && rest.length <= 4) {
    const { startForeground } = await import("./start.ts");
    return startForeground(rest, { compat: values.compat, logLevel: values["log-level"] });
  }
  if (command === "status" && rest.length <= 1) {
    const { status } = await import("./status.ts");
    return status(rest[0]);
  }
  return refuse(complaint(command));
}

function complaint(command: string | undefined): string {
  if (command === undefined) return "no command is given";
  return ["start-foreground", "status"].includes(command)
    ? `too many arguments for ${command}`
    : `unknown command "${command}"`;
}

function readArguments(args: readonly string[]): ReturnType<typeof parse> | string {
  try {
    return parse(args);
  } catch (error) {
    return (error as Error).message;
  }
}

const LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
const VERSIONS = ["3.4", "3.5", "3.6", "3.7", "3.8", "3.9"] as const;

function parse(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h" },
      version: { type: "boolean", short: "V" },
      compat: { type: "string" },
      "log-level": { type: "string", default: "info" },
    },
  });
  const compat = VERSIONS.find((version) => version === values.compat);
  const logLevel = LEVELS.find((level) => level === values["log-level"]);
  if (values.compat !== undefined && compat === undefined)
    throw new Error(`--compat ${values.compat}: allowed are ${VERSIONS.join(", ")}`);
  if (logLevel === undefined) throw new Error(`--log-level ${values["log-level"]}: allowed are ${LEVELS.join(", ")}`);
  return { values: { ...values, compat, "log-level": logLevel }, positionals };
}

function refuse(why: string): number {
  process.stderr.write(`zookernel: ${why}\n\n${USAGE}`);
  return INVALID_INVOCATION;
}

process.exitCode = await main(process.argv.slice(2));
