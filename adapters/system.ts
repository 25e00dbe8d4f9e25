/**
 * The real world's time, randomness and log, the same on Node, Bun and Deno: what `open()` uses unless told otherwise.
 *
 * Invariant: nothing here keeps the process alive or holds a resource; there is nothing to close.
 */
import process from "node:process";
import { clearTimeout, setTimeout } from "node:timers";
import type { Clock, Logger } from "../lib/ports.ts";

/** Longest delay of a platform timer; a longer one would fire at once. */
const TIMER_DELAY_MS_MAX = 2 ** 31 - 1;

/** The machine's clocks: `mono` since the process began, `wall` as the system's date has it. */
export function systemClock(): Clock {
  return { now: () => ({ mono: performance.now(), wall: Date.now() }), wakeAt };
}

function wakeAt(mono: number, wake: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const delay = Math.ceil(mono - performance.now());
    timer = setTimeout(fire, Math.min(Math.max(delay, 0), TIMER_DELAY_MS_MAX));
    timer.unref();
  };
  // A timer may be early by a fraction of a millisecond, and a far wake-up takes several timers.
  const fire = (): void => (performance.now() < mono ? arm() : wake());
  arm();
  return () => clearTimeout(timer);
}

/** A random whole number, 0 ≤ n < 2³², of cryptographic quality. */
export function randomUint32(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

/** How much a log tells, from everything to nothing. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];
const COLOURS = { debug: "\x1b[2m", info: "", warn: "\x1b[33m", error: "\x1b[31m" } as const;

/** What {@link consoleLogger} may be told. */
export interface ConsoleLoggerOptions {
  /** The least severe level that is written; `info` unless told. */
  readonly level?: LogLevel;
  /** Takes finished lines, newline included; standard error unless told. */
  readonly write?: (line: string) => void;
  /** Whether lines are coloured by severity: unless told, only on a terminal, and not where NO_COLOR is set. */
  readonly colour?: boolean;
}

/**
 * A log on standard error, one line a message: time in UTC, level, text.
 *
 * @example
 * ```ts
 * const server = await open({ logger: consoleLogger({ level: "warn" }) });
 * ```
 */
export function consoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  const write = options.write ?? ((line) => process.stderr.write(line));
  const colour = options.colour ?? (process.stderr.isTTY === true && !process.env.NO_COLOR);
  const least = LEVELS.indexOf(options.level ?? "info");
  const at = (level: keyof typeof COLOURS): ((message: string) => void) => {
    if (LEVELS.indexOf(level) < least) return () => {};
    const [on, off] = colour && COLOURS[level] !== "" ? [COLOURS[level], "\x1b[0m"] : ["", ""];
    return (message) =>
      write(`${on}${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${printable(message)}${off}\n`);
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Control characters would let a client's bytes forge log lines or drive the terminal. */
function printable(message: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return message.replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
