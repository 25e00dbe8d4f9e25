#!/usr/bin/env node
/**
 * `zookernel`: the server as a command.
 *
 * Only the command line is judged here; each command is loaded when it is asked for, so that help is quick and a start reads no more
 * than it needs. Standard output is for answers, standard error for logs and complaints.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import type { Logger } from "../../lib/ports.ts";

const USAGE = `Usage: zookernel <command> [options]

Commands:
  start-foreground [zoo.cfg]
      Serve ZooKeeper clients until SIGTERM or SIGINT. Without a file: in memory only, on 127.0.0.1:2181.
  start-foreground <port> <dataDir> [tickTime] [maxClientCnxns]
      The same without a file.
  status [zoo.cfg]
      Tell whether the server of this configuration serves, and in which mode.
  cli [-server host:port[,…][/chroot]] [command [arguments]]
      A shell for ZooKeeper servers, with the habits of zkCli.sh; cli --help tells more.
  log dump|verify <file or dataDir>
      Print the txns of a log, or tell whether it is whole and a server can start on it.
  log repair <file> [--force]
      Cut off what can't be read at the end of a log; with --force also whole txns behind damage.
  snapshot show <file> [--all]
      Tell what a snapshot holds; with --all every session and znode.
  snapshot take <dataDir> [dataLogDir]
      Write a snapshot of a directory; the server that has it open does it, if there is one.
  snapshot convert <from> <to>
      Write a snapshot again, packed as the new name says: .gz, .snappy or neither.
  export <dataDir> [dataLogDir]
      Write all znodes and sessions to standard output, as lines of JSON.
  import <dataDir>
      Fill an empty directory from such lines on standard input.

Options:
  --compat <version>   Answer like ZooKeeper 3.4, 3.5, 3.6, 3.7, 3.8 (default) or 3.9
  --jaas <file>        Let SASL users in: those of the file's section Server
  --log-level <level>  debug, info (default), warn, error or silent
  -h, --help           This text
  -V, --version        The version
`;

/** What was asked for was not understood, or can't be: as in Apache ZooKeeper. */
const INVALID_INVOCATION = 2;
/** It was understood, and can't be done. */
const FAILED = 1;

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "cli") return (await import("./shell/system.ts")).shell(args.slice(1));
  const given = readArguments(args);
  if (typeof given === "string") return refuse(given);
  const { values, positionals } = given;
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.version) {
    const { VERSION } = await import("../../lib/report/version.ts");
    process.stdout.write(`zookernel ${VERSION}\n`);
    return 0;
  }
  const isGroup = GROUPS.includes(positionals[0] ?? "");
  const name = positionals.slice(0, isGroup ? 2 : 1).join(" ");
  const rest = positionals.slice(isGroup ? 2 : 1);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name]! : null;
  if (command === null && GROUPS.includes(name)) return refuse(`${name} needs one of ${commandsOf(name).join(", ")}`);
  if (command === null) return refuse(name === "" ? "no command is given" : `unknown command "${name}"`);
  if (rest.length < command.least) return refuse(`too few arguments for ${name}`);
  if (rest.length > command.most) return refuse(`too many arguments for ${name}`);
  return await command.run(rest, values);
}

type Options = Exclude<ReturnType<typeof readArguments>, string>["values"];

interface Command {
  /** How many arguments it takes. */
  readonly least: number;
  readonly most: number;
  readonly run: (args: readonly string[], options: Options) => Promise<number>;
}

/** Commands of two words start with one of these. */
const GROUPS: readonly string[] = ["log", "snapshot"];

function commandsOf(group: string): string[] {
  return Object.keys(COMMANDS).flatMap((name) => (name.startsWith(`${group} `) ? [name.slice(group.length + 1)] : []));
}

const COMMANDS: Readonly<Record<string, Command>> = {
  "start-foreground": {
    least: 0,
    most: 4,
    run: async (args, { compat, jaas, "log-level": logLevel }) => {
      const { startForeground } = await import("./start.ts");
      return startForeground(args, { compat, jaas, logLevel });
    },
  },
  status: {
    least: 0,
    most: 1,
    run: async ([file]) => {
      const { status } = await import("./status.ts");
      return status(file);
    },
  },
  "log dump": onData(1, 1, async ([where = ""]) => (await import("./log_command.ts")).dumpLog(where)),
  "log verify": onData(1, 1, async ([where = ""], { logger }) => (await import("./log_command.ts")).verifyLog(where, logger)),
  "log repair": onData(1, 1, async ([file = ""], { force }) => (await import("./log_command.ts")).repairLog(file, force)),
  "snapshot show": onData(1, 1, async ([file = ""], { all }) =>
    (await import("./snapshot_command.ts")).showSnapshot(file, all),
  ),
  "snapshot take": onData(1, 2, async ([dataDir = "", logDir], { logger }) =>
    (await import("./snapshot_command.ts")).takeSnapshot(foldersOf(dataDir, logDir), logger),
  ),
  "snapshot convert": onData(2, 2, async ([from = "", to = ""]) =>
    (await import("./snapshot_command.ts")).convertSnapshot(from, to),
  ),
  export: onData(1, 2, async ([dataDir = "", logDir], { logger }) =>
    (await import("./transfer.ts")).exportData(foldersOf(dataDir, logDir), logger),
  ),
  import: onData(1, 1, async ([dataDir = ""], { logger }) => (await import("./transfer.ts")).importData(dataDir, logger)),
};

interface DataOptions {
  readonly all: boolean;
  readonly force: boolean;
  readonly logger: Logger;
}

/** A command that works on files, and says in one line what is wrong with them. */
function onData(least: number, most: number, run: (args: readonly string[], options: DataOptions) => Promise<number>): Command {
  return {
    least,
    most,
    run: async (args, { all, force, "log-level": level }) => {
      const { consoleLogger } = await import("../system.ts");
      try {
        return await run(args, { all, force, logger: consoleLogger({ level }) });
      } catch (error) {
        console.error(`zookernel: ${(error as Error).message}`);
        return FAILED;
      }
    },
  };
}

function foldersOf(dataDir: string, dataLogDir: string | undefined): readonly [string, string?] {
  return dataLogDir === undefined ? [dataDir] : [dataDir, dataLogDir];
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
      jaas: { type: "string" },
      "log-level": { type: "string", default: "info" },
      all: { type: "boolean", default: false },
      force: { type: "boolean", default: false },
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
