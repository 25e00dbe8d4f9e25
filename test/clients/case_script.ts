/**
 * A client program in another language that runs cases and prints one line of JSON for each: `{"case": name, "why": null | text}`.
 *
 * Lines are taken as they come, so each case is a test of its own although one process runs them all, in their order.
 */

import { spawn } from "node:child_process";

export interface CaseRun {
  /** Resolves when the case has passed; rejects with its reason when it has failed, or when the program ended without a word of it. */
  passed(name: string): Promise<void>;
  /** Ends the program if it still runs. */
  stop(): Promise<void>;
}

interface Verdict {
  readonly case: string;
  readonly why: string | null;
}

const STDERR_CHARS_KEPT = 4096;

export function startCases(command: string, args: readonly string[]): CaseRun {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const verdicts = new Map<string, Verdict>();
  const waiting = new Map<string, () => void>();
  let line = "";
  let stderr = "";
  let ended = false;

  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (line + text).split("\n");
    line = lines.pop() ?? "";
    for (const verdict of lines.map((each) => JSON.parse(each) as Verdict)) {
      verdicts.set(verdict.case, verdict);
      waiting.get(verdict.case)?.();
    }
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARS_KEPT);
  });
  const closed = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      stderr += `${error}\n`;
    });
    child.once("close", () => {
      ended = true;
      for (const wake of waiting.values()) wake();
      resolve();
    });
  });

  async function passed(name: string): Promise<void> {
    if (!verdicts.has(name) && !ended) await new Promise<void>((resolve) => waiting.set(name, resolve));
    const verdict = verdicts.get(name);
    if (verdict === undefined) throw new Error(`${command} ${args.join(" ")} ended without a word of "${name}"\n${stderr}`);
    if (verdict.why !== null) throw new Error(verdict.why);
  }

  async function stop(): Promise<void> {
    child.kill("SIGKILL");
    await closed;
  }

  return { passed, stop };
}
