/**
 * Carries a txn out on the database. It decides nothing and never refuses: the same on every member, and again at replay.
 *
 * At replay a snapshot may already hold what a txn did, in part or whole. The rules for that are ZooKeeper's own: a creation of what is there
 * still moves the parent's counters, a deletion of what is gone still moves the parent's pzxid.
 *
 * Invariant: `lastZxid` moves only after the whole txn is applied.
 */
import { invariant } from "../model/errors.ts";
import { DONE, type MultiResult, type Outcome } from "../model/ops.ts";
import { parentOf } from "../model/path.ts";
import type {
  CloseSessionTxn,
  CreateContainerTxn,
  CreateTtlTxn,
  CreateTxn,
  DeleteTxn,
  MultiTxn,
  Proposal,
  SetAclTxn,
  SetDataTxn,
  SubTxn,
  TxnHeader,
} from "../model/txns.ts";
import type { AclList } from "../model/types.ts";
import { quotaChanged, quotaCreated, quotaDeleted } from "../tree/quota.ts";
import { Tree } from "../tree/tree.ts";
import type { Znode } from "../tree/znode.ts";
import type { Change } from "../watch/triggers.ts";
import type { Database } from "./database.ts";

/** Hears of each change to a znode as it happens. null at replay: nobody listens, and nobody waits for an answer. */
export type OnChange = ((change: Change) => void) | null;

/** Applies a proposal, reports each change to a znode as it happens, and says what to answer to whoever asked for it. */
export function apply(database: Database, proposal: Proposal, onChange: OnChange): Outcome {
  const { header, txn } = proposal;
  const outcome = applyTxn(database, proposal, onChange);
  database.lastZxid = header.zxid;
  return txn.kind === "error" && txn.code !== "Ok" ? { kind: "error", code: txn.code } : outcome;
}

/** A result that nobody waits for: a znode's Stat is not made for it. */
const UNHEARD: MultiResult = { kind: "check" };

function applyTxn(database: Database, { header, txn }: Proposal, onChange: OnChange): Outcome {
  switch (txn.kind) {
    case "createSession":
      database.sessions.set(header.session, txn.timeOut);
      return DONE;
    case "closeSession":
      closeSession(database, header, txn, onChange);
      return DONE;
    case "multi":
      return { kind: "multi", results: applyMulti(database, header, txn, onChange) };
    case "error":
      return DONE;
    case "reconfig":
      return reconfigured(database, header, txn, onChange);
    default:
      return outcomeOf(applySub(database, header, txn, onChange));
  }
}

function applySub(database: Database, header: TxnHeader, txn: SubTxn, onChange: OnChange): MultiResult {
  const { tree } = database;
  switch (txn.kind) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL":
      return create(database, header, txn, onChange);
    case "delete":
    case "deleteContainer":
      return remove(tree, header, txn, onChange);
    case "setData":
    case "reconfig":
      return setData(tree, header, txn, onChange);
    case "setACL":
      return setAcl(database, txn);
    case "check":
      return { kind: "check" };
    case "error":
      return { kind: "error", code: txn.code };
  }
}

/** A result outside a multi, in the shape in which it is answered. */
function outcomeOf(result: MultiResult): Outcome {
  switch (result.kind) {
    case "create":
      return { kind: "path", path: result.path };
    case "create2":
      return { kind: "pathStat", path: result.path, stat: result.stat };
    case "setData":
      return { kind: "stat", stat: result.stat };
    case "error":
      return result.code === "Ok" ? DONE : { kind: "error", code: result.code };
    case "delete":
    case "check":
      return DONE;
    default:
      invariant(false, `a txn has no result of kind ${result.kind}`);
  }
}

function create(
  { tree, acls }: Database,
  header: TxnHeader,
  txn: CreateTxn | CreateContainerTxn | CreateTtlTxn,
  onChange: OnChange,
): MultiResult {
  const { path, data, parentCVersion } = txn;
  const acl = acls.intern(txn.acl);
  const owner = ownerOf(header, txn);
  const parentPath = parentOf(path);
  const node = tree.create({ path, parentPath, data, acl, owner, parentCVersion, zxid: header.zxid, time: header.time });
  if (node === "NoNode") return { kind: "error", code: node };
  if (node === "NodeExists") {
    if (txn.kind === "create") tree.raiseParent(path, parentCVersion, header.zxid);
    const there = tree.get(path)!;
    tree.setAcl(path, acl, there.aversion);
    return { kind: "error", code: node };
  }
  quotaCreated(tree, path, node);
  onChange?.({ type: "created", path, parentPath, acl, parentAcl: aclOf(tree, parentPath) });
  if (onChange === null) return UNHEARD;
  return txn.kind === "create" ? { kind: "create", path } : { kind: "create2", path, stat: node.stat };
}

function ownerOf(header: TxnHeader, txn: CreateTxn | CreateContainerTxn | CreateTtlTxn): bigint {
  switch (txn.kind) {
    case "createContainer":
      return Tree.ownerFor("container", 0n, 0);
    case "createTTL":
      return Tree.ownerFor("ttl", 0n, txn.ttl);
    default:
      return Tree.ownerFor(txn.ephemeral ? "ephemeral" : "persistent", header.session, 0);
  }
}

function remove(tree: Tree, header: TxnHeader, txn: DeleteTxn, onChange: OnChange): MultiResult {
  return removePath(tree, header, txn.path, onChange) ? { kind: "delete" } : { kind: "error", code: "NoNode" };
}

function removePath(tree: Tree, header: TxnHeader, path: string, onChange: OnChange): boolean {
  const parentPath = parentOf(path);
  const node = tree.delete(path, parentPath, header.zxid);
  if (node === "NoNode") return false;
  quotaDeleted(tree, path, node);
  onChange?.({ type: "deleted", path, parentPath, acl: node.acl, parentAcl: aclOf(tree, parentPath) });
  return true;
}

function setData(tree: Tree, header: TxnHeader, txn: SetDataTxn, onChange: OnChange): MultiResult {
  const { path, data, version } = txn;
  const before = tree.get(path)?.data?.length ?? 0;
  const node = tree.setData(path, data, version, header.zxid, header.time);
  if (node === "NoNode") return { kind: "error", code: node };
  quotaChanged(tree, path, (data?.length ?? 0) - before);
  onChange?.({ type: "changed", path, acl: node.acl });
  return onChange === null ? UNHEARD : { kind: "setData", stat: node.stat };
}

/** Its answer is what the znode holds then. */
function reconfigured({ tree }: Database, header: TxnHeader, txn: SetDataTxn, onChange: OnChange): Outcome {
  const result = setData(tree, header, txn, onChange);
  return result.kind === "setData" ? { kind: "data", data: txn.data, stat: result.stat } : outcomeOf(result);
}

function setAcl({ tree, acls }: Database, txn: SetAclTxn): MultiResult {
  const node: Znode | "NoNode" = tree.setAcl(txn.path, acls.intern(txn.acl), txn.version);
  return node === "NoNode" ? { kind: "error", code: node } : { kind: "setData", stat: node.stat };
}

function applyMulti(database: Database, header: TxnHeader, txn: MultiTxn, onChange: OnChange): MultiResult[] {
  const firstFailed = txn.txns.findIndex((sub) => sub.kind === "error");
  if (firstFailed === -1) return txn.txns.map((sub) => applySub(database, header, sub, onChange));
  return txn.txns.map((sub, index) => {
    if (index < firstFailed) return { kind: "error", code: "Ok" };
    return { kind: "error", code: sub.kind === "error" && index === firstFailed ? sub.code : "RuntimeInconsistency" };
  });
}

function closeSession(database: Database, header: TxnHeader, txn: CloseSessionTxn, onChange: OnChange): void {
  const { tree, sessions } = database;
  sessions.delete(header.session);
  for (const path of txn.paths ?? []) removePath(tree, header, path, onChange);
  // Records before 3.6 name no paths, and a snapshot may hold ephemerals that the record does not know of.
  for (const path of [...tree.ephemeralsOf(header.session)]) removePath(tree, header, path, onChange);
}

function aclOf(tree: Tree, path: string): AclList | null {
  return tree.get(path)?.acl ?? null;
}
