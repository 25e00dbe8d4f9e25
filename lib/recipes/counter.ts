/**
 * Shared counter: a number that many change.
 *
 * Each change is made on what was read and holds only if nobody was faster; then it begins again. Guarantees: no change is lost and none is made twice;
 * where the connection is lost on the way the error says that it may have happened (`ConnectionLoss`, `applied` unknown). Layouts: Curator's
 * DistributedAtomicLong (eight bytes, the highest first), kazoo's Counter (decimal text).
 */
import { argumentError, describe } from "../base/validate.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { ZkError } from "../model/errors.ts";
import { setDataAt } from "./conditional.ts";
import { type Layout, takeLayout } from "./layouts.ts";
import { mkdirs } from "./parents.ts";
import { hasCode } from "./waiting.ts";

/** Options of {@link counter}. */
export interface CounterOptions {
  /** Whose programs share it. Default `curator`. */
  readonly layout?: Layout;
}

const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;
const LONG_BYTES = 8;

/**
 * A counter at a path, 0 until it is changed.
 *
 * @example
 * ```ts
 * const visits = counter(zk, "/visits");
 * console.log(await visits.add(1)); // 1n
 * ```
 */
export function counter(zk: ZooKeeper, path: string, options: CounterOptions = {}): Counter {
  return new Counter(zk, path, takeLayout("make a counter", options));
}

/** See {@link counter}. */
export class Counter {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #layout: Layout;

  /** Made by {@link counter}. */
  constructor(zk: ZooKeeper, path: string, layout: Layout) {
    this.#zk = zk;
    this.#path = path;
    this.#layout = layout;
  }

  /** Its value. Errors: those of `getData` but for `NoNode`; `BadArguments` where the znode holds no number. */
  async value(): Promise<bigint> {
    return (await this.#read()).value;
  }

  /**
   * Adds to it, a negative number takes away, and gives the value that it has then.
   *
   * Errors: `ConnectionLoss` with `applied` unknown where it may have been added; `BadArguments` where the znode holds no number, or where the sum is
   * beyond 64 bits.
   */
  async add(change: number | bigint): Promise<bigint> {
    if (typeof change !== "bigint" && !Number.isSafeInteger(change))
      throw argumentError("add to a counter", `change must be a whole number or a bigint, not ${describe(change)}`);
    for (;;) {
      const { value, version } = await this.#read();
      const sum = value + BigInt(change);
      if (sum < LONG_MIN || sum > LONG_MAX) throw this.#refusal(`${value} + ${change} is beyond 64 bits`);
      if (await this.#write(sum, version)) return sum;
    }
  }

  /** The version is null where there is no such znode. */
  async #read(): Promise<{ value: bigint; version: number | null }> {
    try {
      const { data, stat } = await this.#zk.getData(this.#path);
      return { value: this.#decode(data), version: stat.version };
    } catch (error) {
      if (hasCode(error, "NoNode")) return { value: 0n, version: null };
      throw error;
    }
  }

  /** Whether nobody was faster. */
  async #write(value: bigint, version: number | null): Promise<boolean> {
    try {
      if (version === null) await this.#zk.create(this.#path, this.#encode(value));
      else await setDataAt(this.#zk, this.#path, this.#encode(value), version);
      return true;
    } catch (error) {
      const isMissing = hasCode(error, "NoNode");
      if (isMissing && version === null) await this.#makeParent();
      if (isMissing || hasCode(error, "BadVersion") || hasCode(error, "NodeExists")) return false;
      throw error;
    }
  }

  async #makeParent(): Promise<void> {
    const parent = this.#path.slice(0, this.#path.lastIndexOf("/"));
    if (parent !== "") await mkdirs(this.#zk, parent, "persistent");
  }

  #encode(value: bigint): Uint8Array {
    if (this.#layout === "kazoo") return new TextEncoder().encode(String(value));
    const bytes = new Uint8Array(LONG_BYTES);
    new DataView(bytes.buffer).setBigInt64(0, value);
    return bytes;
  }

  #decode(data: Uint8Array | null): bigint {
    if (data === null || data.length === 0) return 0n;
    if (this.#layout === "curator") {
      if (data.length !== LONG_BYTES) throw this.#refusal(`it holds ${data.length} bytes, and a number has ${LONG_BYTES}`);
      return new DataView(data.buffer, data.byteOffset).getBigInt64(0);
    }
    const text = new TextDecoder().decode(data);
    if (!DECIMAL.test(text)) throw this.#refusal(`it holds ${describe(text)}, which is no whole number`);
    return BigInt(text);
  }

  #refusal(reason: string): ZkError {
    return new ZkError("BadArguments", { operation: "count", path: this.#path, reason });
  }
}

const DECIMAL = /^-?\d{1,19}$/;
