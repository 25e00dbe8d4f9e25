/** Reasons why tests are skipped, printed once each: not every runner shows them, and `runtimes/run.ts` lists them at its end. */

const PREFIX = "tests skipped: ";
const printed = new Set<string>();

/** Prints the reason, and returns it for the test's `skip`. */
export function skipReason(reason: string): string {
  if (!printed.has(reason)) console.error(`${PREFIX}${reason}`);
  printed.add(reason);
  return reason;
}

/** The reasons in what a test file wrote. */
export function skipReasons(output: string): string[] {
  const lines = output.split("\n").filter((line) => line.startsWith(PREFIX));
  return [...new Set(lines)].map((line) => line.slice(PREFIX.length));
}
