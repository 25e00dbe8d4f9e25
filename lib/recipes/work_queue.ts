/**
 * Queue with acknowledgement: an item stays until whoever has it says that it is done, and comes back if its holder dies.
 *
 * Who works on an item has an ephemeral znode of its name. Guarantees: an item is never lost, nobody else has it while its holder's session lives, and
 * `done` happens only while it is held. Not guaranteed: that an item is worked on once only. A holder that loses it on the way is told by its signal,
 * and the next one begins anew, with a higher fence. Layout: kazoo's LockingQueue.
 */
import type { AbortSignal } from "../base/platform_types.ts";
import { checkOptions } from "../base/validate.ts";
import type { Data } from "../client/arguments.ts";
import type { LossRule } from "../client/lease.ts";
import { TransactionError } from "../client/transaction.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { ZkError } from "../model/errors.ts";
import { checkRule } from "./checks.ts";
import { Contender } from "./contender.ts";
import { itemsIn } from "./items.ts";
import { newGuid } from "./layouts.ts";
import { Ownership, Tenure } from "./ownership.ts";
import { createIn, entryPrefix, type PutOptions } from "./queue.ts";
import { hasCode, Notices, untilAnswered, type WaitOptions, within } from "./waiting.ts";

/** Options of {@link workQueue}. */
export interface WorkQueueOptions {
  /** When an item counts as lost to its holder. Default `suspended`. */
  readonly rule?: LossRule;
}

/**
 * A queue of work at a path.
 *
 * @example
 * ```ts
 * const jobs = workQueue(zk, "/jobs");
 * await jobs.put("resize 17", { priority: 10 });
 * await using job = await jobs.take();
 * await resize(job.data, job.signal);
 * await job.done(); // else it goes back when the block ends
 * ```
 */
export function workQueue(zk: ZooKeeper, path: string, options: WorkQueueOptions = {}): WorkQueue {
  checkOptions("make a queue of work", options, ["rule"], '{ rule: "leaseEnd" }');
  checkRule("make a queue of work", options.rule);
  return new WorkQueue(zk, path, options.rule ?? "suspended");
}

/** See {@link workQueue}. */
export class WorkQueue {
  readonly #zk: ZooKeeper;
  readonly #entries: string;
  readonly #taken: string;
  readonly #path: string;
  readonly #rule: LossRule;

  /** Made by {@link workQueue}. */
  constructor(zk: ZooKeeper, path: string, rule: LossRule) {
    this.#zk = zk;
    this.#path = path;
    this.#entries = `${path}/entries`;
    this.#taken = `${path}/taken`;
    this.#rule = rule;
  }

  /** Puts an item at the end of its priority. Errors: those of `create`; `ConnectionLoss` with `applied` unknown where it may be in it or not. */
  async put(item: Data, options: PutOptions = {}): Promise<void> {
    checkOptions("put an item", options, ["priority"], "{ priority: 10 }");
    await createIn(this.#zk, this.#entries, entryPrefix(options.priority), item);
  }

  /** Waits for an item that nobody has. Errors: `OperationTimeout` after `timeoutMs`; the signal's reason; `SessionExpired`. */
  take(wait: WaitOptions = {}): Promise<Job> {
    const waiter = { operation: "take an item", path: this.#path };
    return within(
      this.#zk,
      waiter,
      wait,
      (signal) => this.#take(signal),
      (job) => job?.release(),
    );
  }

  async #take(signal: AbortSignal): Promise<Job> {
    const notices = new Notices();
    for (;;) {
      const entries = await itemsIn(this.#zk, this.#entries, notices.give, signal);
      const taken = new Set(await itemsIn(this.#zk, this.#taken, notices.give, signal));
      for (const name of entries) {
        const job = taken.has(name) ? null : await this.#hold(name, signal);
        if (job !== null) return job;
      }
      await notices.next(signal);
    }
  }

  /** Null where somebody else was faster. */
  async #hold(name: string, signal: AbortSignal): Promise<Job | null> {
    const entry = `${this.#entries}/${name}`;
    const id = newGuid(this.#zk).replaceAll("-", "");
    const place = { parent: this.#taken, prefix: name, sequence: "", data: id, onlyWhile: entry };
    try {
      return await this.#jobOf(await Contender.enter(this.#zk, place, signal), entry, signal);
    } catch (error) {
      if (hasCode(error, "NodeExists") || hasCode(error, "NoNode") || error instanceof TransactionError) return null;
      throw error;
    }
  }

  async #jobOf(contender: Contender, entry: string, signal: AbortSignal): Promise<Job> {
    try {
      const { data } = await untilAnswered(() => this.#zk.getData(entry, { signal }), signal);
      return new Job(this.#zk, new Tenure(this.#zk, contender, this.#rule), entry, data);
    } catch (error) {
      void contender.leave().catch(() => {});
      throw error;
    }
  }

  /** How many items there are, those that somebody has included. */
  async size(): Promise<number> {
    return (await itemsIn(this.#zk, this.#entries, undefined, undefined)).length;
  }
}

/** An item, and the right to work on it. */
export class Job extends Ownership {
  readonly data: Uint8Array | null;
  readonly #zk: ZooKeeper;
  readonly #entry: string;

  /** Made by {@link WorkQueue.take}. */
  constructor(zk: ZooKeeper, tenure: Tenure, entry: string, data: Uint8Array | null) {
    super(tenure);
    this.#zk = zk;
    this.#entry = entry;
    this.data = data;
  }

  /**
   * The item is worked through: takes it away, if it is still held. Errors: the signal's reason where it is not; `SessionExpired`, `NoAuth`.
   */
  async done(): Promise<void> {
    for (;;) {
      this.signal.throwIfAborted();
      try {
        await this.#zk.transaction().check(this.path).delete(this.#entry).commit();
        break;
      } catch (error) {
        if (error instanceof TransactionError)
          throw new ZkError("NoNode", { operation: "take away an item", path: this.#entry, reason: "it is not held any more" });
        if (!hasCode(error, "ConnectionLoss")) throw error;
      }
      // Only its holder takes it away: where it is gone, that was us.
      if ((await untilAnswered(() => this.#zk.exists(this.#entry))) === null) break;
    }
    await this.release();
  }
}
