/**
 * cli_mt, the shell of ZooKeeper's C client: started, and its output made comparable.
 *
 * Its commands are asynchronous and it prints all it has to say to stderr. Completions and watch events go through one queue, in
 * the order in which the server sent them: so the answer to a `sync` on a path of our own marks the end of an answer.
 */

import { type Shell, startShell } from "./shell.ts";

export interface CliMt extends AsyncDisposable {
  /** Types a command and resolves with all that is printed until the server has answered it. */
  ask(line: string): Promise<string>;
  /** Types a command and resolves once `condition` holds for what is printed. */
  askUntil(line: string, condition: (printed: string) => boolean): Promise<string>;
  /** Ends it by `quit` and resolves with its exit code. */
  quit(): Promise<number | null>;
}

/** Starts cli_mt and resolves, with what it has printed so far, once its session is established. */
export async function startCliMt(command: string, args: readonly string[]): Promise<{ cli: CliMt; greeting: string }> {
  const shell: Shell = startShell(command, args);
  let questions = 0;

  async function askUntil(line: string, condition: (printed: string) => boolean): Promise<string> {
    shell.send(line);
    await shell.until((heard) => condition(heard.stderr), `the answer to ${line}`);
    return comparable(shell.take().stderr);
  }

  async function ask(line: string): Promise<string> {
    questions += 1;
    const end = `[/end-of-answer-${questions}]: rc = 0\n\tname = /end-of-answer-${questions}\n`;
    const answer = await askUntil(`${line}\nsync /end-of-answer-${questions}`, (printed) => printed.includes(end));
    return answer.replace(end, "");
  }

  const cli: CliMt = {
    ...{ ask, askUntil },
    quit: () => {
      shell.send("quit");
      return shell.end();
    },
    [Symbol.asyncDispose]: () => shell[Symbol.asyncDispose](),
  };
  await shell.until(({ stderr }) => /^Watcher SESSION_EVENT state = CONNECTED_STATE\n.*\n/m.test(stderr), "its session");
  return { cli, greeting: comparable(shell.take().stderr) };
}

/** Hides what differs from run to run: durations, dates, the session id, the order of children. */
function comparable(printed: string): string {
  return printed
    .replaceAll(/(^\t[^\s=]+\n)+/gm, (names) => names.match(/.*\n/g)!.sort().join(""))
    .replaceAll(/^time = \d+ msec\n/gm, "")
    .replaceAll(/(ctime|mtime)( ?= ?).*$/gm, "$1$2<date>")
    .replaceAll(/session id: 0x[0-9a-f]+/g, "session id: <id>")
    .replaceAll(/ephemeralOwner = [0-9a-f]{2,}/g, "ephemeralOwner = <id>");
}
