/**
 * A client handle's own record of its watches: which callback hears of which path, and what to register again after a reconnect.
 *
 * Not here: sending anything. Paths are the server's (chroot included).
 *
 * Invariant: a one-shot watcher is called at most once, and one event calls a watcher once however often it was registered.
 */
import type { SetWatchesOp } from "../model/ops.ts";
import type { AddWatchMode, EventType, WatchedEvent, Zxid } from "../model/types.ts";

/** What is called with an event. */
export type Watcher = (event: WatchedEvent) => void;

/** Where the ensemble's configuration is, whatever the chroot. */
export const CONFIG_PATH = "/zookeeper/config";

/** The sets a watcher can stand in, as ZooKeeper's clients keep them; `config` for data watches at {@link CONFIG_PATH} that are told this very path. */
export type WatchSet = "data" | "exist" | "child" | "config" | AddWatchMode;

/** A sort of watches: those on data and on being there, those on the list of children, and those of `addWatch` by their modes. */
export type WatchSort = "data" | "children" | AddWatchMode;

/** Which watches to remove: those of one sort, or all. */
export type WatchKind = WatchSort | "any";

const SORTS: readonly (readonly [WatchSort, readonly WatchSet[]])[] = [
  ["data", ["data", "exist", "config"]],
  ["children", ["child"]],
  ["persistent", ["persistent"]],
  ["persistent_recursive", ["persistent_recursive"]],
];

/** A batch of setWatches stops growing at this many characters of paths. */
const BATCH_CHARACTERS_MAX = 128 * 1024;

export class Watchers {
  readonly #sets: Record<WatchSet, Map<string, Set<Watcher>>> = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
    config: new Map(),
    persistent: new Map(),
    persistent_recursive: new Map(),
  };
  /** How many watches are on their way to the server, by path. */
  readonly #expected = new Map<string, number>();

  add(set: WatchSet, path: string, watcher: Watcher): void {
    const watchers = this.#sets[set].get(path);
    if (watchers === undefined) this.#sets[set].set(path, new Set([watcher]));
    else watchers.add(watcher);
  }

  /** A watch at this path is on its way to the server; the returned function says that it has been answered. */
  expect(path: string): () => void {
    this.#expected.set(path, (this.#expected.get(path) ?? 0) + 1);
    return () => {
      const left = this.#expected.get(path)! - 1;
      if (left > 0) this.#expected.set(path, left);
      else this.#expected.delete(path);
    };
  }

  /** Removes one registration; false if there was none. */
  remove(set: WatchSet, path: string, watcher: Watcher): boolean {
    const watchers = this.#sets[set].get(path);
    if (!watchers?.delete(watcher)) return false;
    if (watchers.size === 0) this.#sets[set].delete(path);
    return true;
  }

  /** Whether any watch at this path is registered or on its way. */
  needs(path: string): boolean {
    return this.#expected.has(path) || Object.values(this.#sets).some((set) => set.has(path));
  }

  /** Takes over all registrations of another handle, which keeps them. */
  takeOver(other: Watchers): void {
    for (const [set, paths] of Object.entries(other.#sets))
      for (const [path, watchers] of paths) for (const watcher of watchers) this.add(set as WatchSet, path, watcher);
  }

  /** Forgets all watches of a kind at a path, and says of which sorts there were some. */
  removeAll(path: string, kind: WatchKind): WatchSort[] {
    return SORTS.filter(([sort, sets]) => {
      if (kind !== "any" && kind !== sort) return false;
      return sets.map((set) => this.#sets[set].delete(path)).includes(true);
    }).map(([sort]) => sort);
  }

  /** Whether there is any watch of a kind at a path. */
  has(path: string, kind: WatchKind): boolean {
    return SORTS.some(([sort, sets]) => (kind === "any" || kind === sort) && sets.some((set) => this.#sets[set].has(path)));
  }

  /** Forgets all that `addWatch` registered. */
  removeAdded(): void {
    this.#sets.persistent.clear();
    this.#sets.persistent_recursive.clear();
  }

  /** Who hears of an event; one-shot watchers among them are forgotten. */
  take(event: WatchedEvent): Set<Watcher> {
    const hears = new Set<Watcher>();
    const { type, path } = event;
    if (type === "NodeDeleted" || type === "NodeDataChanged" || type === "NodeCreated") {
      this.#consume("data", path, hears);
      this.#consume("exist", path, hears);
    }
    if (type === "NodeDeleted" || type === "NodeChildrenChanged") this.#consume("child", path, hears);
    for (const watcher of this.#sets.persistent.get(path) ?? []) hears.add(watcher);
    if (type !== "NodeChildrenChanged" && this.#sets.persistent_recursive.size > 0) this.#recursive(path, hears);
    return hears;
  }

  /** Who hears of the configuration by its own path. */
  takeConfig(type: EventType): Set<Watcher> {
    const hears = new Set<Watcher>();
    if (type !== "NodeChildrenChanged") this.#consume("config", CONFIG_PATH, hears);
    return hears;
  }

  /** What re-registers everything on a new connection, in batches of bearable size. */
  toSetAgain(relativeZxid: Zxid): SetWatchesOp[] {
    const ops: SetWatchesOp[] = [];
    let batch = emptyBatch();
    let characters = 0;
    const flush = () => {
      const persistent = batch.persistentWatches.length + batch.persistentRecursiveWatches.length > 0;
      ops.push({ kind: persistent ? "setWatches2" : "setWatches", relativeZxid, ...batch });
      batch = emptyBatch();
      characters = 0;
    };
    for (const [set, list] of LISTS) {
      for (const path of this.#sets[set].keys()) {
        batch[list].push(path);
        characters += path.length;
        if (characters >= BATCH_CHARACTERS_MAX) flush();
      }
    }
    if (characters > 0) flush();
    return ops;
  }

  #consume(set: WatchSet, path: string, hears: Set<Watcher>): void {
    const watchers = this.#sets[set].get(path);
    if (watchers === undefined) return;
    this.#sets[set].delete(path);
    for (const watcher of watchers) hears.add(watcher);
  }

  #recursive(path: string, hears: Set<Watcher>): void {
    for (let at = path; ; at = at.slice(0, Math.max(at.lastIndexOf("/"), 1))) {
      for (const watcher of this.#sets.persistent_recursive.get(at) ?? []) hears.add(watcher);
      if (at === "/") return;
    }
  }
}

const LISTS = [
  ["data", "dataWatches"],
  ["exist", "existWatches"],
  ["child", "childWatches"],
  ["config", "dataWatches"],
  ["persistent", "persistentWatches"],
  ["persistent_recursive", "persistentRecursiveWatches"],
] as const;

type Batch = Record<(typeof LISTS)[number][1], string[]>;

function emptyBatch(): Batch {
  return { dataWatches: [], existWatches: [], childWatches: [], persistentWatches: [], persistentRecursiveWatches: [] };
}
