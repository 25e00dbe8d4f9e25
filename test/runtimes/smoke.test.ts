/** The smoke program says the same and ends by itself on every runtime: here, on the one that runs this test. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { programCommand } from "../support/runtime.ts";

const EXPECTED = [
  "created /smoke-0000000000",
  "read data version 0",
  "event NodeDataChanged",
  "refused BadVersion",
  "handshake 41 bytes",
  "state closed",
];

/** Long enough for any machine; a program that something keeps alive would run for ever. */
const KILLED_AFTER_MS = 60_000;

test("a program that embeds a server ends by itself once it has closed it", () => {
  const { command, args } = programCommand("test/runtimes/smoke.ts");
  const { stdout, stderr, status, signal } = spawnSync(command, args, { encoding: "utf8", timeout: KILLED_AFTER_MS });
  assert.equal(signal, null, `still alive after ${KILLED_AFTER_MS} ms, having said:\n${stdout}`);
  assert.deepEqual(stdout.trimEnd().split("\n"), EXPECTED, stderr);
  assert.equal(status, 0, stderr);
});
