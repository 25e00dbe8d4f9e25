/**
 * One node of the tree, and the states it can go to. Immutable: a change makes a new Znode.
 *
 * Not here: its path (the tree's key), its children's names (the tree's), who may change it (acl/).
 *
 * Invariant: `cversion` counts creations of children only, as in ZooKeeper's own records; clients see creations plus
 * deletions, which is `2 · cversion − childCount`.
 */
import { StatFields } from "../model/stat.ts";
import type { AclList, Stat, Zxid } from "../model/types.ts";

/** What a znode is, told by its owner field. */
export type ZnodeKind = "persistent" | "ephemeral" | "container" | "ttl";

/** Owner field of every container: the sign bit alone. */
export const CONTAINER_OWNER: bigint = -0x8000000000000000n;
const TTL_MARK = 0xff00000000000000n;
/** Longest time to live, milliseconds: what 40 bits hold. */
export const TTL_MAX_MS: number = 2 ** 40 - 1;

/** Owner field of a znode with this time to live, milliseconds. */
export function ttlOwner(ttl: number): bigint {
  return BigInt.asIntN(64, TTL_MARK | BigInt(ttl));
}

/** The time to live that an owner field holds, milliseconds. */
export function ttlOf(owner: bigint): number {
  return Number(BigInt.asUintN(40, owner));
}

/** Whether TTL owners are told from sessions; `"3.5.3"`: also those that ZooKeeper 3.5.3 wrote, which knew them by the sign bit alone. */
export type ExtendedTypes = boolean | "3.5.3";

/**
 * Reads an owner field. Without extended types a TTL owner is nothing special and looks like a session, as in ZooKeeper
 * with `extendedTypesEnabled=false`.
 */
export function kindOf(owner: bigint, extendedTypes: ExtendedTypes): ZnodeKind {
  if (owner === 0n) return "persistent";
  if (owner === CONTAINER_OWNER) return "container";
  if (!extendedTypes || owner > 0n) return "ephemeral";
  return extendedTypes === "3.5.3" || BigInt.asUintN(64, owner) >> 56n === 0xffn ? "ttl" : "ephemeral";
}

/** A znode's fields as snapshots and digests hold them. */
export interface StoredStat {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly pzxid: Zxid;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  /** Session, container mark or TTL; `0n` for a persistent znode. */
  readonly owner: bigint;
}

export class Znode implements StoredStat {
  readonly data: Uint8Array | null;
  /** null: the built-in znodes' "none", which allows everything. */
  readonly acl: AclList | null;
  readonly kind: ZnodeKind;
  readonly owner: bigint;
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly pzxid: Zxid;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly childCount: number;
  /** Digest as a signed number, which engines keep in place, once somebody has computed it. A cache: it says nothing that the other fields don't. */
  digest: number | null;
  /** CRC-32 of path and data, likewise; the znode that comes after it has the same where neither changes. */
  contentCrc: number | null;
  #stat: Stat | null;

  constructor(data: Uint8Array | null, acl: AclList | null, kind: ZnodeKind, stored: StoredStat, childCount: number) {
    this.data = data;
    this.acl = acl;
    this.kind = kind;
    this.owner = stored.owner;
    this.czxid = stored.czxid;
    this.mzxid = stored.mzxid;
    this.pzxid = stored.pzxid;
    this.ctime = stored.ctime;
    this.mtime = stored.mtime;
    this.version = stored.version;
    this.cversion = stored.cversion;
    this.aversion = stored.aversion;
    this.childCount = childCount;
    this.digest = null;
    this.contentCrc = null;
    this.#stat = null;
  }

  /** The znode as clients see it. The same object for as long as the znode does not change. */
  get stat(): Stat {
    this.#stat ??= new StatFields(
      this.czxid,
      this.mzxid,
      this.ctime,
      this.mtime,
      this.version,
      (2 * this.cversion - this.childCount) | 0,
      this.aversion,
      this.kind === "ephemeral" ? this.owner : 0n,
      this.data === null ? 0 : this.data.length,
      this.childCount,
      this.pzxid,
    );
    return this.#stat;
  }

  withData(data: Uint8Array | null, version: number, zxid: Zxid, time: number): Znode {
    const { czxid, pzxid, ctime, cversion, aversion, owner } = this;
    const stored = { czxid, mzxid: zxid, pzxid, ctime, mtime: time, version, cversion, aversion, owner };
    return new Znode(data, this.acl, this.kind, stored, this.childCount);
  }

  /** Other bytes, and nothing else: how the server itself edits quota statistics. */
  withQuietData(data: Uint8Array): Znode {
    return new Znode(data, this.acl, this.kind, this, this.childCount);
  }

  withAcl(acl: AclList | null, aversion: number): Znode {
    const { czxid, mzxid, pzxid, ctime, mtime, version, cversion, owner } = this;
    return this.#withSameContent(
      new Znode(
        this.data,
        acl,
        this.kind,
        { czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion, owner },
        this.childCount,
      ),
    );
  }

  /**
   * A child came. `cversion` is what the txn says it is then. A replayed txn may be older than the znode, and the counter
   * cannot move past 2³¹ − 1: only a greater value counts, as in ZooKeeper since 3.5. `wraps` is how 3.4 did it.
   */
  withChildCreated(cversion: number, zxid: Zxid, childCount: number, wraps: boolean): Znode {
    return cversion > this.cversion || wraps
      ? this.#withChildren(cversion, zxid, childCount)
      : this.#withChildren(this.cversion, this.pzxid, childCount);
  }

  withChildDeleted(zxid: Zxid, childCount: number): Znode {
    return this.#withChildren(this.cversion, zxid > this.pzxid ? zxid : this.pzxid, childCount);
  }

  #withChildren(cversion: number, pzxid: Zxid, childCount: number): Znode {
    const { czxid, mzxid, ctime, mtime, version, aversion, owner } = this;
    return this.#withSameContent(
      new Znode(
        this.data,
        this.acl,
        this.kind,
        { czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion, owner },
        childCount,
      ),
    );
  }

  #withSameContent(next: Znode): Znode {
    next.contentCrc = this.contentCrc;
    return next;
  }
}

/** A znode as its creation leaves it. */
export function newZnode(
  data: Uint8Array | null,
  acl: AclList | null,
  kind: ZnodeKind,
  owner: bigint,
  zxid: Zxid,
  time: number,
): Znode {
  const stored = {
    czxid: zxid,
    mzxid: zxid,
    pzxid: zxid,
    ctime: time,
    mtime: time,
    version: 0,
    cversion: 0,
    aversion: 0,
    owner,
  };
  return new Znode(data, acl, kind, stored, 0);
}
