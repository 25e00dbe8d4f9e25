/**
 * Log of a server in the background: a file that makes room for itself. What is too old is dropped, whole files at a time.
 *
 * Invariant: a line is in one file as a whole, and the newest lines are in the file without a number.
 */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "@std/path";

/** How much of the log is kept. */
export interface LogFileLimits {
  /** Bytes of one file. */
  readonly bytesMax: number;
  /** Files beside the newest one. */
  readonly filesKept: number;
}

export const LOG_LIMITS: LogFileLimits = { bytesMax: 10 * 1024 * 1024, filesKept: 10 };

/** Takes lines for a file, which is made where it isn't there. */
export function logFile(path: string, limits: LogFileLimits = LOG_LIMITS): (line: string) => void {
  mkdirSync(dirname(path), { recursive: true });
  let descriptor = openSync(path, "a");
  let bytes = fstatSync(descriptor).size;
  const write = (line: string): void => {
    const text = Buffer.from(`${line}\n`);
    if (bytes > 0 && bytes + text.length > limits.bytesMax) {
      closeSync(descriptor);
      makeRoom(path, limits.filesKept);
      descriptor = openSync(path, "a");
      bytes = 0;
    }
    writeSync(descriptor, text);
    bytes += text.length;
  };
  return (line) => {
    try {
      write(line);
    } catch (error) {
      // A full disk is no reason to stop serving.
      console.error(`${line} (${path} can't be written: ${(error as Error).message})`);
    }
  };
}

/** `server.log` becomes `server.log.1`, and so on; the oldest goes. */
function makeRoom(path: string, filesKept: number): void {
  rmSync(filesKept === 0 ? path : `${path}.${filesKept}`, { force: true });
  for (let number = filesKept - 1; number >= 0; number--) {
    try {
      renameSync(number === 0 ? path : `${path}.${number}`, `${path}.${number + 1}`);
    } catch {
      // There are not so many yet.
    }
  }
}
