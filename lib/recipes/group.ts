/**
 * Group: who is there, each by a name of its own and with some data, for as long as its session lives.
 *
 * A member is an ephemeral znode. Guarantees: a name is one session's at a time; who has joined is listed until it leaves or its session ends, also where
 * somebody deletes its znode by hand: it makes another one. Not guaranteed: that who is listed still works; a session outlives its process by its
 * timeout. Layout: Curator's GroupMember.
 */
import type { AbortSignal } from "../base/platform_types.ts";
import { checkString } from "../base/validate.ts";
import type { Data } from "../client/arguments.ts";
import { EventStream } from "../client/event_stream.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { watchDeletion } from "./contender.ts";
import { itemsIn } from "./items.ts";
import { mkdirs } from "./parents.ts";
import { hasCode, Notices, untilAnswered, type WaitOptions, within } from "./waiting.ts";

/** The members by their names, each with its data. */
export type Members = ReadonlyMap<string, Uint8Array | null>;

/**
 * A group at a path.
 *
 * @example
 * ```ts
 * const workers = group(zk, "/workers");
 * await using me = await workers.join("worker-1", "10.0.0.1:8080");
 * console.log([...(await workers.members()).keys()]); // worker-1
 * ```
 */
export function group(zk: ZooKeeper, path: string): Group {
  return new Group(zk, path);
}

/** See {@link group}. */
export class Group {
  readonly #zk: ZooKeeper;
  readonly #path: string;

  /** Made by {@link group}. */
  constructor(zk: ZooKeeper, path: string) {
    this.#zk = zk;
    this.#path = path;
  }

  /**
   * Joins by a name. Where another session has it, waits until that is gone: it may be one's own former one.
   *
   * Errors: `OperationTimeout` after `timeoutMs`; the signal's reason; `SessionExpired`; those of `create`.
   */
  async join(name: string, data: Data = null, wait: WaitOptions = {}): Promise<Membership> {
    checkString("join a group", "name", name, '"worker-1"');
    const path = `${this.#path}/${name}`;
    const join = async (signal: AbortSignal): Promise<Membership> => {
      await keep(this.#zk, this.#path, path, data, signal);
      return new Membership(this.#zk, this.#path, path, data);
    };
    return await within(this.#zk, { operation: "join", path }, wait, join, (late) => late?.leave());
  }

  /** Who is there. */
  async members(): Promise<Members> {
    return await this.#read(undefined, undefined);
  }

  /**
   * Who is there now, and again after each change; of several changes in a row the last alone may be told. It survives lost connections, and ends with
   * the session.
   *
   * @example
   * ```ts
   * for await (const members of group(zk, "/workers").watch({ signal })) share([...members.keys()].sort());
   * ```
   */
  watch({ signal }: { readonly signal?: AbortSignal } = {}): EventStream<Members> {
    const left = new AbortController();
    const released = (): void => left.abort();
    const stream = new EventStream<Members>({ capacity: 1, overflow: "dropOldest", gap: null, released });
    const follow = async (until: AbortSignal): Promise<void> => {
      const notices = new Notices();
      for (;;) {
        stream.push(await this.#read(notices.give, until));
        await notices.next(until);
      }
    };
    const until = signal === undefined ? left.signal : AbortSignal.any([left.signal, signal]);
    within(this.#zk, { operation: "watch a group", path: this.#path }, { signal: until }, follow).catch((error: unknown) =>
      stream.end(until.aborted ? null : error),
    );
    return stream;
  }

  async #read(watch: (() => void) | undefined, signal: AbortSignal | undefined): Promise<Members> {
    const members = new Map<string, Uint8Array | null>();
    for (const name of await itemsIn(this.#zk, this.#path, watch, signal)) {
      try {
        const read = () => this.#zk.getData(`${this.#path}/${name}`, { watch, signal });
        members.set(name, (await untilAnswered(read, signal)).data);
      } catch (error) {
        if (!hasCode(error, "NoNode")) throw error;
      }
    }
    return members;
  }
}

/** One's place in a group. */
export class Membership implements AsyncDisposable {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #left = new AbortController();
  #data: Data;
  #gone: Promise<void> | null = null;

  /** Made by {@link Group.join}. */
  constructor(zk: ZooKeeper, parent: string, path: string, data: Data) {
    this.#zk = zk;
    this.path = path;
    this.#data = data;
    const stay = async (signal: AbortSignal): Promise<void> => {
      for (;;) {
        const notices = new Notices();
        if (await watchDeletion(zk, path, notices.give, signal)) await notices.next(signal);
        else await keep(zk, parent, path, this.#data, signal);
      }
    };
    // It ends by leaving, or with the session.
    within(zk, { operation: "stay", path }, { signal: this.#left.signal }, stay).catch(() => {});
  }

  /** Replaces the data that the others see. Errors: those of `setData`. */
  async update(data: Data): Promise<void> {
    this.#data = data;
    await this.#zk.setData(this.path, data);
  }

  /** Leaves: tries until the znode is gone or the session is over. May be called again. */
  leave(): Promise<void> {
    this.#gone ??= this.#leave();
    return this.#gone;
  }

  async #leave(): Promise<void> {
    this.#left.abort();
    try {
      await untilAnswered(() => this.#zk.delete(this.path));
    } catch (error) {
      if (!hasCode(error, "NoNode") && !hasCode(error, "SessionExpired")) throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }
}

/** Creates the ephemeral, unless this session has it. One of another session is waited for to go. */
async function keep(zk: ZooKeeper, parent: string, path: string, data: Data, signal: AbortSignal): Promise<void> {
  const notices = new Notices();
  for (;;) {
    signal.throwIfAborted();
    try {
      await untilAnswered(() => zk.create(path, data, { mode: "ephemeral" }), signal);
      return;
    } catch (error) {
      if (hasCode(error, "NoNode")) await mkdirs(zk, parent, "persistent");
      else if (!hasCode(error, "NodeExists")) throw error;
    }
    const stat = await untilAnswered(() => zk.exists(path, { watch: notices.give, signal }), signal);
    if (stat?.ephemeralOwner === zk.sessionId) return;
    if (stat !== null) await notices.next(signal);
  }
}
