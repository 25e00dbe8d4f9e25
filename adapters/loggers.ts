/**
 * Loggers of others as ours: pino's and LogTape's forms, each with the facts of a line as data.
 *
 * Not here: our own, on standard error (system.ts). Nothing of theirs is imported: what fits the form will do.
 */
import { argumentError, describe } from "../lib/base/validate.ts";
import type { LogData, Logger } from "../lib/ports.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** What is needed of pino, or of a logger of its form: data first, then the message. */
export type PinoLike = Readonly<Record<(typeof LEVELS)[number], (data: object, message: string) => void>>;

/**
 * A logger that writes to pino, with the facts of a line as fields.
 *
 * @throws TypeError for what has no such methods
 *
 * @example
 * ```ts
 * const server = await open({ logger: pinoLogger(pino()) });
 * ```
 */
export function pinoLogger(pino: PinoLike): Logger {
  check("pinoLogger", pino);
  return loggerOf((level, message, data) => pino[level](data, message));
}

/** What is needed of LogTape, or of a logger of its form: the message first, then data. */
export type LogTapeLike = Readonly<Record<(typeof LEVELS)[number], (message: string, data: Record<string, unknown>) => void>>;

/**
 * A logger that writes to LogTape, with the facts of a line as properties. Braces in a message are doubled, as they would stand for a property.
 *
 * @throws TypeError for what has no such methods
 *
 * @example
 * ```ts
 * const server = await open({ logger: logtapeLogger(getLogger(["app", "zookernel"])) });
 * ```
 */
export function logtapeLogger(logger: LogTapeLike): Logger {
  check("logtapeLogger", logger);
  const escaped = (message: string): string => message.replaceAll("{", "{{").replaceAll("}", "}}");
  return loggerOf((level, message, data) => logger[level](escaped(message), { ...data }));
}

function loggerOf(write: (level: (typeof LEVELS)[number], message: string, data: LogData) => void): Logger {
  const at =
    (level: (typeof LEVELS)[number]) =>
    (message: string, data: LogData = {}) =>
      write(level, message, data);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function check(name: string, given: object): void {
  const missing = LEVELS.find((level) => typeof (given as Partial<PinoLike> | null)?.[level] !== "function");
  if (missing !== undefined)
    throw argumentError(`make a ${name}`, `it takes a logger with ${LEVELS.join(", ")}, not ${describe(given)}`);
}
