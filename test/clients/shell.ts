/**
 * A client program that is talked to through its standard input, one line after the other, the way a person would.
 *
 * Nothing is read by the clock: `until` looks again whenever the program has written something or has ended. The time limit is
 * only there to turn a silence into a failure that shows what was heard.
 */

import { spawn } from "node:child_process";

export interface Heard {
  readonly stdout: string;
  readonly stderr: string;
}

export interface Shell extends AsyncDisposable {
  /** Types a line. */
  send(line: string): void;
  /** Resolves once `condition` holds for what was heard since the last `take`; rejects if it never does. */
  until(condition: (heard: Heard) => boolean, what: string): Promise<void>;
  /** What was heard since the last `take`. */
  take(): Heard;
  /** Closes the program's input and resolves with its exit code; whatever it still writes can be taken afterwards. */
  end(): Promise<number | null>;
}

const SILENCE_MS_MAX = 30_000;

export function startShell(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Shell {
  const child = spawn(command, args, { stdio: "pipe", env: { ...process.env, ...env } });
  let heard: Heard = { stdout: "", stderr: "" };
  let onChange = (): void => {};
  const closed = new Promise<number | null>((resolve) => {
    child.once("error", (error) => {
      heard = { ...heard, stderr: `${heard.stderr}${error}\n` };
      resolve(null);
    });
    // Not "exit": the last words may still be on their way then.
    child.once("close", resolve);
  });
  child.stdin.on("error", () => {}); // The program has ended: `until` and `end` tell.
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    heard = { ...heard, stdout: heard.stdout + text };
    onChange();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    heard = { ...heard, stderr: heard.stderr + text };
    onChange();
  });

  function until(condition: (heard: Heard) => boolean, what: string): Promise<void> {
    if (condition(heard)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const fail = (why: string): void =>
        reject(new Error(`${command} ${args.join(" ")}: ${why} while waiting for ${what}; heard ${JSON.stringify(heard)}`));
      const timer = setTimeout(() => fail(`${SILENCE_MS_MAX} ms have passed`), SILENCE_MS_MAX);
      onChange = () => {
        if (!condition(heard)) return;
        clearTimeout(timer);
        resolve();
      };
      void closed.then((code) => {
        clearTimeout(timer);
        if (condition(heard)) resolve();
        else fail(`it ended with code ${code}`);
      });
    });
  }

  function take(): Heard {
    const taken = heard;
    heard = { stdout: "", stderr: "" };
    return taken;
  }

  async function end(): Promise<number | null> {
    child.stdin.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), SILENCE_MS_MAX);
    const code = await closed;
    clearTimeout(timer);
    return code;
  }

  return {
    ...{ until, take, end },
    send: (line) => void child.stdin.write(`${line}\n`),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
