/**
 * Java's long from decimal text, as its `Long.parseLong` reads it: a sign, leading zeros, no space.
 *
 * Invariant: the work is linear in the text, also where it has a million digits; the engines' own conversion is not.
 */

const FORM = /^[+-]?\d+$/;
/** Digits of the largest one. */
const DIGITS_MAX = 19;

/** The number; null for a text that is none, or one that no long can be. */
export function parseJavaLong(text: string): bigint | null {
  if (!FORM.test(text)) return null;
  const signed = text[0] === "-" || text[0] === "+";
  let start = signed ? 1 : 0;
  while (start < text.length - 1 && text[start] === "0") start++;
  if (text.length - start > DIGITS_MAX) return null;
  const size = BigInt(text.slice(start));
  const number = text[0] === "-" ? -size : size;
  return BigInt.asIntN(64, number) === number ? number : null;
}
