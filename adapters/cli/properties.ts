/**
 * Java-properties text, the form of zoo.cfg: comments, `=`, `:` or space between key and value, continued lines, escapes.
 *
 * Not here: what the keys mean. Later entries of the same key win at the reader's side; here every entry is kept, in order,
 * with the line that it begins on, so that a complaint can name it.
 */
import { TextScanner } from "../../lib/base/text_scanner.ts";

/** One key with its value, both unescaped. */
export interface Property {
  readonly key: string;
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

/** A line that is not of the form. */
export class PropertiesError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.name = "PropertiesError";
    this.line = line;
  }
}

/**
 * All entries of a text, in order.
 *
 * @throws PropertiesError for a `\u` that four hexadecimal digits don't follow: nothing else is refused.
 */
export function parseProperties(text: string): Property[] {
  const properties: Property[] = [];
  const lines = text.split(/\r\n|\n|\r/);
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1;
    let part = withoutIndent(lines[at]);
    const parts: string[] = [];
    // A comment is not continued; what continues a line is no comment, unless nothing but a backslash stood before it.
    let isComment = COMMENT.test(part);
    while (!isComment && isContinued(part)) {
      at++;
      const before = part.slice(0, -1);
      if (before !== "") parts.push(before);
      // The end of the text continues nothing, but the backslash goes all the same.
      part = withoutIndent(lines[at]);
      isComment = parts.length === 0 && COMMENT.test(part);
    }
    const logical = [...parts, part].join("");
    if (logical !== "" && !isComment) properties.push(parseEntry(logical, line));
  }
  return properties;
}

const COMMENT = /^[#!]/;
const KEY = /[^\\=: \t\f]*/y;
const BLANK = /[ \t\f]*/y;
const SEPARATOR = /[=:]?/y;
const ANY = /.?/sy;
const REST = /.*/sy;

function withoutIndent(line = ""): string {
  return line.replace(/^[ \t\f]+/, "");
}

/** An odd number of backslashes at the end: an even number is that many half of them. */
function isContinued(line: string): boolean {
  let start = line.length;
  while (line[start - 1] === "\\") start--;
  return (line.length - start) % 2 === 1;
}

/** A key (escaped characters belong to it), a separator, and the rest. */
function parseEntry(logical: string, line: number): Property {
  const text = new TextScanner(logical);
  const parts = [text.run(KEY)];
  while (text.passes("\\")) parts.push("\\", text.run(ANY), text.run(KEY));
  for (const pattern of [BLANK, SEPARATOR, BLANK]) text.run(pattern);
  const [key, value] = [parts.join(""), text.run(REST)];
  return { key: unescaped(key, line), value: unescaped(value, line), line };
}

const CONTROL: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

function unescaped(text: string, line: number): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, hex: string | undefined, char: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (char === "u") throw new PropertiesError(line, "\\u must be followed by four hexadecimal digits");
    return CONTROL[char] ?? char;
  });
}
