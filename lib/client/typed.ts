/**
 * A znode whose data is a value of one type: checked by a schema and written by a codec, on every way in and out.
 *
 * What is stored is what the schema takes (its input); what is read is what the schema gives (its output).
 *
 * Not here: codecs (codecs.ts, msgpack.ts), what a schema is (schema.ts). Invariant: no value gets in or out that the schema refuses.
 */
import { ZkError } from "../errors.ts";
import type { Stat } from "../types.ts";
import { type Codec, json } from "./codecs.ts";
import { EventStream } from "./event_stream.ts";
import type { RequestOptions, VersionOptions } from "./options.ts";
import { InvalidValueError, type Schema } from "./schema.ts";
import type { CreateOptions } from "./values.ts";
import type { ZooKeeper } from "./zookeeper.ts";

/** A value, and the Stat of its znode when it was read. */
export interface Versioned<T> {
  readonly value: T;
  readonly stat: Stat;
}

export interface UpdateOptions extends RequestOptions {
  /** How often to try when others are faster, before `BadVersion`; default 100. */
  readonly attemptsMax?: number;
}

const ATTEMPTS_MAX = 100;

export class TypedNode<Input, Output = Input> {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #codec: Codec<unknown>;
  readonly #schema: Schema<Input, Output> | undefined;

  /** Made by `zk.typed()`. */
  constructor(zk: ZooKeeper, path: string, codec: Codec<unknown> = json, schema?: Schema<Input, Output>) {
    this.path = path;
    this.#zk = zk;
    this.#codec = codec;
    this.#schema = schema;
  }

  /** Reads the value. Errors: those of `getData`, {@link InvalidValueError} for data that is no such value. */
  async get(options: RequestOptions = {}): Promise<Versioned<Output>> {
    const { data, stat } = await this.#zk.getData(this.path, options);
    return { value: await this.#decode(data), stat };
  }

  /** Creates the znode and returns its path. Errors: those of `create`, {@link InvalidValueError}. */
  async create(value: Input, options: CreateOptions & RequestOptions = {}): Promise<string> {
    return this.#zk.create(this.path, await this.#encode("create", value), options);
  }

  /** Replaces the value. Errors: those of `setData`, {@link InvalidValueError}. */
  async set(value: Input, options: VersionOptions = {}): Promise<Stat> {
    return this.#zk.setData(this.path, await this.#encode("set", value), options);
  }

  /**
   * Changes the value: reads it, asks `change` for a new one, and sets that unless somebody was faster; then it begins again. `change` may be called
   * several times, with newer values. Errors: those of `get` and `set`; what `change` throws leaves the value as it is.
   *
   * @example
   * ```ts
   * await counter.update((count) => count + 1);
   * ```
   */
  async update(
    change: (value: Output, stat: Stat) => Input | Promise<Input>,
    options: UpdateOptions = {},
  ): Promise<Versioned<Input>> {
    const { attemptsMax = ATTEMPTS_MAX, ...request } = options;
    for (let attempt = 1; ; attempt++) {
      const { value: before, stat } = await this.get(request);
      const value = await change(before, stat);
      try {
        return { value, stat: await this.set(value, { ...request, version: stat.version }) };
      } catch (error) {
        const wasSlow = error instanceof ZkError && error.code === "BadVersion";
        if (!wasSlow || attempt >= attemptsMax) throw error;
      }
    }
  }

  /**
   * The value now, and again whenever it has changed; null while there is no such znode. Values that were replaced before they were read are left
   * out: the newest always comes. It survives lost connections. Errors end it: {@link InvalidValueError}, `NoAuth`, the end of the session.
   *
   * @example
   * ```ts
   * for await (const config of zk.typed("/config", { schema }).watch()) reload(config?.value);
   * ```
   */
  watch(options: RequestOptions = {}): EventStream<Versioned<Output> | null> {
    const changes = this.#zk.watch(this.path, { ...options, capacity: 1 });
    const stream = new EventStream<Versioned<Output> | null>({
      capacity: 1,
      overflow: "dropOldest",
      gap: null,
      released: () => void changes.return(),
    });
    void this.#follow(changes, stream).catch((error: unknown) => stream.end(error));
    return stream;
  }

  async #follow(changes: AsyncIterable<unknown>, stream: EventStream<Versioned<Output> | null>): Promise<void> {
    let last: Versioned<Output> | null | undefined;
    const look = async (): Promise<void> => {
      const found = await this.#getIfAny();
      if (found === undefined || (last !== undefined && found?.stat.mzxid === last?.stat.mzxid)) return;
      last = found;
      stream.push(found);
    };
    await look();
    for await (const _ of changes) await look();
    stream.end();
  }

  /** null where there is none; undefined if the connection was lost: a change is announced as soon as there is a new one. */
  async #getIfAny(): Promise<Versioned<Output> | null | undefined> {
    try {
      return await this.get();
    } catch (error) {
      if (error instanceof ZkError && error.code === "NoNode") return null;
      if (error instanceof ZkError && error.code === "ConnectionLoss") return undefined;
      throw error;
    }
  }

  async #encode(operation: string, value: Input): Promise<Uint8Array | null> {
    await this.#check(operation, value);
    return this.#codecs(operation, () => this.#codec.encode(value));
  }

  async #decode(data: Uint8Array | null): Promise<Output> {
    return this.#check(
      "get",
      this.#codecs("get", () => this.#codec.decode(data)),
    );
  }

  async #check(operation: string, value: unknown): Promise<Output> {
    if (this.#schema === undefined) return value as Output;
    const result = await this.#schema["~standard"].validate(value);
    if (result.issues !== undefined) throw new InvalidValueError(operation, this.path, result.issues);
    return result.value;
  }

  #codecs<T>(operation: string, run: () => T): T {
    try {
      return run();
    } catch (cause) {
      const message = `${this.#codec.name}: ${cause instanceof Error ? cause.message : String(cause)}`;
      throw new InvalidValueError(operation, this.path, [{ message }], cause);
    }
  }
}
