/**
 * The tree as text: for snapshot tests, and for people.
 *
 * Invariant: equal trees give equal pictures. Nothing in it depends on the time, on ids, or on the order in which things were done.
 */
import { isEverybody, Perms } from "../acl/perms.ts";
import { durationText } from "../base/duration.ts";
import type { SessionId } from "../model/types.ts";
import { ROOT, type Tree, ZOOKEEPER } from "../tree/tree.ts";
import { ttlOf, type Znode } from "../tree/znode.ts";
import { aclText, dataText } from "./text.ts";

/**
 * Draws what is under a path, in the order of names; `/zookeeper` is left out. Sessions that own ephemerals are numbered as they appear.
 *
 * ```
 * /
 * ├─ config "v1"
 * └─ locks
 *    └─ lock-0000000000 (ephemeral of session 1)
 * ```
 */
export function drawTree(tree: Tree, top: string): string {
  const node = tree.get(top);
  if (node === undefined) return `${top} (not there)`;
  const sessions = new Map<SessionId, number>();
  const lines = [top + notes(node, sessions)];
  drawChildren(tree, top, "", sessions, lines);
  return lines.join("\n");
}

function drawChildren(tree: Tree, path: string, indent: string, sessions: Map<SessionId, number>, lines: string[]): void {
  const prefix = path === ROOT ? ROOT : `${path}/`;
  const names = [...tree.children(path)].filter((name) => prefix + name !== ZOOKEEPER).sort();
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1;
    lines.push(`${indent}${isLast ? "└─" : "├─"} ${name}${notes(tree.get(prefix + name)!, sessions)}`);
    drawChildren(tree, prefix + name, `${indent}${isLast ? "   " : "│  "}`, sessions, lines);
  }
}

function notes(node: Znode, sessions: Map<SessionId, number>): string {
  const data = node.data === null || node.data.length === 0 ? "" : ` ${dataText(node.data)}`;
  const remarks = [kindText(node, sessions), accessText(node)].filter((remark) => remark !== "");
  return data + (remarks.length === 0 ? "" : ` (${remarks.join("; ")})`);
}

function kindText(node: Znode, sessions: Map<SessionId, number>): string {
  switch (node.kind) {
    case "persistent":
      return "";
    case "container":
      return "container";
    case "ttl":
      return `TTL ${durationText(ttlOf(node.owner))}`;
    case "ephemeral":
      if (!sessions.has(node.owner)) sessions.set(node.owner, sessions.size + 1);
      return `ephemeral of session ${sessions.get(node.owner)}`;
  }
}

function accessText({ acl }: Znode): string {
  const isOpen = acl === null || acl.some((entry) => entry.perms === Perms.ALL && isEverybody(entry));
  return isOpen ? "" : acl.map(aclText).join(", ");
}
