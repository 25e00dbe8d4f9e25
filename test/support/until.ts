/** Waiting for what must come true, without guessing how long it takes. */

const WAIT_MS_MAX = 20_000;

/** Resolves once `condition` holds; rejects with `what`, asked for only then, if it takes longer than any healthy machine would. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  msMax: number = WAIT_MS_MAX,
): Promise<void> {
  const start = performance.now();
  for (let delay = 0; !(await condition()); delay = Math.min(delay + 1, 10)) {
    if (performance.now() - start > msMax)
      throw new Error(`waited ${msMax} ms in vain: ${typeof what === "string" ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
}
