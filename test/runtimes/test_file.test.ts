/** Runs of single test files: what is said of those that pass, fail, skip, hang or crash, and that nothing of them is left. */

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { after, describe, test } from "node:test";
import { projectRoot } from "../support/root.ts";
import { skipReason } from "../support/skip.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { until } from "../support/until.ts";
import { findBinary } from "./binaries.ts";
import { testCases } from "./junit.ts";
import { Progress } from "./progress.ts";
import { runTestFile, type TestFileResult } from "./test_file.ts";

const binary = findBinary("bun");
const folder = temporaryFolder("test-files");
after(() => rmSync(folder, { recursive: true, force: true }));

describe("a test file", { skip: binary === null && skipReason("no binary of Bun") }, () => {
  test("that passes leaves no output behind, but its counts", async () => {
    const { result, progress, shown } = await run(
      'console.log("noise"); test("a", () => {}); test("b", { skip: "later" }, () => {});',
    );
    assert.equal(result.failure, null);
    assert.match(progress.summary(), /in 1 file: .*"b" gives no reason/);
    assert.match(progress.summary(), /slowest tests:\n.* on bun: [ab]\n/);
    assert.match(progress.summary(), /bun: 1 passed, 0 failed, 1 skipped$/);
    assert.equal(shown, "");
    assert.ok(progress.isPassed());
  });

  test("that is skipped as a whole has passed, if it says why", async () => {
    const { result, progress } = await run(
      'console.error("tests skipped: no java"); describe("all", { skip: "no java" }, () => { test("a", () => {}); });',
    );
    assert.equal(result.failure, null);
    assert.match(progress.summary(), /skipped:\n {2}in 1 file: no java\n/);
  });

  test("that fails is shown whole and named", async () => {
    const { result, progress, shown } = await run('console.log("noise"); test("a", () => { throw new Error("no luck"); });');
    assert.equal(result.failure, "1 of 1 tests failed");
    assert.match(shown, /sample.*: 1 of 1 tests failed\nbun test.*\n[\s\S]*noise\n[\s\S]*no luck/);
    assert.match(progress.summary(), /bun: 0 passed, 1 failed, 0 skipped$/);
    assert.ok(!progress.isPassed());
  });

  test("that crashes, or has no test, has failed", async () => {
    const crashed = await run('test("a", () => {}); process.exit(3);');
    assert.equal(crashed.result.failure, "ended with status 3");
    assert.match(crashed.progress.summary(), /bun: 0 passed, 1 failed, 0 skipped$/);
    const empty = await run("");
    assert.notEqual(empty.result.failure, null);
    const hollow = await run('describe("a group", () => {});');
    assert.notEqual(hollow.result.failure, null);
  });

  test("that hangs is killed and named, with all that it started", { timeout: 60_000 }, async () => {
    const started = `const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });`;
    const { result } = await run(
      `${started} console.log("pid", child.pid); test("a", { timeout: 600_000 }, () => new Promise(() => {}));`,
      0.05,
    );
    assert.equal(result.failure, "was killed: still running after 0.05 minutes");
    const pid = Number(/pid (\d+)/.exec(result.output)?.[1]);
    await until(() => !isAlive(pid), "its child is gone");
  });
});

test("reports of all three runners have the same cases, without groups", () => {
  const deno =
    '<testcase name="g" time="1"><failure message="1 step"/></testcase><testcase name="g &gt; c" time="0.5"><failure/></testcase>';
  assert.deepEqual(testCases(deno), [{ name: "g > c", outcome: "failed", seconds: 0.5, reason: null }]);
  const node = '<testcase name="a" time="0.25"><skipped type="skipped" message="no &amp;quot;x&amp;quot;"/></testcase>';
  assert.deepEqual(testCases(node), [{ name: "a", outcome: "skipped", seconds: 0.25, reason: 'no "x"' }]);
});

let samples = 0;

interface Run {
  readonly result: TestFileResult;
  readonly progress: Progress;
  /** What the file leaves on the screen. */
  readonly shown: string;
}

async function run(source: string, minutesMax = 2): Promise<Run> {
  const path = join(folder, `sample${samples++}.test.ts`);
  writeFileSync(
    path,
    `import { spawn } from "node:child_process";\nimport { describe, test } from "node:test";\nvoid [describe, spawn];\n${source}\n`,
  );
  const file = { runtime: "bun", binary: binary!, file: relative(projectRoot, path) } as const;
  const progress = new Progress(1);
  progress.start(file);
  const result = await runTestFile(file, minutesMax, {});
  return { result, progress, shown: progress.end(file, result) };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
