/**
 * Shapes of the objects that callers hand in, such as options: which keys there are, and which values each of them takes.
 *
 * Not here: arguments one by one (validate.ts), and the settings of `open()`, which have a schema (options/schema.ts). Invariant: of plain data a copy
 * comes out, so that what a caller changes afterwards changes nothing here. Functions, and objects with methods, are the caller's own and stay so.
 */

import type { AbortSignal } from "../base/platform_types.ts";
import {
  argumentError,
  checkBoolean,
  checkFunction,
  checkOptions,
  checkSignal,
  checkString,
  checkWholeNumber,
  describe,
  nearestName,
} from "../base/validate.ts";
import { pathProblem } from "../model/path.ts";

/**
 * Takes one value: what comes out is what holds from then on. `action` and `name` are for the message: "Cannot connect: tls.key must be …".
 *
 * @throws TypeError that names the value, what belongs there, and what was given
 */
export type Take<T> = (given: unknown, action: string, name: string) => T;

/** An object's keys, and how the value of each is taken. */
export type Shape<T> = { readonly [Key in keyof T]-?: Take<Exclude<T[Key], undefined>> };

/** The name of an object whose keys are named alone. */
export const OPTIONS = "options";

/**
 * The options of a public function.
 *
 * @param take made by {@link objectOf}
 * @throws TypeError that names the key that is wrong, and for a key that there isn't the one that is probably meant
 */
export function takeOptions<T>(action: string, given: unknown, take: Take<T>): T {
  return take(given, action, OPTIONS);
}

/**
 * An object of one shape. A key whose value is undefined counts as absent.
 *
 * @param example the right form, such as `{ port: 2181 }`
 * @param required the keys that must be there
 */
export function objectOf<T extends object>(
  shape: Shape<T>,
  example: string,
  required: readonly (keyof T & string)[] = [],
): Take<T> {
  const known = Object.keys(shape) as (keyof T & string)[];
  return (given, action, name) => {
    checkOptions(action, given, known, example, name);
    const taken: Partial<T> = {};
    for (const key of known) {
      const value = (given as T)[key];
      if (value !== undefined) taken[key] = shape[key](value, action, below(name, key));
    }
    const missing = required.find((key) => taken[key] === undefined);
    if (missing !== undefined) throw argumentError(action, `${below(name, missing)} is missing, as in ${example}`);
    return taken as T;
  };
}

/**
 * The options that a function takes itself, and the rest, which it hands on to who knows them. Their names should be told there, too: for who
 * misspells one.
 */
export function splitOptions<T extends object, All extends T>(
  action: string,
  given: All,
  shape: Shape<T>,
  example: string,
): { readonly own: Partial<T>; readonly rest: Omit<All, keyof T> } {
  checkRecord(action, OPTIONS, given, example);
  const own: Partial<T> = {};
  for (const key of Object.keys(shape) as (keyof T & string)[]) {
    const value = given[key];
    if (value !== undefined) own[key] = shape[key](value as never, action, key);
  }
  const rest = Object.entries(given).filter(([key]) => !Object.hasOwn(shape, key));
  return { own, rest: Object.fromEntries(rest) as Omit<All, keyof T> };
}

/** An object whose keys are the caller's own names. */
export function recordOf<T>(take: Take<T>, example: string): Take<Record<string, T>> {
  return (given, action, name) => {
    const entries = plainEntries(action, name, given, example);
    return Object.fromEntries(entries.map(([key, value]) => [key, take(value, action, `${name}[${describe(key)}]`)]));
  };
}

/** The keys and values of an object that holds nothing else, and is no instance of a class. */
export function plainEntries(action: string, name: string, given: unknown, example: string): [key: string, value: unknown][] {
  checkRecord(action, name, given, example);
  const prototype: unknown = Object.getPrototypeOf(given);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw argumentError(action, `${name} must be an object such as ${example}, not an instance of a class`);
  return Object.entries(given).filter(([, value]) => value !== undefined);
}

/** Checks that a value is an object, with whatever keys. */
function checkRecord(action: string, name: string, given: unknown, example: string): asserts given is object {
  checkOptions(action, given, Object.keys(Object(given)), example, name);
}

function below(name: string, key: string): string {
  return name === OPTIONS ? key : `${name}.${key}`;
}

// ── plain values ──

export function text(example: string): Take<string> {
  return (given, action, name) => {
    checkString(action, name, given, example);
    return given;
  };
}

/** A path as znodes have it. */
export const znodePath: Take<string> = (given, action, name) => {
  checkString(action, name, given, '"/app/config"');
  const problem = pathProblem(given, { allowRangeEnds: true });
  if (problem !== null) throw argumentError(action, `${name} ${describe(given)}: ${problem}`);
  return given;
};

/** A text that no message shows. */
export const secret: Take<string> = (given, action, name) => {
  if (typeof given !== "string") throw argumentError(action, `${name} must be a string`);
  return given;
};

export const flag: Take<boolean> = (given, action, name) => {
  checkBoolean(action, name, given);
  return given;
};

export const anyNumber: Take<number> = (given, action, name) => {
  if (typeof given !== "number") throw argumentError(action, `${name} must be a number, not ${describe(given)}`);
  return given;
};

export function wholeNumber(least: number, most: number): Take<number> {
  return (given, action, name) => {
    checkWholeNumber(action, name, given, least, most);
    return given;
  };
}

export const bigInt: Take<bigint> = (given, action, name) => {
  if (typeof given !== "bigint") throw argumentError(action, `${name} must be a bigint such as 7n, not ${describe(given)}`);
  return given;
};

/** One of these names, and no inherited one. */
export function oneOf<const Name extends string>(names: readonly Name[]): Take<Name> {
  return (given, action, name) => {
    const found = names.find((one) => one === given);
    if (found !== undefined) return found;
    const near = typeof given === "string" ? nearestName(given, names) : null;
    const hint = near === null ? "" : `; "${near}" is probably meant`;
    throw argumentError(action, `${name} must be one of ${names.join(", ")}, not ${describe(given)}${hint}`);
  };
}

export function listOf<T>(take: Take<T>, example: string): Take<T[]> {
  return (given, action, name) => {
    if (!Array.isArray(given))
      throw argumentError(action, `${name} must be an array such as ${example}, not ${describe(given)}`);
    return Array.from(given, (one: unknown, at) => take(one, action, `${name}[${at}]`));
  };
}

export function orNull<T>(take: Take<T>): Take<T | null> {
  return (given, action, name) => (given === null ? null : take(given, action, name));
}

// ── what stays the caller's own ──

export const signal: Take<AbortSignal> = (given, action) => {
  checkSignal(action, given);
  return given;
};

export function callback<T extends (...args: never[]) => unknown>(example: string): Take<T> {
  return (given, action, name) => {
    checkFunction(action, name, given, example);
    return given as unknown as T;
  };
}

/** An object with these methods, its own or its class's; `example` makes one. */
export function having<T extends object>(methods: readonly (keyof T & string)[], example: string): Take<T> {
  return (given, action, name) => {
    const missing = methods.filter((method) => typeof (given as T | null | undefined)?.[method] !== "function");
    if (missing.length === 0 && typeof given === "object") return given as T;
    const lacks = typeof given === "object" && given !== null ? `; ${missing.join(", ")} is missing` : "";
    throw argumentError(
      action,
      `${name} must be an object with ${methods.join(", ")}, such as ${example}, not ${describe(given)}${lacks}`,
    );
  };
}
