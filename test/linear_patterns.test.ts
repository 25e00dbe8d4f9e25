/**
 * The rule that no regular expression of the product takes more than linear time, whatever it is held against: one that tries its parts against
 * one another stops a server for minutes with a megabyte of text.
 *
 * Linear by their form are patterns without unbounded repetition, a single class that is sticky, and one unbounded repetition behind `^`. The
 * others are listed here, each read by a person: why its parts can't take the same character.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readSources } from "./support/source.ts";

/** Patterns of several repetitions, and what keeps them apart. */
const REVIEWED: Readonly<Record<string, string>> = {
  [String.raw`/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i`]: "digits, and dots between them",
  [String.raw`/^::ffff:\d+\.\d+\.\d+\.\d+$/i`]: "digits, and dots between them",
  [String.raw`/^[^:]*:[^:]+:*$/`]: "colons, and what is none",
  [String.raw`/^[^/@]*(\/[^/@]*)?@[^/@]*$/`]: "a slash or an @ ends each part",
  [String.raw`/^(?:OID\.)?[0-2](?:\.\d+)+$/i`]: "a dot begins each part",
  [String.raw`/^\[([^\]]+)\](?::(.*))?$/`]: "the first bracket ends the first part, and anything may follow",
  [String.raw`/^(?:\[([^[\]]+)\]|([^:[\]]+))(?::(\d+))?$/`]: "a bracket or a colon ends each part",
  [String.raw`/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/`]: "a unit ends each part",
  [String.raw`/(\d+(?:\.\d+)?)(ms|[smhd])/g`]: "held only against what has passed the one above",
  [String.raw`/(?:^|[^\\])(?:\\\\)*\\\r?$/`]: "each run of backslashes has one beginning",
  [String.raw`/^Mode: .*$/m`]: "a line ends where the next begins",
  [String.raw`/^(0x[\da-f]+|\d+)$/i`]: "an x tells the two apart",
  [String.raw`/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/`]: "a dot is between the digits",
  [String.raw`/^\s*\d{1,15}\s*(,\s*\d{1,15}\s*)*$/`]: "a comma or digits stand between the spaces",
  [String.raw`/^-?\d+\.\d+$/`]: "a dot is between the digits",
  [String.raw`/^\s*([^\s=:]*)/`]: "space, then what is none",
  [String.raw`/^Max open files\s+(\d+)/m`]: "space, then digits",
};

describe("regular expressions", () => {
  const product = [...readSources("mod.ts"), ...readSources("lib"), ...readSources("adapters")];
  const found = product.flatMap(({ path, patterns }) => patterns.map(({ text, line }) => ({ text, place: `${path}:${line}` })));

  test("take linear time by their form, or have been reviewed", () => {
    const unsafe = found.filter(({ text }) => !isLinear(text) && !Object.hasOwn(REVIEWED, text));
    assert.deepEqual(
      unsafe.map(
        ({ place, text }) => `${place}: ${text} may try its parts against one another: read it run by run (text_scanner.ts)`,
      ),
      [],
    );
  });

  test("are all there that were reviewed", () => {
    const known = new Set(found.map(({ text }) => text));
    assert.deepEqual(
      Object.keys(REVIEWED).filter((text) => !known.has(text)),
      [],
    );
  });

  test("are not made of text while the program runs, but for the test kit's globs", () => {
    const makers = product.filter(({ code }) => /\bRegExp\s*\(/.test(code)).map(({ path }) => path);
    assert.deepEqual(makers, ["lib/testing/scope.ts"]);
  });
});

describe("the rule sees", () => {
  for (const text of [
    String.raw`/[,;]+$/`,
    String.raw`/^\d+\.?\d*$/`,
    String.raw`/^(?:\d+x)+$/`,
    String.raw`/\s*a/y`,
    String.raw`/ {3,}$/`,
  ]) {
    test(`that ${text} may not be linear`, () => assert.equal(isLinear(text), false));
  }
  for (const text of [
    String.raw`/[^"\\]*/y`,
    String.raw`/^\d{1,5}$/`,
    String.raw`/["\\+*]/g`,
    String.raw`/^x(?:a|b)+$/`,
    String.raw`/a\+\*/`,
  ]) {
    test(`that ${text} is`, () => assert.equal(isLinear(text), true));
  }
});

/** Whether its form alone says so. */
function isLinear(pattern: string): boolean {
  const end = pattern.lastIndexOf("/");
  const [body, flags] = [pattern.slice(1, end), pattern.slice(end + 1)];
  const bare = body.replace(/\\./gs, "_").replace(/\[[^\]]*\]/g, "_");
  const repetitions = bare.match(/[*+]|\{\d+,\}/g)?.length ?? 0;
  if (repetitions === 0) return true;
  return repetitions === 1 && (bare.startsWith("^") ? !flags.includes("m") : /^[._]\*$/.test(bare) && flags.includes("y"));
}
