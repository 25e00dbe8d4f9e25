/**
 * Commands about watches: `addWatch`, `removewatches`.
 */
import type { WatchKind, WatchSort } from "../../../lib/client/watchers.ts";
import type { AddWatchMode } from "../../../lib/model/types.ts";
import { type Answer, type Call, type Command, usageOf } from "./command.ts";
import { UsageError } from "./failures.ts";
import { checkedPath } from "./paths.ts";

const ADD_WATCH: Command = {
  name: "addWatch",
  synopsis: "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE",
  flags: { m: "value" },
  least: 1,
  run: addWatch,
  summary: "Prints each change of a znode and, unless told otherwise, of all below it, until removewatches.",
  example: "addWatch -m PERSISTENT /app",
};

const MODES: Readonly<Record<string, AddWatchMode>> = {
  PERSISTENT: "persistent",
  PERSISTENT_RECURSIVE: "persistent_recursive",
};

async function addWatch({ operands: [given = ""], flags, style, signal, ...call }: Call): Promise<Answer> {
  const name = (flags.value("m") ?? "PERSISTENT_RECURSIVE").toUpperCase();
  if (!Object.hasOwn(MODES, name)) throw new UsageError(usageOf(ADD_WATCH));
  const path = checkedPath(given, style);
  await (await call.zk()).addWatch(path, call.watcher, { mode: MODES[name], signal });
  return { lines: [], json: { path, mode: name } };
}

const REMOVE_WATCHES: Command = {
  ...{ name: "removewatches", synopsis: "path [-c|-d|-a] [-l]", least: 1, run: removeWatches },
  flags: { c: "flag", d: "flag", a: "flag", p: "flag", r: "flag", l: "flag" },
  exclusive: ["c", "d", "a", "p", "r"],
  summary:
    "Removes this session's watches at a path: -c those on its children, -d those on its data, -p and -r those of addWatch (on servers of 3.9 or newer), -a all, as without an option; -l also where no server can be asked.",
  example: "removewatches /app -d",
};

/** What the event of each is called. */
const EVENTS: Readonly<Record<WatchSort, string>> = {
  data: "DataWatchRemoved",
  children: "ChildWatchRemoved",
  persistent: "PersistentWatchRemoved",
  persistent_recursive: "PersistentWatchRemoved",
};

const KINDS = { c: "children", d: "data", p: "persistent", r: "persistent_recursive" } as const;

async function removeWatches({ operands: [given = ""], flags, style, signal, ...call }: Call): Promise<Answer> {
  const path = checkedPath(given, style);
  const kind: WatchKind = Object.entries(KINDS).find(([flag]) => flags.has(flag))?.[1] ?? "any";
  const removed = await (await call.zk()).removeWatches(path, { kind, local: flags.has("l"), signal });
  for (const sort of removed) call.event({ type: EVENTS[sort], path, zxid: -1n });
  return { lines: [], json: { path, removed } };
}

export const WATCHING: readonly Command[] = [ADD_WATCH, REMOVE_WATCHES];
