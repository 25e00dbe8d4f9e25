/**
 * Completion of the word before the cursor: a command, one of its options, or a path of the server's.
 *
 * Invariant: it changes nothing and sets no watch; where the server can't be asked there is nothing to complete.
 */
import type { ZooKeeper } from "../../../mod.ts";
import { COMMANDS } from "./commands.ts";
import { childOf } from "./paths.ts";
import { lastWordStart, wordsOf } from "./words.ts";

/** What the word could become, and the word. */
export type Completions = [candidates: string[], word: string];

/** @param zk null while there is no connection */
export async function complete(line: string, zk: ZooKeeper | null): Promise<Completions> {
  const start = lastWordStart(line);
  const word = line.slice(start);
  const [command] = wordsOf(line.slice(0, start));
  if (command === undefined || command === "help")
    return [starting([...COMMANDS.keys()], word).map((name) => `${name} `), word];
  if (word.startsWith("-")) return [starting(optionsOf(command), word).map((option) => `${option} `), word];
  if (word.startsWith("/") && zk !== null) return [await pathsFrom(zk, word), word];
  return [[], word];
}

function starting(all: readonly string[], beginning: string): string[] {
  return all.filter((one) => one.startsWith(beginning));
}

function optionsOf(command: string): string[] {
  return Object.keys(COMMANDS.get(command)?.flags ?? {}).map((name) => `-${name}`);
}

async function pathsFrom(zk: ZooKeeper, word: string): Promise<string[]> {
  const slash = word.lastIndexOf("/");
  const parent = slash === 0 ? "/" : word.slice(0, slash);
  try {
    const { children } = await zk.getChildren(parent);
    return starting(
      children.sort().map((name) => childOf(parent, name)),
      word,
    );
  } catch {
    return [];
  }
}
