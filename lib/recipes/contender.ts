/**
 * Contender: an ephemeral sequential znode of this session, which stands in a line with those of others.
 *
 * Not here: whose turn it is (line.ts), and what it means to be first.
 *
 * Invariants: a create whose answer is lost leaves one znode and no second; a znode counts only if its owner is this session; what was created is
 * deleted again whatever became of its creator's wait, at the latest by the end of the session.
 */

import type { AbortSignal } from "../base/platform_types.ts";
import { TransactionError } from "../client/transaction.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { ZkError } from "../model/errors.ts";
import type { Stat, Zxid } from "../model/types.ts";
import { mkdirs } from "./parents.ts";
import { hasCode, Notices, untilAnswered } from "./waiting.ts";

/** What there is to create. */
export interface ContenderOptions {
  readonly parent: string;
  /** What the name begins with; it holds a guid. */
  readonly prefix: string;
  /** The end of the name, for one who takes another's place; null: the next of the line, as the server counts. */
  readonly sequence: string | null;
  readonly data: Uint8Array | string | null;
  /** A znode without which nothing is created, such as the lock under which it is done. */
  readonly onlyWhile?: string;
}

export class Contender {
  readonly path: string;
  /** The zxid that created it. */
  readonly fence: Zxid;
  readonly #zk: ZooKeeper;
  #left: Promise<void> | null = null;

  private constructor(zk: ZooKeeper, path: string, stat: Stat) {
    this.#zk = zk;
    this.path = path;
    this.fence = stat.czxid;
  }

  get name(): string {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  /** Creates the znode, and what is missing above it. If the signal aborts meanwhile, what comes to be is deleted again. */
  static async enter(zk: ZooKeeper, options: ContenderOptions, signal: AbortSignal): Promise<Contender> {
    signal.throwIfAborted();
    const { path, stat } = await create(zk, options);
    const contender = new Contender(zk, path, stat);
    if (!signal.aborted) return contender;
    void contender.leave().catch(() => {});
    throw signal.reason;
  }

  /** Deletes the znode: tries until it is gone or the session is over. */
  leave(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  async #leave(): Promise<void> {
    try {
      await untilAnswered(() => this.#zk.delete(this.path));
    } catch (error) {
      if (!hasCode(error, "NoNode") && !hasCode(error, "SessionExpired") && !hasCode(error, "AuthFailed")) throw error;
    }
  }

  /** Resolves once the znode is gone; rejects when the signal aborts. */
  async gone(signal: AbortSignal): Promise<void> {
    const notices = new Notices();
    for (;;) {
      // Its children are watched, of which it has none: its deletion tells, and no data travels.
      const isThere = await watchDeletion(this.#zk, this.path, notices.give, signal);
      if (!isThere) return;
      await notices.next(signal);
    }
  }
}

/** Watches for the deletion of a znode; false, and no watch, if there is none. */
export async function watchDeletion(zk: ZooKeeper, path: string, watch: () => void, signal: AbortSignal): Promise<boolean> {
  try {
    await untilAnswered(() => zk.getChildren(path, { watch, signal }), signal);
    return true;
  } catch (error) {
    if (hasCode(error, "NoNode")) return false;
    throw error;
  }
}

interface Created {
  readonly path: string;
  readonly stat: Stat;
}

async function create(zk: ZooKeeper, options: ContenderOptions): Promise<Created> {
  const { parent, prefix, onlyWhile } = options;
  for (;;) {
    try {
      return await createOnce(zk, options);
    } catch (error) {
      if (error instanceof TransactionError && error.failedIndex === 0) throw deletedError("enter", onlyWhile!);
      if (hasCode(error, "NoNode")) await mkdirs(zk, parent);
      else if (hasCode(error, "ConnectionLoss")) {
        const found = await find(zk, parent, prefix);
        if (found !== null) return found;
      } else throw error;
    }
  }
}

async function createOnce(zk: ZooKeeper, { parent, prefix, sequence, data, onlyWhile }: ContenderOptions): Promise<Created> {
  const mode = sequence === null ? "ephemeral_sequential" : "ephemeral";
  const wanted = `${parent}/${prefix}${sequence ?? ""}`;
  if (onlyWhile === undefined) return await zk.createWithStat(wanted, data, { mode });
  const [, created] = await zk.transaction().check(onlyWhile).create(wanted, data, { mode }).commit();
  const { path } = created as Extract<typeof created, { type: "create" }>;
  const stat = await untilAnswered(() => zk.exists(path));
  if (stat === null) throw deletedError("enter", path);
  return { path, stat };
}

/** The znode that a create without an answer has left, if it has. One of a former session is about to go, and is none. */
async function find(zk: ZooKeeper, parent: string, prefix: string): Promise<Created | null> {
  try {
    const { children } = await untilAnswered(() => zk.getChildren(parent));
    const name = children.find((child) => child.startsWith(prefix));
    if (name === undefined) return null;
    const path = `${parent}/${name}`;
    const stat = await untilAnswered(() => zk.exists(path));
    return stat !== null && stat.ephemeralOwner === zk.sessionId ? { path, stat } : null;
  } catch (error) {
    if (hasCode(error, "NoNode")) return null;
    throw error;
  }
}

/** The error of a contender whose znode somebody has deleted. */
export function deletedError(operation: string, path: string): ZkError {
  return new ZkError("NoNode", { operation, path, reason: "somebody has deleted this client's place in the line" });
}
