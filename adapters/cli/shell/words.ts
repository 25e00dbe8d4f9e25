/**
 * Words of a line: separated by blanks, and grouped by quotes as in zkCli.sh.
 *
 * Not here: options and their values (flags.ts). Invariant: every line has words of some kind: a quote that is never closed is left out, and a
 * backslash is a character like any other.
 */

/** Java's blanks: ASCII alone. */
const BLANKS: ReadonlySet<string> = new Set([" ", "\t", "\n", "\v", "\f", "\r"]);

/**
 * @example
 * ```ts
 * wordsOf("create /a 'two words'"); // ["create", "/a", "two words"]
 * ```
 */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < line.length; ) {
    const first = line[at]!;
    if (BLANKS.has(first)) at++;
    else if (first === '"' || first === "'") {
      const end = line.indexOf(first, at + 1);
      if (end !== -1) words.push(line.slice(at + 1, end));
      at = end === -1 ? at + 1 : end + 1;
    } else {
      const end = endOfWord(line, at);
      words.push(line.slice(at, end));
      at = end;
    }
  }
  return words;
}

/** Behind the last character that is no blank. */
function endOfWord(line: string, from: number): number {
  let at = from;
  while (at < line.length && !BLANKS.has(line[at]!)) at++;
  return at;
}

/** Where the last word begins; behind the line where it ends with a blank. */
export function lastWordStart(line: string): number {
  let at = line.length;
  while (at > 0 && !BLANKS.has(line[at - 1]!)) at--;
  return at;
}
