/**
 * Shared value: the data of one znode, which many read and change.
 *
 * Each change is made on what was read, and holds only if nobody was faster. Guarantees: no change is lost under another one, also where versions
 * overflow (conditional.ts). Not guaranteed: that a change whose answer is lost was not made: the error says so (`ConnectionLoss`, `applied` unknown).
 * Layout: Curator's SharedValue, whose data is kept as it is.
 */
import { checkFunction } from "../base/validate.ts";
import type { Data } from "../client/arguments.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import type { Zxid } from "../model/types.ts";
import { setDataAt } from "./conditional.ts";
import { mkdirs } from "./parents.ts";
import { hasCode } from "./waiting.ts";

/** A value as it was read. */
export interface ValueRead {
  readonly data: Uint8Array | null;
  /** The zxid of its last change: of two values the one with the higher is the newer. Versions don't tell that, as they overflow. */
  readonly mzxid: Zxid;
  /** What {@link SharedValue.trySet} compares. */
  readonly version: number;
}

/**
 * A value at a path. Nothing is asked of the server before it is read or changed.
 *
 * @example
 * ```ts
 * const limit = sharedValue(zk, "/limit");
 * await limit.update((read) => (read === null ? "10" : read.data));
 * ```
 */
export function sharedValue(zk: ZooKeeper, path: string): SharedValue {
  return new SharedValue(zk, path);
}

/** See {@link sharedValue}. */
export class SharedValue {
  readonly #zk: ZooKeeper;
  readonly #path: string;

  /** Made by {@link sharedValue}. */
  constructor(zk: ZooKeeper, path: string) {
    this.#zk = zk;
    this.#path = path;
  }

  /** What it is now; null if it was never set. Errors: those of `getData` but for `NoNode`. */
  async get(): Promise<ValueRead | null> {
    try {
      const { data, stat } = await this.#zk.getData(this.#path);
      return { data, mzxid: stat.mzxid, version: stat.version };
    } catch (error) {
      if (hasCode(error, "NoNode")) return null;
      throw error;
    }
  }

  /**
   * Sets it if it is still what was read, null where there was none. False: somebody was faster, and nothing has changed.
   *
   * Errors: those of `setData` and `create`; `ConnectionLoss` with `applied` unknown where it may have been set.
   */
  async trySet(data: Data, read: ValueRead | null): Promise<boolean> {
    try {
      if (read === null) await this.#createFirst(data);
      else await setDataAt(this.#zk, this.#path, data, read.version);
      return true;
    } catch (error) {
      if (hasCode(error, "BadVersion") || hasCode(error, "NodeExists") || (read !== null && hasCode(error, "NoNode")))
        return false;
      throw error;
    }
  }

  /** Changes it: `change` is given what it is, and again whenever somebody was faster. Errors: as with {@link SharedValue.trySet}; what `change` throws. */
  async update(change: (read: ValueRead | null) => Data | Promise<Data>): Promise<void> {
    checkFunction("update a value", "change", change as unknown, '() => "10"');
    for (;;) {
      const read = await this.get();
      if (await this.trySet(await change(read), read)) return;
    }
  }

  async #createFirst(data: Data): Promise<void> {
    try {
      await this.#zk.create(this.#path, data);
    } catch (error) {
      if (!hasCode(error, "NoNode")) throw error;
      await mkdirs(this.#zk, this.#path.slice(0, this.#path.lastIndexOf("/")), "persistent");
      await this.#zk.create(this.#path, data);
    }
  }
}
