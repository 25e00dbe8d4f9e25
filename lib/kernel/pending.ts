/**
 * The tree as it will be once everything outstanding commits: changes laid over the tree, from being proposed until they are applied.
 * (ZooKeeper calls them outstanding changes.)
 *
 * Invariant: with nothing outstanding there is nothing here, and a look-up is the tree's own.
 */
import { parentOf } from "../path.ts";
import { changedDigest } from "../tree/digest.ts";
import { type Creation, digestOf, type Tree } from "../tree/tree.ts";
import { kindOf, newZnode, type Znode } from "../tree/znode.ts";
import type { AclList, SessionId, Zxid } from "../types.ts";

interface Overlay {
  /** null: it will be gone. */
  readonly node: Znode | null;
  readonly zxid: Zxid;
}

interface Undo {
  readonly path: string;
  readonly overlay: Overlay | undefined;
}

export class Pending {
  readonly #tree: Tree;
  readonly #overlays = new Map<string, Overlay>();
  /** What to put back if a multi fails; null outside one. */
  #undo: Undo[] | null = null;
  /** What the outstanding changes add to the tree's digest. */
  #digestDifference = 0n;
  #digestAtMark = 0n;
  /** Paths changed since {@link takeChanged}. */
  #changed: string[] = [];

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  get(path: string): Znode | undefined {
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
    const paths = new Set(this.#tree.ephemeralsOf(session));
    for (const [path, { node }] of this.#overlays) {
      if (node !== null && node.kind === "ephemeral" && node.owner === session) paths.add(path);
      else paths.delete(path);
    }
    return [...paths];
  }

  create(creation: Creation, parent: Znode): void {
    const { path, data, acl, owner, zxid, time } = creation;
    const { extendedTypes, counterWraps } = this.#tree.options;
    this.#record(
      parentOf(path),
      parent.withChildCreated(creation.parentCVersion, zxid, parent.childCount + 1, counterWraps),
      zxid,
    );
    this.#record(path, newZnode(data, acl, kindOf(owner, extendedTypes), owner, zxid, time), zxid);
  }

  delete(path: string, zxid: Zxid): void {
    const parentPath = parentOf(path);
    const parent = this.get(parentPath);
    if (parent !== undefined) this.#record(parentPath, parent.withChildDeleted(zxid, parent.childCount - 1), zxid);
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
    this.#changed.length -= undo.length;
    this.#digestDifference = this.#digestAtMark;
    this.#undo = null;
  }

  /** The paths that the txn just prepared will change; {@link settle} wants them back. */
  takeChanged(): readonly string[] {
    const changed = this.#changed;
    this.#changed = [];
    return changed;
  }

  /** A txn was applied: its changes are in the tree itself, and its share of the digest is, too. */
  settle(changed: readonly string[], zxid: Zxid, digestDifference: bigint): void {
    for (const path of changed) if (this.#overlays.get(path)?.zxid === zxid) this.#overlays.delete(path);
    if (this.#overlays.size === 0) this.#digestDifference = 0n;
    else if (digestDifference !== 0n) this.#digestDifference = BigInt.asIntN(64, this.#digestDifference - digestDifference);
  }

  #record(path: string, node: Znode | null, zxid: Zxid): void {
    const before = this.#overlays.get(path);
    if (this.#tree.options.digest) {
      const old = before === undefined ? this.#tree.get(path) : before.node;
      const oldDigest = old === undefined || old === null ? 0 : digestOf(path, old);
      this.#digestDifference = changedDigest(this.#digestDifference, oldDigest, node === null ? 0 : digestOf(path, node));
    }
    this.#undo?.push({ path, overlay: before });
    this.#overlays.set(path, { node, zxid });
    this.#changed.push(path);
  }
}
