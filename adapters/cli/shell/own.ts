/**
 * Commands of the shell itself: `history`, `redo`, `printwatches`, `connect`, `close`, `quit`, `exit`, `version`.
 *
 * Not here: `help`, which knows all commands (commands.ts).
 */
import { versionText } from "../../../lib/report/version.ts";
import { type Answer, type Call, type Command, SILENT } from "./command.ts";
import { UsageError } from "./failures.ts";

export const OWN: readonly Command[] = [
  {
    ...{ name: "history", synopsis: "", flags: {}, least: 0, run: history },
    summary: "Lists the last lines of this run with their numbers.",
    example: "history",
  },
  {
    ...{ name: "redo", synopsis: "cmdno", flags: {}, least: 0, run: redo },
    summary: "Carries out a line again, by its number in the history.",
    example: "redo 3",
  },
  {
    ...{ name: "printwatches", synopsis: "on|off", flags: {}, least: 0, run: printWatches },
    summary: "Prints events or leaves them out; without a word, tells which.",
    example: "printwatches off",
  },
  {
    ...{ name: "connect", synopsis: "host:port", flags: {}, least: 0, run: connect },
    summary: "Ends the session and begins one with other servers; without a word, with the same.",
    example: "connect zk1:2181,zk2:2181",
  },
  {
    ...{ name: "close", synopsis: "", flags: {}, least: 0, run: close },
    summary: "Ends the session: its ephemerals and watches go. The shell stays.",
    example: "close",
  },
  {
    ...{ name: "quit", synopsis: "", flags: {}, least: 0, run: quit },
    summary: "Ends the session and the shell.",
    example: "quit",
  },
  {
    ...{ name: "exit", synopsis: "", flags: {}, least: 0, run: quit },
    summary: "Ends the session and the shell, as quit does.",
    example: "exit",
  },
  {
    ...{ name: "version", synopsis: "", flags: {}, least: 0, most: 0, run: version },
    summary: "Prints the version of this shell, behind that of ZooKeeper whose habits it has.",
    example: "version",
  },
];

const SHOWN = 11;

function history({ shell }: Call): Answer {
  const first = Math.max(0, shell.history.length - SHOWN);
  const entries = shell.history.slice(first).map((line, at) => ({ number: first + at, line }));
  return { lines: entries.map(({ number, line }) => `${number} - ${line}`), json: { entries } };
}

async function redo({ operands: [number], shell, style }: Call): Promise<Answer> {
  if (number === undefined) throw new UsageError(style === "3.4" ? "" : "redo cmdno");
  const line = /^\d+$/.test(number) ? shell.history[Number(number)] : undefined;
  // Its own line is the last one.
  if (line === undefined || Number(number) === shell.history.length - 1)
    throw new UsageError("Command index out of range", "history shows the numbers");
  return await shell.redo(line);
}

function printWatches({ operands: [word], shell }: Call): Answer {
  const prints = shell.printWatches(word === undefined ? null : word === "on");
  return { lines: word === undefined ? [`printwatches is ${prints ? "on" : "off"}`] : [], json: { printwatches: prints } };
}

async function connect({ operands: [servers], shell }: Call): Promise<Answer> {
  await shell.connect(servers ?? null);
  return SILENT;
}

async function close({ shell }: Call): Promise<Answer> {
  await shell.close();
  return SILENT;
}

function quit({ shell, style }: Call): Answer {
  shell.quit();
  return style === "3.4" ? { lines: ["Quitting..."], json: {} } : SILENT;
}

function version(): Answer {
  const text = versionText("3.8");
  return { lines: [`ZooKeeper CLI version: ${text}`], json: { version: text } };
}
