/**
 * Answers what needs no txn, from the database as it is now: reads, and the registrations of watches that go with them.
 *
 * Invariant: nothing replicated changes here. A watch is registered only where the read succeeded; `exists` succeeds for this purpose also where
 * there is nothing.
 */
import { isAllowed, maskDigests, userOf } from "../acl/check.ts";
import { OPEN_ACL_UNSAFE, Perms } from "../acl/perms.ts";
import type { ErrorCode } from "../model/errors.ts";
import {
  type AddWatchOp,
  DONE,
  type ExistsOp,
  type GetChildrenOp,
  type GetDataOp,
  type GetEphemeralsOp,
  type MultiReadOp,
  type MultiResult,
  type Outcome,
  type ReadOp,
  type SetWatchesOp,
  type WatchTypeOp,
} from "../model/ops.ts";
import type { AuthId, ConnId, EventType, SessionId, Zxid } from "../model/types.ts";
import { ROOT } from "../tree/tree.ts";
import type { Znode } from "../tree/znode.ts";
import { WatcherType, type Watches } from "../watch/watches.ts";
import type { Database } from "./database.ts";
import type { KernelOptions } from "./options.ts";

/** Whose read it is. */
export interface Reader {
  readonly conn: ConnId;
  readonly session: SessionId;
  readonly authIds: readonly AuthId[];
}

/** A result's header with its Stat, and a name's length. */
const RESULT_BYTES = 80;
const NAME_BYTES = 4;

const MARSHALLING_ERROR: Outcome = { kind: "error", code: "MarshallingError" };

export class Reads {
  readonly #database: Database;
  readonly #watches: Watches;
  readonly #options: KernelOptions;
  readonly #tellMissed: (conn: ConnId, type: EventType, path: string) => void;
  /** Lists that were asked for before. Whatever changes a znode's children puts another {@link Znode} in its place. */
  readonly #childLists = new WeakMap<Znode, readonly string[]>();
  /** Bytes of those lists in a reply, where they were counted. */
  readonly #childListBytes = new WeakMap<Znode, number>();

  /** `tellMissed` sends an event that setWatches found to have been missed. */
  constructor(
    database: Database,
    watches: Watches,
    options: KernelOptions,
    tellMissed: (conn: ConnId, type: EventType, path: string) => void,
  ) {
    this.#database = database;
    this.#watches = watches;
    this.#options = options;
    this.#tellMissed = tellMissed;
  }

  answer(op: ReadOp, reader: Reader): Outcome {
    switch (op.kind) {
      case "getData":
        return this.#getData(op, reader, op.watch);
      case "exists":
        return this.#exists(op, reader);
      case "getChildren":
      case "getChildren2":
        return this.#getChildren(op, reader, op.watch);
      case "getACL":
        return this.#getAcl(op.path, reader);
      case "getAllChildrenNumber":
        return this.#getAllChildrenNumber(op.path, reader);
      case "getEphemerals":
        return this.#getEphemerals(op, reader);
      case "whoAmI":
        return { kind: "clientInfo", clientInfo: reader.authIds.map((id) => ({ scheme: id.scheme, id: userOf(id) })) };
      case "multiRead":
        return this.#multiRead(op, reader);
      case "addWatch":
        return this.#addWatch(op, reader);
      case "removeWatches":
      case "checkWatches":
        return this.#watchType(op, reader);
      case "setWatches":
      case "setWatches2":
        return this.#setWatches(op, reader);
    }
  }

  #getData(op: GetDataOp, reader: Reader, watch: boolean): Outcome {
    const node = this.#readable(op.path, reader);
    if (typeof node === "string") return { kind: "error", code: node };
    if (watch) this.#watches.addData(reader.conn, op.path!);
    return { kind: "data", data: node.data, stat: node.stat };
  }

  #exists(op: ExistsOp, reader: Reader): Outcome {
    const { path } = op;
    if (path === null) return MARSHALLING_ERROR;
    if (path.includes("\0")) return { kind: "error", code: "BadArguments" };
    const node = this.#database.tree.get(path);
    if (node !== undefined && !this.#showsExistence(node, reader)) {
      return { kind: "error", code: "NoAuth" };
    }
    if (op.watch) this.#watches.addData(reader.conn, path);
    return node === undefined ? { kind: "error", code: "NoNode" } : { kind: "stat", stat: node.stat };
  }

  #getChildren(op: GetChildrenOp, reader: Reader, watch: boolean): Outcome {
    const node = this.#readable(op.path, reader);
    if (typeof node === "string") return { kind: "error", code: node };
    if (watch) this.#watches.addChild(reader.conn, op.path!);
    const children = this.#childList(op.path!, node);
    return op.kind === "getChildren" ? { kind: "children", children } : { kind: "childrenStat", children, stat: node.stat };
  }

  #childList(path: string, node: Znode): readonly string[] {
    const known = this.#childLists.get(node);
    if (known !== undefined) return known;
    const list = this.#database.tree.childList(path);
    this.#childLists.set(node, list);
    return list;
  }

  #getAcl(path: string | null, reader: Reader): Outcome {
    if (path === null) return MARSHALLING_ERROR;
    const node = this.#database.tree.get(path);
    if (node === undefined) return { kind: "error", code: "NoNode" };
    if (!this.#allows(node, Perms.READ | Perms.ADMIN, reader)) return { kind: "error", code: "NoAuth" };
    const acl = node.acl ?? OPEN_ACL_UNSAFE;
    return { kind: "acl", acl: this.#allows(node, Perms.ADMIN, reader) ? acl : maskDigests(acl), stat: node.stat };
  }

  #getAllChildrenNumber(path: string | null, reader: Reader): Outcome {
    const node = this.#readable(path, reader);
    if (typeof node === "string") return { kind: "error", code: node };
    const { tree } = this.#database;
    // The root's two names differ here, as in ZooKeeper: "" counts the root itself too.
    if (path === "" || path === ROOT) return { kind: "totalNumber", totalNumber: path === "" ? tree.size : tree.size - 1 };
    let total = -1;
    for (const _ of tree.subtree(path!)) total++;
    return { kind: "totalNumber", totalNumber: total };
  }

  #getEphemerals(op: GetEphemeralsOp, reader: Reader): Outcome {
    const prefix = op.prefixPath?.trim() === "" || op.prefixPath === ROOT ? "" : (op.prefixPath ?? "");
    const paths = [...this.#database.tree.ephemeralsOf(reader.session)];
    return { kind: "ephemerals", ephemerals: paths.filter((path) => path.startsWith(prefix)) };
  }

  #multiRead(op: MultiReadOp, reader: Reader): Outcome {
    if (op.ops === null || op.ops.some(({ path }) => path === null)) return { kind: "multiRefused", code: "MarshallingError" };
    const results: MultiResult[] = [];
    let bytes = 0;
    for (const sub of op.ops) {
      const result = this.#inMultiRead(sub, reader);
      bytes += this.#resultBytes(sub, result);
      // The whole reply is one frame: Apache's would go on until it has no memory left.
      if (bytes > this.#options.multiReadBytesMax) return { kind: "multiRefused", code: "MarshallingError" };
      results.push(result);
    }
    return { kind: "multi", results };
  }

  /** Bytes of data and names, about; those of a list that was asked for before are known. */
  #resultBytes({ path }: GetDataOp | GetChildrenOp, result: MultiResult): number {
    if (result.kind === "getData") return RESULT_BYTES + (result.data?.length ?? 0);
    if (result.kind !== "getChildren" || result.children.length === 0) return RESULT_BYTES;
    const node = this.#database.tree.get(path!)!;
    let bytes = this.#childListBytes.get(node);
    if (bytes === undefined) {
      bytes = result.children.reduce((sum, name) => sum + NAME_BYTES + name.length, RESULT_BYTES);
      this.#childListBytes.set(node, bytes);
    }
    return bytes;
  }

  /** As in ZooKeeper, a watch flag inside a multiRead means nothing. */
  #inMultiRead(op: GetDataOp | GetChildrenOp, reader: Reader): MultiResult {
    const outcome = op.kind === "getData" ? this.#getData(op, reader, false) : this.#getChildren(op, reader, false);
    if (outcome.kind === "data") return { kind: "getData", data: outcome.data, stat: outcome.stat };
    if (outcome.kind === "error") return { kind: "error", code: outcome.code };
    return {
      kind: "getChildren",
      children: outcome.kind === "children" || outcome.kind === "childrenStat" ? outcome.children : [],
    };
  }

  #addWatch(op: AddWatchOp, reader: Reader): Outcome {
    if (op.mode !== 0 && op.mode !== 1) return MARSHALLING_ERROR;
    // A null path is accepted, and nothing ever happens there.
    if (op.path !== null && op.mode === 0) this.#watches.addPersistent(reader.conn, op.path);
    if (op.path !== null && op.mode === 1) this.#watches.addRecursive(reader.conn, op.path);
    return { kind: "watchAdded" };
  }

  #watchType(op: WatchTypeOp, reader: Reader): Outcome {
    const { watchModes, checkWatchesNeedsPath } = this.#options.behaviour;
    const typeMax = watchModes === "separate" ? WatcherType.persistentRecursive : WatcherType.any;
    if (!(op.type >= WatcherType.children && op.type <= typeMax)) return MARSHALLING_ERROR;
    if (op.kind === "checkWatches" && checkWatchesNeedsPath && !/\/|^$/.test(op.path ?? "null")) return MARSHALLING_ERROR;
    const found = op.path !== null && this.#find(op.kind, reader.conn, op.path, op.type);
    return found ? DONE : { kind: "error", code: "NoWatcher" };
  }

  #find(kind: WatchTypeOp["kind"], conn: ConnId, path: string, type: number): boolean {
    return kind === "checkWatches" ? this.#watches.has(conn, path, type) : this.#watches.remove(conn, path, type);
  }

  /**
   * A client is back on a new connection: what it missed is told at once, the rest is registered again. List after list, up to one that is
   * missing or has a hole: what stands before it has been done by then, as in ZooKeeper.
   */
  #setWatches(op: SetWatchesOp, reader: Reader): Outcome {
    const { conn } = reader;
    const watches = this.#watches;
    const whole =
      each(op.dataWatches, (path) => this.#setData(reader, path, op.relativeZxid)) &&
      each(op.existWatches, (path) => this.#setExist(reader, path)) &&
      each(op.childWatches, (path) => this.#setChild(reader, path, op.relativeZxid)) &&
      each(op.persistentWatches, (path) => watches.addPersistent(conn, path)) &&
      each(op.persistentRecursiveWatches, (path) => watches.addRecursive(conn, path));
    return whole ? DONE : MARSHALLING_ERROR;
  }

  #setData(reader: Reader, path: string, since: Zxid): void {
    const node = this.#database.tree.get(path);
    if (node === undefined) this.#tellMissed(reader.conn, "NodeDeleted", path);
    else if (node.mzxid > since && this.#showsExistence(node, reader)) this.#tellMissed(reader.conn, "NodeDataChanged", path);
    else this.#watches.addData(reader.conn, path);
  }

  #setExist(reader: Reader, path: string): void {
    const node = this.#database.tree.get(path);
    if (node !== undefined && this.#showsExistence(node, reader)) this.#tellMissed(reader.conn, "NodeCreated", path);
    else this.#watches.addData(reader.conn, path);
  }

  #setChild(reader: Reader, path: string, since: Zxid): void {
    const node = this.#database.tree.get(path);
    if (node === undefined) this.#tellMissed(reader.conn, "NodeDeleted", path);
    else if (node.pzxid > since && this.#showsExistence(node, reader))
      this.#tellMissed(reader.conn, "NodeChildrenChanged", path);
    else this.#watches.addChild(reader.conn, path);
  }

  /** Whether `exists` would tell this reader of the znode. A watch that is kept instead tells no more: its events ask for READ, too. */
  #showsExistence(node: Znode, reader: Reader): boolean {
    return !this.#options.behaviour.existsNeedsRead || this.#allows(node, Perms.READ, reader);
  }

  #readable(path: string | null, reader: Reader): Znode | ErrorCode {
    if (path === null) return "MarshallingError";
    const node = this.#database.tree.get(path);
    if (node === undefined) return "NoNode";
    return this.#allows(node, Perms.READ, reader) ? node : "NoAuth";
  }

  #allows(node: Znode, perms: number, reader: Reader): boolean {
    return isAllowed(node.acl, perms, reader.authIds, this.#options.acl);
  }
}

/** Does something for each path; false at the first that is missing, or where there is no list. */
function each(paths: readonly (string | null)[] | null, run: (path: string) => void): boolean {
  if (paths === null) return false;
  for (const path of paths) {
    if (path === null) return false;
    run(path);
  }
  return true;
}

/** Whether an op is answered from the database as it is. */
export function isRead(kind: string): kind is ReadOp["kind"] {
  return READ_KINDS.has(kind);
}

const READ_KINDS: ReadonlySet<string> = new Set<ReadOp["kind"]>([
  "getData",
  "exists",
  "getChildren",
  "getChildren2",
  "getACL",
  "getAllChildrenNumber",
  "getEphemerals",
  "whoAmI",
  "multiRead",
  "addWatch",
  "removeWatches",
  "checkWatches",
  "setWatches",
  "setWatches2",
]);
