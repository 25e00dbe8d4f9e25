/**
 * The nouns every layer shares: data only, no code and no behaviour.
 *
 * Invariant: everything here is immutable once made. Whoever needs another value makes another object.
 */

/** Transaction id: the leader's epoch in the high 32 bits, a counter in the low 32. `0n` is "before the first". */
export type Zxid = bigint;

/** A client's lease. The highest byte names the server that issued it. `0n` is "no session". */
export type SessionId = bigint;

/** A connection of this member, local or remote; never reused within a process. */
export type ConnId = number;

/** The time a step is given. Nothing in the core reads a clock. */
export interface Now {
  /** Milliseconds that never go back; only differences mean anything. */
  readonly mono: number;
  /** Milliseconds since 1970 UTC; what ctime and mtime show. */
  readonly wall: number;
}

/**
 * A znode's metadata, as clients see it.
 *
 * @example
 * ```ts
 * const stat = await zk.exists("/a");
 * if (stat) await zk.delete("/a", { version: stat.version });
 * ```
 */
export interface Stat {
  /** zxid of the txn that created the znode. */
  readonly czxid: Zxid;
  /** zxid of the last change of its data. */
  readonly mzxid: Zxid;
  /** Creation time, milliseconds since 1970. */
  readonly ctime: number;
  /** Time of the last change of its data, milliseconds since 1970. */
  readonly mtime: number;
  /** Changes of the data; wraps at 2³¹ like Java's int. */
  readonly version: number;
  /** Changes of the children: creations plus deletions. */
  readonly cversion: number;
  /** Changes of the ACL. */
  readonly aversion: number;
  /** Session that owns an ephemeral; `0n` for every other kind, containers and TTL znodes included. */
  readonly ephemeralOwner: SessionId;
  /** Bytes of data; null data counts 0. */
  readonly dataLength: number;
  /** Direct children. */
  readonly numChildren: number;
  /** zxid of the last creation or deletion of a child. */
  readonly pzxid: Zxid;
}

/** One entry of an access control list: who (scheme and id) may do what (perms, a bit mask of {@link Perms}). */
export interface Acl {
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}

/** An access control list as the tree keeps it: normalised, never empty, shared between znodes. */
export type AclList = readonly Acl[];

/** An identity that a connection has proved: `digest` `user:hash`, `ip` address, `super` … */
export interface AuthId {
  readonly scheme: string;
  readonly id: string;
}

/**
 * What a znode is. The names are ZooKeeper's own, in lower case.
 *
 * - `ephemeral*`: deleted when the session that created it ends;
 * - `*_sequential`: the name gets the parent's ten-digit counter appended;
 * - `container`: deleted some time after its last child is gone;
 * - `*_with_ttl`: deleted once it has no children and was not set for its time to live.
 */
export type CreateMode =
  | "persistent"
  | "ephemeral"
  | "persistent_sequential"
  | "ephemeral_sequential"
  | "container"
  | "persistent_with_ttl"
  | "persistent_sequential_with_ttl";

/** What happened to the watched path. */
export type EventType = "NodeCreated" | "NodeDeleted" | "NodeDataChanged" | "NodeChildrenChanged";

/** What a watch delivers. */
export interface WatchedEvent {
  readonly type: EventType;
  readonly path: string;
  /** zxid of the txn that caused it; `-1n` where the server does not say (over TCP before 3.9, and after a reconnect). */
  readonly zxid: Zxid;
}

/** How a registration added by `addWatch` behaves: both stay until removed. */
export type AddWatchMode = "persistent" | "persistent_recursive";

/** What a server is to its ensemble. Looking: it has no leader, and serves nobody. Read-only: it has none, and serves reads. */
export type Role = "standalone" | "leader" | "follower" | "observer" | "looking" | "readOnly";
