/**
 * `zookernel cli`: a shell for ZooKeeper servers, ours and Apache's, with the habits of zkCli.sh.
 *
 * Not here: what the commands do (commands.ts names them). Invariant: the exit code is that of the last command.
 */
import { parseConnectString } from "../../../lib/client/connect_string.ts";
import type { Logger } from "../../../lib/ports.ts";
import type { ZooKeeper } from "../../../mod.ts";
import type { RemoteConnectOptions } from "../../tcp/connect.ts";
import { readShellArguments, SHELL_USAGE } from "./arguments.ts";
import { clientConfiguration } from "./client_configuration.ts";
import { Connection, type Dial } from "./connection.ts";
import { EXIT, type ExitCode, messageOf } from "./failures.ts";
import { Interpreter } from "./interpreter.ts";
import { type Output, Printer } from "./printer.ts";
import { linesOf } from "./script.ts";

/** The shell's surroundings. */
export interface Surroundings {
  readonly input: () => AsyncIterable<Uint8Array>;
  readonly out: Output;
  readonly err: Output;
  /** Where a person types, so that lines are edited, completed and kept; null for a script. */
  readonly keyboard: Keyboard | null;
  readonly colour: boolean;
  /** Where lines are kept between runs; null: nowhere. */
  readonly historyFile: string | null;
  readonly connect: (servers: string, options: RemoteConnectOptions) => Promise<ZooKeeper>;
}

/** A terminal's two ends, which are only looked at when they are needed. */
export type Keyboard = () => { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream };

/** How long a command waits for the connection, milliseconds, unless it is told to wait for it. */
const PATIENCE_MS = 5_000;

const NO_ZXID = -1n;

/** @returns the exit code */
export async function runShell(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { out, err, colour, keyboard, historyFile } = surroundings;
  const given = readShellArguments(args);
  if (typeof given === "string") return misused(err, given);
  if (given.help) {
    out.write(SHELL_USAGE);
    return EXIT.done;
  }
  const { servers, timeoutMs, json, style, command, canBeReadOnly, waitsForConnection } = given;
  let configured: RemoteConnectOptions;
  try {
    parseConnectString(servers);
    configured = clientConfiguration(given.clientConfiguration);
  } catch (error) {
    return misused(err, messageOf(error));
  }
  const printer = new Printer({ out, err, json, style, colour });
  const dial: Dial = (where, signal) =>
    surroundings.connect(where, { ...configured, sessionTimeoutMs: timeoutMs, canBeReadOnly, signal, logger });
  const patienceMs = waitsForConnection ? timeoutMs : Math.min(timeoutMs, PATIENCE_MS);
  const connection = new Connection(servers, dial, patienceMs, (state) =>
    printer.event({ state, type: "None", path: null, zxid: NO_ZXID }),
  );
  const logger = complaints((line) => connection.isOpen && printer.news(line));
  const interpreter = new Interpreter(connection, printer, style);
  printer.note(`Connecting to ${servers}`);
  connection.open();
  try {
    if (command.length > 0) await interpreter.executeWords(command, new AbortController().signal);
    else if (keyboard !== null) {
      const { Terminal } = await import("./terminal.ts");
      await new Terminal(interpreter, connection, { ...keyboard(), historyFile, colour }).run(printer);
    } else await runScript(interpreter, surroundings.input());
  } finally {
    await connection.leave();
  }
  return interpreter.exitCode;
}

/** What goes wrong with connections, each thing once: it is tried again and again. */
function complaints(say: (line: string) => void): Logger {
  const said = new Set<string>();
  const sayOnce = (message: string): void => {
    if (said.has(message)) return;
    said.add(message);
    say(message);
  };
  return { debug: () => {}, info: () => {}, warn: sayOnce, error: sayOnce };
}

function misused(err: Output, why: string): ExitCode {
  err.write(`zookernel cli: ${why}\n\n${SHELL_USAGE}`);
  return EXIT.misused;
}

async function runScript(interpreter: Interpreter, input: AsyncIterable<Uint8Array>): Promise<void> {
  const { signal } = new AbortController();
  for await (const line of linesOf(input)) {
    await interpreter.execute(line, signal);
    if (interpreter.isOver) return;
  }
}
