/**
 * Ownership of something that one client at a time may have, such as a lock or leadership: a fence, a signal, and a way to give it back.
 *
 * It is as good as the session behind it. `signal` tells the owner in time as long as its process runs; what slips in all the same (a process that
 * stood still, a message that was late) is stopped where it arrives, by comparing `fence`.
 *
 * Invariant: the signal has aborted before the znode that stands for the ownership is deleted by us, and before any promise of the handle settles that
 * could show another owner.
 */

import type { AbortSignal } from "../base/platform_types.ts";
import type { LossRule } from "../client/lease.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { ZkError } from "../model/errors.ts";
import type { Zxid } from "../model/types.ts";
import type { Contender } from "./contender.ts";
import { hasCode } from "./waiting.ts";

/** What an owner is given. */
export interface Owned {
  /** Grows with each owner: send it along with what you write elsewhere, and refuse there what is lower than the highest seen. */
  readonly fence: Zxid;
  /** Aborts when the ownership ends: released, or no longer certain. Its reason is a {@link ZkError} in the latter case. */
  readonly signal: AbortSignal;
  /** Path of the znode that stands for the ownership: a transaction that checks it happens only while it is there. */
  readonly path: string;
}

/**
 * One owner's hold. Several may share a tenure where a recipe is re-entrant: the last one that is released ends it.
 *
 * @example
 * ```ts
 * await using held = await mutex(zk, "/locks/a").acquire();
 * await fetch(url, { signal: held.signal, headers: { fence: String(held.fence) } });
 * ```
 */
export class Ownership implements Owned, AsyncDisposable {
  readonly #tenure: Tenure;
  #released: Promise<void> | null = null;

  /** Made by recipes. */
  constructor(tenure: Tenure) {
    this.#tenure = tenure;
    tenure.enter();
  }

  get fence(): Zxid {
    return this.#tenure.fence;
  }

  get signal(): AbortSignal {
    return this.#tenure.signal;
  }

  get path(): string {
    return this.#tenure.path;
  }

  /**
   * Gives it back: the next one in line may have it. May be called again. It tries until the znode is gone or the session is over.
   *
   * Errors: `NoAuth` where the znode may not be deleted; then the end of the session ends it.
   */
  release(): Promise<void> {
    this.#released ??= this.#tenure.exit();
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** The time for which a contender's znode gives ownership, whoever of one client shares it. */
export class Tenure {
  readonly signal: AbortSignal;
  readonly #contender: Contender;
  readonly #end = new AbortController();
  readonly #offGuard: () => void;
  #holds = 0;

  constructor(zk: ZooKeeper, contender: Contender, rule: LossRule) {
    this.#contender = contender;
    this.signal = this.#end.signal;
    this.#offGuard = zk.guardSession((reason) => this.#lose(reason), rule);
    void this.#watch();
  }

  get fence(): Zxid {
    return this.#contender.fence;
  }

  get path(): string {
    return this.#contender.path;
  }

  enter(): void {
    this.#holds++;
  }

  /** The last one to go ends it. */
  async exit(): Promise<void> {
    if (--this.#holds > 0) return;
    this.#finish(new DOMException("The ownership was given back", "AbortError"));
    await this.#contender.leave();
  }

  /** Whoever deletes the znode, such as an operator, takes the ownership. */
  async #watch(): Promise<void> {
    while (!this.signal.aborted) {
      try {
        await this.#contender.gone(this.signal);
        this.#lose(new ZkError("NoNode", { operation: "keep", path: this.path, reason: "somebody has deleted it" }));
      } catch (error) {
        if (hasCode(error, "ConnectionLoss")) continue; // the guard knows what that means
        return;
      }
    }
  }

  #lose(reason: ZkError): void {
    this.#finish(reason);
    // It may still be there, and then it keeps the others out.
    void this.#contender.leave().catch(() => {});
  }

  #finish(reason: unknown): void {
    this.#offGuard();
    this.#end.abort(reason);
  }
}
