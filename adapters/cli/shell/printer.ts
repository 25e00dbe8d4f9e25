/**
 * Output of the shell: answers on standard output, all else on standard error; colours, and no control characters, where a person looks.
 *
 * Invariant: what is written to either stands there in the order in which it was written, also where both are the same.
 */
import type { Answer } from "./command.ts";
import type { CommandFailure } from "./failures.ts";
import type { Style } from "./style.ts";
import { eventText, type ShownEvent } from "./text.ts";

/** One of the two outputs. */
export interface Output {
  write(text: string): void;
  /** Whether a person looks at it. */
  readonly isTerminal: boolean;
}

export interface PrinterOptions {
  readonly out: Output;
  readonly err: Output;
  /** One JSON document a command, instead of text. */
  readonly json: boolean;
  readonly style: Style;
  /** Whether terminals get colours. */
  readonly colour: boolean;
}

const RED = "\x1b[31m";
const DIM = "\x1b[2m";
const PLAIN = "\x1b[0m";

/** What is done around events, which come while somebody may be typing. */
export interface Besides {
  before(): unknown;
  after(): unknown;
}

export class Printer {
  readonly #options: PrinterOptions;
  #besides: Besides | null = null;

  constructor(options: PrinterOptions) {
    this.#options = options;
  }

  besides(besides: Besides | null): void {
    this.#besides = besides;
  }

  answer(command: string, { lines, json }: Answer): void {
    const { out } = this.#options;
    if (this.#options.json) this.#document({ command, exitCode: 0, ...json });
    else if (lines.length > 0) write(out, `${lines.join("\n")}\n`);
  }

  failure(command: string, { message, exitCode, code, path, hint }: CommandFailure): void {
    if (this.#options.json) {
      const error = { message, ...(code !== null && { code }), ...(path !== null && { path }), ...(hint !== null && { hint }) };
      return this.#document({ command, exitCode, error });
    }
    if (message !== "") this.#say(message, RED);
    // Only for a person: whoever reads what zkCli.sh says doesn't know such lines.
    if (hint !== null && this.#options.err.isTerminal) this.note(`Hint: ${hint}`);
  }

  /** An event: one of a znode is an answer that comes later, one of the connection is not. */
  event(event: ShownEvent): void {
    const { json, out, err, style } = this.#options;
    this.#besides?.before();
    if (json) err.write(`${JSON.stringify({ event: { ...event, zxid: `${event.zxid}` } })}\n`);
    else if (event.path === null) this.#say(eventText(event, style), DIM);
    else write(out, `${eventText(event, style)}\n`);
    this.#besides?.after();
  }

  /** What comes while somebody may be typing: what goes wrong with the connection. */
  news(line: string): void {
    this.#besides?.before();
    this.note(line);
    this.#besides?.after();
  }

  /** What is no answer: connection lines, advice. */
  note(line: string): void {
    this.#say(line, DIM);
  }

  #say(text: string, colour: string): void {
    const { err } = this.#options;
    const [on, off] = this.#options.colour && err.isTerminal ? [colour, PLAIN] : ["", ""];
    err.write(`${on}${safe(err, text)}${off}\n`);
  }

  #document(members: Readonly<Record<string, unknown>>): void {
    this.#options.out.write(`${JSON.stringify(members, (_, value) => (typeof value === "bigint" ? `${value}` : value))}\n`);
  }
}

function write(output: Output, text: string): void {
  output.write(safe(output, text));
}

/** Data of others must not drive a person's terminal. */
function safe({ isTerminal }: Output, text: string): string {
  if (!isTerminal) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
