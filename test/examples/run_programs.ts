/**
 * Runs programs one after the other in one process, since a process a program would take most of a suite's time: each is a module that does all it does
 * while it loads. What a program prints stands between a line that names it and one that says how it ended.
 *
 *     node run_programs.js FILE …
 */

import process from "node:process";
import { pathToFileURL } from "node:url";

for (const file of process.argv.slice(2)) {
  console.log(`@@ ${file}`);
  try {
    await import(pathToFileURL(file).href);
    console.log("@@ passed");
  } catch (error) {
    console.log(error instanceof Error ? error.stack : error);
    console.log("@@ failed");
  }
}
process.exit();
