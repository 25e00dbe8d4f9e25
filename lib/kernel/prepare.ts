/**
 * Turns what a client asks into a txn: judges it against the tree as it will be, in ZooKeeper's order of checks, and writes down the outcome.
 *
 * Not here: applying it. The tree itself is never changed; what is prepared is laid over it (pending.ts).
 *
 * Invariant: a refusal leaves nothing behind. Each function returns a txn, or the code of the first check that failed.
 */
import { isAllowed } from "../acl/check.ts";
import { Perms } from "../acl/perms.ts";
import { normalizeAcl } from "../acl/schemes.ts";
import type { ErrorCode } from "../model/errors.ts";
import type {
  CheckOp,
  CreateOp,
  DeleteOp,
  MultiOp,
  MultiWriteOp,
  NextConfiguration,
  ReconfigOp,
  SetAclOp,
  SetDataOp,
  WriteOp,
} from "../model/ops.ts";
import { hasCreatableForm, type PathRules, parentOf, pathProblem, sequenceSuffix } from "../model/path.ts";
import {
  isLongerThan,
  LIST_LENGTH_BYTES,
  PROPOSAL_BYTES,
  SUB_TXN_HEAD_BYTES,
  textLength,
  txnLength,
} from "../model/txn_size.ts";
import type {
  CloseSessionTxn,
  CreateContainerTxn,
  CreateTtlTxn,
  CreateTxn,
  DeleteTxn,
  MultiTxn,
  SetAclTxn,
  SetDataTxn,
  SubTxn,
  Txn,
} from "../model/txns.ts";
import type { AclList, AuthId, SessionId, Zxid } from "../model/types.ts";
import { quotaProblem } from "../tree/quota.ts";
import { CONFIG_NODE, QUOTA_ROOT, ROOT, Tree, ZOOKEEPER } from "../tree/tree.ts";
import { TTL_MAX_MS, type Znode } from "../tree/znode.ts";
import type { Database } from "./database.ts";
import type { KernelOptions } from "./options.ts";
import type { Pending } from "./pending.ts";

/** Who asks, and when. */
export interface Asked {
  readonly session: SessionId;
  readonly authIds: readonly AuthId[];
  /** The zxid the txn will have. */
  readonly zxid: Zxid;
  /** Wall clock, milliseconds. */
  readonly time: number;
  /** The session lives on this member alone and cannot own ephemerals. */
  readonly localSession: boolean;
}

/** The broadcast's verdict on a change of the ensemble's membership. */
export type JudgeReconfig = (op: ReconfigOp, zxid: Zxid) => NextConfiguration | ErrorCode;

/** Flags of a create, as numbered on the wire. */
const EPHEMERAL_FLAGS = [1, 3];
const SEQUENTIAL_FLAGS = [2, 3, 6];
const CONTAINER_FLAG = 4;
const TTL_FLAGS = [5, 6];
const FLAGS_MAX = 6;
const FLAGS_MAX_34 = 3;
/** The configuration's znode has no version of its own. */
const CONFIG_VERSION = -1;

export class Preparer {
  readonly #tree: Tree;
  readonly #pending: Pending;
  readonly #options: KernelOptions;
  readonly #judgeReconfig: JudgeReconfig;
  readonly #pathRules: PathRules;
  /** Of a txn without its header. */
  readonly #txnBytesMax: number;

  constructor(database: Database, pending: Pending, options: KernelOptions, judgeReconfig: JudgeReconfig) {
    this.#tree = database.tree;
    this.#pending = pending;
    this.#options = options;
    this.#judgeReconfig = judgeReconfig;
    this.#txnBytesMax = options.txnBytesMax - PROPOSAL_BYTES;
    this.#pathRules = { allowRangeEnds: options.behaviour.pathRangeEnds };
  }

  /** Decides what becomes of a request. A refused one is a txn too, and takes its zxid: replies stay in order. */
  prepare(op: WriteOp, asked: Asked): Txn {
    const txn = op.kind === "multi" ? this.#multi(op, asked) : this.#single(op, asked);
    return typeof txn === "string" ? { kind: "error", code: txn } : txn;
  }

  /** The end of a session: everything ephemeral it owns goes, what is still on its way included. */
  closeSession(session: SessionId, zxid: Zxid): CloseSessionTxn {
    const paths = this.#pending.ephemeralsOf(session);
    for (const path of paths) this.#pending.delete(path, zxid);
    const txn: CloseSessionTxn = { kind: "closeSession", paths };
    // Whoever applies it finds them all the same. Named they would be a record that Apache's members can't read, and a session must be able to end.
    return this.#options.closeSessionPaths && !this.#isTooLong(txn) ? txn : { kind: "closeSession", paths: null };
  }

  /** The removal of an empty container or an expired TTL znode; null if it is not so any more. */
  reap(path: string, zxid: Zxid): DeleteTxn | null {
    const node = this.#pending.get(path);
    if (node === undefined || node.childCount > 0 || node.kind === "ephemeral" || node.kind === "persistent") return null;
    this.#pending.delete(path, zxid);
    return { kind: "deleteContainer", path };
  }

  #multi(op: MultiOp, asked: Asked): MultiTxn | ErrorCode {
    if (this.#options.behaviour.multiJudgedWhole && op.ops.some(spoilsMulti)) return "MarshallingError";
    const pending = this.#pending;
    const txns: SubTxn[] = [];
    let failed = false;
    let bytesLeft = this.#txnBytesMax - LIST_LENGTH_BYTES;
    pending.mark();
    for (const sub of op.ops) {
      const outcome = failed ? "RuntimeInconsistency" : this.#inMulti(sub, asked);
      const txn: SubTxn = typeof outcome === "string" ? { kind: "error", code: outcome } : outcome;
      bytesLeft -= SUB_TXN_HEAD_BYTES + txnLength(txn);
      const isSpoilt = outcome === "MarshallingError" || bytesLeft < 0;
      if ((typeof outcome === "string" || isSpoilt) && !failed) {
        failed = true;
        pending.rollback();
      }
      // Not a refusal of this op but nonsense, or more than a txn may hold: it spoils the whole request.
      if (isSpoilt) return "MarshallingError";
      txns.push(txn);
    }
    if (!failed) pending.keep();
    return { kind: "multi", txns };
  }

  #inMulti(op: MultiWriteOp, asked: Asked): SubTxn | ErrorCode {
    if (!("flags" in op)) return this.#single(op, asked);
    const create = this.#createInMulti(op);
    return typeof create === "string" ? create : this.#create(create, asked);
  }

  /** Inside a multi it is a create's flags that say which kind it is, and not its opcode. */
  #createInMulti(op: CreateOp): CreateOp | "MarshallingError" {
    const { knows, multiKeepsCreate2 } = this.#options.behaviour;
    if (!knows("createTTL")) return op;
    if (TTL_FLAGS.includes(op.flags)) return op.kind === "createTTL" ? op : "MarshallingError";
    if (op.flags === CONTAINER_FLAG) return { ...op, kind: "createContainer" };
    return op.kind === "createTTL" || !multiKeepsCreate2 ? { ...op, kind: "create" } : op;
  }

  #single(op: Exclude<WriteOp, MultiOp>, asked: Asked): SubTxn | ErrorCode {
    switch (op.kind) {
      case "create":
      case "create2":
      case "createContainer":
      case "createTTL":
        return this.#create(op, asked);
      case "delete":
        return this.#delete(op, asked);
      case "setData":
        return this.#setData(op, asked);
      case "setACL":
        return this.#setAcl(op, asked);
      case "check":
        return this.#check(op, asked);
      case "reconfig":
        return this.#reconfig(op, asked);
    }
  }

  #create(op: CreateOp, asked: Asked): SubTxn | ErrorCode {
    const { behaviour } = this.#options;
    const early = behaviour.flagsJudgedLate ? null : this.#flagProblem(op, asked);
    if (early !== null) return early;
    const path = op.path;
    if (path === null) return "MarshallingError";
    if (!hasCreatableForm(path)) return "BadArguments";
    const acl = this.#normalizeAcl(op.acl, asked);
    if (typeof acl === "string") return acl;
    const parentPath = parentOf(path);
    const parent = this.#pending.get(parentPath);
    if (parent === undefined) return "NoNode";
    if (!this.#allows(parent, Perms.CREATE, asked)) return "NoAuth";
    const late = behaviour.flagsJudgedLate ? this.#flagProblem(op, asked) : null;
    if (late !== null) return late;
    const finalPath = SEQUENTIAL_FLAGS.includes(op.flags) ? path + sequenceSuffix(parent.cversion) : path;
    if (this.#isMalformed(finalPath)) return "BadArguments";
    if (this.#pending.get(finalPath) !== undefined) return "NodeExists";
    if (parent.kind === "ephemeral") return "NoChildrenForEphemerals";
    const overQuota = this.#quotaProblem(finalPath, 1, op.data?.length ?? 0);
    if (overQuota !== null) return overQuota;
    return this.#created(op, finalPath, acl, parentPath, parent, asked);
  }

  /** Writes the creation down, everything but its length having been judged. */
  #created(op: CreateOp, path: string, acl: AclList, parentPath: string, parent: Znode, asked: Asked): SubTxn | ErrorCode {
    const { data, ttl } = op;
    const { zxid, time, session } = asked;
    const parentCVersion = (parent.cversion + 1) | 0;
    const ephemeral = isEphemeral(op.flags);
    const kind =
      op.kind === "createContainer" ? "container" : op.kind === "createTTL" ? "ttl" : ephemeral ? "ephemeral" : "persistent";
    const owner = Tree.ownerFor(kind, session, ttl);
    const txn = createTxn(op, path, acl, ephemeral, parentCVersion);
    if (this.#isTooLong(txn)) return "MarshallingError";
    if (ephemeral && this.#hasTooManyEphemerals(session, path)) return "QuotaExceeded";
    this.#pending.create({ path, parentPath, data, acl, owner, parentCVersion, zxid, time }, parent);
    return txn;
  }

  /** What is too long for a member to read is not made: it would be acknowledged, and never be read again. */
  #isTooLong(txn: SubTxn | CloseSessionTxn): boolean {
    return isLongerThan(txn, this.#txnBytesMax);
  }

  #hasTooManyEphemerals(session: SessionId, path: string): boolean {
    const { ephemeralBytesMax } = this.#options;
    return ephemeralBytesMax > 0 && this.#pending.ephemeralBytesOf(session) + textLength(path) > ephemeralBytesMax;
  }

  #flagProblem(op: CreateOp, asked: Asked): ErrorCode | null {
    const { extendedTypes, behaviour } = this.#options;
    const ttlFlags = TTL_FLAGS.includes(op.flags);
    if (!(op.flags >= 0 && op.flags <= (behaviour.knows("createTTL") ? FLAGS_MAX : FLAGS_MAX_34))) return "BadArguments";
    if (ttlFlags && !extendedTypes) return "Unimplemented";
    // 3.8.0 lets other flags pass with a TTL of -1, and ends while applying the txn.
    if (ttlFlags !== (op.kind === "createTTL")) return "BadArguments";
    if (ttlFlags && !(op.ttl >= 1 && op.ttl <= TTL_MAX_MS)) return "BadArguments";
    return asked.localSession && isEphemeral(op.flags) ? "EphemeralOnLocalSession" : null;
  }

  #delete(op: DeleteOp, asked: Asked): SubTxn | ErrorCode {
    const path = op.path;
    if (path === null) return "MarshallingError";
    if (!hasCreatableForm(path) || this.#isBuiltIn(path)) return "BadArguments";
    const parent = this.#pending.get(parentOf(path));
    const node = this.#pending.get(path);
    if (parent === undefined) return "NoNode";
    if (node === undefined && this.#options.behaviour.deleteLooksFirst) return "NoNode";
    if (!this.#allows(parent, Perms.DELETE, asked)) return "NoAuth";
    if (node === undefined) return "NoNode";
    if (!versionMatches(op.version, node.version)) return "BadVersion";
    if (node.childCount > 0) return "NotEmpty";
    this.#pending.delete(path, asked.zxid);
    return { kind: "delete", path };
  }

  #setData(op: SetDataOp, asked: Asked): SubTxn | ErrorCode {
    const { path, data } = op;
    if (path === null || this.#isMalformed(path)) return "BadArguments";
    const node = this.#pending.get(path);
    if (node === undefined) return "NoNode";
    if (!this.#allows(node, Perms.WRITE, asked)) return "NoAuth";
    const overQuota = this.#quotaProblem(path, 0, (data?.length ?? 0) - (node.data?.length ?? 0));
    if (overQuota !== null) return overQuota;
    if (!versionMatches(op.version, node.version)) return "BadVersion";
    const version = (node.version + 1) | 0;
    const txn: SetDataTxn = { kind: "setData", path, data, version };
    if (this.#isTooLong(txn)) return "MarshallingError";
    this.#pending.setData(path, node, data, version, asked.zxid, asked.time);
    return txn;
  }

  #setAcl(op: SetAclOp, asked: Asked): SubTxn | ErrorCode {
    const { path } = op;
    if (path === null || this.#isMalformed(path)) return "BadArguments";
    const acl = this.#normalizeAcl(op.acl, asked);
    if (typeof acl === "string") return acl;
    const node = this.#pending.get(path);
    if (node === undefined) return "NoNode";
    if (!this.#allows(node, Perms.ADMIN, asked)) return "NoAuth";
    if (!versionMatches(op.version, node.aversion)) return "BadVersion";
    const version = (node.aversion + 1) | 0;
    const txn: SetAclTxn = { kind: "setACL", path, acl, version };
    if (this.#isTooLong(txn)) return "MarshallingError";
    this.#pending.setAcl(path, node, acl, version, asked.zxid);
    return txn;
  }

  #check(op: CheckOp, asked: Asked): SubTxn | ErrorCode {
    const { path } = op;
    if (path === null || this.#isMalformed(path)) return "BadArguments";
    const node = this.#pending.get(path);
    if (node === undefined) return "NoNode";
    if (!this.#allows(node, Perms.READ, asked)) return "NoAuth";
    if (!versionMatches(op.version, node.version)) return "BadVersion";
    // The version after a change that a check doesn't make: ZooKeeper's own record says so.
    return { kind: "check", path, version: (node.version + 1) | 0 };
  }

  /** The configuration is data of a znode, and may be changed by whoever may write that. */
  #reconfig(op: ReconfigOp, asked: Asked): SubTxn | ErrorCode {
    if (!this.#options.reconfigEnabled) return "ReconfigDisabled";
    const next = this.#judgeReconfig(op, asked.zxid);
    if (typeof next === "string") return next;
    const node = this.#pending.get(CONFIG_NODE);
    if (node === undefined) return "NoNode";
    if (!this.#allows(node, Perms.WRITE, asked)) return "NoAuth";
    if (next.refusal !== null) return next.refusal;
    const { data } = next;
    const txn: SetDataTxn = { kind: "reconfig", path: CONFIG_NODE, data, version: CONFIG_VERSION };
    if (this.#isTooLong(txn)) return "MarshallingError";
    this.#pending.setData(CONFIG_NODE, node, data, CONFIG_VERSION, asked.zxid, asked.time);
    return txn;
  }

  #allows(node: Znode, perms: number, asked: Asked): boolean {
    return isAllowed(node.acl, perms, asked.authIds, this.#options.acl);
  }

  #normalizeAcl(submitted: CreateOp["acl"], asked: Asked): AclList | ErrorCode {
    return normalizeAcl(submitted, asked.authIds, this.#options.acl, this.#txnBytesMax);
  }

  #isMalformed(path: string): boolean {
    return pathProblem(path, this.#pathRules) !== null;
  }

  #isBuiltIn(path: string): boolean {
    return (
      path === ROOT || path === ZOOKEEPER || path === QUOTA_ROOT || (path === CONFIG_NODE && this.#options.behaviour.configNode)
    );
  }

  #quotaProblem(path: string, countDifference: number, byteDifference: number): ErrorCode | null {
    const { enforceQuota, behaviour } = this.#options;
    return enforceQuota && behaviour.hardQuotas ? quotaProblem(this.#tree, path, countDifference, byteDifference) : null;
  }
}

function createTxn(
  { kind, data, ttl }: CreateOp,
  path: string,
  acl: AclList,
  ephemeral: boolean,
  parentCVersion: number,
): CreateTxn | CreateContainerTxn | CreateTtlTxn {
  switch (kind) {
    case "createContainer":
      return { kind, path, data, acl, parentCVersion };
    case "createTTL":
      return { kind, path, data, acl, parentCVersion, ttl };
    default:
      return { kind, path, data, acl, ephemeral, parentCVersion };
  }
}

/** Whether a create with these flags makes an ephemeral. */
export function isEphemeral(flags: number): boolean {
  return EPHEMERAL_FLAGS.includes(flags);
}

/** What 3.9 takes for no op at all, so that the multi around it can't be read. */
function spoilsMulti(op: MultiWriteOp): boolean {
  if (op.path === null) return true;
  return "flags" in op && op.kind !== "createTTL" && !(op.flags >= 0 && op.flags <= CONTAINER_FLAG);
}

/** -1 asks for any version. */
function versionMatches(wanted: number, actual: number): boolean {
  return wanted === -1 || wanted === actual;
}
