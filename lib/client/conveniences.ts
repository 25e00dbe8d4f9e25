/**
 * Verbs of a handle beyond ZooKeeper's own: whole branches at once, data as text and JSON, waiting for a znode. Each is made of several requests.
 *
 * Not here: what one request is (zookeeper.ts), values of one type (typed.ts), locks and the like (recipes).
 *
 * Invariant: what is said of one request holds for each of them and not for all together: others may see, and change, what is half done.
 */
import type { AbortSignal } from "../base/platform_types.ts";
import { ZkError } from "../model/errors.ts";
import type { Acl, CreateMode, Stat } from "../model/types.ts";
import { onAbort } from "./abort.ts";
import { type CreateOptions, type Data, NO_OPTIONS, takeCreateOptions, takeRequestOptions } from "./arguments.ts";
import { type Codec, json, utf8 } from "./codecs.ts";
import type { RequestOptions, VersionOptions, WatchOptions } from "./options.ts";
import { InvalidValueError } from "./schema.ts";
import { type ConnectionState, isTerminal } from "./session.ts";
import type { StateChange } from "./states.ts";

/** What {@link Conveniences.mkdirp} may be told. */
export interface MkdirpOptions extends RequestOptions {
  /** Of all that are created. Default `persistent`. */
  readonly mode?: Extract<CreateMode, "persistent" | "container"> | undefined;
  /** Of all that are created. Default: everybody everything. */
  readonly acl?: readonly Acl[] | undefined;
}

/** So many requests are on their way at a time. */
const AT_ONCE = 256;

export abstract class Conveniences {
  abstract get state(): ConnectionState;
  abstract get chroot(): string;
  abstract onState(listener: (change: StateChange) => void): () => void;
  abstract create(path: string, data?: Data, options?: CreateOptions & RequestOptions): Promise<string>;
  abstract delete(path: string, options?: VersionOptions): Promise<void>;
  abstract setData(path: string, data: Data, options?: VersionOptions): Promise<Stat>;
  abstract getData(path: string, options?: WatchOptions): Promise<{ data: Uint8Array | null; stat: Stat }>;
  abstract exists(path: string, options?: WatchOptions): Promise<Stat | null>;
  abstract getChildren(path: string, options?: WatchOptions): Promise<{ children: string[]; stat: Stat }>;

  /**
   * Creates a znode and whatever is missing above it; what is there stays as it is, data included. Returns the path. May be called by many at the same
   * time. Errors: those of `create` but for `NodeExists`, and `NoNode` only where somebody deletes the parents again and again.
   *
   * @param data of the last znode, if it is created; those above it have none
   *
   * @example
   * ```ts
   * await zk.mkdirp("/services/web/instances");
   * ```
   */
  async mkdirp(path: string, data: Data = null, options: MkdirpOptions = NO_OPTIONS): Promise<string> {
    const { mode, acl, signal } = takeCreateOptions(path, options);
    if (mode !== "persistent" && mode !== "container") {
      const reason = `there may be znodes below what it creates: mode must be "persistent" or "container", not "${mode}"`;
      throw new ZkError("BadArguments", { operation: "mkdirp", path, reason });
    }
    const make = (place: string, content: Data): Promise<boolean> =>
      this.create(place, content, { mode, acl, signal }).then(
        () => true,
        (error: unknown) => codeOf(error) === "NodeExists" || rethrow(error),
      );
    for (let tries = 1; ; tries++) {
      try {
        await make(path, data);
        return path;
      } catch (error) {
        if (codeOf(error) !== "NoNode" || tries === MKDIRP_TRIES) throw error;
      }
      for (const parent of parentsOf(path)) await make(parent, null);
    }
  }

  /**
   * Deletes a znode and everything below it, children first; returns how many znodes it has deleted. What others create there meanwhile is deleted,
   * too. Below `/` it leaves `/zookeeper`, and `/` itself. Errors: `NoNode` where there is none at the path, `NoAuth`; what was deleted by then is
   * gone.
   *
   * @example
   * ```ts
   * const count = await zk.deleteRecursive("/services/web");
   * ```
   */
  async deleteRecursive(path: string, options: RequestOptions = NO_OPTIONS): Promise<number> {
    const signal = takeRequestOptions("deleteRecursive", options);
    let deleted = 0;
    for (let round = 0; ; round++) {
      const branch = await this.#branch(path, signal);
      if (branch.length === 0 && round === 0) throw new ZkError("NoNode", { operation: "deleteRecursive", path });
      const places = branch.filter((place) => place !== "/").reverse();
      const outcomes = await some(places, (place) => this.#remove(place, signal));
      for (const outcome of outcomes) if (outcome === "deleted") deleted++;
      if (!outcomes.includes("has children")) return deleted;
    }
  }

  /** The znode and all below it, each before its children. */
  async #branch(path: string, signal: AbortSignal | undefined): Promise<string[]> {
    const found: string[] = [];
    let level = [path];
    while (level.length > 0) {
      const lists = await some(level, (place) => this.#childrenOf(place, signal));
      for (const [at, place] of level.entries()) if (lists[at] !== null) found.push(place);
      level = lists.flatMap((names) => names ?? []);
    }
    return found;
  }

  /** Paths of its children; null where there is no such znode. */
  async #childrenOf(path: string, signal: AbortSignal | undefined): Promise<string[] | null> {
    try {
      const { children } = await this.getChildren(path, { signal });
      const above = path === "/" ? "" : path;
      return children.map((name) => `${above}/${name}`).filter((place) => this.chroot !== "" || place !== OWN_BRANCH);
    } catch (error) {
      return codeOf(error) === "NoNode" ? null : rethrow(error);
    }
  }

  async #remove(path: string, signal: AbortSignal | undefined): Promise<"deleted" | "gone" | "has children"> {
    try {
      await this.delete(path, { signal });
      return "deleted";
    } catch (error) {
      const code = codeOf(error);
      if (code === "NoNode") return "gone";
      return code === "NotEmpty" ? "has children" : rethrow(error);
    }
  }

  /**
   * The data as text; no data is no text. Errors: those of `getData`, {@link InvalidValueError} for bytes that are no UTF-8.
   *
   * @example
   * ```ts
   * const motto = await zk.getText("/motto");
   * ```
   */
  async getText(path: string, options: RequestOptions = NO_OPTIONS): Promise<string> {
    return await this.#decoded(path, utf8, options);
  }

  /**
   * The data as the value that its JSON says. Whether it is one of the type is not checked: `typed` does that. Errors: those of `getData`,
   * {@link InvalidValueError} for data that is no JSON, and for none.
   *
   * @example
   * ```ts
   * const { port } = await zk.getJson<{ port: number }>("/config");
   * ```
   */
  async getJson<T = unknown>(path: string, options: RequestOptions = NO_OPTIONS): Promise<T> {
    return (await this.#decoded(path, json, options)) as T;
  }

  async #decoded<T>(path: string, codec: Codec<T>, options: RequestOptions): Promise<T> {
    const signal = takeRequestOptions(codec === utf8 ? "getText" : "getJson", options);
    const { data } = await this.getData(path, { signal });
    try {
      return codec.decode(data);
    } catch (error) {
      throw new InvalidValueError("read", path, [{ message: `it is no ${codec.name}: ${messageOf(error)}` }], error);
    }
  }

  /**
   * Replaces the data by a value's JSON. Errors: those of `setData`, {@link InvalidValueError} for what JSON has no form for.
   *
   * @example
   * ```ts
   * await zk.setJson("/config", { port: 8080 });
   * ```
   */
  async setJson(path: string, value: unknown, options: VersionOptions = NO_OPTIONS): Promise<Stat> {
    let data: Uint8Array | null;
    try {
      data = json.encode(value);
    } catch (error) {
      throw new InvalidValueError("setJson", path, [{ message: messageOf(error) }], error);
    }
    return await this.setData(path, data, options);
  }

  /**
   * Waits until there is a znode at the path, and reads it. It survives lost connections; `signal` gives up. Errors: `NoAuth`, and the end of the
   * session.
   *
   * @example
   * ```ts
   * const { data } = await zk.waitFor("/config", { signal: AbortSignal.timeout(5000) });
   * ```
   */
  async waitFor(path: string, options: RequestOptions = NO_OPTIONS): Promise<{ data: Uint8Array | null; stat: Stat }> {
    const signal = takeRequestOptions("waitFor", options);
    for (;;) {
      try {
        return await this.getData(path, { signal });
      } catch (error) {
        if (!MAY_COME.has(codeOf(error))) throw error;
      }
      await this.#created(path, signal);
    }
  }

  /** Resolves once there may be such a znode. */
  async #created(path: string, signal: AbortSignal | undefined): Promise<void> {
    let [offState, offAbort] = [(): void => {}, (): void => {}];
    try {
      await new Promise<void>((resolve, reject) => {
        offAbort = onAbort(signal, reject);
        offState = this.onState(({ state, reason }) => {
          if (isTerminal(state)) reject(new ZkError("SessionExpired", { operation: "waitFor", path, reason }));
        });
        this.exists(path, { watch: () => resolve(), signal }).then(
          (stat) => stat !== null && resolve(),
          (error: unknown) => (codeOf(error) === "ConnectionLoss" ? resolve() : reject(error)),
        );
      });
    } finally {
      offState();
      offAbort();
    }
  }
}

/** ZooKeeper's own znodes: its configuration and quotas. */
const OWN_BRANCH = "/zookeeper";
const MKDIRP_TRIES = 10;
/** Why what is not read now may be read later. */
const MAY_COME: ReadonlySet<string | null> = new Set(["NoNode", "ConnectionLoss"]);

/** What is asked of each, some at a time, in their order. */
async function some<T>(paths: readonly string[], ask: (path: string) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    for (const answer of await Promise.all(paths.slice(at, at + AT_ONCE).map(ask))) answers.push(answer);
  }
  return answers;
}

/** The paths above this one, the highest first; the root is always there but under a chroot. */
function parentsOf(path: string): string[] {
  const names = path.split("/").slice(1, -1);
  return ["/", ...names.map((_, at) => `/${names.slice(0, at + 1).join("/")}`)];
}

function codeOf(error: unknown): ZkError["code"] | null {
  return error instanceof ZkError ? error.code : null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function rethrow(error: unknown): never {
  throw error;
}
