/**
 * Checks of arguments by their JavaScript type: options objects, whole numbers, texts, functions, signals; and a value's text in a message.
 *
 * Not here: what ZooKeeper judges itself, such as the characters of a path. The settings of `open()` have a schema (options/schema.ts).
 *
 * Invariants: a check throws a TypeError that names the argument and shows the right form, and it never calls what it is given. `action` is the
 * verb of the message, as in "Cannot delete: …".
 */
import type { AbortSignal } from "./platform_types.ts";

/** The error of an argument. */
export function argumentError(action: string, problem: string): TypeError {
  return new TypeError(`Cannot ${action}: ${problem}`);
}

/**
 * Checks that a value is an object of options without unknown keys. A key whose value is undefined counts as absent; its values are not looked at.
 *
 * @param example the right form, such as `{ version: 7 }`
 *
 * @example
 * ```ts
 * checkOptions("delete", { vesrion: 3 }, ["version", "signal"], "{ version: 7 }");
 * // TypeError: Cannot delete: options have no "vesrion"; "version" is probably meant
 * ```
 */
export function checkOptions(
  action: string,
  value: unknown,
  known: readonly string[],
  example: string,
  name = "options",
): asserts value is object {
  if (typeof value !== "object" || value === null || !isRecord(value))
    throw argumentError(action, `${name} must be an object such as ${example}, not ${describe(value)}`);
  for (const key in value) {
    if (known.includes(key) || !Object.hasOwn(value, key) || value[key as keyof typeof value] === undefined) continue;
    const near = nearestName(key, known);
    const hint = near === null ? `there are ${known.join(", ")}` : `"${near}" is probably meant`;
    throw argumentError(action, `${name} have no ${describe(key)}; ${hint}`);
  }
}

/** Whether an object is there for its properties: not an array, a promise, a map, a date, an AbortSignal … */
function isRecord(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || tagOf(value) === "Object";
}

export function checkString(action: string, name: string, value: unknown, example: string): asserts value is string {
  if (typeof value !== "string")
    throw argumentError(action, `${name} must be a string such as ${example}, not ${describe(value)}`);
}

export function checkBoolean(action: string, name: string, value: unknown): asserts value is boolean {
  if (typeof value !== "boolean") throw argumentError(action, `${name} must be true or false, not ${describe(value)}`);
}

export function checkFunction(action: string, name: string, value: unknown, example: string): asserts value is () => unknown {
  if (typeof value !== "function")
    throw argumentError(action, `${name} must be a function such as ${example}, not ${describe(value)}`);
}

/** A name among a few. */
export function checkOneOf<Name extends string>(
  action: string,
  name: string,
  value: unknown,
  names: readonly Name[],
): asserts value is Name {
  if (names.includes(value as Name)) return;
  const all = names.map((one) => `"${one}"`).join(" or ");
  throw argumentError(action, `${name} must be ${all}, not ${describe(value)}`);
}

/** Both ends belong to the range. */
export function checkWholeNumber(
  action: string,
  name: string,
  value: unknown,
  min: number,
  max: number,
): asserts value is number {
  if (!(Number.isInteger(value) && (value as number) >= min && (value as number) <= max))
    throw argumentError(action, `${name} must be a whole number from ${min} to ${max}, not ${describe(value)}`);
}

/** Of whichever realm or library the signal is. */
export function checkSignal(action: string, value: unknown): asserts value is AbortSignal {
  const signal = value as AbortSignal | null;
  const isSignal =
    typeof signal === "object" &&
    signal !== null &&
    typeof signal.aborted === "boolean" &&
    typeof signal.addEventListener === "function" &&
    typeof signal.removeEventListener === "function";
  if (!isSignal) throw argumentError(action, `signal must be an AbortSignal, not ${describe(value)}`);
}

/**
 * The name among others that was probably meant, or is begun; null where none is near.
 *
 * @example
 * ```ts
 * nearestName("vesrion", ["version", "signal"]); // "version"
 * ```
 */
export function nearestName(name: string, names: Iterable<string>): string | null {
  const wanted = name.slice(0, NAME_LENGTH_MAX).toLowerCase();
  let nearest: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const one of names) {
    const shorter = Math.min(wanted.length, one.length);
    const edits = shorter > 2 && one.toLowerCase().startsWith(wanted) ? 0 : editsBetween(wanted, one.toLowerCase());
    if (edits >= least || edits >= shorter || edits > Math.max(2, shorter / 3)) continue;
    nearest = one;
    least = edits;
  }
  return nearest;
}

/** Longer names are none of ours, and need not be compared to their end. */
const NAME_LENGTH_MAX = 64;

/** How many letters must be put in, left out, replaced or swapped with the next one to make one text of the other. */
function editsBetween(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const replaced = last[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swapped = isSwapped ? beforeLast[j - 2]! + 1 : replaced;
      row.push(Math.min(replaced, swapped, last[j]! + 1, row[j - 1]! + 1));
    }
    beforeLast = last;
    last = row;
  }
  return last[other.length]!;
}

const TEXT_LENGTH_MAX = 60;

/**
 * A value as messages show it: short, on one line, and without calling anything that belongs to it but a getter of its tag.
 *
 * @example
 * ```ts
 * describe(7n); // "7n"
 * describe(Promise.resolve()); // "a Promise (is an await missing?)"
 * ```
 */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > TEXT_LENGTH_MAX ? `${value.slice(0, TEXT_LENGTH_MAX)}…` : value);
    case "bigint":
      return shortened(`${value}n`);
    case "symbol":
      return "a symbol";
    case "function":
      return "a function";
    case "object":
      return value === null ? "null" : describeObject(value);
    default:
      return Object.is(value, -0) ? "-0" : String(value);
  }
}

function describeObject(value: object): string {
  const tag = tagOf(value);
  if (tag === "Object" || !/^\w{1,40}$/.test(tag)) return "an object";
  if (tag === "Promise") return "a Promise (is an await missing?)";
  const withArticle = `${/^[AEIO]/i.test(tag) ? "an" : "a"} ${tag}`;
  return ["String", "Number", "Boolean", "Symbol", "BigInt"].includes(tag) ? `${withArticle} object` : withArticle;
}

/** What an object calls itself, of whichever realm it is; "" where looking at it throws. */
function tagOf(value: object): string {
  try {
    return Object.prototype.toString.call(value).slice("[object ".length, -1);
  } catch {
    return "";
  }
}

function shortened(text: string): string {
  return text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}…` : text;
}
