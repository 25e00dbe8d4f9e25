/**
 * Options of one command, such as `-s` and `-v 3`, taken out of its words. They may stand anywhere, and several letters in one word (`-sw`, `-v3`);
 * behind `--` there are none.
 *
 * Not here: what they mean. Invariant: a word that begins with a hyphen is an option or an error, never taken for a path.
 */
import { UsageError } from "./failures.ts";

/** The options that a command has: `flag` for one that stands alone, `value` for one that is followed by its value. */
export type FlagKinds = Readonly<Record<string, "flag" | "value">>;

/** What was found. */
export interface Flags {
  has(name: string): boolean;
  /** The value that was given first; undefined for none. */
  value(name: string): string | undefined;
  /** All values, in their order. */
  values(name: string): readonly string[];
}

export interface Taken {
  readonly flags: Flags;
  /** The words that are no options. */
  readonly operands: readonly string[];
}

/** The names of Java's errors belong to the text that zkCli.sh prints, and scripts look for. */
const JAVA = "org.apache.commons.cli.";

/**
 * @throws UsageError for an option that there isn't, that lacks its value, or that excludes another one
 */
export function takeFlags(words: readonly string[], kinds: FlagKinds, exclusive: readonly string[] = []): Taken {
  const found = new Map<string, string[]>();
  const operands: string[] = [];
  const add = (name: string, value: string): void => {
    const other = exclusive.includes(name) ? exclusive.find((one) => one !== name && found.has(one)) : undefined;
    if (other !== undefined) {
      const problem = `The option '${name}' was specified but an option from this group has already been selected: '${other}'`;
      throw new UsageError(`${JAVA}AlreadySelectedException: ${problem}`);
    }
    found.set(name, [...(found.get(name) ?? []), value]);
  };
  const waiting = [...words];
  const nextValue = (name: string): string => {
    const value = waiting.shift();
    if (value !== undefined && isValue(value, kinds)) return value;
    throw new UsageError(`${JAVA}MissingArgumentException: Missing argument for option: ${name}`);
  };
  for (let word = waiting.shift(); word !== undefined; word = waiting.shift()) {
    if (word === "--") for (const rest of waiting.splice(0)) operands.push(rest);
    else if (!word.startsWith("-") || word === "-") operands.push(word);
    else takeWord(word, kinds, add, nextValue);
  }
  return {
    operands,
    flags: { has: (name) => found.has(name), value: (name) => found.get(name)?.[0], values: (name) => found.get(name) ?? [] },
  };
}

function takeWord(
  word: string,
  kinds: FlagKinds,
  add: (name: string, value: string) => void,
  nextValue: (name: string) => string,
): void {
  const unrecognized = (): UsageError => new UsageError(`${JAVA}UnrecognizedOptionException: Unrecognized option: ${word}`);
  const text = word.slice(1);
  const kind = kindOf(kinds, text);
  if (kind !== null) return add(text, kind === "value" ? nextValue(text) : "");
  const equals = text.indexOf("=");
  if (equals > 0 && kindOf(kinds, text.slice(0, equals)) === "value") return add(text.slice(0, equals), text.slice(equals + 1));
  for (const [at, letter] of [...text].entries()) {
    const kindOfLetter = kindOf(kinds, letter);
    if (kindOfLetter === null) throw unrecognized();
    const rest = text.slice(at + 1);
    if (kindOfLetter === "value") return add(letter, rest === "" ? nextValue(letter) : rest);
    add(letter, "");
  }
}

function kindOf(kinds: FlagKinds, name: string): "flag" | "value" | null {
  return Object.hasOwn(kinds, name) ? kinds[name]! : null;
}

/** A number below zero is a value, though it begins as options do. */
function isValue(word: string, kinds: FlagKinds): boolean {
  return (
    !word.startsWith("-") ||
    word === "-" ||
    (/^-\d/.test(word) && !Number.isNaN(Number(word)) && kindOf(kinds, word.slice(1)) === null)
  );
}
