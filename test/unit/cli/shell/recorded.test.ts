/**
 * Recorded conversations of zkCli.sh, typed again to the shell of this project: its text is the same, both streams as one.
 *
 * Only dates, ports and versions are hidden. Connection lines, and the list of commands, are the shell's own.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { Compat } from "../../../../mod.ts";
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
  readonly compat: Compat;
  readonly address: string;
  /** What was gone when the first shell had ended: an ephemeral of a dead session, a TTL znode. */
  readonly gone: readonly string[];
  /** Lines whose answer is not as recorded. */
  readonly otherwise: RegExp;
  readonly comparable: (text: string) => string;
}

const RECORDINGS: readonly Recording[] = [
  {
    ...{ release: "3.8.0", compat: "3.8", address: "127.0.0.1:21843", gone: ["/e"] },
    otherwise: /^(?:help|nosuch)/, // the list has commands that zkCli.sh hasn't
    comparable,
  },
  {
    ...{ release: "3.9.5", compat: "3.9", address: "127.0.0.1:21844", gone: ["/e", "/t"] },
    otherwise: /^(?:help|nosuch|get$|set .a$)/, // the usage of two commands explains their options, too
    comparable,
  },
  {
    ...{ release: "3.4.14", compat: "3.4", address: "127.0.0.1:21823", gone: ["/e"] },
    otherwise: /^(?:help|nosuch|setquota|listquota)/, // quotas are 3.8's, whatever the style
    comparable: (text) => comparable(text).replaceAll(/^\[.*\]$/gm, sortedList),
  },
];

for (const { release, compat, address, gone, otherwise, ...recording } of RECORDINGS)
  describe(`the shell says what zkCli.sh ${release} said`, { concurrency: 1 }, () => {
    let server: Awaited<ReturnType<typeof serverWithPort>>;
    let shell: TypedShell;
    const args = (): string[] => ["-server", server.address, "--style", compat];
    before(async () => {
      server = await serverWithPort(compat);
      shell = new TypedShell(args());
    });
    after(async () => {
      await shell?.end();
      await server?.[Symbol.asyncDispose]();
    });

    for (const [index, row] of rowsOf(release).entries()) {
      const { cmd, argv } = row;
      // A run with one command printed what it printed in whatever order, and 3.4 had no exit codes.
      if (cmd === null || (argv !== undefined && compat === "3.4")) continue;
      test(`${index}: ${cmd ?? argv!.join(" ")}`, { timeout: 30_000 }, async () => {
        const line = (cmd ?? "").replace(address, server.address);
        const said = argv === undefined ? await shell.type(line) : await runInProcess([...args(), ...argv]);
        if (row.stdout.includes("state:AuthFailed")) {
          await shell.end();
          shell = new TypedShell(args());
        }
        if (cmd === "quit") for (const path of gone) await runInProcess([...args(), "delete", path]);
        if ("exitCode" in said) assert.equal(said.exitCode, row.exit);
        if (otherwise.test(argv?.join(" ") ?? line)) return;
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
    .replaceAll(/\nWatchedEvent state:\w+ type:None path:null(?: zxid: -1)?\n/g, "")
    .replaceAll("\nWATCHER::\n", "") // an answer may come between it and the event
    .replaceAll(/^Connecting to .*\n/gm, "")
    .replaceAll(/^(ctime|mtime) = .*$/gm, "$1 = <date>")
    .replaceAll(/^ZooKeeper CLI version: .*$/gm, "ZooKeeper CLI version: <version>");
}

/** Their order is the server's there, which no two servers share. */
function sortedList(list: string): string {
  return `[${list.slice(1, -1).split(", ").sort().join(", ")}]`;
}
