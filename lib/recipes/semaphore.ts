/**
 * Semaphore: a number of leases, of which each owner has one; who waits is served in the order in which they came.
 *
 * One at a time, under a lock, counts the leases that are out and takes one if there is one left, in a transaction that holds only while the lock is
 * held. Guarantees: there are never more owners than leases, also where sessions and locks are lost on the way. Not guaranteed: that a former owner
 * whose process stands still has noticed. Layouts: Curator's InterProcessSemaphoreV2, kazoo's Semaphore; all of its users must say the same number.
 */
import type { LossRule } from "../client/lease.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { ZkError } from "../model/errors.ts";
import { checkOwnedOptions } from "./checks.ts";
import { Contender } from "./contender.ts";
import { LAYOUTS, type Layout, namePrefix, newGuid } from "./layouts.ts";
import { mutex } from "./mutex.ts";
import { Ownership, Tenure } from "./ownership.ts";
import { mkdirs } from "./parents.ts";
import { hasCode, Notices, untilAnswered, type WaitOptions, within } from "./waiting.ts";

/** Options of a semaphore. */
export interface SemaphoreOptions {
  /** How many leases there are; or the path of a znode that says it, as Curator's SharedCount keeps it (four bytes, the highest first). */
  readonly leases: number | { readonly count: string };
  /** Whose programs share it. Default `curator`. */
  readonly layout?: Layout;
  /** Text in the lease's znode, for people who look. Default none. */
  readonly id?: string;
  /** When a lease counts as lost. Default `suspended`. */
  readonly rule?: LossRule;
}

/**
 * A semaphore at a path.
 *
 * @example
 * ```ts
 * await using lease = await semaphore(zk, "/limits/api", { leases: 3 }).acquire();
 * ```
 */
export function semaphore(zk: ZooKeeper, path: string, options: SemaphoreOptions): Semaphore {
  checkOwnedOptions("make a semaphore", options, LAYOUTS, ["leases"]);
  const { leases } = options;
  if (typeof leases === "number" ? !Number.isInteger(leases) || leases < 0 : typeof leases?.count !== "string")
    throw new TypeError('Cannot make a semaphore: leases must be a whole number, or a znode that says it: { count: "/path" }');
  return new Semaphore(zk, path, options);
}

/** See {@link semaphore}. */
export class Semaphore {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #options: SemaphoreOptions;

  constructor(zk: ZooKeeper, path: string, options: SemaphoreOptions) {
    this.#zk = zk;
    this.#path = path;
    this.#options = options;
  }

  get #isKazoo(): boolean {
    return this.#options.layout === "kazoo";
  }

  /** Where the leases are. */
  get #leasesPath(): string {
    return this.#isKazoo ? this.#path : `${this.#path}/leases`;
  }

  /**
   * Waits for a lease.
   *
   * Errors: `OperationTimeout` after `timeoutMs`; the signal's reason; `SessionExpired` when the session ends meanwhile; `BadArguments` where others say
   * another number (layout `kazoo`); `NoAuth`.
   */
  acquire(wait: WaitOptions = {}): Promise<Ownership> {
    const acquire = (signal: AbortSignal): Promise<Ownership> => this.#acquire(signal);
    return within(this.#zk, { operation: "acquire", path: this.#path }, wait, acquire, (lease) => lease?.release());
  }

  async #acquire(signal: AbortSignal): Promise<Ownership> {
    const { layout = "curator" } = this.#options;
    const lockPath = this.#isKazoo ? `${this.#path}-__lock__` : `${this.#path}/locks`;
    for (;;) {
      const turn = await mutex(this.#zk, lockPath, { layout }).acquire({ signal });
      try {
        return await this.#takeLease(turn, AbortSignal.any([signal, turn.signal]), signal);
      } catch (error) {
        if (!turn.signal.aborted) throw error; // else the lock was lost on the way: once more
      } finally {
        void turn.release().catch(() => {});
      }
    }
  }

  /** Ids of those who have a lease, in no particular order. */
  async holders(): Promise<string[]> {
    const ids: string[] = [];
    for (const name of await this.#leases(() => {}, undefined)) {
      const read = this.#zk.getData(`${this.#leasesPath}/${name}`);
      const { data } = await read.catch((error) => {
        if (hasCode(error, "NoNode")) return { data: null };
        throw error;
      });
      if (data !== null) ids.push(new TextDecoder().decode(data));
    }
    return ids;
  }

  async #takeLease(turn: Ownership, locked: AbortSignal, signal: AbortSignal): Promise<Ownership> {
    const { layout = "curator", id = "", rule = "suspended" } = this.#options;
    await this.#agree();
    const notices = new Notices();
    for (;;) {
      const most = await this.#most(notices.give, locked);
      const out = await this.#leases(notices.give, locked);
      if (out.length < most) break;
      await notices.next(locked);
    }
    const prefix = namePrefix(layout, this.#isKazoo ? "" : "lease-", newGuid(this.#zk));
    const sequence = this.#isKazoo ? "" : null;
    const lease = { parent: this.#leasesPath, prefix, sequence, data: id, onlyWhile: turn.path };
    return new Ownership(new Tenure(this.#zk, await Contender.enter(this.#zk, lease, signal), rule));
  }

  /** kazoo keeps the number of leases in the semaphore's znode. */
  async #agree(): Promise<void> {
    const { leases } = this.#options;
    await mkdirs(this.#zk, this.#leasesPath);
    if (!this.#isKazoo || typeof leases !== "number") return;
    const { data, stat } = await untilAnswered(() => this.#zk.getData(this.#path));
    const text = new TextDecoder().decode(data ?? new Uint8Array(0));
    if (text === "") {
      await untilAnswered(() => this.#zk.setData(this.#path, String(leases), { version: stat.version })).catch((error) => {
        if (!hasCode(error, "BadVersion")) throw error;
      });
    } else if (Number(text) !== leases) {
      const reason = `others count ${text} leases, not ${leases}`;
      throw new ZkError("BadArguments", { operation: "acquire", path: this.#path, reason });
    }
  }

  async #most(watch: () => void, signal: AbortSignal): Promise<number> {
    const { leases } = this.#options;
    if (typeof leases === "number") return leases;
    const { data } = await untilAnswered(() => this.#zk.getData(leases.count, { watch, signal }), signal);
    if (data?.length === 4) return new DataView(data.buffer, data.byteOffset).getInt32(0);
    throw new ZkError("BadArguments", { operation: "acquire", path: leases.count, reason: "it holds no count of four bytes" });
  }

  async #leases(watch: () => void, signal: AbortSignal | undefined): Promise<string[]> {
    try {
      const options = signal === undefined ? {} : { watch, signal };
      return (await untilAnswered(() => this.#zk.getChildren(this.#leasesPath, options), signal)).children;
    } catch (error) {
      if (hasCode(error, "NoNode")) return [];
      throw error;
    }
  }
}
