/**
 * Id generator: whole numbers, none of them given twice by all who share a path.
 *
 * It takes them from a shared counter, a block at a time. Guarantees: an id is given once, and the ids of one generator grow. Not guaranteed: that none
 * is left out. What is left of a block is lost with its generator, and a block whose answer is lost is passed over. Layout: the counter's.
 */
import { checkOptions, checkWholeNumber } from "../base/validate.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { type Counter, counter } from "./counter.ts";
import { untilAnswered } from "./waiting.ts";

/** Options of {@link ids}. */
export interface IdsOptions {
  /** How many are taken at a time: the fewer, the fewer are lost; the more, the fewer requests. Default 100. */
  readonly block?: number;
}

const BLOCK = 100;
const BLOCK_MAX = 1_000_000_000;

/**
 * A generator of ids at a path.
 *
 * @example
 * ```ts
 * const orders = ids(zk, "/ids/orders");
 * console.log(await orders.next()); // 1n
 * ```
 */
export function ids(zk: ZooKeeper, path: string, options: IdsOptions = {}): Ids {
  checkOptions("make an id generator", options, ["block"], "{ block: 1000 }");
  const { block = BLOCK } = options;
  checkWholeNumber("make an id generator", "block", block, 1, BLOCK_MAX);
  return new Ids(counter(zk, path), block);
}

/** See {@link ids}. */
export class Ids {
  readonly #counter: Counter;
  readonly #block: bigint;
  #last = 0n;
  #end = 0n;
  #taking: Promise<void> | null = null;

  /** Made by {@link ids}. */
  constructor(source: Counter, block: number) {
    this.#counter = source;
    this.#block = BigInt(block);
  }

  /** The next id. Errors: those of {@link Counter.add}, but for a lost connection: that is gone through. */
  async next(): Promise<bigint> {
    while (this.#last === this.#end) {
      // All who wait for the same block take it together.
      this.#taking ??= this.#take().finally(() => {
        this.#taking = null;
      });
      await this.#taking;
    }
    this.#last++;
    return this.#last;
  }

  /** A block that may have been taken, as its answer was lost, is nobody's. */
  async #take(): Promise<void> {
    this.#end = await untilAnswered(() => this.#counter.add(this.#block));
    this.#last = this.#end - this.#block;
  }
}
