/**
 * Shell at a terminal: a prompt, lines that are edited, completed and kept, and Ctrl-C, which ends the command and not the shell.
 *
 * Not here: what lines mean (interpreter.ts). Invariant: the prompt stands below everything that was printed.
 */
import { createInterface, type Interface } from "node:readline";
import { complete } from "./completion.ts";
import type { Connection } from "./connection.ts";
import { HISTORY_LINES_MAX, keepLine, readHistory } from "./history.ts";
import type { Interpreter } from "./interpreter.ts";
import type { Printer } from "./printer.ts";
import type { Keyboard } from "./shell.ts";

const GREEN = "\x1b[32m";
const PLAIN = "\x1b[0m";
const START_OF_EMPTY_LINE = "\r\x1b[K";

export interface TerminalOptions extends ReturnType<Keyboard> {
  readonly historyFile: string | null;
  readonly colour: boolean;
}

export class Terminal {
  readonly #interpreter: Interpreter;
  readonly #connection: Connection;
  readonly #options: TerminalOptions;
  readonly #lines: Interface;
  /** Of the command that is carried out. */
  #running: AbortController | null = null;

  constructor(interpreter: Interpreter, connection: Connection, options: TerminalOptions) {
    this.#interpreter = interpreter;
    this.#connection = connection;
    this.#options = options;
    const { input, output, historyFile } = options;
    this.#lines = createInterface({
      ...{ input, output, terminal: true },
      ...{
        history: historyFile === null ? [] : readHistory(historyFile).reverse(),
        historySize: HISTORY_LINES_MAX,
        removeHistoryDuplicates: true,
      },
      completer: (line: string, done: (error: null, found: [string[], string]) => void): void =>
        void complete(line, connection.handle).then((found) => done(null, found)),
    });
  }

  /** Resolves when the person has left. */
  async run(printer: Printer): Promise<void> {
    printer.besides({
      before: () => this.#running === null && this.#options.output.write(START_OF_EMPTY_LINE),
      after: () => this.#running === null && this.#prompt(),
    });
    printer.note("Welcome to ZooKeeper! help lists the commands, quit leaves.");
    this.#lines.on("SIGINT", () => this.#interrupt());
    this.#prompt();
    await new Promise<void>((resolve) => {
      let typed = Promise.resolve();
      this.#lines.on("line", (line) => {
        typed = typed.then(() => this.#execute(line));
      });
      this.#lines.on("close", () => {
        this.#running?.abort(new Error("the terminal is gone"));
        // Ctrl-D leaves the cursor behind the prompt.
        if (!this.#interpreter.isOver) this.#options.output.write("\n");
        void typed.then(resolve);
      });
    });
    printer.besides(null);
  }

  async #execute(line: string): Promise<void> {
    if (this.#interpreter.isOver) return;
    const { historyFile } = this.#options;
    if (historyFile !== null) keepLine(historyFile, line);
    this.#running = new AbortController();
    await this.#interpreter.execute(line, this.#running.signal);
    this.#running = null;
    if (this.#interpreter.isOver) this.#lines.close();
    else this.#prompt();
  }

  #prompt(): void {
    const { servers, stateName } = this.#connection;
    const text = `[zk: ${servers}(${stateName}) ${this.#interpreter.lineCount}] `;
    this.#lines.setPrompt(this.#options.colour ? `${GREEN}${text}${PLAIN}` : text);
    this.#lines.prompt(true);
  }

  /** Ends the command; where there is none, the line. */
  #interrupt(): void {
    if (this.#running !== null) return this.#running.abort(new Error("interrupted"));
    this.#options.output.write("\n");
    this.#lines.write(null, { ctrl: true, name: "e" });
    this.#lines.write(null, { ctrl: true, name: "u" });
    this.#prompt();
  }
}
