/**
 * A run of one test file on one runtime, as a process of its own.
 *
 * Bun and Deno run the source, Node what was built of it. Invariant: when the run is over, the process and whatever it started is gone, also
 * when the file hangs or this process is told to end.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../support/root.ts";
import type { RuntimeName } from "../support/runtime.ts";
import { skipReasons } from "../support/skip.ts";
import { type TestCase, testCases } from "./junit.ts";

/** What is to be run. */
export interface TestFile {
  readonly runtime: RuntimeName;
  /** The binary of that runtime. */
  readonly binary: string;
  /** The source, seen from the project's folder. */
  readonly file: string;
}

export interface TestFileResult extends TestFile {
  /** Why the file as a whole has failed: its process hung or crashed, or a case failed. Null if it has passed. */
  readonly failure: string | null;
  readonly cases: readonly TestCase[];
  readonly seconds: number;
  /** All that the process wrote, to both streams. */
  readonly output: string;
}

/** The arguments that make a runtime run a test file and write a JUnit report. */
const RUNNERS: Readonly<Record<RuntimeName, (file: string, report: string) => string[]>> = {
  bun: (file, report) => ["test", "--timeout=120000", "--reporter=junit", `--reporter-outfile=${report}`, `./${file}`],
  deno: (file, report) => ["test", "--allow-all", "--no-check", `--junit-path=${report}`, file],
  node: (file, report) => [
    "--enable-source-maps",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=junit",
    `--test-reporter-destination=${report}`,
    join("dist", file.replace(/\.ts$/, ".js")),
  ],
};

const running = new Set<ChildProcess>();
process.once("exit", () => running.forEach(killGroup));

/**
 * Runs a test file to its end, or kills it after `minutesMax`.
 *
 * @param environment variables besides this process's own.
 */
export async function runTestFile(
  test: TestFile,
  minutesMax: number,
  environment: Readonly<Record<string, string>>,
): Promise<TestFileResult> {
  const folder = mkdtempSync(join(tmpdir(), "zookernel-report-"));
  const report = join(folder, "junit.xml");
  const started = performance.now();
  const child = spawn(test.binary, RUNNERS[test.runtime](test.file, report), {
    cwd: projectRoot,
    env: { ...process.env, NO_COLOR: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32", // a group of its own, so that nothing it starts outlives it
  });
  try {
    const { output, end } = await ended(child, minutesMax);
    const cases = existsSync(report) ? testCases(readFileSync(report, "utf8")) : [];
    const failed = cases.filter(({ outcome }) => outcome === "failed").length;
    // Of a group that is skipped, Bun reports nothing.
    const empty = cases.length === 0 && skipReasons(output).length === 0 ? "ran no test" : null;
    // A runner can fail without a failed case: a file that doesn't load, a hook that throws, a crash.
    const failure = failed > 0 ? `${failed} of ${cases.length} tests failed` : (end ?? empty);
    return { ...test, failure, cases, seconds: (performance.now() - started) / 1000, output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Resolves once the process has ended; `end` says what was wrong with its end. */
function ended(child: ChildProcess, minutesMax: number): Promise<{ readonly output: string; readonly end: string | null }> {
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  let hung: string | null = null;
  const limit = setTimeout(() => {
    hung = `was killed: still running after ${minutesMax} minutes`;
    killGroup(child);
  }, minutesMax * 60_000);
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ output, end: error.message }));
    // What it started may hold its streams open for ever.
    child.once("exit", () => killGroup(child));
    child.once("close", (code, signal) => {
      clearTimeout(limit);
      running.delete(child);
      resolve({ output, end: hung ?? (code === 0 ? null : `ended with ${signal ?? `status ${code}`}`) });
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // nobody is left
  }
}
