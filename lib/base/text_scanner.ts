/**
 * A cursor over text that comes from outside: it reads runs of characters from the start to the end, and never goes back.
 *
 * Invariant: the work is linear in the text, whatever it says. Therefore a pattern is one class of characters (`[a-z-]*`), and what it found
 * is taken for good: a pattern of several parts could try them against one another again and again.
 */
export class TextScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where the next character stands. */
  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** The next character; "" at the end. */
  get next(): string {
    return this.#text[this.#at] ?? "";
  }

  /** The characters from here on that are of the class; it must be sticky. "" if there are none. */
  run(characters: RegExp): string {
    characters.lastIndex = this.#at;
    const found = characters.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  /** Whether this text stands here, which is passed over then. */
  passes(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  /** All up to the next such text, which is passed over, too; null if there is none. */
  through(text: string): string | null {
    const found = this.#text.indexOf(text, this.#at);
    if (found < 0) return null;
    const before = this.#text.slice(this.#at, found);
    this.#at = found + text.length;
    return before;
  }

  /** What stands in double quotes here, `\x` for `x`; null where no quotation begins or it doesn't end. `plain` are the characters in it. */
  quoted(plain: RegExp = UNQUOTED): string | null {
    if (!this.passes('"')) return null;
    const parts: string[] = [];
    for (;;) {
      parts.push(this.run(plain));
      if (this.passes('"')) return parts.join("");
      if (!this.passes("\\") || this.isAtEnd) return null;
      parts.push(this.next);
      this.#at++;
    }
  }
}

const UNQUOTED = /[^"\\]*/y;
