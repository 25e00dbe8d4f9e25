/**
 * Declarations in the programs of others: strict ones, whose settings name no newer library than ES2022, no browser's types and none of Node's, and
 * whose compiler checks our declarations, too.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { projectPath } from "./support/root.ts";
import { temporaryFolder } from "./support/temporary.ts";

const COMPILER = projectPath("node_modules", "typescript", "bin", "tsc");
/** What of Node they stand on has no other types; those of Request and Response come with Node's, or with a browser's. */
const NEEDS_NODE = ["./http", "./tcp"];

const PROGRAM = `import { open, type ConnectOptions } from "zookernel";
import { testServer } from "zookernel/testing";
export async function use(signal: NonNullable<ConnectOptions["signal"]>): Promise<boolean> {
  const server = await open();
  const zk = await server.connect({ signal });
  const world = await testServer();
  await Promise.all([zk[Symbol.asyncDispose](), server[Symbol.asyncDispose](), world.close()]);
  return signal.aborted;
}
`;

test("declarations compile with ES2022 alone, without the types of a browser or of Node", { timeout: 120_000 }, () => {
  const folder = temporaryFolder("declarations");
  try {
    const entries = layOut(folder).filter((entry) => !NEEDS_NODE.includes(entry));
    const imports = entries.map((entry, index) => `export * as e${index} from "zookernel${entry.slice(1)}";\n`);
    writeFileSync(join(folder, "use.ts"), PROGRAM + imports.join(""));
    const settings = [
      "--strict",
      "--noEmit",
      "--skipLibCheck",
      "false",
      "--target",
      "es2022",
      "--lib",
      "es2022",
      "--types",
      "",
    ];
    for (const module of [["nodenext"], ["esnext", "--moduleResolution", "bundler"]])
      compile(folder, [...settings, "--module", ...module, "use.ts"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Lays the package as it would be built beside an empty project; its entry points. */
function layOut(folder: string): string[] {
  const home = join(folder, "node_modules", "zookernel");
  mkdirSync(home, { recursive: true });
  compile(projectPath(), [
    "-p",
    "tsconfig.json",
    "--emitDeclarationOnly",
    "--sourceMap",
    "false",
    "--outDir",
    join(home, "dist"),
  ]);
  const text = readFileSync(projectPath("package.json"), "utf8");
  writeFileSync(join(home, "package.json"), text);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const manifest = JSON.parse(text) as { readonly dependencies: object; readonly exports: object };
  for (const dependency of Object.keys(manifest.dependencies)) {
    const link = join(folder, "node_modules", dependency);
    mkdirSync(join(link, ".."), { recursive: true });
    symlinkSync(projectPath("node_modules", dependency), link, "junction");
  }
  return Object.keys(manifest.exports).filter((entry) => !entry.endsWith(".json"));
}

function compile(folder: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync("node", [COMPILER, ...args], { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
}
