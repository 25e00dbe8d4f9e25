#!/usr/bin/env node
/**
 * `zookernel`: the server as a command.
 *
 * Only the command line is read here; each command is loaded when it is asked for, so that help is quick and a start reads no more than it needs.
 * Standard output is for answers, standard error for logs and complaints.
 */
import process from "node:process";
import { Command, CommanderError, Option } from "commander";
import type { Compat } from "../../lib/model/compat.ts";
import type { Logger } from "../../lib/ports.ts";
import { VERSION } from "../../lib/report/version.ts";
import type { LogLevel } from "../system.ts";

/** What was asked for was not understood, or can't be: as in Apache ZooKeeper. */
const INVALID_INVOCATION = 2;
/** It was understood, and can't be done. */
const FAILED = 1;

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];
const VERSIONS: readonly Compat[] = ["3.4", "3.5", "3.6", "3.7", "3.8", "3.9"];
/** As `zkServer.sh` has it: a file, or what the least of servers needs. */
const SERVER = "[config] [dataDir] [tickTime] [maxClientCnxns]";
const SERVER_USAGE = (name: string): string =>
  `[options] [zoo.cfg]\n       zookernel ${name} [options] <port> <dataDir> [tickTime] [maxClientCnxns]`;
const HELP_COLUMNS = 110;

/** Values of the options that servers take. */
interface ServerOptions {
  readonly compat?: Compat;
  readonly jaas?: string;
  readonly logLevel?: LogLevel;
  readonly logFile?: string;
  readonly pidFile?: string;
}

const compatOption = (): Option =>
  new Option("--compat <version>", "answer like that version of ZooKeeper; 3.8 unless told").choices(VERSIONS);
const jaasOption = (): Option => new Option("--jaas <file>", "let SASL users in: those of the file's section Server");
const levelOption = (): Option => new Option("--log-level <level>", "how much to log; info unless told").choices(LEVELS);

let exitCode = 0;

/** A command, with an example at the end of its page. */
function add(parent: Command, form: string, summary: string, example: string): Command {
  const command = parent.command(form).description(summary);
  if (form.endsWith(SERVER)) command.usage(SERVER_USAGE(command.name()));
  return command
    .configureHelp({ visibleArguments: () => [] })
    .addHelpText("after", `\nExample:\n  ${example.replaceAll("\n", "\n  ")}`);
}

function servers(program: Command): void {
  const server = (form: string, summary: string, example: string): Command =>
    add(program, form, summary, example).addOption(compatOption()).addOption(jaasOption()).addOption(levelOption());

  server(
    `start ${SERVER}`,
    "Start a server in the background. Its log is beside the configuration, or in ZOO_LOG_DIR.",
    "zookernel start zoo.cfg\nzookernel start 2181 /var/lib/zookernel",
  ).action(async (...given) => {
    const { start } = await import("./daemon.ts");
    exitCode = await start(argumentsOf(given), wordsOf(given));
  });
  server(
    `start-foreground ${SERVER}`,
    "Serve ZooKeeper clients until SIGTERM or SIGINT. Without a file: in memory only, on 127.0.0.1:2181.",
    "zookernel start-foreground zoo.cfg\nzookernel start-foreground 2181 /var/lib/zookernel",
  )
    .addOption(new Option("--log-file <file>", "log to a file, which makes room for itself; to standard error unless told"))
    .addOption(new Option("--pid-file <file>", "hold this process's number in a file while clients can come"))
    .action(async (...given) => {
      const { compat, jaas, logLevel = "info", logFile, pidFile } = optionsOf<ServerOptions>(given);
      const { startForeground } = await import("./start.ts");
      exitCode = await startForeground(argumentsOf(given), { compat, jaas, logLevel, logFile, pidFile });
    });
  add(
    program,
    `stop ${SERVER}`,
    "Stop the server in the background, and wait until it has ended.",
    "zookernel stop zoo.cfg",
  ).action(async (...given) => {
    const { stop } = await import("./daemon.ts");
    exitCode = await stop(argumentsOf(given));
  });
  server(`restart ${SERVER}`, "Stop the server in the background, and start it again.", "zookernel restart zoo.cfg").action(
    async (...given) => {
      const { restart } = await import("./daemon.ts");
      exitCode = await restart(argumentsOf(given), wordsOf(given));
    },
  );
  add(
    program,
    "status [config]",
    "Tell whether the server of this configuration serves, and in which mode.",
    "zookernel status zoo.cfg",
  )
    .addOption(compatOption().hideHelp())
    .addOption(levelOption().hideHelp())
    .action(async (file: string | undefined) => {
      const { status } = await import("./status.ts");
      exitCode = await status(file);
    });
  server(`print-cmd ${SERVER}`, "Print the command line that start runs.", "zookernel print-cmd zoo.cfg").action(
    async (...given) => {
      const { printCommand } = await import("./daemon.ts");
      exitCode = printCommand(argumentsOf(given), wordsOf(given));
    },
  );
}

function dataCommands(program: Command): void {
  const log = program.command("log").description("Look at a txn log, check it, or cut damage off.");
  data(log, "dump <where>", "Print the txns of a log.", "zookernel log dump data/version-2/log.1", async ([where]) =>
    (await import("./log_command.ts")).dumpLog(where!),
  );
  data(
    log,
    "verify <where>",
    "Tell whether a log is whole and a server can start on it.",
    "zookernel log verify data",
    async ([where], { logger }) => (await import("./log_command.ts")).verifyLog(where!, logger),
  );
  data(
    log,
    "repair <file>",
    "Cut off what can't be read at the end of a log.",
    "zookernel log repair data/version-2/log.1",
    async ([file], { force }) => (await import("./log_command.ts")).repairLog(file!, force),
  ).option("--force", "cut off whole txns behind damage, too");

  const snapshot = program.command("snapshot").description("Look at a snapshot, write one, or pack it in another way.");
  data(
    snapshot,
    "show <file>",
    "Tell what a snapshot holds.",
    "zookernel snapshot show data/version-2/snapshot.0",
    async ([file], { all }) => (await import("./snapshot_command.ts")).showSnapshot(file!, all),
  ).option("--all", "every session and znode");
  data(
    snapshot,
    "take <dataDir> [dataLogDir]",
    "Write a snapshot of a directory; the server that has it open does it, if there is one.",
    "zookernel snapshot take data",
    async ([dataDir, logDir], { logger }) =>
      (await import("./snapshot_command.ts")).takeSnapshot(foldersOf(dataDir!, logDir), logger),
  );
  data(
    snapshot,
    "convert <from> <to>",
    "Write a snapshot again, packed as the new name says: .gz, .snappy or neither.",
    "zookernel snapshot convert snapshot.0 snapshot.0.gz",
    async ([from, to]) => (await import("./snapshot_command.ts")).convertSnapshot(from!, to!),
  );
  data(
    program,
    "export <dataDir> [dataLogDir]",
    "Write all znodes and sessions to standard output, as lines of JSON.",
    "zookernel export data > lines.json",
    async ([dataDir, logDir], { logger }) => (await import("./transfer.ts")).exportData(foldersOf(dataDir!, logDir), logger),
  );
  data(
    program,
    "import <dataDir>",
    "Fill an empty directory from such lines on standard input.",
    "zookernel import data < lines.json",
    async ([dataDir], { logger }) => (await import("./transfer.ts")).importData(dataDir!, logger),
  );
}

interface DataOptions {
  readonly all: boolean;
  readonly force: boolean;
  readonly logger: Logger;
}

/** A command that works on files, and says in one line what is wrong with them. */
function data(
  parent: Command,
  form: string,
  summary: string,
  example: string,
  run: (args: readonly string[], options: DataOptions) => Promise<number>,
): Command {
  return add(parent, form, summary, example)
    .addOption(levelOption())
    .action(async (...given) => {
      const { all = false, force = false, logLevel: level = "info" } = optionsOf<Partial<DataOptions> & ServerOptions>(given);
      const { consoleLogger } = await import("../system.ts");
      try {
        exitCode = await run(argumentsOf(given), { all, force, logger: consoleLogger({ level }) });
      } catch (error) {
        console.error(`zookernel: ${(error as Error).message}`);
        exitCode = FAILED;
      }
    });
}

function foldersOf(dataDir: string, dataLogDir: string | undefined): readonly [string, string?] {
  return dataLogDir === undefined ? [dataDir] : [dataDir, dataLogDir];
}

// ── what an action is given: its arguments, its options, itself ──

function argumentsOf(given: readonly unknown[]): readonly string[] {
  return given.slice(0, -2).filter((one) => one !== undefined) as string[];
}

function optionsOf<T>(given: readonly unknown[]): T {
  return (given.at(-1) as Command).optsWithGlobals() as T;
}

/** The options for servers as words of a command line. */
function wordsOf(given: readonly unknown[]): readonly string[] {
  const { compat, jaas, logLevel } = optionsOf<ServerOptions>(given);
  const words = Object.entries({ "--compat": compat, "--jaas": jaas, "--log-level": logLevel });
  return words.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}

// ── the whole ──

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "cli") return (await import("./shell/system.ts")).shell(args.slice(1));
  if (args[0] === "help" && args[1] === "cli") return (await import("./shell/system.ts")).shell(["--help"]);
  const program = new Command("zookernel")
    .description("ZooKeeper without a JVM: a server, its shell, and tools for its data.")
    .usage("<command> [options]")
    .version(`zookernel ${VERSION}`, "-V, --version", "the version")
    .helpOption("-h, --help", "this text; behind a command: its page")
    .helpCommand("help [command]", "the page of a command")
    .configureHelp({ helpWidth: HELP_COLUMNS, subcommandTerm: (command) => command.name() })
    .addOption(compatOption().hideHelp())
    .addOption(jaasOption().hideHelp())
    .addOption(levelOption().hideHelp())
    .configureOutput({ writeErr: () => {} }) // what is wrong is told below
    .exitOverride();
  servers(program);
  // It has a command line of its own, ZooKeeper's, so it is taken before all others: see above.
  program.command("cli").description("A shell for ZooKeeper servers, with the habits of zkCli.sh.").helpOption(false);
  dataCommands(program);
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : refuse(error, commandOf(program, args));
  }
}

/** The command that a command line means, as far as there is one. */
function commandOf(program: Command, args: readonly string[]): Command {
  const [name, ...rest] = args;
  const next = program.commands.find((command) => command.name() === name);
  return next === undefined ? program : commandOf(next, rest);
}

function refuse({ code, message }: CommanderError, command: Command): number {
  const why = code === "commander.help" ? "no command is given" : message.replace(/^error: /, "");
  process.stderr.write(`zookernel: ${why}\n\n${command.helpInformation()}`);
  return INVALID_INVOCATION;
}

// No `await` here: a compiled program whose entry waits can't be kept as byte code.
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
