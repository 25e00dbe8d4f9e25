/**
 * Changes of one token, drawn by a seed from all there are in some folders: operators, comparisons, constants, and calls that are left out.
 *
 * Not here: whether a change changes anything. Invariant: the same seed draws the same changes of the same sources.
 */
import { Random } from "../support/random.ts";
import { lineAt, readSources } from "../support/source.ts";

/** One change of one file. */
export interface Change {
  readonly name: string;
  readonly file: string;
  readonly offset: number;
  readonly before: string;
  readonly after: string;
}

/** What is changed: the pattern, and what becomes of its match. */
const TOKENS: readonly (readonly [pattern: RegExp, after: (token: string) => string])[] = [
  [/(?<= )(?:===|!==)(?= )/g, (token) => (token === "===" ? "!==" : "===")],
  [/(?<= )(?:<=|>=|<|>)(?= )/g, (token) => ({ "<=": "<", ">=": ">", "<": "<=", ">": ">=" })[token]!],
  [/(?<= )(?:&&|\|\|)(?= )/g, (token) => (token === "&&" ? "||" : "&&")],
  [/(?<= )[+-](?= )/g, (token) => (token === "+" ? "-" : "+")],
  [
    /(?<=[\s(,[])\d[\d_]*n?(?=[\s),;\]])/g,
    (token) =>
      token.endsWith("n")
        ? `${BigInt(token.slice(0, -1).replaceAll("_", "")) + 1n}n`
        : String(Number(token.replaceAll("_", "")) + 1),
  ],
  [/\b(?:true|false)\b(?=[);,])/g, (token) => (token === "true" ? "false" : "true")],
  [/(?<=^\s+)(?:await )?(?:this\.|[a-z])[\w.#?!]*\([^\n;]*\);$/gm, () => ";"],
];

export function drawnChanges(folders: readonly string[], count: number, seed: number): Change[] {
  const all = readSources(...folders).flatMap(changesOf);
  const random = new Random(seed);
  const drawn: Change[] = [];
  while (drawn.length < count && all.length > 0) drawn.push(...all.splice(random.below(all.length), 1));
  return drawn;
}

function changesOf({ path, code, text }: { readonly path: string; readonly code: string; readonly text: string }): Change[] {
  return TOKENS.flatMap(([pattern, becomes]) =>
    [...code.matchAll(pattern)]
      // Constants of types and of enumerations are no code that runs.
      .filter(({ index }) => !/^\s*(?:readonly|type|export type|\||import)\b/.test(lineOf(text, index)))
      .map(({ 0: token, index }) => {
        const before = text.slice(index, index + token.length);
        const after = becomes(token);
        return { name: `${path}:${lineAt(text, index)}: ${before} → ${after}`, file: path, offset: index, before, after };
      }),
  );
}

function lineOf(text: string, offset: number): string {
  return text.slice(text.lastIndexOf("\n", offset - 1) + 1, text.indexOf("\n", offset));
}
