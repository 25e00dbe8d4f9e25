/**
 * The last step of the build: what the library needs of others' packages, and no more, goes into `dist/`, with their licences.
 *
 * msgpackr's pure JavaScript: as a dependency it would bring native code and an install script with it, for all who never pack anything. Its two
 * modules import nothing but each other, so they are copied as they are published.
 *
 * The part of `zod/mini` that the schema of the settings uses: loaded whole, with all its languages, it takes longer than a server needs to start.
 *
 * The command as one file, with what it needs of commander, zod and others: a start that reads one file takes a third of the time of one that reads
 * two hundred, and npm installs nothing for it.
 *
 * Sources and tests import all of them by their names.
 */

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { build, type Plugin } from "esbuild";
import { projectPath } from "../test/support/root.ts";

const NAME = "msgpackr/pack";
const FOLDER = "lib/msgpackr";
const FILES = ["pack.js", "unpack.js", "LICENSE"];
/** The modules that import it, as test/rules.test.ts allows. */
const IMPORTERS = ["lib/client/msgpack.js", "lib/testing/pack.js"];

copyMsgpackr();
await bundleZod();
await bundleCommand();

function copyMsgpackr(): void {
  mkdirSync(projectPath("dist", FOLDER), { recursive: true });
  for (const file of FILES) copyFileSync(projectPath("node_modules", "msgpackr", file), projectPath("dist", FOLDER, file));
  for (const importer of IMPORTERS) {
    const path = projectPath("dist", importer);
    const source = readFileSync(path, "utf8");
    const copied = posix.relative(posix.dirname(importer), `${FOLDER}/pack.js`);
    if (!source.includes(`"${NAME}"`)) throw new Error(`${path} doesn't import ${NAME}`);
    writeFileSync(path, source.replace(`"${NAME}"`, `"${copied}"`));
  }
}

async function bundleZod(): Promise<void> {
  const schema = projectPath("dist", "lib", "options", "schema.js");
  const { warnings } = await build({
    entryPoints: [schema],
    outfile: schema,
    allowOverwrite: true,
    bundle: true,
    format: "esm",
    target: "es2022",
    banner: { js: "// With parts of zod, whose licence is in ./ZOD_LICENSE." },
    plugins: [ownImportsOf(schema)],
  });
  if (warnings.length > 0) throw new Error(JSON.stringify(warnings));
  rmSync(`${schema}.map`);
  copyFileSync(projectPath("node_modules", "zod", "LICENSE"), projectPath("dist", "lib", "options", "ZOD_LICENSE"));
}

async function bundleCommand(): Promise<void> {
  const main = projectPath("dist", "adapters", "cli", "main.js");
  const { warnings } = await build({
    entryPoints: [main],
    outfile: main,
    allowOverwrite: true,
    bundle: true,
    minifySyntax: true,
    minifyWhitespace: true, // names stay: they stand in stacks that people send
    platform: "node",
    format: "esm",
    target: "es2022",
    external: ["croner"],
    // commander was written for require.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  if (warnings.length > 0) throw new Error(JSON.stringify(warnings));
  rmSync(`${main}.map`, { force: true });
  for (const name of ["commander", "zod", "@std/path", "@noble/hashes"]) copyLicence(name);
}

function copyLicence(name: string): void {
  const [from, to] = [projectPath("node_modules", name, "LICENSE"), projectPath("dist", "adapters", "cli")];
  copyFileSync(from, `${to}/LICENSE_${name.replaceAll(/\W/g, "_")}`);
}

/** Our own modules stay imports: only the package is taken in. */
function ownImportsOf(file: string): Plugin {
  return {
    name: "own imports",
    setup({ onResolve }) {
      onResolve({ filter: /^\.\.?\// }, ({ path, importer }) => (importer === file ? { path, external: true } : null));
    },
  };
}
