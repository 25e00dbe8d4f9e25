/**
 * Standard output and standard error as they are: written at once and in order, so that they may be one file, pipe or terminal.
 *
 * Invariant: a reader that has gone ends the process without a complaint, as it does with other programs in a pipe.
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { isatty } from "node:tty";
import type { Output } from "./printer.ts";

const RETRY_MS = 5;

export function descriptorOutput(descriptor: 1 | 2): Output {
  return {
    isTerminal: isatty(descriptor),
    write: (text) => writeWhole(descriptor, new TextEncoder().encode(text)),
  };
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") process.exit(0);
      if (code !== "EAGAIN") throw error;
      // The reader is slower than we are, and the pipe doesn't wait by itself.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}
