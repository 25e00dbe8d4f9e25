/**
 * Interpreter of lines: it finds the command, carries it out, has its answer printed, and remembers what was typed and how it ended.
 *
 * Not here: where lines come from (script.ts, terminal.ts). Invariant: one line after the other, and whatever a line holds, the shell goes on.
 */
import { nearestName } from "../../../lib/base/validate.ts";
import type { Watcher } from "../../../lib/client/watchers.ts";
import { type Answer, type ShellControl, usageOf } from "./command.ts";
import { COMMANDS, usageLines } from "./commands.ts";
import type { Connection } from "./connection.ts";
import { CommandFailure, EXIT, type ExitCode, failureOf, UsageError } from "./failures.ts";
import { takeFlags } from "./flags.ts";
import type { Printer } from "./printer.ts";
import type { Style } from "./style.ts";
import type { ShownEvent } from "./text.ts";
import { wordsOf } from "./words.ts";

export class Interpreter {
  readonly #connection: Connection;
  readonly #printer: Printer;
  readonly #style: Style;
  readonly #history: string[] = [];
  #exitCode: ExitCode = EXIT.done;
  #isOver = false;
  #printsWatches = true;

  constructor(connection: Connection, printer: Printer, style: Style) {
    this.#connection = connection;
    this.#printer = printer;
    this.#style = style;
  }

  /** That of the last command but `quit`. */
  get exitCode(): ExitCode {
    return this.#exitCode;
  }

  /** Whether there was a `quit`. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** How many lines there were. */
  get lineCount(): number {
    return this.#history.length;
  }

  /** Carries out a line; one of blanks alone is none. */
  async execute(line: string, signal: AbortSignal): Promise<void> {
    if (line.trim() === "") return;
    this.#history.push(line);
    await this.executeWords(wordsOf(line), signal);
  }

  /** The same for words, as they stand on a command line. */
  async executeWords(words: readonly string[], signal: AbortSignal): Promise<void> {
    const [name = ""] = words;
    try {
      this.#printer.answer(name, await this.#run(words, signal));
      // As in zkCli.sh: a script that ends with `quit` tells how what stands before it went.
      if (!this.#isOver) this.#exitCode = EXIT.done;
    } catch (error) {
      const failure = signal.aborted ? INTERRUPTED : failureOf(error, this.#style);
      this.#printer.failure(name, failure);
      this.#exitCode = failure.exitCode;
    }
  }

  async #run([name = "", ...words]: readonly string[], signal: AbortSignal): Promise<Answer> {
    const command = COMMANDS.get(name);
    if (command === undefined) return this.#refuse(name);
    const { flags, operands } = takeFlags(words, command.flags, command.exclusive);
    if (operands.length < command.least || operands.length > (command.most ?? Number.POSITIVE_INFINITY))
      throw new UsageError(this.#style === "3.4" ? "" : usageOf(command), `for example: ${command.example}`);
    return await command.run({
      ...{ operands, flags, signal, style: this.#style, watcher: this.#watcher, shell: this.#control(signal) },
      zk: () => this.#connection.ready(signal),
      event: (event) => this.#event(event),
      note: (line) => this.#printer.note(line),
    });
  }

  /** Lists all commands ahead of the complaint, as zkCli.sh does. */
  #refuse(name: string): never {
    this.#printer.note(usageLines().join("\n"));
    const near = nearestName(name, COMMANDS.keys());
    const complaint = this.#style === "3.4" ? "" : `Command not found: Command not found ${name}`;
    throw new UsageError(complaint, near === null ? null : `"${near}" is probably meant`);
  }

  #control(signal: AbortSignal): ShellControl {
    return {
      history: this.#history,
      printWatches: (wanted) => {
        if (wanted !== null) this.#printsWatches = wanted;
        return this.#printsWatches;
      },
      redo: async (line) => {
        const words = wordsOf(line);
        if (words[0] === "redo") throw new UsageError("No redoing redos");
        this.#history[this.#history.length - 1] = line;
        return await this.#run(words, signal);
      },
      connect: (servers) => this.#connection.reopen(servers),
      close: () => this.#connection.close(),
      quit: () => {
        this.#isOver = true;
      },
    };
  }

  /** The same one for all watches, so that it hears of each change once. */
  readonly #watcher: Watcher = (event) => this.#event(event);

  #event({ type, path, zxid }: Omit<ShownEvent, "state">): void {
    if (this.#printsWatches) this.#printer.event({ state: "SyncConnected", type, path, zxid });
  }
}

const INTERRUPTED = new CommandFailure("Interrupted; a change that was sent may have been made", EXIT.refused);
