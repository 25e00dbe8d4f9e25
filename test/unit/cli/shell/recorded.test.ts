/**
 * Recorded conversations of zkCli.sh, typed again to the shell of this project: its text is the same, both streams as one.
 *
 * Only dates, ports and versions are hidden. Connection lines, and the list of commands, are the shell's own.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { projectPath } from "../../../support/root.ts";
import { runInProcess, serverWithPort, TypedShell } from "./in_process.ts";

interface Row {
  readonly cmd?: string | null;
  readonly argv?: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  readonly exit?: number;
}

const RECORDED_ADDRESS = "127.0.0.1:21843";

/** What is not as recorded, and why. */
const OTHERWISE: Readonly<Record<string, string>> = {
  help: "lists commands that zkCli.sh hasn't",
  nosuch: "the same list",
};

const rows = readFileSync(projectPath("test/golden/cli/zkcli-3.8.0.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Row);

describe("the shell says what zkCli.sh 3.8.0 said", { concurrency: 1 }, () => {
  let server: Awaited<ReturnType<typeof serverWithPort>>;
  let shell: TypedShell;
  before(async () => {
    server = await serverWithPort();
    shell = new TypedShell(["-server", server.address]);
  });
  after(async () => {
    await shell?.end();
    await server?.[Symbol.asyncDispose]();
  });

  for (const [index, row] of rows.entries()) {
    const { cmd, argv } = row;
    if (cmd === null) continue;
    test(`${index}: ${cmd ?? argv!.join(" ")}`, { timeout: 30_000 }, async () => {
      const line = (cmd ?? "").replace(RECORDED_ADDRESS, server.address);
      const said = argv === undefined ? await shell.type(line) : await runInProcess(["-server", server.address, ...argv]);
      if (row.stdout.includes("state:AuthFailed")) {
        await shell.end();
        shell = new TypedShell(["-server", server.address]);
      }
      // In the recording the dead shell's session had expired by then, and its ephemeral with it.
      if (cmd === "quit") await runInProcess(["-server", server.address, "delete", "/e"]);
      if ("exitCode" in said) assert.equal(said.exitCode, row.exit);
      if (Object.hasOwn(OTHERWISE, (cmd ?? argv![0])!)) return;
      // The recording doesn't say which of the two streams came first.
      const expected = [comparable(row.stderr + row.stdout), comparable(row.stdout + row.stderr)];
      const actual = comparable(said.merged);
      assert.ok(expected.includes(actual), `${JSON.stringify(actual)} is none of ${JSON.stringify(expected)}`);
    });
  }
});

/** Without what differs from run to run; connection lines come when they come. */
function comparable(text: string): string {
  return text
    .replaceAll(/\nWATCHER::\n\nWatchedEvent state:\w+ type:None path:null\n/g, "")
    .replaceAll(/^Connecting to .*\n/gm, "")
    .replaceAll(/^(ctime|mtime) = .*$/gm, "$1 = <date>")
    .replaceAll(/^ZooKeeper CLI version: .*$/gm, "ZooKeeper CLI version: <version>");
}
