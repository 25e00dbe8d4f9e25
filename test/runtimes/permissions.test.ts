/**
 * Deno's permissions: a program in memory needs none, one with a port `--allow-net` alone, one with storage its folder alone. Deno writes down what it is
 * asked for, so that a question whose refusal would go unnoticed is found, too: at a terminal it stops the process.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { projectPath } from "../support/root.ts";
import { skipReason } from "../support/skip.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { findBinary } from "./binaries.ts";

const KILLED_AFTER_MS = 60_000;
const deno = findBinary("deno");
const folder = temporaryFolder("permissions");
after(() => rmSync(folder, { recursive: true, force: true }));

describe("Deno is asked", { skip: deno === null && skipReason("no binary of Deno") }, () => {
  test("for nothing by a program that keeps all in memory", () => {
    const { said, asked } = run("memory", []);
    assert.equal(said, "0 0\n");
    assert.deepEqual(asked, []);
  });

  test("for the network alone by one that serves a port, also when a client wants to know about the process", () => {
    const { said, asked } = run("port", ["--allow-net"]);
    assert.equal(said, "0 4\n");
    assert.deepEqual([...new Set(asked.map(([permission]) => permission))], ["net"]);
  });

  test("for its folder alone by one that keeps its data there", { timeout: 2 * KILLED_AFTER_MS }, () => {
    const data = join(folder, "data");
    mkdirSync(data);
    for (const expected of ["created\n", "found 0\n"]) {
      const { said, asked } = run("storage", [`--allow-read=${data}`, `--allow-write=${data}`], data);
      assert.equal(said, expected);
      const elsewhere = asked.filter(([name, value]) => !/^(read|write)$/.test(name) || !value.startsWith(data));
      assert.deepEqual(elsewhere, []);
    }
  });
});

interface Asked {
  readonly said: string;
  /** What Deno was asked for: permission and value. */
  readonly asked: readonly (readonly [permission: string, value: string])[];
}

let runs = 0;

function run(program: string, permissions: readonly string[], ...programArgs: readonly string[]): Asked {
  const audit = join(folder, `audit-${runs++}.jsonl`);
  const source = projectPath("test", "runtimes", "permissions", `${program}.ts`);
  const args = ["run", "--quiet", "--no-check", "--no-prompt", ...permissions, source, ...programArgs];
  const env = { ...process.env, DENO_AUDIT_PERMISSIONS: audit };
  const { stdout, stderr, status } = spawnSync(deno!, args, { encoding: "utf8", timeout: KILLED_AFTER_MS, env });
  assert.equal(status, 0, stderr);
  assert.ok(existsSync(audit), "this Deno writes down what it is asked for");
  const lines = readFileSync(audit, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  const asked = lines.map((line) => JSON.parse(line) as { readonly permission: string; readonly value: string });
  return { said: stdout, asked: asked.map(({ permission, value }) => [permission, value] as const) };
}
