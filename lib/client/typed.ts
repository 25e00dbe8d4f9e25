/**
 * A znode whose data is a value of one type: checked by a schema and written by a codec, on every way in and out.
 *
 * What is stored is what the schema takes (its input); what is read is what the schema gives (its output).
 *
 * Not here: codecs (codecs.ts, msgpack.ts), what a schema is (schema.ts). Invariant: no value gets in or out that the schema refuses.
 */
import { bytesOf } from "../base/bytes.ts";
import { argumentError, checkFunction, checkOptions, checkWholeNumber, describe } from "../base/validate.ts";
import { ZkError } from "../model/errors.ts";
import type { Stat } from "../model/types.ts";
import {
  type CreateOptions,
  NO_OPTIONS,
  takeCreateOptions,
  takeRequestOptions,
  takeSignal,
  takeVersionOptions,
} from "./arguments.ts";
import { type Codec, json } from "./codecs.ts";
import { EventStream } from "./event_stream.ts";
import type { RequestOptions, VersionOptions } from "./options.ts";
import { InvalidValueError, type Schema } from "./schema.ts";
import type { ZooKeeper } from "./zookeeper.ts";

/** A value, and the Stat of its znode when it was read. */
export interface Versioned<T> {
  readonly value: T;
  readonly stat: Stat;
}

/** What `update` of a typed znode may be told. */
export interface UpdateOptions extends RequestOptions {
  /** How often to try when others are faster, before `BadVersion`; default 100. */
  readonly attemptsMax?: number | undefined;
}

/** What `zk.typed()` may be told. */
export interface TypedOptions {
  readonly schema?: Schema | undefined;
  readonly codec?: Codec<unknown> | undefined;
}

const ATTEMPTS_MAX = 100;
const ACTION = "make a typed znode";

/** @throws TypeError for a codec or a schema that is none */
export function takeTypedOptions(options: TypedOptions): TypedOptions {
  checkOptions(ACTION, options, ["schema", "codec"], "{ codec: json }");
  const { schema, codec } = options;
  if (codec !== undefined && !(hasMethod(codec, "encode") && hasMethod(codec, "decode")))
    throw argumentError(ACTION, `codec must be one such as json, with encode and decode, not ${describe(codec)}`);
  if (schema !== undefined && !hasMethod((schema as Partial<Schema> | null)?.["~standard"], "validate"))
    throw argumentError(ACTION, `schema must be a Standard Schema, such as one of zod, not ${describe(schema)}`);
  return { schema, codec };
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof (value as Record<string, unknown> | null | undefined)?.[name] === "function";
}

/** A znode whose data is a value of one type; made by `zk.typed()`. */
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
  async get(options: RequestOptions = NO_OPTIONS): Promise<Versioned<Output>> {
    const { data, stat } = await this.#zk.getData(this.path, options);
    return { value: await this.#decode(data), stat };
  }

  /** Creates the znode and returns its path. Errors: those of `create`, {@link InvalidValueError}. */
  async create(value: Input, options: CreateOptions & RequestOptions = NO_OPTIONS): Promise<string> {
    const checked = takeCreateOptions(this.path, options);
    return await this.#zk.create(this.path, await this.#encode("create", value), checked);
  }

  /** Replaces the value. Errors: those of `setData`, {@link InvalidValueError}. */
  async set(value: Input, options: VersionOptions = NO_OPTIONS): Promise<Stat> {
    const checked = takeVersionOptions("set", options);
    return await this.#zk.setData(this.path, await this.#encode("set", value), checked);
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
    options: UpdateOptions = NO_OPTIONS,
  ): Promise<Versioned<Input>> {
    checkFunction("update", "change", change, "(value) => value + 1");
    checkOptions("update", options, ["attemptsMax", "signal"], "{ attemptsMax: 3 }");
    const { attemptsMax = ATTEMPTS_MAX, signal } = options;
    checkWholeNumber("update", "attemptsMax", attemptsMax, 1, Number.MAX_SAFE_INTEGER);
    const request = { signal: takeSignal("update", signal) };
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
  watch(options: RequestOptions = NO_OPTIONS): EventStream<Versioned<Output> | null> {
    const signal = takeRequestOptions("watch", options);
    const changes = this.#zk.watch(this.path, { signal, capacity: 1 });
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

  /** Looks at the value in the call itself: what the caller does with it later changes nothing. */
  async #encode(operation: string, value: Input): Promise<Uint8Array | null> {
    const checked = this.#check(operation, value);
    let encoded: () => Uint8Array | null;
    try {
      const data = this.#codecs(operation, () => ownBytes(this.#codec.encode(value)));
      encoded = () => data;
    } catch (error) {
      encoded = () => {
        throw error;
      };
    }
    await checked; // what the schema says comes first
    return encoded();
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
      const message = `${this.#codec.name}: ${cause instanceof Error ? cause.message : describe(cause)}`;
      throw new InvalidValueError(operation, this.path, [{ message }], cause);
    }
  }
}

/** What a codec gave, as a copy. */
function ownBytes(encoded: unknown): Uint8Array | null {
  if (encoded === null) return null;
  const bytes = bytesOf(encoded);
  if (bytes === null) throw new TypeError(`encode must give bytes or null, not ${describe(encoded)}`);
  return new Uint8Array(bytes);
}
