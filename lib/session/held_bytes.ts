/** Memory that a request takes while it waits for its turn, in bytes, about: what its client sent, and the objects around it. */
import type { MultiReadOp, MultiWriteOp, Op, SetWatchesOp } from "../model/ops.ts";

const OBJECT_BYTES = 100;

export function heldBytes(op: Op): number {
  switch (op.kind) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL":
    case "setData":
    case "setACL":
    case "delete":
    case "check":
      return heldByWrite(op);
    case "multi":
      return sum(op.ops, heldByWrite);
    case "multiRead":
      return heldByMultiRead(op);
    case "setWatches":
    case "setWatches2":
      return heldBySetWatches(op);
    case "auth":
      return OBJECT_BYTES + (op.auth?.length ?? 0);
    case "sasl":
      return OBJECT_BYTES + (op.token?.length ?? 0);
    case "reconfig":
      return OBJECT_BYTES + textLength(op.joiningServers) + textLength(op.leavingServers) + textLength(op.newMembers);
    default:
      return OBJECT_BYTES + ("path" in op ? textLength(op.path) : 0);
  }
}

function heldByWrite(op: MultiWriteOp | Extract<Op, { readonly kind: "setACL" }>): number {
  const data = "data" in op ? (op.data?.length ?? 0) : 0;
  const acl = "acl" in op ? OBJECT_BYTES * (op.acl?.length ?? 0) : 0;
  return OBJECT_BYTES + textLength(op.path) + data + acl;
}

function heldByMultiRead({ ops }: MultiReadOp): number {
  return OBJECT_BYTES + sum(ops ?? [], ({ path }) => OBJECT_BYTES + textLength(path));
}

function heldBySetWatches(op: SetWatchesOp): number {
  const lists = [op.dataWatches, op.existWatches, op.childWatches, op.persistentWatches, op.persistentRecursiveWatches];
  return sum(lists, (paths) => OBJECT_BYTES + sum(paths ?? [], textLength));
}

function textLength(text: string | null): number {
  return text === null ? 0 : text.length;
}

function sum<T>(items: readonly T[], size: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += size(item);
  return total;
}
