/**
 * Log lines of a thrown value: the message, then the stack, each line a message of its own, since a log keeps what it is told on one line.
 *
 * Invariant: it never throws, whatever was thrown.
 */
import type { Logger } from "../ports.ts";
import { describe } from "./validate.ts";

/** Logs at severity error. `what` begins the first line. */
export function logThrown(logger: Logger, what: string, thrown: unknown): void {
  for (const line of `${what}: ${textOf(thrown)}`.split("\n")) logger.error(line);
}

function textOf(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error)) return describe(thrown);
    const { name, message, stack } = thrown;
    const head = `${name}: ${message}`;
    // V8's stack begins with the message, that of others has the calls alone.
    if (typeof stack !== "string") return head;
    return stack.includes(message) ? stack : `${head}\n${stack}`;
  } catch {
    return "something that can't be looked at";
  }
}
