/**
 * Which requests become txns, as far as a request alone can tell: a learner must know it to pass them on, and whoever decides to judge them.
 *
 * Not here: what becomes of them (prepare.ts).
 */
import type { MultiOp, Op, OpKind, UnreadableOp, WriteOp } from "../model/ops.ts";
import type { Session } from "../session/sessions.ts";
import type { KernelOptions } from "./options.ts";
import { isEphemeral } from "./prepare.ts";

/** Always a txn, be it one that refuses. Multis are, too, if they make sense. */
const TXNS: ReadonlySet<OpKind> = new Set<OpKind>([
  "create",
  "create2",
  "createContainer",
  "createTTL",
  "delete",
  "deleteContainer",
  "setData",
  "setACL",
  "reconfig",
  "closeSession",
]);

/** Whether whoever decides is to hear of it. A lone check is not: it never becomes a txn. */
export function becomesTxn(op: Op, options: KernelOptions): boolean {
  if (op.kind === "multi") return isJudged(op, options);
  return TXNS.has(op.kind) || (op.kind === "unreadable" && takesZxid(op, options));
}

/** Whether ops of this kind change something, if they make sense: for the statistics. */
export function isUpdate(kind: OpKind): boolean {
  return TXNS.has(kind) || kind === "multi";
}

/** What a server without a quorum refuses: all that would change something, whatever its body says, and syncs. */
export function needsQuorum(op: Op): boolean {
  const kind = op.kind === "unreadable" ? op.op : op.kind;
  return kind !== "closeSession" && (TXNS.has(kind) || kind === "multi" || kind === "check" || kind === "sync");
}

/** What can be prepared: the op is judged against the tree. */
export function isWrite(op: Op, options: KernelOptions): op is Exclude<WriteOp, { readonly kind: "check" }> {
  switch (op.kind) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL":
    case "delete":
    case "setData":
    case "setACL":
    case "reconfig":
      return true;
    case "multi":
      return isJudged(op, options);
    default:
      return false;
  }
}

/** Up to 3.8, ZooKeeper can't even refuse a multi with a null for a path. */
export function isJudged(op: MultiOp, { behaviour }: KernelOptions): boolean {
  return behaviour.multiJudgedWhole || !op.ops.some((sub) => sub.path === null);
}

/** Whether a request whose body makes no sense is refused by a txn. */
export function takesZxid(op: UnreadableOp, { behaviour }: KernelOptions): boolean {
  if (!op.write || !behaviour.knows(op.op)) return false;
  return op.op === "multi" || (behaviour.unreadableTakesZxid && op.op !== "reconfig");
}

/**
 * Whether the session, a local one, becomes an ordinary one by this request. Only these three ops do that, as in ZooKeeper. Inside a multi a create
 * is what its flags say.
 */
export function mustUpgrade(session: Session, op: Op, options: KernelOptions): boolean {
  if (!session.local || !options.localSessionsUpgrading) return false;
  if (op.kind === "multi") return op.ops.some((sub) => "flags" in sub && isEphemeral(sub.flags));
  return (op.kind === "create" || op.kind === "create2") && isEphemeral(op.flags);
}

/** Who can't even say who they are is not answered. */
export function isBrokenProof(op: Op): boolean {
  if (op.kind === "sasl") return op.token === null;
  return op.kind === "unreadable" && (op.op === "auth" || op.op === "sasl");
}
