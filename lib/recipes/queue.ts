/**
 * Queue: items that many put and many take, in order; with layout `kazoo` those of a lower priority number first.
 *
 * Guarantees: an item is given to one taker at most, and an earlier one before a later one of the same priority as far as takers find both. Not
 * guaranteed: that a taker who dies behind `take` had used its item; and where the connection is lost just as an item is put or taken the error says
 * so (`ConnectionLoss`, `applied` unknown): then it may be there, or gone. Where each item must be worked through, take `workQueue`. Layouts: Curator's
 * SimpleDistributedQueue, kazoo's Queue.
 */
import type { AbortSignal } from "../base/platform_types.ts";
import { checkOptions, checkWholeNumber } from "../base/validate.ts";
import type { Data } from "../client/arguments.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { itemsIn } from "./items.ts";
import { type Layout, takeLayout } from "./layouts.ts";
import { mkdirs } from "./parents.ts";
import { hasCode, Notices, untilAnswered, type WaitOptions, within } from "./waiting.ts";

/** Options of {@link queue}. */
export interface QueueOptions {
  /** Whose programs share it. Default `curator`. */
  readonly layout?: Layout;
}

/** Options of a put. */
export interface PutOptions {
  /** 0 to 999, the lowest first. Default 100. Layout `kazoo` alone has them. */
  readonly priority?: number;
}

const PRIORITY = 100;
const PRIORITY_MAX = 999;

/**
 * A queue at a path.
 *
 * @example
 * ```ts
 * const mails = queue(zk, "/mails");
 * await mails.put("hello");
 * const item = await mails.take({ timeoutMs: 60_000 }); // here or in another program
 * ```
 */
export function queue(zk: ZooKeeper, path: string, options: QueueOptions = {}): Queue {
  return new Queue(zk, path, takeLayout("make a queue", options));
}

/** See {@link queue}. */
export class Queue {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #layout: Layout;

  /** Made by {@link queue}. */
  constructor(zk: ZooKeeper, path: string, layout: Layout) {
    this.#zk = zk;
    this.#path = path;
    this.#layout = layout;
  }

  /** Puts an item at its end. Errors: those of `create`; `ConnectionLoss` with `applied` unknown where it may be in it or not. */
  async put(item: Data, options: PutOptions = {}): Promise<void> {
    const isKazoo = this.#layout === "kazoo";
    checkOptions("put an item", options, isKazoo ? ["priority"] : [], isKazoo ? "{ priority: 10 }" : "none");
    const prefix = isKazoo ? entryPrefix(options.priority) : CURATOR_PREFIX;
    await createIn(this.#zk, this.#path, prefix, item);
  }

  /**
   * Waits for an item, and takes it away.
   *
   * Errors: `OperationTimeout` after `timeoutMs`, and the signal's reason: then none was taken; `ConnectionLoss` with `applied` unknown where an item may
   * have been taken and is lost; `SessionExpired`.
   */
  take(wait: WaitOptions = {}): Promise<Uint8Array | null> {
    return within(this.#zk, { operation: "take an item", path: this.#path }, wait, async (signal) => {
      const notices = new Notices();
      for (;;) {
        for (const name of await itemsIn(this.#zk, this.#path, notices.give, signal)) {
          const taken = await this.#takeAway(`${this.#path}/${name}`, signal);
          if (taken !== null) return taken.data;
        }
        await notices.next(signal);
      }
    });
  }

  /** How many items there are. */
  async size(): Promise<number> {
    return (await itemsIn(this.#zk, this.#path, undefined, undefined)).length;
  }

  /** Null where somebody else was faster. */
  async #takeAway(path: string, signal: AbortSignal): Promise<{ data: Uint8Array | null } | null> {
    try {
      const { data } = await untilAnswered(() => this.#zk.getData(path, { signal }), signal);
      signal.throwIfAborted();
      await this.#zk.delete(path);
      return { data };
    } catch (error) {
      if (hasCode(error, "NoNode")) return null;
      throw error;
    }
  }
}

const CURATOR_PREFIX = "qn-";

/** What the name of an item begins with, as kazoo writes it: its priority comes first in the order of names. */
export function entryPrefix(priority: number = PRIORITY): string {
  checkWholeNumber("put an item", "priority", priority, 0, PRIORITY_MAX);
  return `entry-${String(priority).padStart(3, "0")}-`;
}

/** Creates an item behind all of the same beginning, and what is missing above it. */
export async function createIn(zk: ZooKeeper, parent: string, prefix: string, item: Data): Promise<void> {
  try {
    await zk.create(`${parent}/${prefix}`, item, { mode: "persistent_sequential" });
  } catch (error) {
    if (!hasCode(error, "NoNode")) throw error;
    await mkdirs(zk, parent, "persistent");
    await zk.create(`${parent}/${prefix}`, item, { mode: "persistent_sequential" });
  }
}
