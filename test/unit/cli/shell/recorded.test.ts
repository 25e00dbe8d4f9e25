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

interface Recording {
  readonly release: string;
  readonly address: string;
  readonly style: string;
  /** What is not as recorded, by the first word, and why. */
  readonly otherwise: Readonly<Record<string, string>>;
  readonly comparable: (text: string) => string;
}

const LISTED = "lists commands that zkCli.sh hasn't";
const QUOTAS = "quotas are 3.8's, whatever the style";

const RECORDINGS: readonly Recording[] = [
  {
    ...{ release: "3.8.0", address: "127.0.0.1:21843", style: "3.8" },
    otherwise: { help: LISTED, nosuch: LISTED },
    comparable,
  },
  {
    ...{ release: "3.4.14", address: "127.0.0.1:21823", style: "3.4" },
    otherwise: { help: LISTED, nosuch: LISTED, setquota: QUOTAS, listquota: QUOTAS },
    comparable: (text) => comparable(text).replaceAll(/^\[.*\]$/gm, sortedList),
  },
];

for (const { release, address, style, otherwise, ...recording } of RECORDINGS)
  describe(`the shell says what zkCli.sh ${release} said`, { concurrency: 1 }, () => {
    let server: Awaited<ReturnType<typeof serverWithPort>>;
    let shell: TypedShell;
    const args = (): string[] => ["-server", server.address, "--style", style];
    before(async () => {
      server = await serverWithPort();
      shell = new TypedShell(args());
    });
    after(async () => {
      await shell?.end();
      await server?.[Symbol.asyncDispose]();
    });

    for (const [index, row] of rowsOf(release).entries()) {
      const { cmd, argv } = row;
      // A run with one command printed what it printed in whatever order, and 3.4 had no exit codes.
      if (cmd === null || (argv !== undefined && style === "3.4")) continue;
      test(`${index}: ${cmd ?? argv!.join(" ")}`, { timeout: 30_000 }, async () => {
        const line = (cmd ?? "").replace(address, server.address);
        const said = argv === undefined ? await shell.type(line) : await runInProcess([...args(), ...argv]);
        if (row.stdout.includes("state:AuthFailed")) {
          await shell.end();
          shell = new TypedShell(args());
        }
        // In the recording the dead shell's session had expired by then, and its ephemeral with it.
        if (cmd === "quit") await runInProcess([...args(), "delete", "/e"]);
        if ("exitCode" in said) assert.equal(said.exitCode, row.exit);
        if (Object.hasOwn(otherwise, argv?.[0] ?? line.split(" ")[0]!)) return;
        // The recording doesn't say which of the two streams came first.
        const expected = [row.stderr + row.stdout, row.stdout + row.stderr].map(recording.comparable);
        const actual = recording.comparable(said.merged);
        assert.ok(expected.includes(actual), `${JSON.stringify(actual)} is none of ${JSON.stringify(expected)}`);
      });
    }
  });

function rowsOf(release: string): Row[] {
  const text = readFileSync(projectPath(`test/golden/cli/zkcli-${release}.jsonl`), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

/** Without what differs from run to run; connection lines come when they come. */
function comparable(text: string): string {
  return text
    .replaceAll(/\nWATCHER::\n\nWatchedEvent state:\w+ type:None path:null\n/g, "")
    .replaceAll(/^Connecting to .*\n/gm, "")
    .replaceAll(/^(ctime|mtime) = .*$/gm, "$1 = <date>")
    .replaceAll(/^ZooKeeper CLI version: .*$/gm, "ZooKeeper CLI version: <version>");
}

/** Their order is the server's there, which no two servers share. */
function sortedList(list: string): string {
  return `[${list.slice(1, -1).split(", ").sort().join(", ")}]`;
}
