/**
 * The real world's time, randomness and log, the same on Node, Bun and Deno: what `open()` uses unless told otherwise.
 *
 * Invariant: nothing here keeps the process alive or holds a resource; there is nothing to close.
 */
import { fstatSync } from "node:fs";
import process from "node:process";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import type { Clock, Logger } from "../lib/ports.ts";

/** Longest delay of a platform timer; a longer one would fire at once. */
const TIMER_DELAY_MS_MAX = 2 ** 31 - 1;
/** A timer that is so late, milliseconds, comes after a stall of the event loop, and before the input that came meanwhile. */
const STALLED_MS = 20;
/**
 * That input is heard first, or peers would be called silent who were not: so long, milliseconds, do late wake-ups wait. Deno looks at its sockets in
 * a turn of its own and hands over what it found in a later one.
 */
const AFTER_STALL_MS = 50;

/** The machine's clocks: `mono` since the process began, `wall` as the system's date has it. */
export function systemClock(): Clock {
  return { now: () => ({ mono: performance.now(), wall: Date.now() }), wakeAt };
}

function wakeAt(mono: number, wake: () => void): () => void {
  let timer: NodeJS.Timeout;
  const due = Math.max(mono, performance.now());
  const late: LateWake = { due, wake };
  const arm = (): void => {
    const delay = Math.ceil(mono - performance.now());
    timer = setTimeout(fire, Math.min(Math.max(delay, 0), TIMER_DELAY_MS_MAX));
    timer.unref();
  };
  // A timer may be early by a fraction of a millisecond, and a far wake-up takes several timers.
  const fire = (): void => {
    const lateMs = performance.now() - due;
    if (lateMs < 0) arm();
    else if (lateMs < STALLED_MS) wake();
    else afterInput(late);
  };
  arm();
  return () => {
    clearTimeout(timer);
    late.wake = null;
  };
}

/** A wake-up that came after a stall; no `wake`: it was cancelled. */
interface LateWake {
  readonly due: number;
  wake: (() => void) | null;
}

const lateWakes: LateWake[] = [];

/** Late wake-ups come in the order in which they were due: who was to ping within a stall does so before anybody is called silent. */
function afterInput(late: LateWake): void {
  lateWakes.push(late);
  if (lateWakes.length > 1) return;
  const run = (): void => {
    const all = lateWakes.splice(0).sort((one, other) => one.due - other.due);
    for (const next of all) setImmediate(() => next.wake?.());
  };
  setTimeout(() => setImmediate(run), AFTER_STALL_MS).unref();
}

/** Calls back in a turn of the event loop that comes after what has arrived meanwhile. */
export function soon(run: () => void): void {
  setImmediate(run);
}

/** A text that nobody can guess and that never comes twice: 32 random bytes in hexadecimal. */
export function nonce(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** How much a log tells, from everything to nothing. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];
const COLOURS = { debug: "\x1b[2m", info: "", warn: "\x1b[33m", error: "\x1b[31m" } as const;

/** What {@link consoleLogger} may be told. */
export interface ConsoleLoggerOptions {
  /** The least severe level that is written; `info` unless told. */
  readonly level?: LogLevel;
  /** Takes finished lines, without their end; standard error unless told. */
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
  const write = options.write ?? ((line) => console.error(line));
  const colour = options.colour ?? (!process.env.NO_COLOR && isTerminal(STDERR));
  const least = LEVELS.indexOf(options.level ?? "info");
  const at = (level: keyof typeof COLOURS): ((message: string) => void) => {
    if (LEVELS.indexOf(level) < least) return () => {};
    const [on, off] = colour && COLOURS[level] !== "" ? [COLOURS[level], "\x1b[0m"] : ["", ""];
    return (message) => write(`${on}${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${printable(message)}${off}`);
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

const STDERR = 2;

/** Asks the file itself: to ask `process.stderr` would load all of the runtime's streams, which takes longer than a server to start. */
function isTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice();
  } catch {
    return false;
  }
}

/** Control characters would let a client's bytes forge log lines or drive the terminal. */
function printable(message: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return message.replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
