/**
 * A recorded conversation with zkCli.sh 3.8.0, held again line by line against the server under test.
 *
 * The recording is of the real server; the program that prints is the real client; so each line proves what the server answered,
 * zxids and versions included. Only dates, ports and the client's build date are hidden.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { findZkCli } from "../support/peers.ts";
import { projectPath } from "../support/root.ts";
import { type ServerProcess, serverName, startServer } from "../support/server_process.ts";
import type { Heard, Shell } from "./shell.ts";
import { comparable, runZkCli, startZkCli, type ZkCliOutput } from "./zkcli.ts";

type Row = Heard & { readonly exit?: number } & ({ readonly cmd: string | null } | { readonly argv: readonly string[] });

const RECORDED_ADDRESS = "127.0.0.1:21843";
const zkCli = findZkCli();

const rows = readFileSync(projectPath("test/golden/cli/zkcli-3.8.0.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Row);

describe(`zkCli.sh 3.8.0 against ${serverName()}, as recorded`, { skip: zkCli.skip, concurrency: 1 }, () => {
  let server: ServerProcess;
  let shell: Shell;
  let silent: string | null = null;

  before(async () => {
    server = await startServer({ config: { extendedTypesEnabled: true } });
  });
  after(async () => {
    await shell?.[Symbol.asyncDispose]();
    await server?.stop();
  });

  for (const [index, row] of rows.entries()) {
    if ("argv" in row)
      test(`zkCli.sh ${row.argv.join(" ")}`, { timeout: 60_000 }, async () => {
        const { exit, ...heard } = await runZkCli(command(), ["-server", server.address, ...row.argv]);
        // Such a run doesn't wait for the news that it is connected, so it may print it or not.
        assert.deepEqual({ ...comparable(heard), events: [], exit }, { ...comparable(row), events: [], exit: row.exit });
      });
    else
      test(`${index}: ${row.cmd ?? "start"}`, { timeout: 60_000 }, async () => {
        assert.equal(silent, null, "a row before was never answered in full");
        silent = row.cmd;
        if (row.cmd === null) shell = startZkCli(command(), server.address);
        else shell.send(row.cmd.replace(RECORDED_ADDRESS, server.address));
        const said = await answer(shell, comparable(row));
        silent = null;
        // Two clients for a moment, each with an event thread of its own.
        const events = row.cmd?.startsWith("connect ") ? said.events.toSorted() : said.events;
        assert.deepEqual({ ...said, events }, comparable(row));
        if (row.stdout.includes("state:AuthFailed")) shell = await anotherShell(shell, server.address);
        if (row.exit === undefined) return;
        assert.equal(await shell.end(), row.exit);
        // In the recording the dead shell's session had expired by now, and its ephemeral with it.
        await runZkCli(command(), ["-server", server.address, "delete", "/e"]);
      });
  }
});

/** What the shell says, once that is as much as it ought to say. */
async function answer(shell: Shell, expected: ZkCliOutput): Promise<ZkCliOutput> {
  await shell.until((heard) => {
    const { stdout, stderr, events } = comparable(heard);
    return (
      stdout.length >= expected.stdout.length &&
      stderr.length >= expected.stderr.length &&
      events.length >= expected.events.length
    );
  }, JSON.stringify(expected));
  return comparable(shell.take());
}

/** A session whose authentication failed is dead: the recording goes on in a new shell. */
async function anotherShell(dead: Shell, address: string): Promise<Shell> {
  await dead[Symbol.asyncDispose]();
  const shell = startZkCli(command(), address);
  await shell.until(({ stdout }) => stdout.includes("state:SyncConnected"), "the connection");
  shell.take();
  return shell;
}

function command(): string {
  if (zkCli.skip !== false) throw new Error(zkCli.skip);
  return zkCli.command;
}
