/** Another program under test: what it says, line by line, and its end. */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { until } from "../../support/until.ts";

export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #lines: string[] = [];
  /** Lines that {@link says} has passed. */
  #passed = 0;
  #errors = "";

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#lines.push(line));
    this.#child.stderr!.on("data", (chunk) => {
      this.#errors += chunk;
    });
    this.#exited = new Promise((resolve) => this.#child.once("close", () => resolve()));
  }

  /** Resolves once it has said this line, after those that were waited for before. */
  async says(line: string): Promise<void> {
    const isSaid = (): boolean => this.#lines.indexOf(line, this.#passed) !== -1;
    await until(isSaid, `"${line}"`).catch((cause) => {
      throw new Error(`${cause.message}. The program has said:\n${this.#lines.join("\n")}\n${this.#errors}`);
    });
    this.#passed = this.#lines.indexOf(line, this.#passed) + 1;
  }

  /** How often it has said a line. */
  count(line: string): number {
    return this.#lines.filter((said) => said === line).length;
  }

  /** It ends with its input; by its pid if it does not. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin!.end();
    const impatience = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    await this.#exited;
    clearTimeout(impatience);
  }
}
