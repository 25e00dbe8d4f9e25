/**
 * The examples of the manuals that are whole programs, and the programs of `examples/`.
 *
 * A fence with more words than its language (a test for a runner that isn't installed here) is none of them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { projectPath } from "../support/root.ts";

export interface Example {
  /** The paper and what it stands under. */
  readonly title: string;
  readonly code: string;
  /** TypeScript, not JavaScript. */
  readonly isTyped: boolean;
  /** The runtime whose own test runner it is for; null: for any. */
  readonly runner: "bun" | "deno" | null;
}

export const MANUALS: readonly string[] = [
  "README.md",
  "lib/client/README.md",
  "lib/recipes/README.md",
  "lib/testing/README.md",
  "adapters/http/README.md",
  ...filesBelow("docs", /\.md$/),
];

/** Files below a folder of the project whose names fit, as paths in it. */
export function filesBelow(folder: string, name: RegExp): string[] {
  const files = readdirSync(projectPath(folder), { recursive: true, encoding: "utf8" }).filter((file) => name.test(file));
  return files.map((file) => `${folder}/${file.replaceAll("\\", "/")}`).sort();
}

/** All of them. */
export function examples(): Example[] {
  const programs = filesBelow("examples", /\.ts$/);
  return [
    ...MANUALS.flatMap(examplesOf),
    ...programs.map((program) => example(program, readFileSync(projectPath(program), "utf8"))),
  ];
}

function examplesOf(manual: string): Example[] {
  const found: Example[] = [];
  let heading = "";
  const parts = readFileSync(projectPath(manual), "utf8").matchAll(
    /^## (?<heading>.+)$|^```(?<language>[tj])s\n(?<code>[\s\S]*?)^```$/gm,
  );
  for (const { groups } of parts) {
    if (groups?.heading !== undefined) heading = groups.heading;
    else found.push(example(`${manual}, ${heading}: example ${found.length + 1}`, groups!.code!, groups!.language === "t"));
  }
  return found;
}

function example(title: string, code: string, isTyped = true): Example {
  const runner = code.includes('from "bun:test"') ? "bun" : /\bDeno\.test/.test(code) ? "deno" : null;
  return { title, code, isTyped, runner };
}
