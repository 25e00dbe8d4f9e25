/**
 * Which watches a change fires, and in which order: ZooKeeper's trigger table.
 *
 * Invariant: the event about the znode itself comes before the one about its parent's children, and a connection hears of one deletion once.
 */
import type { AclList, ConnId, EventType } from "../model/types.ts";
import type { Watches } from "./watches.ts";

/** What apply did to a znode, with the ACLs of that moment: they decide who may hear of it. */
export type Change =
  | { readonly type: "changed"; readonly path: string; readonly acl: AclList | null }
  | {
      readonly type: "created" | "deleted";
      readonly path: string;
      readonly parentPath: string;
      readonly acl: AclList | null;
      readonly parentAcl: AclList | null;
    };

export type Deliver = (conn: ConnId, type: EventType, path: string, acl: AclList | null) => void;

export function trigger(watches: Watches, change: Change, deliver: Deliver): void {
  const { path, acl } = change;
  switch (change.type) {
    case "changed":
      return watches.fireData(path, (conn) => deliver(conn, "NodeDataChanged", path, acl));
    case "created":
      watches.fireData(path, (conn) => deliver(conn, "NodeCreated", path, acl));
      return fireParent(watches, change.parentPath, change.parentAcl, deliver);
    case "deleted": {
      const told = new Set<ConnId>();
      watches.fireData(path, (conn) => {
        told.add(conn);
        deliver(conn, "NodeDeleted", path, acl);
      });
      watches.fireChild(path, false, (conn) => {
        if (!told.has(conn)) deliver(conn, "NodeDeleted", path, acl);
      });
      return fireParent(watches, change.parentPath, change.parentAcl, deliver);
    }
  }
}

function fireParent(watches: Watches, parentPath: string, acl: AclList | null, deliver: Deliver): void {
  watches.fireChild(parentPath, true, (conn) => deliver(conn, "NodeChildrenChanged", parentPath, acl));
}
