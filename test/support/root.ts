/**
 * Where the project is, and the few folders a test asks for by name.
 *
 * Tests run from two places: as sources (bun, deno) and built below dist/ (node). Both find files by walking up to the
 * folder that holds package.json, never by counting "..".
 */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds package.json, as an absolute path. */
export const projectRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

/** An absolute path inside the project: `projectPath("test", "golden")`. */
export function projectPath(...parts: readonly string[]): string {
  return join(projectRoot, ...parts);
}

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json in ${start} or any folder above it`);
  }
}
