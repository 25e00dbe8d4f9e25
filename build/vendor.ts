/**
 * The last step of the build: msgpackr's pure JavaScript goes into `dist/`, with its licence, and what was built imports it from there.
 *
 * As a dependency it would bring native code and an install script with it, for all who never pack anything. Its two modules import nothing but each
 * other, so they are copied as they are published. Sources and tests import it by its name.
 */

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { projectPath } from "../test/support/root.ts";

const NAME = "msgpackr/pack";
const FOLDER = "lib/msgpackr";
const FILES = ["pack.js", "unpack.js", "LICENSE"];
/** The modules that import it, as test/rules.test.ts allows. */
const IMPORTERS = ["lib/client/msgpack.js", "lib/testing/pack.js"];

mkdirSync(projectPath("dist", FOLDER), { recursive: true });
for (const file of FILES) copyFileSync(projectPath("node_modules", "msgpackr", file), projectPath("dist", FOLDER, file));
for (const importer of IMPORTERS) {
  const path = projectPath("dist", importer);
  const source = readFileSync(path, "utf8");
  const copied = posix.relative(posix.dirname(importer), `${FOLDER}/pack.js`);
  if (!source.includes(`"${NAME}"`)) throw new Error(`${path} doesn't import ${NAME}`);
  writeFileSync(path, source.replace(`"${NAME}"`, `"${copied}"`));
}
