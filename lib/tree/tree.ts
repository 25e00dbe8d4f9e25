/**
 * The znode tree: what is there, under which path, with which children; who owns ephemerals; which znodes the reaper must look at.
 *
 * It knows no sessions (an owner is a number), no watches, no permissions and no clock. It is told, never asks.
 *
 * Invariants: every znode but the root has its parent in the tree; a znode's `childCount` is the number of names under it; the digest is
 * the sum of all znodes' digests.
 */

import { PathTree } from "../base/path_tree.ts";
import { nameOf, parentOf } from "../model/path.ts";
import type { AclList, SessionId, Zxid } from "../model/types.ts";
import { changedDigest, contentCrc, digestOfStat } from "./digest.ts";
import { type Base, type Frozen, Layers } from "./layers.ts";
import {
  CONTAINER_OWNER,
  type ExtendedTypes,
  kindOf,
  newZnode,
  type StoredStat,
  ttlOwner,
  Znode,
  type ZnodeKind,
} from "./znode.ts";

export const ROOT = "/";
export const ZOOKEEPER = "/zookeeper";
export const QUOTA_ROOT = "/zookeeper/quota";
export const CONFIG_NODE = "/zookeeper/config";

const READABLE_BY_ALL: AclList = [{ perms: 1, scheme: "world", id: "anyone" }];
/** Of a base with no more znodes than this everything is copied: it is not worth a layer. */
const SMALL_BASE = 1024;
/** A sum of digests that is exact as a number, whatever digest is added next. */
const DIGEST_CHANGE_MAX = 2 ** 52;
const NO_NAMES: ReadonlySet<string> = new Set();

export interface TreeOptions {
  /** Whether TTL owners are told from sessions (ZooKeeper's `extendedTypesEnabled` and `emulate353TTLNodes`). */
  readonly extendedTypes: ExtendedTypes;
  /** Whether the digest is kept. */
  readonly digest: boolean;
  /** 3.4 lets a creation counter wrap at 2³¹; later versions hold it there. */
  readonly counterWraps: boolean;
  /** Versions before 3.5 have no `/zookeeper/config`. */
  readonly configNode: boolean;
}

/** What a creation is told. */
export interface Creation {
  readonly path: string;
  readonly parentPath: string;
  readonly data: Uint8Array | null;
  readonly acl: AclList | null;
  /** Session, container mark, TTL, or `0n`. */
  readonly owner: bigint;
  /** The parent's creation counter afterwards; -1: one more than it is. */
  readonly parentCVersion: number;
  readonly zxid: Zxid;
  readonly time: number;
}

/** A consistent view of the tree that later changes don't touch. */
export interface FrozenTree {
  readonly nodes: Frozen<Znode>;
  readonly children: Frozen<Set<string>>;
  readonly digest: bigint;
}

/** A whole tree in another form, to start from. */
export interface TreeBase {
  readonly nodes: Base<Znode>;
  readonly size: number;
  /** Names of the children of each znode that has any. */
  readonly children: Base<Set<string>>;
  readonly parentCount: number;
  readonly digest: bigint;
  /** Characters of all paths plus bytes of all data. */
  readonly dataBytes: number;
  /** Paths and owner fields of all znodes that are not persistent. */
  readonly owned: readonly (readonly [path: string, owner: bigint])[];
}

export class Tree {
  readonly options: TreeOptions;
  #nodes = new Layers<Znode>();
  #children = new Layers<Set<string>>();
  #ephemerals = new Map<SessionId, Set<string>>();
  #reapable = new Set<string>();
  #quotaPaths = new PathTree<string>();
  /** The digest, but for what changed since it was last asked for: numbers add up more cheaply than bigints. */
  #digest = 0n;
  #digestChange = 0;
  #dataBytes = 0;

  constructor(options: TreeOptions, empty: "built-in" | "bare" = "built-in") {
    this.options = options;
    if (empty === "bare") return;
    this.#addBuiltIn(ROOT, null, 0);
    this.#addBuiltIn(ZOOKEEPER, null, 0);
    this.#addBuiltIn(QUOTA_ROOT, null, 0);
    if (options.configNode) this.#addBuiltIn(CONFIG_NODE, READABLE_BY_ALL, -1);
  }

  /** A tree that holds what a base does. The base is not changed. */
  static over(base: TreeBase, options: TreeOptions): Tree {
    const tree = new Tree(options, "bare");
    const isSmall = base.size <= SMALL_BASE;
    tree.#nodes = Layers.over(base.nodes, base.size, isSmall);
    tree.#children = Layers.over(base.children, base.parentCount, isSmall);
    tree.#digest = base.digest;
    tree.#dataBytes = base.dataBytes;
    for (const [path, owner] of base.owned) tree.#addOwned(path, owner, kindOf(owner, options.extendedTypes));
    return tree;
  }

  /** Adds the config znode to a tree that came from a version without it. */
  ensureConfigNode(): void {
    if (this.options.configNode && this.get(CONFIG_NODE) === undefined) this.#addBuiltIn(CONFIG_NODE, READABLE_BY_ALL, -1);
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** Sum of all znodes' digests, signed 64 bit, as ZooKeeper computes it; `0n` where digests are off. */
  get digest(): bigint {
    if (this.#digestChange !== 0) {
      this.#digest = changedDigest(this.#digest, this.#digestChange);
      this.#digestChange = 0;
    }
    return this.#digest;
  }

  /** Characters of all paths plus bytes of all data: what `mntr` calls the approximate data size. */
  get approximateDataSize(): number {
    return this.#dataBytes;
  }

  get ephemeralCount(): number {
    let count = 0;
    for (const paths of this.#ephemerals.values()) count += paths.size;
    return count;
  }

  /** Looks a path up. `""` is the root, as in ZooKeeper; a malformed path is simply not there. */
  get(path: string): Znode | undefined {
    return this.#nodes.get(path === "" ? ROOT : path);
  }

  /** Names of the children, in no order that means anything. */
  children(path: string): ReadonlySet<string> {
    return this.#children.get(path === "" ? ROOT : path) ?? NO_NAMES;
  }

  /** The same as a list. */
  childList(path: string): readonly string[] {
    return [...this.children(path)];
  }

  /** Paths of the ephemerals that a session owns. */
  ephemeralsOf(owner: SessionId): ReadonlySet<string> {
    return this.#ephemerals.get(owner) ?? NO_NAMES;
  }

  /** Sessions that own ephemerals. */
  ephemeralOwners(): IterableIterator<SessionId> {
    return this.#ephemerals.keys();
  }

  /** Containers and TTL znodes. */
  get reapable(): ReadonlySet<string> {
    return this.#reapable;
  }

  /** The deepest path with a quota that is this path or above it; a quota of the root's counts for nobody. */
  quotaAbove(path: string): string | null {
    return this.#quotaPaths.along(path).at(-1) ?? null;
  }

  entries(): IterableIterator<[string, Znode]> {
    return this.#nodes.entries();
  }

  /** Paths of the subtree, the top included, parents first. */
  *subtree(top: string): IterableIterator<string> {
    const waiting = [top];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      yield path;
      const prefix = path === ROOT || path === "" ? ROOT : `${path}/`;
      for (const name of this.children(path)) waiting.push(prefix + name);
    }
  }

  /** The owner field for a new znode of this kind. */
  static ownerFor(kind: "persistent" | "ephemeral" | "container" | "ttl", session: SessionId, ttl: number): bigint {
    if (kind === "persistent") return 0n;
    if (kind === "ephemeral") return session;
    return kind === "container" ? CONTAINER_OWNER : ttlOwner(ttl);
  }

  create(creation: Creation): Znode | "NoNode" | "NodeExists" {
    const { path, parentPath, zxid } = creation;
    const parent = this.#nodes.get(parentPath);
    if (parent === undefined) return "NoNode";
    // Whether it is there is asked of its parent's names: they are at hand, and the table of all paths is large.
    const names = this.#childrenToChange(parentPath);
    const count = names.size;
    if (path === ROOT || names.add(nameOf(path)).size === count) return "NodeExists";
    const kind = kindOf(creation.owner, this.options.extendedTypes);
    const node = newZnode(creation.data, creation.acl, kind, creation.owner, zxid, creation.time);
    const cversion = creation.parentCVersion === -1 ? parent.cversion + 1 : creation.parentCVersion;
    this.#replace(
      parentPath,
      parent,
      parent.withChildCreated(cversion, zxid, parent.childCount + 1, this.options.counterWraps),
    );
    this.#add(path, node);
    return node;
  }

  /**
   * Removes a znode and tells its parent, also where the znode itself is gone already: a snapshot may be newer than the txn that is
   * replayed over it.
   */
  delete(path: string, parentPath: string, zxid: Zxid): Znode | "NoNode" {
    const parent = this.#nodes.get(parentPath);
    const node = this.#nodes.get(path);
    if (parent !== undefined) {
      this.#replace(
        parentPath,
        parent,
        parent.withChildDeleted(zxid, node === undefined ? parent.childCount : parent.childCount - 1),
      );
    }
    if (node === undefined) return "NoNode";
    const names = this.#childrenToChange(parentPath);
    names.delete(nameOf(path));
    if (names.size === 0) this.#children.delete(parentPath);
    this.#remove(path, node);
    return node;
  }

  setData(path: string, data: Uint8Array | null, version: number, zxid: Zxid, time: number): Znode | "NoNode" {
    const node = this.get(path);
    if (node === undefined) return "NoNode";
    const next = node.withData(data, version, zxid, time);
    this.#replace(path === "" ? ROOT : path, node, next);
    return next;
  }

  setAcl(path: string, acl: AclList, aversion: number): Znode | "NoNode" {
    const node = this.get(path);
    if (node === undefined) return "NoNode";
    const next = node.withAcl(acl, aversion);
    this.#replace(path === "" ? ROOT : path, node, next);
    return next;
  }

  /** Changes the bytes and nothing else: quota statistics are edited so. */
  editQuietly(path: string, data: Uint8Array): void {
    const node = this.#nodes.get(path);
    if (node !== undefined) this.#replace(path, node, node.withQuietData(data));
  }

  /** Moves the parent's counters forward for a child whose creation is replayed over a newer snapshot. */
  raiseParent(path: string, parentCVersion: number, zxid: Zxid): void {
    const parentPath = parentOf(path);
    const parent = this.#nodes.get(parentPath);
    if (parent === undefined) return;
    this.#replace(
      parentPath,
      parent,
      parent.withChildCreated(parentCVersion, zxid, parent.childCount, this.options.counterWraps),
    );
  }

  addQuotaPath(path: string): void {
    this.#quotaPaths.set(path, path);
  }

  deleteQuotaPath(path: string): void {
    this.#quotaPaths.delete(path);
  }

  /**
   * Puts a znode in place that was in another tree; {@link finishLoading} ends the series. False where its parent has not been seen.
   */
  load(path: string, data: Uint8Array | null, acl: AclList | null, stored: StoredStat): boolean {
    if (path !== ROOT) {
      const parentPath = parentOf(path);
      if (this.#nodes.get(parentPath) === undefined) return false;
      this.#childrenToChange(parentPath).add(nameOf(path));
    }
    this.#add(path, new Znode(data, acl, kindOf(stored.owner, this.options.extendedTypes), stored, 0));
    return true;
  }

  /** Counts the children of what was loaded, once for each parent. */
  finishLoading(): void {
    for (const [path, names] of this.#children.entries()) this.#countChildren(path, names);
  }

  #countChildren(path: string, names: ReadonlySet<string>): void {
    const node = this.#nodes.get(path)!;
    if (node.childCount !== names.size) this.#nodes.replace(path, new Znode(node.data, node.acl, node.kind, node, names.size));
  }

  freeze(): FrozenTree {
    return { nodes: this.#nodes.freeze(), children: this.#children.freeze(), digest: this.digest };
  }

  /** A second tree with the same content, made without copying it. */
  fork(): Tree {
    const fork = new Tree(this.options, "bare");
    fork.#nodes = this.#nodes.fork();
    fork.#children = this.#children.fork();
    for (const [owner, paths] of this.#ephemerals) fork.#ephemerals.set(owner, new Set(paths));
    fork.#reapable = new Set(this.#reapable);
    for (const path of this.#quotaPaths.values()) fork.#quotaPaths.set(path, path);
    fork.#digest = this.digest;
    fork.#dataBytes = this.#dataBytes;
    return fork;
  }

  #addBuiltIn(path: string, acl: AclList | null, aversion: number): void {
    const zero = { czxid: 0n, mzxid: 0n, pzxid: 0n, ctime: 0, mtime: 0, version: 0, cversion: 0, aversion, owner: 0n };
    this.load(path, new Uint8Array(0), acl, zero);
    if (path !== ROOT) this.#countChildren(parentOf(path), this.children(parentOf(path)));
  }

  #childrenToChange(path: string): Set<string> {
    const names = this.#children.owned(path, (shared) => new Set(shared));
    if (names !== undefined) return names;
    const none = new Set<string>();
    this.#children.add(path, none);
    return none;
  }

  #add(path: string, node: Znode): void {
    this.#nodes.add(path, node);
    this.#dataBytes += (path === ROOT ? 0 : path.length) + dataLength(node);
    if (this.options.digest) this.#changeDigest(digestOf(path, node));
    if (node.kind !== "persistent") this.#addOwned(path, node.owner, node.kind);
  }

  #addOwned(path: string, owner: bigint, kind: ZnodeKind): void {
    if (kind !== "ephemeral") {
      this.#reapable.add(path);
      return;
    }
    const paths = this.#ephemerals.get(owner);
    if (paths === undefined) this.#ephemerals.set(owner, new Set([path]));
    else paths.add(path);
  }

  #remove(path: string, node: Znode): void {
    this.#nodes.delete(path);
    this.#dataBytes -= path.length + dataLength(node);
    if (this.options.digest) this.#changeDigest(-digestOf(path, node));
    if (node.kind === "ephemeral") {
      const paths = this.#ephemerals.get(node.owner);
      if (paths?.delete(path) && paths.size === 0) this.#ephemerals.delete(node.owner);
    } else if (node.kind !== "persistent") {
      this.#reapable.delete(path);
    }
  }

  #replace(path: string, old: Znode, next: Znode): void {
    this.#nodes.replace(path, next);
    this.#dataBytes += dataLength(next) - dataLength(old);
    if (this.options.digest) this.#changeDigest(digestOf(path, next) - digestOf(path, old));
  }

  #changeDigest(difference: number): void {
    this.#digestChange += difference;
    if (Math.abs(this.#digestChange) > DIGEST_CHANGE_MAX) this.#digest = this.digest;
  }
}

function dataLength(node: Znode): number {
  return node.data === null ? 0 : node.data.length;
}

/** A znode's digest, computed once. */
export function digestOf(path: string, node: Znode): number {
  if (node.digest === null) {
    // A parent of a megabyte that gets thousands of children is read once.
    node.contentCrc ??= contentCrc(path, node.data) | 0;
    node.digest = digestOfStat(path, node.contentCrc >>> 0, node) | 0;
  }
  return node.digest >>> 0;
}
