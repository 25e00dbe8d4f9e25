/**
 * Java-properties text, the form of zoo.cfg: comments, `=`, `:` or space between key and value, continued lines, escapes.
 *
 * Not here: what the keys mean. Later entries of the same key win at the reader's side; here every entry is kept, in order,
 * with the line that it begins on, so that a complaint can name it.
 */

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
    let logical = withoutIndent(lines[at]);
    // A comment is not continued; what continues a line is no comment, unless nothing but a backslash stood before it.
    while (!isComment(logical) && isContinued(logical)) {
      at++;
      // The end of the text continues nothing, but the backslash goes all the same.
      logical = logical.slice(0, -1) + withoutIndent(lines[at]);
    }
    if (logical !== "" && !isComment(logical)) properties.push(parseEntry(logical, line));
  }
  return properties;
}

/** A key (escaped characters belong to it), a separator, and the rest. */
const ENTRY = /^((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*(.*)$/s;

function withoutIndent(line = ""): string {
  return line.replace(/^[ \t\f]+/, "");
}

function isComment(line: string): boolean {
  return line[0] === "#" || line[0] === "!";
}

/** An odd number of backslashes at the end: an even number is that many half of them. */
function isContinued(line: string): boolean {
  return /\\*$/.exec(line)![0].length % 2 === 1;
}

function parseEntry(logical: string, line: number): Property {
  const [, key = "", value = ""] = ENTRY.exec(logical)!;
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
