/**
 * Lines typed in earlier runs: a file in the home folder that only its owner can read.
 *
 * Invariant: no line that holds a secret gets there.
 */
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from "node:fs";
import { wordsOf } from "./words.ts";

export const HISTORY_LINES_MAX = 1_000;
const OWNER_ALONE = 0o600;

/** The lines, oldest first; none where there is no file, or none that can be read. */
export function readHistory(file: string): string[] {
  try {
    const lines = readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "");
    if (lines.length <= HISTORY_LINES_MAX) return lines;
    const kept = lines.slice(-HISTORY_LINES_MAX);
    writeFileSync(file, `${kept.join("\n")}\n`, { mode: OWNER_ALONE });
    return kept;
  } catch {
    return [];
  }
}

/** Adds a line, unless it holds a secret. A shell without a home works all the same. */
export function keepLine(file: string, line: string): void {
  if (line.trim() === "" || isSecret(line)) return;
  try {
    appendFileSync(file, `${line}\n`, { mode: OWNER_ALONE });
    chmodSync(file, OWNER_ALONE);
  } catch {
    // There is nothing to keep it in.
  }
}

/** Also where the command is quoted, or misspelt in its case. */
export function isSecret(line: string): boolean {
  return wordsOf(line).some((word) => word.toLowerCase() === "addauth");
}
