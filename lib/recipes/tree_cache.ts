/**
 * Cache of a branch: each znode at a path and below it, kept in memory as it changes.
 *
 * One recursive watch tells what has changed; on servers that have none (before 3.6) each znode is watched by itself. What is told is read again, some
 * at a time. Guarantees: once nothing changes any more it is what the branch is, and each znode's data is one that it really had, never an older one
 * behind a newer one. Not guaranteed: that every value in between is seen, and that several znodes are of one moment.
 */
import { checkFunction } from "../base/validate.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import type { Stat } from "../model/types.ts";
import { hasCode, Notices, untilAnswered, type WaitOptions, within } from "./waiting.ts";

/** A znode as it was read. */
export interface CachedZnode {
  readonly data: Uint8Array | null;
  readonly stat: Stat;
}

/** So many znodes are read at a time. */
const AT_ONCE = 256;

/**
 * Reads the branch at a path, and follows it until it is closed or the session ends. A znode that isn't there yet is waited for.
 *
 * Errors: `OperationTimeout` after `timeoutMs`, and the signal's reason, while it is first read; `NoAuth`; `SessionExpired`.
 *
 * @example
 * ```ts
 * await using config = await treeCache(zk, "/config");
 * const off = config.onChange((path) => console.log(path, config.get(path)?.data));
 * ```
 */
export async function treeCache(zk: ZooKeeper, path: string, wait: WaitOptions = {}): Promise<TreeCache> {
  const cache = new TreeCache(zk, path);
  const begin = async (): Promise<TreeCache> => {
    await cache.begun;
    return cache;
  };
  return await within(zk, { operation: "cache", path }, wait, begin, () => cache.close());
}

/** See {@link treeCache}. */
export class TreeCache implements AsyncDisposable {
  /** Resolves once all of it was read. */
  readonly begun: Promise<void>;
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #znodes = new Map<string, CachedZnode>();
  readonly #listeners = new Set<(path: string) => void>();
  readonly #closed = new AbortController();
  /** What may have changed since it was read. */
  readonly #dirty = new Set<string>();
  readonly #notices = new Notices();
  /** Whether each znode is watched by itself. */
  #isOneByOne = false;

  /** Made by {@link treeCache}. */
  constructor(zk: ZooKeeper, path: string) {
    this.#zk = zk;
    this.#path = path;
    this.begun = new Promise<void>((resolve, reject) => {
      const ended = (error: unknown): void => {
        this.#znodes.clear(); // what nobody follows any more is not shown
        reject(error);
      };
      within(zk, { operation: "cache", path }, { signal: this.#closed.signal }, () => this.#follow(() => resolve())).catch(
        ended,
      );
    });
    this.begun.catch(() => {}); // whoever waits hears of it
  }

  /** A znode of the branch by its whole path; undefined if there is none. */
  get(path: string): CachedZnode | undefined {
    return this.#znodes.get(path);
  }

  /** All that there are, in no order that means anything. */
  get znodes(): ReadonlyMap<string, CachedZnode> {
    return this.#znodes;
  }

  /** Calls back with the path of each znode that was read anew, or is gone; what that throws is not heard. The returned function ends it. */
  onChange(listener: (path: string) => void): () => void {
    checkFunction("listen to a cache", "listener", listener as unknown, "(path) => console.log(path)");
    const own = (path: string): void => listener(path);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Follows no more, and forgets what it knows. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#znodes.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #follow(hasBegun: () => void): Promise<void> {
    const { signal } = this.#closed;
    void this.#hear();
    this.#changed(this.#path);
    for (;;) {
      await this.#notices.next(signal);
      while (this.#dirty.size > 0) {
        const paths = [...this.#dirty].slice(0, AT_ONCE);
        for (const path of paths) this.#dirty.delete(path);
        await Promise.all(paths.map((path) => this.#read(path)));
      }
      hasBegun();
    }
  }

  readonly #changed = (path: string): void => {
    this.#dirty.add(path);
    this.#notices.give();
  };

  /** What the server tells of the whole branch, as long as it can. */
  async #hear(): Promise<void> {
    const { signal } = this.#closed;
    try {
      for await (const { type, path } of this.#zk.watch(this.#path, { mode: "persistent_recursive", signal })) {
        if (type === "Missed") this.#lookAgain();
        else this.#changed(path);
      }
    } catch (error) {
      if (!hasCode(error, "Unimplemented")) return; // the end of the session ends it all
      this.#isOneByOne = true;
      this.#lookAgain();
    }
  }

  #lookAgain(): void {
    for (const path of this.#znodes.keys()) this.#dirty.add(path);
    this.#changed(this.#path);
  }

  async #read(path: string): Promise<void> {
    const { signal } = this.#closed;
    const watch = this.#isOneByOne ? () => this.#changed(path) : undefined;
    const before = this.#znodes.get(path);
    try {
      const { data, stat } = await untilAnswered(() => this.#zk.getData(path, { watch, signal }), signal);
      if (before !== undefined && before.stat.mzxid > stat.mzxid) return this.#changed(path); // of a server that is behind
      this.#znodes.set(path, { data, stat });
      if (before === undefined || before.stat.pzxid !== stat.pzxid || watch !== undefined) await this.#list(path, watch);
      if (before?.stat.mzxid !== stat.mzxid) this.#tell(path);
    } catch (error) {
      if (!hasCode(error, "NoNode")) throw error;
      await this.#gone(path, watch);
    }
  }

  async #list(path: string, watch: (() => void) | undefined): Promise<void> {
    const { signal } = this.#closed;
    const { children } = await untilAnswered(() => this.#zk.getChildren(path, { watch, signal }), signal);
    const below = path === "/" ? "/" : `${path}/`;
    for (const name of children) if (!this.#znodes.has(below + name)) this.#changed(below + name);
  }

  async #gone(path: string, watch: (() => void) | undefined): Promise<void> {
    const { signal } = this.#closed;
    if (this.#znodes.delete(path)) this.#tell(path);
    // Only the top may come again without a parent that tells.
    if (path !== this.#path || watch === undefined) return;
    if ((await untilAnswered(() => this.#zk.exists(path, { watch, signal }), signal)) !== null) this.#changed(path);
  }

  #tell(path: string): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(path);
      } catch {
        // It must not end what others follow.
      }
    }
  }
}
