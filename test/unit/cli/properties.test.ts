import assert from "node:assert/strict";
import { test } from "node:test";
import { PropertiesError, parseProperties } from "../../../adapters/cli/properties.ts";

/** Text → [key, value, line] of each entry. Expectations are what java.util.Properties reads. */
const CASES: readonly (readonly [what: string, text: string, entries: readonly (readonly [string, string, number])[]])[] = [
  ["nothing", "", []],
  [
    "equals, colon, space",
    "a=1\nb:2\nc 3\n",
    [
      ["a", "1", 1],
      ["b", "2", 2],
      ["c", "3", 3],
    ],
  ],
  [
    "one separator only",
    "a==1\nb: =2\nc = :3",
    [
      ["a", "=1", 1],
      ["b", "=2", 2],
      ["c", ":3", 3],
    ],
  ],
  ["space around keys and before values goes, behind values stays", " \t a \t=\f 1 \t\n", [["a", "1 \t", 1]]],
  [
    "no value",
    "a\nb=\nc:",
    [
      ["a", "", 1],
      ["b", "", 2],
      ["c", "", 3],
    ],
  ],
  ["comments and blank lines", "# a=1\n  ! b=2\n\n \t\nc=3 # not a comment", [["c", "3 # not a comment", 5]]],
  ["a comment is not continued", "# a \\\nb=2", [["b", "2", 2]]],
  [
    "every line end",
    "a=1\r\nb=2\rc=3\n",
    [
      ["a", "1", 1],
      ["b", "2", 2],
      ["c", "3", 3],
    ],
  ],
  [
    "continued lines lose their indent",
    "a=1,\\\n   2,\\\r\n\t3\nb=4",
    [
      ["a", "1,2,3", 1],
      ["b", "4", 4],
    ],
  ],
  ["a continued key", "a\\\n  b=1", [["ab", "1", 1]]],
  [
    "an even number of backslashes continues nothing",
    "a=1\\\\\nb=2",
    [
      ["a", "1\\", 1],
      ["b", "2", 2],
    ],
  ],
  ["a backslash at the very end", "a=1\\", [["a", "1", 1]]],
  ["no comment within a continued line", "a=1\\\n#2", [["a", "1#2", 1]]],
  ["a comment behind a lone backslash", "\\\n#a=1\nb=2", [["b", "2", 3]]],
  ["escaped separators", "a\\=b\\:c\\ d=1", [["a=b:c d", "1", 1]]],
  ["escaped characters", "a=\\t\\n\\r\\f\\\\\\q\\#", [["a", "\t\n\r\f\\q#", 1]]],
  ["unicode", "\\u0061=\\u00e9\\u20AC", [["a", "é€", 1]]],
  ["Windows folders need doubled backslashes", "dataDir=C:\\\\zk\\\\data", [["dataDir", "C:\\zk\\data", 1]]],
  [
    "every entry of a key is kept",
    "a=1\na=2",
    [
      ["a", "1", 1],
      ["a", "2", 2],
    ],
  ],
];

for (const [what, text, entries] of CASES) {
  test(`properties: ${what}`, () => {
    assert.deepEqual(
      parseProperties(text).map(({ key, value, line }) => [key, value, line]),
      entries,
    );
  });
}

test("properties: a broken \\u is refused with its line", () => {
  assert.throws(
    () => parseProperties("a=1\nb=\\u12g4"),
    (error) => error instanceof PropertiesError && error.line === 2 && /four hexadecimal digits/.test(error.message),
  );
});
