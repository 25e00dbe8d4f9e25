/**
 * TypeScript sources as the rules see them: what a file imports, and its code without comments and strings.
 *
 * Not a parser: one pass tells code from comments, strings, templates and regular expressions, and no more.
 * Invariant: the code keeps the length and the lines of its source, so an offset in one is an offset in the other.
 */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { projectRoot } from "./root.ts";

export interface SourceFile {
  /** Relative to the project's root, with "/": `lib/tree/tree.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text with comments and the contents of strings, templates and regular expressions blanked. */
  readonly code: string;
  readonly imports: readonly Import[];
  /** Its regular expressions, as written. */
  readonly patterns: readonly Pattern[];
}

export interface Pattern {
  /** With its slashes and flags. */
  readonly text: string;
  readonly line: number;
}

export interface Import {
  /** As written: `./tree.ts`, `zod`. */
  readonly specifier: string;
  /** The imported file of the project, relative to its root, or null for a package. */
  readonly file: string | null;
  readonly line: number;
}

/** The .ts files below the given folders, or the given files, relative to the project's root. */
export function readSources(...paths: readonly string[]): SourceFile[] {
  return paths.flatMap(listSources).map(readSource);
}

/** The line, counted from 1, of an offset in a text. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

function listSources(path: string): string[] {
  if (path.endsWith(".ts")) return [path];
  return readdirSync(join(projectRoot, path), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `${path}/${file.replaceAll("\\", "/")}`)
    .sort();
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(projectRoot, path), "utf8");
  return parseSource(path, text);
}

export function parseSource(path: string, text: string): SourceFile {
  const patterns: Pattern[] = [];
  const code = blank(text, patterns);
  return { path, text, code, imports: findImports(path, text, code), patterns };
}

/** `from "x"`, `import "x"`, `import("x")`: the keyword is looked for in the code, the name read from the text. */
function findImports(path: string, text: string, code: string): Import[] {
  return Array.from(code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*(["'])( *)\1/g), (match) => {
    const end = match.index + match[0].length - 1;
    const specifier = text.slice(end - (match[2] ?? "").length, end);
    const file = specifier.startsWith(".") ? posix.join(dirname(path), specifier) : null;
    return { specifier, file, line: lineAt(text, match.index) };
  });
}

const COMMENT = /\/\/[^\n]*|\/\*.*?\*\//;
const STRING = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/;
const REGEXP = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/;
const TOKEN = new RegExp(`${COMMENT.source}|${STRING.source}|${REGEXP.source}|.`, "gs");

/** What may stand before a regular expression; elsewhere "/" divides. */
const BEFORE_REGEXP = /(?:^|[=(,:;!&|?{}[+*%<>~^-]|=>|\b(?:return|typeof|case|in|of|await|throw|else|do|void|yield))\s*$/;

function blank(text: string, patterns: Pattern[]): string {
  let code = "";
  let offset = 0;
  // For each template around the current place, how many "{" are open in its current "${".
  const templates: number[] = [];
  while (offset < text.length) {
    TOKEN.lastIndex = offset;
    const token = TOKEN.exec(text)?.[0] ?? "";
    const first = token[0] ?? "";
    if (token.startsWith("//") || token.startsWith("/*")) {
      code += spaces(token);
    } else if (token.length > 1 && first === "/" && !BEFORE_REGEXP.test(lastCode(code))) {
      code += first;
      offset += 1;
      continue;
    } else if (token.length > 1 && first === "/") {
      patterns.push({ text: token, line: lineAt(text, offset) });
      code += spaces(token);
    } else if (token.length > 1) {
      code += first + spaces(token.slice(1, -1)) + (token.at(-1) ?? "");
    } else if (token === "`" || (token === "}" && templates.at(-1) === 0)) {
      if (token === "}") templates.pop();
      const chunk = templateChunk(text, offset + 1);
      code += token + spaces(chunk.text) + chunk.end;
      if (chunk.end === "${") templates.push(0);
      offset += token.length + chunk.text.length + chunk.end.length;
      continue;
    } else {
      if (templates.length > 0 && token === "{") templates[templates.length - 1]! += 1;
      if (templates.length > 0 && token === "}") templates[templates.length - 1]! -= 1;
      code += token;
    }
    offset += token.length;
  }
  return code;
}

/** The literal part of a template from an offset to its next "${" or to its end. */
function templateChunk(text: string, start: number): { readonly text: string; readonly end: string } {
  const match = /^((?:\\.|\$(?!\{)|[^`\\$])*)(`|\$\{|$)/s.exec(text.slice(start));
  return { text: match?.[1] ?? "", end: match?.[2] ?? "" };
}

function lastCode(code: string): string {
  return code.trimEnd().slice(-10);
}

function spaces(text: string): string {
  return text.replace(/[^\n]/g, " ");
}
