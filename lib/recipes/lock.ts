/**
 * Locks of one kind or another: what the mutex and both sides of a read-write lock have in common. Re-entrant for an owner that names itself.
 *
 * Not here: who keeps whom out (each kind's own file).
 *
 * Invariant: one owner has one place in the line, however often it enters; the last release gives it up.
 */

import { onAbort } from "../client/abort.ts";
import type { LossRule } from "../client/lease.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { type Layout, type Place, placesOf } from "./layouts.ts";
import { type LineOptions, takeTurn } from "./line.ts";
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

/** What makes a kind of lock. */
export interface LockKind {
  /** Of its own contenders, as their names say it. */
  readonly kind: string;
  /** The kinds that stand in the same line. */
  readonly kinds: readonly string[];
  /** The place that an owner has already and that this lock is to share; null: none. */
  shares(owner: unknown): Place | null;
  /** Who keeps the contender at `own` out; null: nobody. */
  blocker(places: readonly Place[], own: number, owner: unknown): Place | null;
}

/** See {@link mutex} and {@link readWriteLock}, which make them. */
export class Lock {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #options: LockOptions;
  readonly #kind: LockKind;
  /** Of owners that have named themselves: what they have, or wait for. */
  readonly #tenures = new Map<unknown, Promise<Tenure>>();
  readonly #places = new Map<unknown, Place>();

  constructor(zk: ZooKeeper, path: string, options: LockOptions, kind: LockKind) {
    this.#zk = zk;
    this.#path = path;
    this.#options = options;
    this.#kind = kind;
  }

  /**
   * Waits for the lock.
   *
   * Errors: `OperationTimeout` after `timeoutMs`; the signal's reason; `SessionExpired` when the session ends meanwhile; `NoNode` if somebody deletes
   * this client's place in the line; `NoAuth`.
   *
   * @example
   * ```ts
   * await using held = await lock.acquire({ timeoutMs: 10_000 });
   * ```
   */
  async acquire({ owner, ...wait }: AcquireOptions = {}): Promise<Ownership> {
    const waiter = { operation: "acquire", path: this.#path };
    for (let tenure = this.#tenures.get(owner); tenure !== undefined; tenure = this.#tenures.get(owner)) {
      const shared = await within(this.#zk, waiter, wait, () => tenure!.catch(() => null));
      if (shared !== null && !shared.signal.aborted) return new Ownership(shared);
    }
    const taken = this.#take(owner, wait);
    if (owner !== undefined) this.#remember(owner, taken);
    return new Ownership(await taken);
  }

  /** @internal The place in the line that an owner holds; null if it holds none. */
  placeOf(owner: unknown): Place | null {
    return this.#places.get(owner) ?? null;
  }

  #remember(owner: unknown, taken: Promise<Tenure>): void {
    const forget = (): void => {
      if (this.#tenures.get(owner) !== taken) return;
      this.#tenures.delete(owner);
      this.#places.delete(owner);
    };
    this.#tenures.set(owner, taken);
    taken.then(({ path, signal }) => {
      const name = path.slice(path.lastIndexOf("/") + 1);
      this.#places.set(owner, placesOf([name], [this.#kind.kind])[0]!);
      onAbort(signal, forget);
    }, forget);
  }

  #take(owner: unknown, wait: WaitOptions): Promise<Tenure> {
    const { layout = "curator", id = null, rule = "suspended" } = this.#options;
    const { kind, kinds } = this.#kind;
    const line: LineOptions = {
      ...{ operation: "acquire", path: this.#path, layout, kind, kinds, data: id, rule },
      sequence: this.#kind.shares(owner)?.sequence ?? null,
      blocker: (places, own) => this.#kind.blocker(places, own, owner),
    };
    return takeTurn(this.#zk, line, wait);
  }
}
