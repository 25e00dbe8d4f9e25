/**
 * Runs the test suite on the named runtimes and closes each run with one line: `bun: 12 passed, 0 failed, 3 skipped`.
 *
 *     node dist/test/runtimes/run.js bun node deno [part of a test file's path …]
 *
 * Bun and Deno run the sources, Node what was built of them. The files are listed here rather than left to each runner's own
 * search, so all three run the same ones, and a test that was built once and then deleted is not run from dist/ for ever.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectPath, projectRoot } from "../support/root.ts";
import type { RuntimeName } from "../support/runtime.ts";
import { findBinary } from "./binaries.ts";
import { type Counts, countTestCases } from "./junit.ts";

/** The arguments that make a runtime run test files and write a JUnit report. */
const RUNNERS: Readonly<Record<RuntimeName, (files: readonly string[], report: string) => string[]>> = {
  bun: (files, report) => [
    "test",
    "--timeout=120000",
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    ...files.map((file) => `./${file}`),
  ],
  deno: (files, report) => ["test", "--quiet", "--allow-all", "--no-check", `--junit-path=${report}`, ...files],
  node: (files, report) => [
    "--test",
    "--enable-source-maps",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=junit",
    `--test-reporter-destination=${report}`,
    ...files.map((file) => join("dist", file.replace(/\.ts$/, ".js"))),
  ],
};

process.exitCode = main(process.argv.slice(2));

function main(args: readonly string[]): number {
  const runtimes = args.filter(isRuntime);
  const parts = args.filter((arg) => !isRuntime(arg));
  if (runtimes.length === 0) {
    console.error("usage: run.js bun|deno|node … [part of a test file's path …]");
    return 2;
  }
  const files = listTests().filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
  if (files.length === 0) {
    console.error(`no test file below test/ matches ${parts.join(" ")}`);
    return 1;
  }
  const summaries = runtimes.map((runtime) => runSuite(runtime, files));
  for (const { line } of summaries) console.log(line);
  return summaries.every(({ ok }) => ok) ? 0 : 1;
}

function isRuntime(arg: string): arg is RuntimeName {
  return arg in RUNNERS;
}

function listTests(): string[] {
  return readdirSync(projectPath("test"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => `test/${file.replaceAll("\\", "/")}`)
    .sort();
}

function runSuite(runtime: RuntimeName, files: readonly string[]): { readonly ok: boolean; readonly line: string } {
  const binary = findBinary(runtime);
  if (binary === null) {
    const required = process.env.ZOOKERNEL_REQUIRE_PEERS === "1";
    const line = `${runtime}: its npm package brought no binary that starts on this machine; ${required ? "failed" : "skipped"}`;
    return { ok: !required, line };
  }
  console.log(`\n— ${runtime}: ${files.length} test files`);
  const folder = mkdtempSync(join(tmpdir(), "zookernel-report-"));
  try {
    const report = join(folder, "junit.xml");
    const { status } = spawnSync(binary, RUNNERS[runtime](files, report), { cwd: projectRoot, stdio: "inherit" });
    const counts = existsSync(report) ? countTestCases(readFileSync(report, "utf8")) : NOTHING_RAN;
    // A runner can fail without a failed case: a file that doesn't load, a hook that throws, a crash.
    const failed = Math.max(counts.failed, status === 0 ? 0 : 1);
    const line = `${runtime}: ${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped`;
    return { ok: failed === 0 && counts.passed > 0, line };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const NOTHING_RAN: Counts = { passed: 0, failed: 0, skipped: 0 };
