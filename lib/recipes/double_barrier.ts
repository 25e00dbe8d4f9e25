/**
 * Double barrier: a number of programs begin together, and end together.
 *
 * Each has an ephemeral znode; the one that completes the number creates `ready`. Guarantees: nobody enters before so many have come, nor leaves while
 * another one that entered is still in it; a program that dies counts as gone. Layout: Curator's DistributedDoubleBarrier, kazoo's DoubleBarrier.
 */
import type { ZooKeeper } from "../client/zookeeper.ts";
import { ZkError } from "../model/errors.ts";
import { Contender, watchDeletion } from "./contender.ts";
import { newGuid } from "./layouts.ts";
import { mkdirs } from "./parents.ts";
import { hasCode, Notices, untilAnswered, type WaitOptions, within } from "./waiting.ts";

const READY = "ready";

/**
 * A double barrier at a path, for so many programs.
 *
 * @example
 * ```ts
 * const round = doubleBarrier(zk, "/rounds/1", 3);
 * await round.enter();
 * // … all three work …
 * await round.leave();
 * ```
 */
export function doubleBarrier(zk: ZooKeeper, path: string, members: number): DoubleBarrier {
  if (!Number.isInteger(members) || members < 1)
    throw new TypeError("Cannot make a double barrier: members must be a whole number, at least 1");
  return new DoubleBarrier(zk, path, members);
}

/** See {@link doubleBarrier}. */
export class DoubleBarrier {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #members: number;
  #own: Contender | null = null;

  constructor(zk: ZooKeeper, path: string, members: number) {
    this.#zk = zk;
    this.#path = path;
    this.#members = members;
  }

  get #ready(): string {
    return `${this.#path}/${READY}`;
  }

  /**
   * Waits until so many have come.
   *
   * Errors: `OperationTimeout` after `timeoutMs`, and the signal's reason: then this one has not come; `SessionExpired`; `BadArguments` if it is in it.
   */
  enter(wait: WaitOptions = {}): Promise<void> {
    const waiter = { operation: "enter", path: this.#path };
    const enter = async (signal: AbortSignal): Promise<void> => {
      const place = { parent: this.#path, prefix: newGuid(this.#zk), sequence: "", data: null };
      const own = await Contender.enter(this.#zk, place, signal);
      try {
        await this.#waitUntilReady(signal);
        this.#own = own;
      } catch (error) {
        void own.leave().catch(() => {});
        throw error;
      }
    };
    const hasGivenUp = (): void => {
      void this.#own?.leave().catch(() => {});
      this.#own = null;
    };
    if (this.#own !== null)
      return Promise.reject(new ZkError("BadArguments", { ...waiter, reason: "this one is in it already" }));
    return within(this.#zk, waiter, wait, enter, hasGivenUp);
  }

  /** Waits until all who entered have left. Errors: as with {@link DoubleBarrier.enter}; this one has left in any case. */
  leave(wait: WaitOptions = {}): Promise<void> {
    return within(this.#zk, { operation: "leave", path: this.#path }, wait, async (signal) => {
      const own = this.#own;
      this.#own = null;
      await untilAnswered(() => this.#zk.delete(this.#ready)).catch((error) => {
        if (!hasCode(error, "NoNode")) throw error;
      });
      await own?.leave();
      const notices = new Notices();
      for (;;) {
        const [first] = (await this.#inIt(signal)).sort();
        if (first === undefined) return;
        // One is enough: as long as it is there, nobody may go.
        if (await watchDeletion(this.#zk, `${this.#path}/${first}`, notices.give, signal)) await notices.next(signal);
      }
    });
  }

  async #waitUntilReady(signal: AbortSignal): Promise<void> {
    const notices = new Notices();
    for (;;) {
      const isReady = await untilAnswered(() => this.#zk.exists(this.#ready, { watch: notices.give, signal }), signal);
      if (isReady !== null) return;
      if ((await this.#inIt(signal)).length >= this.#members) return await mkdirs(this.#zk, this.#ready, "persistent");
      await notices.next(signal);
    }
  }

  /** Names of those who have come and not left. */
  async #inIt(signal: AbortSignal): Promise<string[]> {
    try {
      const { children } = await untilAnswered(() => this.#zk.getChildren(this.#path, { signal }), signal);
      return children.filter((name) => name !== READY);
    } catch (error) {
      if (hasCode(error, "NoNode")) return [];
      throw error;
    }
  }
}
