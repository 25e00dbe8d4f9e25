/**
 * Plants faults in a copy of the sources, one at a time, and runs tests until one of them fails: a fault that none finds shows where they are blind.
 *
 *     npm run mutants                           the named faults: all must be found
 *     npm run mutants -- quorum                 those whose name has that word
 *     npm run mutants -- --drawn 200 --seed 1   single-token changes drawn by a seed; survivors are listed, for a person to look at
 *
 * By hand: it takes minutes, hours for many. Invariant: the project's own files are never touched.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { findBinary } from "../runtimes/binaries.ts";
import { projectPath } from "../support/root.ts";
import { readSources } from "../support/source.ts";
import { type Change, drawnChanges } from "./drawn.ts";
import { FAULTS, type Fault } from "./faults.ts";

const DRAWN_FROM = ["lib/broadcast/zab", "lib/store", "lib/member/host.ts", "lib/kernel/prepare.ts"];
const COPIED = ["lib", "adapters", "bench", "test", "mod.ts", "package.json", "tsconfig.json", "deno.json", "bunfig.toml"];
/** A test that hangs has noticed, too. */
const TESTS_MS_MAX = 180_000;

const ZAB = ["test/unit/zab"];
const HAZARDS = ["hazards_election", "hazards_history", "hazards_ensembles"].map(
  (name) => `test/simulation/ensemble/${name}.test.ts`,
);
const ENSEMBLES = ["test/simulation/ensemble/ensemble.test.ts"];
const MEMBERS = ["test/ensemble/in_process.test.ts", "test/ensemble/join.test.ts", "test/testing"];
const KERNEL = ["test/unit/core", "test/unit/stall.test.ts", "test/conformance/rules_", "test/conformance/answers.test.ts"];
const STORE = [
  "test/unit/store",
  "test/storage/file.test.ts",
  "test/storage/odd_files.test.ts",
  "test/storage/lost_sectors.test.ts",
];
const DISKS = ["test/simulation/crashes.test.ts", "test/simulation/storage.test.ts"];

/** Which tests are asked about a file, in which order: quick ones first. */
const TESTS: readonly (readonly [start: string, groups: readonly (readonly string[])[]])[] = [
  ["lib/broadcast/", [ZAB, HAZARDS, ENSEMBLES, MEMBERS]],
  ["lib/store/", [STORE, DISKS, ENSEMBLES]],
  ["adapters/storage/", [STORE, DISKS]],
  ["lib/server/", [MEMBERS, DISKS]],
  ["lib/", [KERNEL, ENSEMBLES, MEMBERS]],
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { drawn: { type: "string" }, seed: { type: "string", default: "1" } },
});
const changes = (
  values.drawn === undefined ? FAULTS.map(placed) : drawnChanges(DRAWN_FROM, Number(values.drawn), Number(values.seed))
).filter(({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)));
const folder = mkdtempSync(join(tmpdir(), "zookernel-mutants-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
process.exitCode = await main();

async function main(): Promise<number> {
  for (const name of COPIED) cpSync(projectPath(name), join(folder, name), { recursive: true });
  symlinkSync(projectPath("node_modules"), join(folder, "node_modules"));
  const survivors: string[] = [];
  for (const change of changes) {
    const found = await finds(change);
    if (found === null) survivors.push(change.name);
    console.log(`${change.name} | ${found ?? "SURVIVES"}`);
  }
  console.log(`${changes.length - survivors.length} of ${changes.length} are found`);
  for (const name of survivors) console.log(`survives: ${name}`);
  return survivors.length > 0 && values.drawn === undefined ? 1 : 0;
}

/** Where the named fault stands. */
function placed({ name, before, after }: Fault): Change {
  const files = readSources("lib", "adapters").filter(({ text }) => text.includes(before));
  const [file] = files;
  const offset = file?.text.indexOf(before) ?? -1;
  if (files.length !== 1 || file!.text.includes(before, offset + 1))
    throw new Error(`"${name}" is to be planted in one place: ${before} stands in ${files.length} files`);
  return { name, file: file!.path, offset, before, after };
}

/** The first test that fails with the change made; null: none. */
async function finds({ file, offset, before, after }: Change): Promise<string | null> {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.slice(0, offset) + after + text.slice(offset + before.length));
  try {
    const [, groups] = TESTS.find(([start]) => file.startsWith(start))!;
    for (const group of groups) {
      const failed = await firstFailure(group.flatMap(filesOf));
      if (failed !== null) return failed;
    }
    return null;
  } finally {
    writeFileSync(path, text);
  }
}

/** The files that begin so, or stand in that folder. */
function filesOf(start: string): string[] {
  if (start.endsWith(".ts")) return [`./${start}`];
  const all = readdirSync(projectPath("test"), { recursive: true, encoding: "utf8" }).map(
    (name) => `test/${name.replaceAll("\\", "/")}`,
  );
  return all.filter((name) => name.startsWith(start) && name.endsWith(".test.ts")).map((name) => `./${name}`);
}

async function firstFailure(files: readonly string[]): Promise<string | null> {
  const bun = findBinary("bun");
  if (bun === null) throw new Error("npm brought no bun that starts here");
  const env = { ...process.env, ZOOKERNEL_WITHOUT_PEERS: "1", SIMULATION_SEEDS: "100" };
  const child = spawn(bun, ["test", "--bail=1", "--timeout=60000", ...files], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const killed = setTimeout(() => child.kill("SIGKILL"), TESTS_MS_MAX);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(killed);
  if (code === 0) return null;
  const test = /^\(fail\) (.*?)(?: \[[\d.]+m?s\])?$/m.exec(output)?.[1];
  return test ?? (code === null ? "does not end" : `does not run: ${/error: .*/.exec(output)?.[0] ?? `code ${code}`}`);
}
