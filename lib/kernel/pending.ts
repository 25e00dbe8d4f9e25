/**
 * The tree as it will be once everything outstanding commits: changes laid over the tree, from being proposed until they are applied.
 * (ZooKeeper calls them outstanding changes.)
 *
 * Invariants: with nothing outstanding there is nothing here, and a look-up is the tree's own. Txns settle in the order in which they were prepared.
 */
import { Fifo } from "../base/fifo.ts";
import { parentOf } from "../model/path.ts";
import { textLength } from "../model/txn_size.ts";
import type { AclList, SessionId, Zxid } from "../model/types.ts";
import { changedDigest } from "../tree/digest.ts";
import { type Creation, digestOf, type Tree } from "../tree/tree.ts";
import { kindOf, newZnode, type Znode } from "../tree/znode.ts";

interface PendingChange {
  readonly path: string;
  /** null: it will be gone. */
  readonly node: Znode | null;
  readonly zxid: Zxid;
}

/** What one txn will change. */
export interface PendingChanges {
  readonly list: PendingChange[];
  /** Whether the changes have been laid over the tree: only once somebody looks. Most are applied before. */
  laid: boolean;
}

interface Undo {
  readonly path: string;
  readonly overlay: PendingChange | undefined;
}

export class Pending {
  readonly #tree: Tree;
  readonly #overlays = new Map<string, PendingChange>();
  /** Outstanding, and not laid over the tree yet; oldest first. */
  readonly #notLaid: Fifo<PendingChanges> = new Fifo<PendingChanges>();
  /** Of the txn that is being prepared. */
  #current: PendingChanges = { list: [], laid: false };
  /** What to put back if a multi fails; null outside one. */
  #undo: Undo[] | null = null;
  /** Of those sessions whose bytes have been asked for. */
  readonly #ephemeralBytes = new Map<SessionId, number>();
  /** What the outstanding changes add to the tree's digest. */
  #digestDifference = 0n;
  #digestAtMark = 0n;
  /** What it was before the txn that is being prepared. */
  #digestBefore = 0n;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  get(path: string): Znode | undefined {
    if (this.#notLaid.length > 0 || this.#current.list.length > 0) this.#layAll();
    if (this.#overlays.size !== 0) {
      const overlay = this.#overlays.get(path);
      if (overlay !== undefined) return overlay.node ?? undefined;
    }
    return this.#tree.get(path);
  }

  /** Digest of the tree as it will be; null where digests are off. */
  get digest(): bigint | null {
    return this.#tree.options.digest ? BigInt.asIntN(64, this.#tree.digest + this.#digestDifference) : null;
  }

  /** Paths of the ephemerals that a session will own. */
  ephemeralsOf(session: SessionId): string[] {
    this.#layAll();
    const paths = new Set(this.#tree.ephemeralsOf(session));
    for (const [path, { node }] of this.#overlays) {
      if (node !== null && node.kind === "ephemeral" && node.owner === session) paths.add(path);
      else paths.delete(path);
    }
    return [...paths];
  }

  /** Bytes of these paths in a txn. Counted once for each session, and then kept up with what is created and deleted. */
  ephemeralBytesOf(session: SessionId): number {
    let bytes = this.#ephemeralBytes.get(session);
    if (bytes === undefined) {
      bytes = this.ephemeralsOf(session).reduce((sum, path) => sum + textLength(path), 0);
      this.#ephemeralBytes.set(session, bytes);
    }
    return bytes;
  }

  #countEphemeral({ kind, owner }: Znode, path: string, sign: 1 | -1): void {
    if (kind !== "ephemeral" || this.#ephemeralBytes.size === 0) return;
    const before = this.#ephemeralBytes.get(owner);
    if (before === undefined) return;
    const bytes = before + sign * textLength(path);
    if (bytes > 0) this.#ephemeralBytes.set(owner, bytes);
    else this.#ephemeralBytes.delete(owner);
  }

  create(creation: Creation, parent: Znode): void {
    const { path, parentPath, data, acl, owner, zxid, time } = creation;
    const { extendedTypes, counterWraps } = this.#tree.options;
    this.#record(parentPath, parent.withChildCreated(creation.parentCVersion, zxid, parent.childCount + 1, counterWraps), zxid);
    const node = newZnode(data, acl, kindOf(owner, extendedTypes), owner, zxid, time);
    this.#countEphemeral(node, path, 1);
    this.#record(path, node, zxid);
  }

  delete(path: string, zxid: Zxid): void {
    const parentPath = parentOf(path);
    const parent = this.get(parentPath);
    if (parent !== undefined) this.#record(parentPath, parent.withChildDeleted(zxid, parent.childCount - 1), zxid);
    if (this.#ephemeralBytes.size > 0) {
      const node = this.get(path);
      if (node !== undefined) this.#countEphemeral(node, path, -1);
    }
    this.#record(path, null, zxid);
  }

  setData(path: string, node: Znode, data: Uint8Array | null, version: number, zxid: Zxid, time: number): void {
    this.#record(path, node.withData(data, version, zxid, time), zxid);
  }

  setAcl(path: string, node: Znode, acl: AclList, aversion: number, zxid: Zxid): void {
    this.#record(path, node.withAcl(acl, aversion), zxid);
  }

  /** Starts remembering, so that {@link rollback} can take back what follows. */
  mark(): void {
    this.#layAll();
    this.#undo = [];
    this.#digestAtMark = this.#digestDifference;
  }

  /** Keeps what came since the mark. */
  keep(): void {
    this.#undo = null;
  }

  /** Takes back what came since the mark. */
  rollback(): void {
    const undo = this.#undo ?? [];
    for (let at = undo.length - 1; at >= 0; at--) {
      const { path, overlay } = undo[at]!;
      if (overlay === undefined) this.#overlays.delete(path);
      else this.#overlays.set(path, overlay);
    }
    this.#current.list.length -= undo.length;
    this.#digestDifference = this.#digestAtMark;
    this.#ephemeralBytes.clear();
    this.#undo = null;
  }

  /** Drops all of the txn that is being prepared, however far that got; `outstanding` is what is kept, oldest first. */
  discard(outstanding: readonly PendingChanges[]): void {
    this.#undo = null;
    this.#current = { list: [], laid: false };
    this.#digestDifference = this.#digestBefore;
    this.#overlays.clear();
    for (const { list, laid } of outstanding) if (laid) for (const change of list) this.#overlays.set(change.path, change);
  }

  /** What the txn just prepared will change; {@link settle} wants it back. */
  takeChanges(): PendingChanges {
    const changes = this.#current;
    if (!changes.laid) this.#notLaid.push(changes);
    this.#current = { list: [], laid: false };
    this.#digestBefore = this.#digestDifference;
    return changes;
  }

  /** A txn was applied: its changes are in the tree itself, and its share of the digest is, too. */
  settle(changes: PendingChanges, digestDifference: bigint): void {
    if (changes.laid) {
      for (const { path, zxid } of changes.list) if (this.#overlays.get(path)?.zxid === zxid) this.#overlays.delete(path);
    } else {
      this.#notLaid.shift();
    }
    if (this.#overlays.size === 0 && this.#notLaid.length === 0) this.#digestDifference = 0n;
    else if (digestDifference !== 0n) this.#digestDifference = BigInt.asIntN(64, this.#digestDifference - digestDifference);
    this.#digestBefore = this.#digestDifference;
  }

  #record(path: string, node: Znode | null, zxid: Zxid): void {
    const change = { path, node, zxid };
    if (this.#tree.options.digest) {
      const old = this.get(path);
      const oldDigest = old === undefined ? 0 : digestOf(path, old);
      const newDigest = node === null ? 0 : digestOf(path, node);
      this.#digestDifference = changedDigest(this.#digestDifference, newDigest - oldDigest);
    }
    this.#current.list.push(change);
    if (this.#undo !== null) {
      this.#undo.push({ path, overlay: this.#overlays.get(path) });
      this.#current.laid = true;
    }
    if (this.#current.laid) this.#overlays.set(path, change);
  }

  #layAll(): void {
    for (let changes = this.#notLaid.shift(); changes !== undefined; changes = this.#notLaid.shift()) this.#lay(changes);
    this.#lay(this.#current);
  }

  #lay(changes: PendingChanges): void {
    if (changes.laid) return;
    changes.laid = true;
    for (const change of changes.list) this.#overlays.set(change.path, change);
  }
}
