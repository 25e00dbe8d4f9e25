/** A seed is the same ensemble on each runtime: a failure that one of them found is looked into on another. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { programOn, RUNTIMES } from "../../bench/runtimes.ts";
import { programCommand, runtimeName } from "../support/runtime.ts";

const STORY = "test/testing/programs/story.ts";

function told(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", timeout: 60_000 });
  assert.equal(status, 0, stderr);
  return stdout;
}

describe("an ensemble's history, seed by seed", () => {
  // Those that run the sources: what was built for Node may be of yesterday, but for Node's own tests.
  for (const other of RUNTIMES.filter((runtime) => runtime !== runtimeName && runtime !== "node")) {
    const program = programOn(other, STORY);
    test(`is the same on ${runtimeName} and ${other}`, { skip: typeof program === "string" ? program : false }, () => {
      assert.ok(typeof program !== "string");
      const { command, args } = programCommand(STORY);
      const here = told(command, args);
      assert.match(here, /member \d leads/);
      assert.equal(told(program.command, program.args), here);
    });
  }
});
