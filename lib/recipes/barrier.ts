/**
 * Barrier: while its znode is there everybody waits; when it goes, all go on.
 *
 * Guarantees: nobody goes on while the znode is there, whatever wakes them. Layout: Curator's DistributedBarrier, kazoo's Barrier.
 */
import type { ZooKeeper } from "../client/zookeeper.ts";
import { mkdirs } from "./parents.ts";
import { hasCode, Notices, untilAnswered, type WaitOptions, within } from "./waiting.ts";

/**
 * A barrier at a path.
 *
 * @example
 * ```ts
 * const start = barrier(zk, "/start");
 * await start.set();
 * const passed = start.wait({ timeoutMs: 60_000 }); // here and in other programs
 * await start.remove();
 * await passed;
 * ```
 */
export function barrier(zk: ZooKeeper, path: string): Barrier {
  return new Barrier(zk, path);
}

/** See {@link barrier}. */
export class Barrier {
  readonly #zk: ZooKeeper;
  readonly #path: string;

  constructor(zk: ZooKeeper, path: string) {
    this.#zk = zk;
    this.#path = path;
  }

  /** Closes it: who waits from now on, waits. It outlives this client. Nothing happens if it is closed. */
  async set(): Promise<void> {
    await mkdirs(this.#zk, this.#path, "persistent");
  }

  /** Opens it for all who wait. Nothing happens if it is open. */
  async remove(): Promise<void> {
    await untilAnswered(() => this.#zk.delete(this.#path)).catch((error) => {
      if (!hasCode(error, "NoNode")) throw error;
    });
  }

  /** Waits until it is open. Errors: `OperationTimeout` after `timeoutMs`; the signal's reason; `SessionExpired`. */
  wait(wait: WaitOptions = {}): Promise<void> {
    return within(this.#zk, { operation: "pass the barrier", path: this.#path }, wait, async (signal) => {
      const watch = new Notices();
      while ((await untilAnswered(() => this.#zk.exists(this.#path, { watch: watch.give, signal }), signal)) !== null)
        await watch.next(signal);
    });
  }
}
