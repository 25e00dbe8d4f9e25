/**
 * Size of the package in somebody's bundle, by what is imported of it: esbuild, minified, gzip. Fails where a row is above its budget.
 *
 *     npm run size
 *
 * The first row is what `open` needs at once, the second adds what it may load later: a storage, an ensemble, the port, settings. The rows of other
 * entries say what each adds to the second; `/testing` brings `/tcp` and `/msgpack` with it, and says what it adds to all three.
 */

import { gzipSync } from "node:zlib";
import { build, type Plugin } from "esbuild";
import { projectPath } from "../test/support/root.ts";

const OPEN = 'export { open } from "./mod.js";';
const MSGPACK = 'export * from "./lib/client/msgpack.js";';
const TCP = 'export * from "./adapters/tcp/mod.js";';

/** As package registries count. */
const KILOBYTE = 1000;

interface Row {
  readonly name: string;
  readonly budget: number;
  readonly code: string;
  /** What the row's size is counted beyond. */
  readonly beyond?: string;
  /** Whether what is loaded later counts, too. */
  readonly later: boolean;
}

const ROWS: readonly Row[] = [
  { name: "open, at once", budget: 50, code: OPEN, later: false },
  { name: "open, with all that it may load", budget: 110, code: OPEN, later: true },
  added("/recipes", 12, 'export * from "./lib/recipes/mod.js";'),
  added("/storage", 12, 'export * from "./adapters/storage/mod.js";'),
  added("/tcp", 12, TCP),
  added("/msgpack", 15, MSGPACK),
  {
    ...added("/testing", 25, `${TCP}${MSGPACK}export * from "./adapters/testing/mod.js";`),
    name: "/testing, beyond these two",
    beyond: OPEN + TCP + MSGPACK,
  },
];

function added(name: string, budget: number, code: string): Row {
  return { name: `${name}, beyond open`, budget, code: OPEN + code, beyond: OPEN, later: true };
}

/** Leaves what is loaded later out of the bundle. */
const AT_ONCE: Plugin = {
  name: "at once",
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ path, kind }) => (kind === "dynamic-import" ? { path, external: true } : null));
  },
};

/** Bytes of the bundle, all in one piece. */
async function sizeOf(code: string, later: boolean): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: projectPath("dist") },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "es2022",
    external: ["croner"],
    plugins: later ? [] : [AT_ONCE],
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
}

let above = 0;
for (const { name, budget, code, beyond, later } of ROWS) {
  const size = ((await sizeOf(code, later)) - (beyond === undefined ? 0 : await sizeOf(beyond, later))) / KILOBYTE;
  if (size > budget) above++;
  console.log(`${name.padEnd(34)} ${size.toFixed(1).padStart(6)} kB of ${budget}${size > budget ? ": ABOVE ITS BUDGET" : ""}`);
}
process.exitCode = above === 0 ? 0 : 1;
