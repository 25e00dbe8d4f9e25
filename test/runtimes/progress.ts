/**
 * Progress of a test run, and what it tells at its end, as lines of text.
 *
 * Of a file that passes nothing is shown but that it counts; of one that fails, all that it wrote.
 */

import type { RuntimeName } from "../support/runtime.ts";
import { skipReasons } from "../support/skip.ts";
import type { TestCase } from "./junit.ts";
import type { TestFile, TestFileResult } from "./test_file.ts";

const SLOWEST = 10;

export class Progress {
  readonly #total: number;
  readonly #started = performance.now();
  readonly #running = new Set<TestFile>();
  readonly #results: TestFileResult[] = [];

  /** @param total how many files there are to run. */
  constructor(total: number) {
    this.#total = total;
  }

  start(file: TestFile): void {
    this.#running.add(file);
  }

  /** The text that a file leaves behind: nothing if it has passed. */
  end(file: TestFile, result: TestFileResult): string {
    this.#running.delete(file);
    this.#results.push(result);
    if (result.failure === null) return "";
    return `\n✗ ${nameOf(result)}: ${result.failure}\n${result.output.trimEnd()}\n✗ ${nameOf(result)}: ${result.failure}\n`;
  }

  /** `0:35  12 of 134 files, 1203 tests, 0 failed; now test/a.test.ts on bun, …` */
  line(): string {
    const cases = this.#results.flatMap((result) => result.cases);
    const failed = this.#results.filter(({ failure }) => failure !== null).length;
    const now = [...this.#running].map(nameOf).join(", ");
    const files = `${this.#results.length} of ${this.#total} files, ${cases.length} tests, ${failed} files failed`;
    return `${this.#elapsed()}  ${files}${now === "" ? "" : `; now ${now}`}`;
  }

  /** Skips with their reasons, the slowest tests, the files that failed, and one line for each runtime with the counts. */
  summary(): string {
    const failures = this.#results.filter(({ failure }) => failure !== null);
    return [
      ...section("skipped", this.#skips()),
      ...section("slowest tests", this.#slowest()),
      ...section(
        "failed",
        failures.map((result) => `${nameOf(result)}: ${result.failure}`),
      ),
      "",
      ...this.#counts(),
    ].join("\n");
  }

  isPassed(): boolean {
    return this.#results.every(({ failure }) => failure === null);
  }

  /** One line for each reason, with how many files gave it; tests that are skipped without one are named. */
  #skips(): string[] {
    const files = new Map<string, number>();
    for (const { cases, output, file } of this.#results) {
      const said = skipReasons(output);
      const skipped = cases.filter(({ outcome }) => outcome === "skipped");
      const unsaid = skipped.map(({ name, reason }) => reason ?? `${file}: "${name}" gives no reason`);
      for (const reason of new Set(said.length > 0 ? said : unsaid)) files.set(reason, (files.get(reason) ?? 0) + 1);
    }
    return [...files].sort().map(([reason, count]) => `in ${count} ${count === 1 ? "file" : "files"}: ${reason}`);
  }

  #slowest(): string[] {
    return this.#results
      .flatMap((result) => result.cases.map((testCase) => ({ result, testCase })))
      .sort((one, other) => other.testCase.seconds - one.testCase.seconds)
      .slice(0, SLOWEST)
      .map(({ result, testCase }) => `${testCase.seconds.toFixed(1).padStart(6)} s  ${nameOf(result)}: ${testCase.name}`);
  }

  #counts(): string[] {
    const runtimes = [...new Set(this.#results.map(({ runtime }) => runtime))];
    return runtimes.map((runtime) =>
      countsLine(
        runtime,
        this.#results.filter((result) => result.runtime === runtime),
      ),
    );
  }

  #elapsed(): string {
    const seconds = Math.floor((performance.now() - this.#started) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }
}

/** `bun: 12 passed, 0 failed, 3 skipped`; a file that fails without a failed case counts as one. */
function countsLine(runtime: RuntimeName, results: readonly TestFileResult[]): string {
  const count = (cases: readonly TestCase[], outcome: TestCase["outcome"]): number =>
    cases.filter((testCase) => testCase.outcome === outcome).length;
  const all = results.flatMap(({ cases }) => cases);
  const failed = results.map(({ failure, cases }) => (failure === null ? 0 : Math.max(1, count(cases, "failed"))));
  const sum = failed.reduce((total, each) => total + each, 0);
  return `${runtime}: ${count(all, "passed")} passed, ${sum} failed, ${count(all, "skipped")} skipped`;
}

function nameOf({ file, runtime }: TestFile): string {
  return `${file} on ${runtime}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`\n${title}:`, ...lines.map((line) => `  ${line}`)];
}
