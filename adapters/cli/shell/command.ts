/**
 * Form of a command of the shell: what it is called with, what it does with the words of a line, and what it answers.
 *
 * Not here: the commands (the other files of this folder name them), and how an answer is written (printer.ts).
 */
import type { Watcher } from "../../../lib/client/watchers.ts";
import type { ZooKeeper } from "../../../mod.ts";
import type { FlagKinds, Flags } from "./flags.ts";
import type { Style } from "./style.ts";
import type { ShownEvent } from "./text.ts";

/** What a command has to say, in both forms. */
export interface Answer {
  readonly lines: readonly string[];
  /** For `--json`: the members of the document. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** A command that has been carried out in silence. */
export const SILENT: Answer = { lines: [], json: {} };

/** What a command of the shell's own may do to the shell. */
export interface ShellControl {
  /** Lines of this run by number, the one under way included. */
  readonly history: readonly string[];
  /** Says whether events are printed; null: only asks. */
  printWatches(wanted: boolean | null): boolean;
  /** Carries out a line of the history again. */
  redo(line: string): Promise<Answer>;
  /** Leaves these servers for others; null: the same ones, with a new session. */
  connect(servers: string | null): Promise<void>;
  close(): Promise<void>;
  quit(): void;
}

/** One use of a command. */
export interface Call {
  readonly operands: readonly string[];
  readonly flags: Flags;
  readonly style: Style;
  /** Aborts when the command is to end. */
  readonly signal: AbortSignal;
  readonly shell: ShellControl;
  /** The handle, once it is connected; rejects where it can't be. */
  zk(): Promise<ZooKeeper>;
  /** Prints events. It is the same one for all watches, so that it hears of each change once. */
  readonly watcher: Watcher;
  /** Prints an event that the client makes itself. */
  event(event: Omit<ShownEvent, "state">): void;
  /** Says something that is no answer: on standard error. */
  note(line: string): void;
}

export interface Command {
  readonly name: string;
  /** What follows the name. */
  readonly synopsis: string;
  readonly summary: string;
  readonly example: string;
  readonly flags: FlagKinds;
  /** Of these options there can be one at a time. */
  readonly exclusive?: readonly string[];
  /** How many operands it needs. */
  readonly least: number;
  /** How many it takes; more are ignored, as in zkCli.sh, unless it says so here. */
  readonly most?: number;
  readonly run: (call: Call) => Promise<Answer> | Answer;
}

/** The line that `help` and a wrong use show. */
export function usageOf({ name, synopsis }: Pick<Command, "name" | "synopsis">): string {
  return `${name} ${synopsis}`;
}
