/**
 * Text of an object in `console.log`: by methods that Node, Bun and Deno look for under symbols of their own. These are known by name, so
 * that nothing is imported.
 */

/** Node's and Bun's, and Deno's. */
const SYMBOLS = [Symbol.for("nodejs.util.inspect.custom"), Symbol.for("Deno.customInspect")];

/** Lets the objects of a class be shown as a text. */
export function showAs<T extends object>(prototype: T, textOf: (shown: T) => string): void {
  const value = function (this: T): string {
    return textOf(this);
  };
  for (const symbol of SYMBOLS) Object.defineProperty(prototype, symbol, { value });
}
