/**
 * The kernel, step by step: each file in kernel/ is a script, a line of dashes, and the trace it must give. `UPDATE=1` writes the traces anew; the
 * difference is for a person to read.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { projectRoot } from "../support/root.ts";
import { play } from "./player.ts";

const folder = join(projectRoot, "test/transcripts/kernel");
const DASHES = "----\n";

describe("kernel transcripts", () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".txt"))) {
    test(file, async () => {
      const path = join(folder, file);
      const [script = "", expected = ""] = readFileSync(path, "utf8").split(DASHES);
      const trace = `${await play(script)}\n`;
      if (process.env.UPDATE === "1") writeFileSync(path, script + DASHES + trace);
      else assert.equal(trace, expected);
    });
  }
});
