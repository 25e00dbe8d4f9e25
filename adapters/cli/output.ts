/**
 * Output of commands that work on data: the answer line by line, as fast as it is read, and how far it is.
 */
import { once } from "node:events";
import process from "node:process";

const PROGRESS_MS = 1_000;
const BUFFERED_CHARS = 64 * 1024;

/** Standard output, a line at a time. */
export class Lines {
  #waiting = "";

  async write(line: string): Promise<void> {
    this.#waiting += `${line}\n`;
    if (this.#waiting.length >= BUFFERED_CHARS) await this.end();
  }

  async end(): Promise<void> {
    const text = this.#waiting;
    this.#waiting = "";
    if (!process.stdout.write(text)) await once(process.stdout, "drain");
  }
}

/** Says on standard error how much is done, once a second and only if it takes that long. */
export class Progress {
  readonly #what: string;
  #said = performance.now();

  constructor(what: string) {
    this.#what = what;
  }

  done(count: number): void {
    const now = performance.now();
    if (now - this.#said < PROGRESS_MS) return;
    this.#said = now;
    process.stderr.write(`${count.toLocaleString("en")} ${this.#what}\n`);
  }
}
