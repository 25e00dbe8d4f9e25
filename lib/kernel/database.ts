/**
 * What is replicated: the tree, the sessions, and the last zxid applied. Exactly what a snapshot holds.
 *
 * Invariant: two databases that have applied the same txns are equal.
 */
import type { Tree } from "../tree/tree.ts";
import type { SessionId, Zxid } from "../types.ts";

export class Database {
  readonly tree: Tree;
  /** Session → timeout in milliseconds. */
  readonly sessions: Map<SessionId, number>;
  lastZxid: Zxid;

  constructor(tree: Tree, sessions: Map<SessionId, number> = new Map(), lastZxid: Zxid = 0n) {
    this.tree = tree;
    this.sessions = sessions;
    this.lastZxid = lastZxid;
  }

  /** A second database with the same content, made without copying the tree. */
  fork(): Database {
    return new Database(this.tree.fork(), new Map(this.sessions), this.lastZxid);
  }
}
