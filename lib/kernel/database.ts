/**
 * Database that is replicated: the tree, the sessions, and the last zxid applied. Exactly what a snapshot holds.
 *
 * Invariant: two databases that have applied the same txns are equal.
 */
import { AclInterner } from "../acl/intern.ts";
import type { SessionId, Zxid } from "../model/types.ts";
import type { Tree } from "../tree/tree.ts";

export class Database {
  readonly tree: Tree;
  /** Session → timeout in milliseconds. */
  readonly sessions: Map<SessionId, number>;
  lastZxid: Zxid;
  /** Lets znodes whose ACLs say the same share one object. */
  readonly acls: AclInterner;

  constructor(
    tree: Tree,
    sessions: Map<SessionId, number> = new Map(),
    lastZxid: Zxid = 0n,
    acls: AclInterner = new AclInterner(),
  ) {
    this.tree = tree;
    this.sessions = sessions;
    this.lastZxid = lastZxid;
    this.acls = acls;
  }

  /** A second database with the same content, made without copying the tree. */
  fork(): Database {
    return new Database(this.tree.fork(), new Map(this.sessions), this.lastZxid, this.acls);
  }
}
