/**
 * Leader election: of all candidates at a path one leads, and when it goes the next in line does.
 *
 * Guarantees: two leaders never have the same fence, and a later one has a higher; there is a leader as long as there is a candidate whose session
 * lives. Not guaranteed: that a former leader whose process stands still has noticed; compare fences where it matters.
 * Layouts: Curator's LeaderLatch (`latch`, the default) or LeaderSelector (`selector`), kazoo's Election (`kazoo`).
 */
import type { LossRule } from "../client/lease.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { checkOwnedOptions } from "./checks.ts";
import { placesOf } from "./layouts.ts";
import { inFront, type LineOptions, takeTurn } from "./line.ts";
import { type Owned, Ownership } from "./ownership.ts";
import { hasCode, untilAnswered, type WaitOptions } from "./waiting.ts";

/** Whose programs stand for the same office. */
export type ElectionLayout = "latch" | "selector" | "kazoo";

/** Options of a candidate. */
export interface ElectionOptions {
  /** Default `latch`. */
  readonly layout?: ElectionLayout;
  /** The candidate's name, for {@link Election.candidates}. Default "". */
  readonly id?: string;
  /** When leadership counts as lost. Default `suspended`. */
  readonly rule?: LossRule;
}

const KIND: Readonly<Record<ElectionLayout, string>> = { latch: "latch-", selector: "lock-", kazoo: "__lock__" };

/**
 * An election at a path. Nothing is asked of the server before this client stands in it.
 *
 * @example
 * ```ts
 * const term = await election(zk, "/leader", { id: "host-1" }).elected();
 * term.signal.addEventListener("abort", stop);
 * ```
 */
export function election(zk: ZooKeeper, path: string, options: ElectionOptions = {}): Election {
  checkOwnedOptions("make an election", options, Object.keys(KIND));
  return new Election(zk, path, options);
}

/** See {@link election}. */
export class Election {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #options: ElectionOptions;

  constructor(zk: ZooKeeper, path: string, options: ElectionOptions) {
    this.#zk = zk;
    this.#path = path;
    this.#options = options;
  }

  get #kind(): string {
    return KIND[this.#options.layout ?? "latch"];
  }

  /**
   * Stands until this client leads; it leads until what comes back is released or lost.
   *
   * Errors: `OperationTimeout` after `timeoutMs`; the signal's reason; `SessionExpired` when the session ends meanwhile; `NoNode` if somebody deletes
   * the candidate's znode; `NoAuth`.
   */
  async elected(wait: WaitOptions = {}): Promise<Ownership> {
    const { id = "", rule = "suspended", layout } = this.#options;
    const line: LineOptions = {
      operation: "lead",
      path: this.#path,
      layout: layout === "kazoo" ? "kazoo" : "curator",
      kind: this.#kind,
      kinds: [this.#kind],
      sequence: null,
      data: id,
      rule,
      blocker: inFront,
    };
    return new Ownership(await takeTurn(this.#zk, line, wait));
  }

  /**
   * Leads with `fn`: runs it each time this client is elected, until it has come to its end while still leading, and gives what it gives. Where
   * leadership is lost on the way `fn` is told by its signal, and once it has returned or thrown the client stands again.
   *
   * Errors: as with {@link Election.elected}; whatever `fn` throws while it leads.
   *
   * @example
   * ```ts
   * await election(zk, "/leader").lead(async ({ signal }) => {
   *   while (!signal.aborted) await doOnePieceOfWork({ signal });
   * });
   * ```
   */
  async lead<T>(fn: (owned: Owned) => T | Promise<T>, wait: WaitOptions = {}): Promise<T> {
    for (;;) {
      const term = await this.elected(wait);
      // Whoever gives up is told at once, and the office is kept until it has come to its end.
      const signal = wait.signal === undefined ? term.signal : AbortSignal.any([term.signal, wait.signal]);
      try {
        const result = await fn({ fence: term.fence, path: term.path, signal });
        if (!term.signal.aborted) return result;
      } catch (error) {
        if (!term.signal.aborted) throw error;
      } finally {
        await term.release();
      }
    }
  }

  /** Ids of those who stand, the leader first. */
  async candidates(): Promise<string[]> {
    const ids: string[] = [];
    for (const { name } of placesOf(await this.#children(), [this.#kind])) {
      const id = await this.#idOf(`${this.#path}/${name}`);
      if (id !== null) ids.push(id);
    }
    return ids;
  }

  async #children(): Promise<readonly string[]> {
    try {
      return (await untilAnswered(() => this.#zk.getChildren(this.#path))).children;
    } catch (error) {
      if (hasCode(error, "NoNode")) return [];
      throw error;
    }
  }

  /** Null for one that has gone meanwhile. */
  async #idOf(path: string): Promise<string | null> {
    try {
      const { data } = await untilAnswered(() => this.#zk.getData(path));
      return new TextDecoder().decode(data ?? new Uint8Array(0));
    } catch (error) {
      if (hasCode(error, "NoNode")) return null;
      throw error;
    }
  }
}
