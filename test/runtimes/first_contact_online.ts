/**
 * A newcomer's first ten minutes with tools that this project doesn't install: fetches them into an empty folder, and runs the guide's recipes for Jest,
 * Vitest and Mocha, the examples' Jest folder, bundles of webpack and Vite, and the oldest and the newest TypeScript but one.
 *
 *     node dist/test/runtimes/first_contact_online.js
 *
 * By hand, since it needs a registry; first_contact.ts is what needs none.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectPath, projectRoot } from "../support/root.ts";

const TOOLS = [
  "@types/node@20",
  "jest@30",
  "jsdom",
  "mocha",
  "typescript-5.2@npm:typescript@~5.2",
  "typescript-6@npm:typescript@6",
];
const BUNDLERS = ["vite", "vitest", "webpack", "webpack-cli"];
const PROMISED = "NodeDataChanged /config\nv1\n";

const WEBPACK = `export default {
  mode: "production",
  target: "node20",
  entry: "./example.mjs",
  experiments: { outputModule: true },
  output: { module: true, path: process.cwd() + "/webpacked", filename: "main.mjs", chunkFilename: "[name].mjs" },
};
`;

const folder = mkdtempSync(join(tmpdir(), "zookernel-online-"));
try {
  const tarball = run("npm pack", "npm", ["pack", projectRoot, "--silent", "--pack-destination", folder])
    .trim()
    .split("\n")
    .at(-1)!;
  writeFileSync(join(folder, "package.json"), "{}");
  run("npm install", "npm", ["install", "--no-audit", "--no-fund", `./${tarball}`, ...TOOLS, ...BUNDLERS]);
  tryTestRunners();
  tryBundlers();
  tryCompilers();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The fences of a paper, by the words that they begin with. */
function fences(paper: string, words: string): string[] {
  return [...readFileSync(projectPath(paper), "utf8").matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)]
    .filter(([, language]) => language === words)
    .map(([, , code]) => code!);
}

function tryTestRunners(): void {
  const guide = "docs/guides/test.md";
  write("one.vitest.test.ts", fences(guide, "ts vitest")[0]!);
  npx("Vitest", "vitest", ["run", "one.vitest"]);
  npx("Vitest, jsdom", "vitest", ["run", "--environment", "jsdom", "one.vitest"]);
  const [environment, one] = fences(guide, "js jest") as [string, string];
  write("zookernel-environment.js", environment);
  write("one.jest.test.js", one);
  npx("Jest", "jest", ["one.jest"]);
  cpSync(projectPath("examples", "jest"), join(folder, "jest"), { recursive: true });
  npx("Jest, the example", "jest", ["--rootDir", "jest"]);
  write("one.mocha.mjs", fences(guide, "js mocha")[0]!);
  npx("Mocha", "mocha", ["one.mocha.mjs"]);
}

function tryBundlers(): void {
  write("example.mjs", fences("README.md", "js")[0]!);
  write("webpack.config.mjs", WEBPACK);
  npx("webpack", "webpack", []);
  assert.equal(run("webpack's bundle", process.execPath, [join("webpacked", "main.mjs")]), PROMISED);
  npx("Vite", "vite", ["build", "--ssr", "example.mjs", "--outDir", "vited"]);
  assert.equal(run("Vite's bundle", process.execPath, [join("vited", "example.mjs")]), PROMISED);
}

/** Without Node's types, which want a newer TypeScript than the oldest. */
function tryCompilers(): void {
  write("short.mts", `declare const console: { log(...words: unknown[]): void };\n${fences("README.md", "ts")[0]!}`);
  const strict = { strict: true, skipLibCheck: false, target: "es2022", lib: ["es2022"], types: [] };
  for (const version of ["5.2", "6"]) {
    for (const resolution of [{ module: "nodenext" }, { module: "esnext", moduleResolution: "bundler" }]) {
      write("tsconfig.json", JSON.stringify({ compilerOptions: { ...strict, ...resolution }, files: ["short.mts"] }));
      const compiler = join("node_modules", `typescript-${version}`, "bin", "tsc");
      run(`TypeScript ${version}, ${resolution.module}`, process.execPath, [compiler, "-p", "tsconfig.json"]);
      assert.equal(run("its output", process.execPath, ["short.mjs"]), "0\n");
    }
  }
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function npx(title: string, tool: string, args: readonly string[]): void {
  run(title, "npx", ["--no-install", tool, ...args]);
}

/** What it prints. */
function run(title: string, command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, `${title}: ${status}\n${stdout}\n${stderr}`);
  console.log(`${title}: ok`);
  return stdout;
}
