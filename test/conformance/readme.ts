/**
 * The parts of the README that are made of tables in the sources: the matrix of opcodes, errors and versions, and the differences
 * from Apache ZooKeeper. Each stands between two comments that name it.
 *
 * readme_write.ts writes them anew; readme.test.ts fails while they are not up to date.
 */

import { readFileSync } from "node:fs";
import { COMPAT_VERSIONS, type Compat } from "../../lib/model/compat.ts";
import { differencesTable } from "../differential/differences.ts";
import { projectPath } from "../support/root.ts";
import { type Answer, OPCODES, type Opcode } from "./answers.ts";

export const README: string = projectPath("README.md");

/** Generated parts by name. */
const PARTS: Readonly<Record<string, () => string>> = { answers: answersTable, differences: differencesTable };

/** The README as it is, and as it ought to be. */
export function readme(): { readonly is: string; readonly ought: string } {
  const is = readFileSync(README, "utf8");
  const ought = Object.entries(PARTS).reduce((text, [name, make]) => {
    const [begin, end] = [`<!-- ${name}: generated -->\n`, `\n<!-- ${name}: end -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from === -1 || to === -1) throw new Error(`README.md has no part "${name}": ${begin.trim()} … ${end.trim()}`);
    return `${text.slice(0, from + begin.length)}\n${make()}\n${text.slice(to)}`;
  }, is);
  return { is, ought };
}

function answersTable(): string {
  return ["| opcode | since | errors |", "|---|---|---|", ...OPCODES.map(answersRow)].join("\n");
}

function answersRow(opcode: Opcode): string {
  const texts = new Set(opcode.answers.filter(({ code }) => code !== "Ok").map((answer) => answerText(opcode, answer)));
  // What all versions answer in one case needs no mention for what some do in another.
  const errors = [...texts].filter((text) => !texts.has(text.replace(/ \(.*/, "")) || !text.includes(" "));
  const more = opcode.inEnsembles === undefined ? "" : `; in an ensemble ${opcode.inEnsembles.join(", ")}`;
  return `| ${opcode.name} (${opcode.number}) | ${opcode.since ?? "3.4"} | ${errors.join(", ")}${more} |`;
}

/** `NoAuth (3.9)`: the versions are told where not all that know the opcode give the answer. */
function answerText({ since = "3.4" }: Opcode, { code, from, to, elsewhere }: Answer): string {
  const [first, last] = [from ?? since, to ?? "3.9"];
  if ((first === since && last === "3.9") || elsewhere === undefined) return code;
  return `${code} (${versionsText(first, last)})`;
}

function versionsText(first: Compat, last: Compat): string {
  if (first === last) return first;
  if (last === COMPAT_VERSIONS.at(-1)) return `${first} on`;
  return first === "3.4" ? `up to ${last}` : `${first} to ${last}`;
}
