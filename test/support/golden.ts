/**
 * The recordings of real servers in test/golden: rows of JSON, one a line, read as they are.
 */

import { readFileSync } from "node:fs";
import { projectPath } from "./root.ts";

/** A row of `golden/client/*.jsonl`, see the README there. */
export interface ClientRow {
  readonly dir: "c2s" | "s2c" | "comment";
  readonly conn?: number;
  /** A whole frame with its length, or raw text; empty: the connection was closed, or a comment. */
  readonly hex: string;
  readonly note: string;
  readonly truncatedAt?: number;
  readonly fullLength?: number;
}

/** The rows of a file below test/golden. */
export function goldenRows<Row>(...file: readonly string[]): Row[] {
  const text = readFileSync(projectPath("test", "golden", ...file), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row);
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
