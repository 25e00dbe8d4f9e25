/**
 * The shell of this project beside zkCli.sh: the same lines, typed to both, each with a fresh server of the same kind. What they print is the same, line
 * by line and with both streams as one, but for times, ids and connection lines.
 *
 * zkCli.sh prints events on a thread of their own, so that they are compared as lists of their own, and no line is asked for that makes it print an
 * event and a complaint at once. Nor is any that ends it, or that it doesn't know.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { isAll } from "../support/campaign.ts";
import { findJavaZooKeeper, findZkCli } from "../support/peers.ts";
import { projectPath } from "../support/root.ts";
import { type ServerKind, serverName, startServer } from "../support/server_process.ts";
import { TypedShell } from "../unit/cli/shell/in_process.ts";
import { startShell } from "./shell.ts";

const zkCli = findZkCli();
const apache = findJavaZooKeeper();

interface Said {
  readonly line: string;
  readonly text: string;
  readonly events: readonly string[];
}

interface Conversation {
  readonly rows: readonly Said[];
}

const LINES = readFileSync(projectPath("test/clients/cli_shell_lines.txt"), "utf8")
  .split("\n")
  .filter((line) => line !== "");
/** zkCli.sh prints no end of an answer: what it says to this line is one. */
const MARK = "printwatches";
const MARKED = /printwatches is on\n/;

for (const kind of ["ours", "apache"] as const) {
  const notAsked = kind === "apache" && !isAll ? "npm run test:all" : false;
  const skip = zkCli.skip || (kind === "apache" && apache.skip) || notAsked;
  describe(`the shell and zkCli.sh on ${serverName(kind)}`, { skip }, () => {
    test("say the same", { timeout: 180_000 }, async () => {
      const ours = await typedToShell(kind);
      const theirs = await typedToZkCli(kind, ours);
      assert.deepEqual(ours, theirs);
    });
  });
}

async function typedToZkCli(kind: ServerKind, { rows: expected }: Conversation): Promise<Conversation> {
  assert.ok(zkCli.skip === false);
  await using server = await startServer({ kind, config: { extendedTypesEnabled: true } });
  const both = ["-c", 'exec "$0" "$@" 2>&1', zkCli.command, "-server", server.address];
  await using shell = startShell("bash", both, { CLIENT_JVMFLAGS: "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx128m" });
  await shell.until(({ stdout }) => stdout.includes("path:null\n"), "the connection");
  shell.take();
  const rows: Said[] = [];
  for (const [at, line] of LINES.entries()) {
    shell.send(line);
    shell.send(MARK);
    const { length } = expected[at]!.events;
    const isWhole = (text: string): boolean => MARKED.test(text) && eventsIn(text).length >= length;
    await shell.until(({ stdout }) => isWhole(stdout), `the answer to ${line}`);
    rows.push(said(line, shell.take().stdout));
  }
  await shell.end();
  return { rows };
}

async function typedToShell(kind: ServerKind): Promise<Conversation> {
  await using server = await startServer({ kind, config: { extendedTypesEnabled: true } });
  const shell = new TypedShell(["-server", server.address]);
  const rows: Said[] = [];
  for (const line of LINES) rows.push(said(line, (await shell.type(line)).merged + (await shell.type(MARK)).merged));
  await shell.end();
  return { rows };
}

function said(line: string, text: string): Said {
  return { line, text: masked(text), events: eventsIn(text) };
}

/** Its two lines are printed one after the other, and an answer may come between them. */
const EVENT = /\nWATCHER::\n|\n(WatchedEvent .*)\n/g;

/** Of znodes: those of the connection are told by each in its own time. */
function eventsIn(text: string): string[] {
  return [...text.matchAll(EVENT)]
    .map(([, event = ""]) => event)
    .filter((event) => event !== "" && !event.includes("type:None"));
}

function masked(text: string): string {
  return text
    .replaceAll(EVENT, "")
    .replaceAll(/^SLF4J: .*\n/gm, "")
    .replaceAll(/^Connecting to .*\n/gm, "")
    .replace(MARKED, "")
    .replaceAll(/^(ctime|mtime) = .*$/gm, "$1 = <date>")
    .replaceAll(/^ephemeralOwner = 0x[1-9a-f][0-9a-f]*$/gm, "ephemeralOwner = <session>");
}
