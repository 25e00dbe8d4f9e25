/**
 * Mutex: one owner at a time, in the order in which they came; re-entrant for an owner that names itself.
 *
 * Guarantees: two owners never have the same fence, and a later one has a higher; a session that ends lets the next one in; the order of waiting is
 * kept, also over lost connections and changes of leader. Not guaranteed: that the former owner has noticed, if its process stands still; compare
 * fences where it matters. Layouts: Curator's InterProcessMutex, kazoo's Lock.
 */
import type { LossRule } from "../client/lease.ts";
import { onAbort } from "../client/requests.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import type { Layout } from "./layouts.ts";
import { inFront, takeTurn } from "./line.ts";
import { Ownership, type Tenure } from "./ownership.ts";
import { type WaitOptions, within } from "./waiting.ts";

/** Options of a lock. */
export interface LockOptions {
  /** Whose programs share the lock. Default `curator`. */
  readonly layout?: Layout;
  /** Text in the contender's znode, for people who look. Default none. */
  readonly id?: string;
  /** When it counts as lost. Default `suspended`. */
  readonly rule?: LossRule;
}

/** Options of one acquisition. */
export interface AcquireOptions extends WaitOptions {
  /** Whoever holds the lock under this name, any value but undefined, gets it again at once. Default: nobody does. */
  readonly owner?: unknown;
}

/** Kinds of contenders, as both libraries write them. */
const KIND: Readonly<Record<Layout, string>> = { curator: "lock-", kazoo: "__lock__" };

/**
 * A lock at a path. Nothing is asked of the server before the first {@link Mutex.acquire}.
 *
 * @example
 * ```ts
 * const lock = mutex(zk, "/locks/report");
 * await using held = await lock.acquire({ timeoutMs: 10_000 });
 * ```
 */
export function mutex(zk: ZooKeeper, path: string, options: LockOptions = {}): Mutex {
  return new Mutex(zk, path, options);
}

/** See {@link mutex}. */
export class Mutex {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #options: LockOptions;
  /** Of owners that have named themselves: what they have, or wait for. */
  readonly #tenures = new Map<unknown, Promise<Tenure>>();

  constructor(zk: ZooKeeper, path: string, options: LockOptions) {
    this.#zk = zk;
    this.#path = path;
    this.#options = options;
  }

  /**
   * Waits for the lock.
   *
   * Errors: `OperationTimeout` after `timeoutMs`; the signal's reason; `SessionExpired` when the session ends meanwhile; `NoNode` if somebody deletes
   * this client's place in the line; `NoAuth`.
   */
  async acquire({ owner, ...wait }: AcquireOptions = {}): Promise<Ownership> {
    const waiter = { operation: "acquire", path: this.#path };
    for (let tenure = this.#tenures.get(owner); tenure !== undefined; tenure = this.#tenures.get(owner)) {
      const shared = await within(this.#zk, waiter, wait, () => tenure!.catch(() => null));
      if (shared !== null && !shared.signal.aborted) return new Ownership(shared);
    }
    const taken = this.#take(wait);
    if (owner !== undefined) this.#remember(owner, taken);
    return new Ownership(await taken);
  }

  #remember(owner: unknown, taken: Promise<Tenure>): void {
    const forget = (): void => {
      if (this.#tenures.get(owner) === taken) this.#tenures.delete(owner);
    };
    this.#tenures.set(owner, taken);
    taken.then(({ signal }) => onAbort(signal, forget), forget);
  }

  #take(wait: WaitOptions): Promise<Tenure> {
    const { layout = "curator", id = null, rule = "suspended" } = this.#options;
    const kind = KIND[layout];
    const line = { operation: "acquire", path: this.#path, layout, kind, kinds: [kind], data: id, rule, blocker: inFront };
    return takeTurn(this.#zk, line, wait);
  }
}
