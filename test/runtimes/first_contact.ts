/**
 * The first ten minutes of a newcomer, in empty folders and offline: installs the packed package as npm does, runs the README's first example in every
 * way that people begin with, and expects the output that the README promises, and not a line on standard error.
 *
 *     node dist/test/runtimes/first_contact.js
 *
 * Not a test of all that the package offers: runtimes/packed.ts imports every entry point and reads all types.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildSync } from "esbuild";
import { examples } from "../examples/manuals.ts";
import { projectPath, projectRoot } from "../support/root.ts";
import { findBinary } from "./binaries.ts";

const NODE = process.execPath;
/** Of TypeScript, those that are here: the one that this project is built with, and the one that checks its declarations. */
const COMPILERS: Readonly<Record<string, string>> = {
  "TypeScript 7": projectPath("node_modules", "typescript", "bin", "tsc"),
  "TypeScript 5.9": projectPath("node_modules", "@tsd", "typescript", "typescript", "lib", "_tsc.js"),
};

/** The README's first two: plain JavaScript, and the short form for who has `await using`. */
const [plain, short] = [...readFileSync(projectPath("README.md"), "utf8").matchAll(/^```[jt]s\n([\s\S]*?)^```$/gm)].map(
  ([, code]) => code!,
) as [string, string];
const PROMISED = "NodeDataChanged /config\nv1\n";

/** Without the settings of this machine's npm, of which it may have something to say. */
const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))),
  npm_config_userconfig: "none",
  npm_config_update_notifier: "false",
};

const folder = mkdtempSync(join(tmpdir(), "zookernel-first-"));
try {
  install();
  tryRuntimes();
  tryCompilers();
  tryExamples();
  tryBundler();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** From tarballs alone, so that nothing is fetched: the package as npm would publish it, and what it stands on. */
function install(): void {
  const { dependencies } = JSON.parse(readFileSync(projectPath("package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const packages = Object.keys(dependencies).map((name) => `${name}@file:${pack(projectPath("node_modules", name))}`);
  writeFileSync(join(folder, "package.json"), "{}");
  const tarballs = [`./${pack(projectRoot)}`, ...packages];
  run(
    "npm install",
    "npm",
    ["install", "--offline", "--no-audit", "--no-fund", "--loglevel=warn", ...tarballs],
    /^\n?added \d+ packages/,
  );
}

/** The name of the tarball. */
function pack(from: string): string {
  const flags = from === projectRoot ? [] : ["--ignore-scripts"];
  const { stdout, stderr, status } = spawnSync("npm", ["pack", from, "--silent", "--pack-destination", folder, ...flags], {
    cwd: folder,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return stdout.trim().split("\n").at(-1)!;
}

function tryRuntimes(): void {
  write("example.mjs", plain);
  write("example.cjs", asCommonJs(plain));
  run("Node, ES modules", NODE, ["example.mjs"], PROMISED);
  run("Node, CommonJS", NODE, ["example.cjs"], PROMISED);
  run("Bun", findBinary("bun"), ["example.mjs"], PROMISED);
  run("Deno, without any permission", findBinary("deno"), ["run", "--no-prompt", "example.mjs"], PROMISED);
}

/** As somebody would write it who has no top-level await. */
function asCommonJs(code: string): string {
  const body = code.replace(/^import (\{.*\}) from ("\w+");$/m, "const $1 = require($2);");
  assert.ok(body.includes("require("));
  return `async function main() {\n${body}}\nmain();\n`;
}

function tryCompilers(): void {
  for (const name of ["@types/node", "undici-types"]) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(projectPath("node_modules", name), link, "junction");
  }
  write("short.mts", short);
  const settings = ["--strict", "--target", "es2022", "--lib", "es2022", "--types", "node", "--skipLibCheck", "false"];
  const resolutions = { NodeNext: ["--module", "nodenext"], Bundler: ["--module", "esnext", "--moduleResolution", "bundler"] };
  for (const [version, compiler] of Object.entries(COMPILERS)) {
    for (const [resolution, more] of Object.entries(resolutions)) {
      run(`${version}, ${resolution}: compiles`, NODE, [compiler, ...settings, ...more, "short.mts"], "");
      run(`${version}, ${resolution}: runs`, NODE, ["short.mjs"], "0\n");
    }
  }
}

/** What people copy from the manuals and the examples is right by its types, too. */
function tryExamples(): void {
  symlinkSync(projectPath("node_modules", "hono"), join(folder, "node_modules", "hono"), "junction");
  const all = examples().filter(({ isTyped, runner }) => isTyped && runner === null);
  assert.ok(all.length > 40);
  mkdirSync(join(folder, "examples"));
  for (const [index, { code }] of all.entries()) write(join("examples", `${index}.mts`), `${code}\nexport {};\n`);
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: "es2022",
    lib: ["es2023"],
    types: ["node"],
    module: "nodenext",
  };
  write(join("examples", "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.mts"] }));
  run("all examples, by their types", NODE, [COMPILERS["TypeScript 7"]!, "-p", "examples"], "");
}

function tryBundler(): void {
  buildSync({
    absWorkingDir: folder,
    entryPoints: ["example.mjs"],
    outfile: "bundle.mjs",
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "error",
  });
  rmSync(join(folder, "node_modules"), { recursive: true, force: true });
  run("esbuild, in one file", NODE, ["bundle.mjs"], PROMISED);
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

/** Runs it in the folder: it must print what is expected, and nothing on standard error. */
function run(title: string, command: string | null, args: readonly string[], expected: string | RegExp): void {
  assert.ok(command !== null, `${title}: no binary that starts on this machine`);
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8", env: ENVIRONMENT });
  const said = `${title}: ${status}\n${stdout}\n${stderr}`;
  assert.equal(status, 0, said);
  assert.equal(stderr, "", said);
  if (typeof expected === "string") assert.equal(stdout, expected, said);
  else assert.match(stdout, expected, said);
  console.log(`${title}: ok`);
}
