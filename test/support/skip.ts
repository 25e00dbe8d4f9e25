/** Reasons why tests are skipped, printed once each: not every runner shows them, and `runtimes/run.ts` lists them at its end. */

const printed = new Set<string>();

/** Prints the reason, and returns it for the test's `skip`. */
export function skipReason(reason: string): string {
  if (!printed.has(reason)) console.error(`tests skipped: ${reason}`);
  printed.add(reason);
  return reason;
}
