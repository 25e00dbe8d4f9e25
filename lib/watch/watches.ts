/**
 * Watches of all clients: the registrations of all connections of this member.
 *
 * As in ZooKeeper there are two tables, data and child; a persistent watch stands in both. A registration belongs to a connection, not to its
 * session.
 *
 * Not here: which change fires which table (triggers.ts), who may see an event (the kernel).
 *
 * Invariant: a path stands in a connection's index exactly if one of the tables holds a registration of it there.
 */
import { PathTree } from "../base/path_tree.ts";
import type { ConnId } from "../model/types.ts";

/** One-shot. */
export const STANDARD = 1;
/** Stays; this path only. */
export const PERSISTENT = 2;
/** Stays; this path and everything under it. */
export const RECURSIVE = 4;

/** Types of removeWatches and checkWatches, as numbered on the wire. */
export const WatcherType = { children: 1, data: 2, any: 3, persistent: 4, persistentRecursive: 5 } as const;

/**
 * `replace`: a connection has one kind of watch per path and table, the last one set (3.6–3.8). `separate`: the kinds stand beside one another,
 * and recursive ones in the data table only (3.9).
 */
export type WatchModes = "replace" | "separate";

/** One table: path → connection → kinds of watch, as bits. */
class WatchTable {
  readonly paths = new Map<string, Map<ConnId, number>>();
  /** Those of them that have recursive watchers, with how many. */
  readonly #recursive = new PathTree<{ readonly path: string; readonly count: number }>();
  /** The root's, which stands above every path and below none. */
  #recursiveAtRoot = 0;

  set(path: string, conn: ConnId, modes: number): void {
    const watchers = this.paths.get(path) ?? new Map<ConnId, number>();
    this.paths.set(path, watchers);
    this.#countRecursive(path, recursiveCount(modes) - recursiveCount(watchers.get(conn) ?? 0));
    if (modes !== 0) watchers.set(conn, modes);
    else watchers.delete(conn);
    if (watchers.size === 0) this.paths.delete(path);
  }

  get(path: string, conn: ConnId): number {
    return this.paths.get(path)?.get(conn) ?? 0;
  }

  get count(): number {
    let count = 0;
    for (const watchers of this.paths.values()) count += watchers.size;
    return count;
  }

  get hasRecursive(): boolean {
    return this.#recursive.size > 0 || this.#recursiveAtRoot > 0;
  }

  /** The paths above this one that have recursive watchers, the nearest first. */
  recursiveAbove(path: string): string[] {
    const above = this.#recursive
      .along(path)
      .reverse()
      .flatMap((found) => (found.path === path ? [] : [found.path]));
    if (this.#recursiveAtRoot > 0 && path !== "/" && path.includes("/")) above.push("/");
    return above;
  }

  #countRecursive(path: string, difference: number): void {
    if (difference === 0) return;
    if (path === "/") {
      this.#recursiveAtRoot += difference;
      return;
    }
    const before = this.#recursive.get(path);
    const count = (before?.count ?? 0) + difference;
    if (count === 0) this.#recursive.delete(path);
    else this.#recursive.set(path, { path, count });
  }
}

function recursiveCount(modes: number): number {
  return (modes & RECURSIVE) === 0 ? 0 : 1;
}

const NO_PATHS: ReadonlySet<string> = new Set();

/** A view of one table, for the watch words and admin commands. */
export type WatchTableView = ReadonlyMap<string, ReadonlyMap<ConnId, number>>;

export class Watches {
  readonly #modes: WatchModes;
  readonly #data = new WatchTable();
  readonly #child = new WatchTable();
  readonly #pathsOf = new Map<ConnId, Set<string>>();

  constructor(modes: WatchModes) {
    this.#modes = modes;
  }

  /** Registrations in both tables, as `mntr` counts them. */
  get count(): number {
    return this.#data.count + this.#child.count;
  }

  /** The data table: the only one that the watch words show. */
  get dataTable(): WatchTableView {
    return this.#data.paths;
  }

  addData(conn: ConnId, path: string): void {
    this.#register(this.#data, path, conn, STANDARD);
  }

  addChild(conn: ConnId, path: string): void {
    this.#register(this.#child, path, conn, STANDARD);
  }

  addPersistent(conn: ConnId, path: string): void {
    this.#register(this.#data, path, conn, PERSISTENT);
    this.#register(this.#child, path, conn, PERSISTENT);
  }

  addRecursive(conn: ConnId, path: string): void {
    this.#register(this.#data, path, conn, RECURSIVE);
    if (this.#modes === "replace") this.#register(this.#child, path, conn, RECURSIVE);
  }

  /** Removes what `type` names at this path; false if there was nothing. */
  remove(conn: ConnId, path: string, type: number): boolean {
    const inData = this.#clear(this.#data, path, conn, this.#bitsOf(type, WatcherType.data));
    const inChild = this.#clear(this.#child, path, conn, this.#bitsOf(type, WatcherType.children));
    if (this.#data.get(path, conn) === 0 && this.#child.get(path, conn) === 0) this.#forget(path, conn);
    return inData || inChild;
  }

  /**
   * Whether there is what {@link remove} would remove. With the modes of 3.6–3.8 any connection's watch counts, and the root is not found
   * under its name "": defects of those versions that clients see.
   */
  has(conn: ConnId, path: string, type: number): boolean {
    const data = this.#bitsOf(type, WatcherType.data);
    const child = this.#bitsOf(type, WatcherType.children);
    if (this.#modes === "replace")
      return path !== "" && ((data !== 0 && this.#data.paths.has(path)) || (child !== 0 && this.#child.paths.has(path)));
    return (this.#data.get(path, conn) & data) !== 0 || (this.#child.get(path, conn) & child) !== 0;
  }

  /** The paths that a connection watches. */
  pathsOf(conn: ConnId): ReadonlySet<string> {
    return this.#pathsOf.get(conn) ?? NO_PATHS;
  }

  /** Forgets everything of a connection. */
  drop(conn: ConnId): void {
    for (const path of this.#pathsOf.get(conn) ?? []) {
      this.#data.set(path, conn, 0);
      this.#child.set(path, conn, 0);
    }
    this.#pathsOf.delete(conn);
  }

  /** Consumes what a change of data, a creation or a deletion fires in the data table. */
  fireData(path: string, to: (conn: ConnId) => void): void {
    this.#fire(this.#data, path, true, to);
  }

  /** The same in the child table; `childrenChanged` says whether it is this znode's children that changed, which recursive watches don't hear. */
  fireChild(path: string, childrenChanged: boolean, to: (conn: ConnId) => void): void {
    this.#fire(this.#child, path, !childrenChanged, to);
  }

  #fire(table: WatchTable, path: string, recursive: boolean, to: (conn: ConnId) => void): void {
    const ancestors = recursive && table.hasRecursive;
    const watchers = table.paths.get(path);
    if (watchers === undefined && !ancestors) return;
    const told = new Set<ConnId>();
    if (watchers !== undefined) {
      for (const [conn, modes] of watchers) {
        if ((modes & (STANDARD | PERSISTENT)) !== 0 || (recursive && modes !== 0)) told.add(conn);
        if ((modes & STANDARD) !== 0) {
          table.set(path, conn, modes & ~STANDARD);
          if (this.#data.get(path, conn) === 0 && this.#child.get(path, conn) === 0) this.#forget(path, conn);
        }
      }
    }
    if (ancestors) {
      for (const up of table.recursiveAbove(path)) {
        for (const [conn, modes] of table.paths.get(up) ?? []) if ((modes & RECURSIVE) !== 0) told.add(conn);
      }
    }
    for (const conn of told) to(conn);
  }

  #register(table: WatchTable, path: string, conn: ConnId, mode: number): void {
    table.set(path, conn, this.#modes === "replace" ? mode : table.get(path, conn) | mode);
    const paths = this.#pathsOf.get(conn);
    if (paths === undefined) this.#pathsOf.set(conn, new Set([path]));
    else paths.add(path);
  }

  #clear(table: WatchTable, path: string, conn: ConnId, bits: number): boolean {
    const modes = table.get(path, conn);
    if ((modes & bits) === 0) return false;
    table.set(path, conn, modes & ~bits);
    return true;
  }

  #forget(path: string, conn: ConnId): void {
    const paths = this.#pathsOf.get(conn);
    if (paths?.delete(path) && paths.size === 0) this.#pathsOf.delete(conn);
  }

  /** The bits that a watcher type means in the table whose own type is `table`. */
  #bitsOf(type: number, table: number): number {
    const all = STANDARD | PERSISTENT | RECURSIVE;
    if (type === WatcherType.any) return all;
    if (type === table) return this.#modes === "replace" ? all : STANDARD;
    if (type === WatcherType.persistent) return PERSISTENT;
    return type === WatcherType.persistentRecursive ? RECURSIVE : 0;
  }
}
