/**
 * `zookernel cli` as a process: its streams and its end.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { programCommand } from "../../../support/runtime.ts";
import { serverWithPort } from "./in_process.ts";

test("the shell ends when it is told to, though its input is still open", { timeout: 60_000 }, async () => {
  await using server = await serverWithPort();
  const { command, args } = programCommand("adapters/cli/main.ts", "cli", "-server", server.address);
  const child = spawn(command, args, { stdio: "pipe" });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  child.stdin.write("create /a 'x y'\nget /a\nget /none\nquit\n");
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  assert.deepEqual([code, await stdout], [1, "Created /a\nx y\n"]);
  assert.match(await stderr, /^Connecting to .*SyncConnected.*\nNode does not exist: \/none\n$/s);
});
