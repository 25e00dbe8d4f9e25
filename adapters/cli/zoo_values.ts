/**
 * The kinds of values that zoo.cfg has, each as a schema with the words that tell a person what is allowed.
 *
 * Not here: which key has which kind.
 */
import * as z from "zod/mini"; // as a namespace, so that bundlers leave out what is not used

/** How a key's text is read. */
export interface ValueKind<T> {
  /** Completes "… is not allowed here; allowed: ". */
  readonly allowed: string;
  readonly schema: z.ZodMiniType<T, string>;
}

const INT_MAX = 2 ** 31 - 1;

interface Range {
  readonly least?: number;
  readonly most?: number;
  readonly unit?: string;
  /** Said of numbers with a meaning of their own: `0 for no limit`. */
  readonly note?: string;
}

/** A whole number of Java's int range, or of a part of it. */
export function whole({ least = 0, most = INT_MAX, unit, note }: Range = {}): ValueKind<number> {
  const words = `a whole number from ${least} to ${most}${unit === undefined ? "" : ` (${unit})`}`;
  return {
    allowed: note === undefined ? words : `${words}; ${note}`,
    schema: numberOf(/^[+-]?\d+$/, least, most),
  };
}

/** A number of bytes, in decimal or, as Java takes it for a system property, in hexadecimal: `0x3fffff`. */
export function byteCount(least: number, most: number): ValueKind<number> {
  return {
    allowed: `a number of bytes from ${least} to ${most}, decimal or 0x…`,
    schema: numberOf(/^(0x[\da-f]+|\d+)$/i, least, most),
  };
}

/** A number with decimals. */
export function fraction(least: number, most: number): ValueKind<number> {
  return {
    allowed: `a number from ${least} to ${most}`,
    schema: numberOf(/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/, least, most),
  };
}

function numberOf(form: RegExp, least: number, most: number): z.ZodMiniType<number, string> {
  const read = z.pipe(z.string().check(z.regex(form)), z.transform(Number));
  return z.pipe(read, z.number().check(z.minimum(least), z.maximum(most)));
}

/** The same values, each turned into another. */
export function mapped<A, B>({ allowed, schema }: ValueKind<A>, turn: (value: A) => B): ValueKind<B> {
  return { allowed, schema: z.pipe(schema, z.transform(turn)) };
}

/** `true` or `false` in any case. */
export function bool(): ValueKind<boolean> {
  return switched("true", "false");
}

/** `yes` or `no`: what older keys have instead. */
export function yesNo(): ValueKind<boolean> {
  return switched("yes", "no");
}

function switched(on: string, off: string): ValueKind<boolean> {
  return {
    allowed: `${on} or ${off}`,
    schema: z.pipe(
      z.pipe(z.string().check(z.toLowerCase()), z.enum([on, off])),
      z.transform((text) => text === on),
    ),
  };
}

/** One of some words, exactly as written. */
export function oneOf<const Word extends string>(...words: readonly Word[]): ValueKind<Word> {
  return { allowed: words.join(" or "), schema: z.enum(words) };
}

/** The few values of a key that this server can accept, and why no others. */
export function only(words: readonly string[], why: string): ValueKind<string> {
  return { allowed: `${words.join(" or ") || "nothing"} (${why})`, schema: z.enum(words) };
}

/** Any text but none. */
export function text(what = "a text"): ValueKind<string> {
  return { allowed: `${what}, not nothing`, schema: z.string().check(z.minLength(1)) };
}

/** A comma-separated list; empty entries don't count. */
export function list(what: string): ValueKind<readonly string[]> {
  return {
    allowed: `${what}, separated by commas`,
    schema: z.pipe(
      z.string(),
      z.transform((all: string) =>
        all
          .split(",")
          .map((one) => one.trim())
          .filter((one) => one !== ""),
      ),
    ),
  };
}
