/**
 * Packs the package as npm would publish it, lays it beside its dependencies in an empty project, and uses it there: each
 * runtime imports every entry point, and strict TypeScript projects that have none of our settings read the types. The main one
 * needs no runtime's types; the adapters may need Node's, whose `node:net` and `node:fs` they stand on. JSR would take the sources, too.
 *
 *     node dist/test/runtimes/packed.js
 *
 * Not a test of what the exports do. Nothing is fetched: the dependencies are the ones in node_modules.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { projectPath, projectRoot } from "../support/root.ts";
import { findBinary } from "./binaries.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(projectPath("package.json"), "utf8")) as Manifest;

const folder = mkdtempSync(join(tmpdir(), "zookernel-packed-"));
try {
  main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function main(): void {
  layOut();
  const entries = Object.keys(manifest.exports)
    .filter((entry) => !entry.endsWith(".json"))
    .map((entry) => manifest.name + entry.slice(1));
  writeFileSync(
    join(folder, "use.mjs"),
    entries.map((entry) => `console.log(Object.keys(await import("${entry}")).length);\n`).join(""),
  );
  run("node", process.execPath, ["use.mjs"]);
  writeFileSync(
    join(folder, "use.cjs"),
    entries.map((entry) => `console.log(Object.keys(require("${entry}")).length);\n`).join(""),
  );
  run("node, by require()", process.execPath, ["use.cjs"]);
  run("bun", findBinary("bun"), ["use.mjs"]);
  run("deno", findBinary("deno"), ["run", "--allow-all", "use.mjs"]);
  run("JSR", findBinary("deno"), ["publish", "--dry-run", "--allow-dirty", "--quiet"], projectRoot);
  checkTypes("the main entry point's types", entries.slice(0, 1), "");
  checkTypes("all types, beside Node's", entries, "node");
}

function checkTypes(title: string, entries: readonly string[], types: string): void {
  writeFileSync(join(folder, "use.ts"), entries.map((entry, index) => `export * as e${index} from "${entry}";\n`).join(""));
  const strict = ["--strict", "--noEmit", "--target", "ES2022", "--lib", "ES2022", "--types", types];
  const compiler = projectPath("node_modules", ".bin", "tsc");
  run(`${title}, as Node resolves them`, compiler, [...strict, "--module", "NodeNext", "use.ts"]);
  run(`${title}, as bundlers resolve them`, compiler, [
    ...strict,
    "--module",
    "ESNext",
    "--moduleResolution",
    "Bundler",
    "use.ts",
  ]);
}

function layOut(): void {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  run("npm pack", "npm", ["pack", projectRoot, "--pack-destination", folder, "--silent"]);
  const target = join(folder, "node_modules", manifest.name);
  mkdirSync(target, { recursive: true });
  const tarball = `${manifest.name}-${manifest.version}.tgz`;
  run("unpack", "tar", ["-xzf", join(folder, tarball), "-C", target, "--strip-components=1"]);
  for (const dependency of [...Object.keys(manifest.dependencies), "@types/node"]) {
    const link = join(folder, "node_modules", dependency);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(projectPath("node_modules", dependency), link);
  }
}

function run(title: string, command: string | null, args: readonly string[], cwd: string = folder): void {
  if (command === null) throw new Error(`${title}: no binary that starts on this machine`);
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${title} failed (${status}):\n${stdout}${stderr}`);
  console.log(`${title}: ok`);
}
