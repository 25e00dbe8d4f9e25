/**
 * The manuals are true: every TypeScript example in them is run, as a program of its own, on this runtime, and prints what its comments say.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { projectPath } from "../support/root.ts";
import { runtimeName } from "../support/runtime.ts";

interface Example {
  /** What it stands under. */
  readonly heading: string;
  readonly code: string;
}

const MANUALS = ["README.md", "lib/recipes/README.md", "lib/testing/README.md", "adapters/http/README.md"];

/** The public names, and the sources behind them. */
const DOORS: Readonly<Record<string, string>> = {
  zookernel: "mod.ts",
  "zookernel/http": "adapters/http/mod.ts",
  "zookernel/recipes": "lib/recipes/mod.ts",
  "zookernel/storage": "adapters/storage/mod.ts",
  "zookernel/tcp": "adapters/tcp/mod.ts",
  "zookernel/testing": "adapters/testing/mod.ts",
};

function examples(manual: string): Example[] {
  const found: Example[] = [];
  let heading = "";
  for (const { groups } of readFileSync(projectPath(manual), "utf8").matchAll(
    /^## (?<heading>.+)$|^```[tj]s\n(?<code>[\s\S]*?)^```$/gm,
  )) {
    if (groups?.heading !== undefined) heading = groups.heading;
    else if (groups?.code !== undefined) found.push({ heading, code: groups.code });
  }
  return found;
}

/** The code with the package's names replaced by what a clone has of them: sources, or on Node what was built. */
function inThisClone(code: string): string {
  return code.replace(/from "(zookernel[^"]*)"/g, (_, name: string) => {
    const source = DOORS[name];
    assert.ok(source !== undefined, `a manual imports ${name}, which this test does not know`);
    const file = runtimeName === "node" ? projectPath("dist", source.replace(/\.ts$/, ".js")) : projectPath(source);
    return `from "${pathToFileURL(file).href}"`;
  });
}

function run(file: string, isTest: boolean): { status: number | null; output: string } {
  const deno = [isTest ? "test" : "run", "--quiet", "--allow-all", "--no-check", file];
  const args = runtimeName === "deno" ? deno : runtimeName === "bun" && isTest ? ["test", file] : [file];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 });
  return { status, output: `${stdout}\n${stderr}` };
}

for (const manual of MANUALS) describe(`the examples of ${manual} run`, () => testExamples(manual));

function testExamples(manual: string): void {
  const all = examples(manual);
  let folder = "";

  before(() => {
    folder = mkdtempSync(projectPath(".examples-"));
    for (const [index, { code }] of all.entries()) writeFileSync(join(folder, `${index}.test.ts`), inThisClone(code));
    if (runtimeName !== "node") return;
    // Node 20 knows neither types nor `await using`.
    const files = all.map((_, index) => join(folder, `${index}.test.ts`));
    const options = ["--noCheck", "--ignoreConfig", "--target", "es2022", "--module", "nodenext", "--types", "node"];
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    execFileSync(process.execPath, [projectPath("node_modules/typescript/bin/tsc"), ...options, ...files]);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  test("there are some", () => assert.ok(all.length > 0));
  for (const [index, { heading, code }] of all.entries()) {
    test(`${heading}: example ${index + 1}`, () => {
      const { status, output } = run(
        join(folder, `${index}.test${runtimeName === "node" ? ".js" : ".ts"}`),
        code.includes('"node:test"'),
      );
      assert.equal(status, 0, output);
      for (const [, comment = ""] of code.matchAll(/console\.log\(.*\); \/\/ (.+)$/gm)) {
        for (const part of comment.split(", ")) assert.ok(output.includes(part), `no "${part}" in:\n${output}`);
      }
    });
  }
}
