/**
 * Transactions, and the parts of a snapshot, in the records that ZooKeeper's log, snapshots and quorum packets share.
 *
 * Not here: the framing of log and snapshot files (lengths, checksums, seals). Invariant: what was read from a record of this
 * version is written again as the same bytes.
 */
import { ERROR_NUMBERS, errorCodeOf } from "../model/errors.ts";
import type * as txns from "../model/txns.ts";
import type { Acl, SessionId } from "../model/types.ts";
import { type Jute, JuteError, JuteReader, type JuteRecord, type JuteWriter, text } from "./jute.ts";
import { acl } from "./records.ts";

// --- Header and digest ---------------------------------------------------------------------------------------------------

/** A txn's header; behind it stands the type of the body. */
export const txnHeader: JuteRecord<txns.TxnHeader> = (jute, it) => ({
  session: jute.long(it?.session),
  cxid: jute.int(it?.cxid),
  zxid: jute.long(it?.zxid),
  time: jute.millis(it?.time),
});

/** Version of the digest's rule; a record of another version can't be compared. */
export const DIGEST_VERSION = 2;

export interface TxnDigest {
  readonly version: number;
  readonly treeDigest: bigint;
}
export const txnDigest: JuteRecord<TxnDigest> = (jute, it) => ({
  version: jute.int(it?.version),
  treeDigest: jute.long(it?.treeDigest),
});
const TXN_DIGEST_BYTES = 12;

// --- Bodies --------------------------------------------------------------------------------------------------------------

function createTxn(kind: txns.CreateTxn["kind"]): JuteRecord<txns.CreateTxn> {
  return (jute, txn) => ({
    kind,
    path: jute.text(txn?.path),
    data: jute.buffer(txn?.data),
    acl: jute.list(acl, txn?.acl),
    ephemeral: jute.boolean(txn?.ephemeral),
    // Records of 3.3 and older end before it.
    parentCVersion: jute.intOrEnd(-1, txn?.parentCVersion),
  });
}

const createContainerTxn: JuteRecord<txns.CreateContainerTxn> = (jute, txn) => ({
  kind: "createContainer",
  path: jute.text(txn?.path),
  data: jute.buffer(txn?.data),
  acl: jute.list(acl, txn?.acl),
  parentCVersion: jute.int(txn?.parentCVersion),
});

const createTtlTxn: JuteRecord<txns.CreateTtlTxn> = (jute, txn) => ({
  kind: "createTTL",
  path: jute.text(txn?.path),
  data: jute.buffer(txn?.data),
  acl: jute.list(acl, txn?.acl),
  parentCVersion: jute.int(txn?.parentCVersion),
  ttl: jute.millis(txn?.ttl),
});

function deleteTxn(kind: txns.DeleteTxn["kind"]): JuteRecord<txns.DeleteTxn> {
  return (jute, txn) => ({ kind, path: jute.text(txn?.path) });
}

function setDataTxn(kind: txns.SetDataTxn["kind"]): JuteRecord<txns.SetDataTxn> {
  return (jute, txn) => ({
    kind,
    path: jute.text(txn?.path),
    data: jute.buffer(txn?.data),
    version: jute.int(txn?.version),
  });
}

const setAclTxn: JuteRecord<txns.SetAclTxn> = (jute, txn) => ({
  kind: "setACL",
  path: jute.text(txn?.path),
  acl: jute.list(acl, txn?.acl),
  version: jute.int(txn?.version),
});

const checkTxn: JuteRecord<txns.CheckTxn> = (jute, txn) => ({
  kind: "check",
  path: jute.text(txn?.path),
  version: jute.int(txn?.version),
});

const createSessionTxn: JuteRecord<txns.CreateSessionTxn> = (jute, txn) => ({
  kind: "createSession",
  timeOut: jute.int(txn?.timeOut),
});

/** Behind the number stands whatever a leader before 3.9 left of the op it replaced, in a failed multi that it resends. */
const errorTxn: JuteRecord<txns.ErrorTxn> = (jute, txn) => {
  const err = jute.int(txn === undefined || txn.code === "Ok" ? 0 : ERROR_NUMBERS[txn.code]);
  return { kind: "error", code: err === 0 ? "Ok" : errorCodeOf(err) };
};

/** Each txn's type number, and its body where that is a plain record. */
const TYPES: readonly TxnType[] = [
  { kind: "create", type: 1, record: createTxn("create") },
  { kind: "create2", type: 15, record: createTxn("create2") },
  { kind: "createContainer", type: 19, record: createContainerTxn },
  { kind: "createTTL", type: 21, record: createTtlTxn },
  { kind: "delete", type: 2, record: deleteTxn("delete") },
  { kind: "deleteContainer", type: 20, record: deleteTxn("deleteContainer") },
  { kind: "setData", type: 5, record: setDataTxn("setData") },
  { kind: "reconfig", type: 16, record: setDataTxn("reconfig") },
  { kind: "setACL", type: 7, record: setAclTxn },
  { kind: "check", type: 13, record: checkTxn },
  { kind: "createSession", type: -10, record: createSessionTxn },
  { kind: "closeSession", type: -11, record: null },
  { kind: "error", type: -1, record: errorTxn },
  { kind: "multi", type: 14, record: null },
];

interface TxnType {
  readonly kind: txns.TxnKind;
  readonly type: number;
  readonly record: TxnRecord | null;
}
// A method's parameters may be narrower than its type says: each row's record takes txns of the row's kind only.
type TxnRecord = { record(jute: Jute, txn?: txns.Txn): txns.Txn }["record"];

const BY_TYPE = new Map(TYPES.map((row) => [row.type, row]));
const BY_KIND = new Map(TYPES.map((row) => [row.kind, row]));

const NOT_IN_A_MULTI = new Set((["multi", "createSession", "closeSession"] as const).map(txnTypeOf));

/** The number that stands for a txn's kind in its header. */
export function txnTypeOf(kind: txns.TxnKind): number {
  return BY_KIND.get(kind)!.type;
}

/** Reads the body of a txn whose header told the type. Throws a {@link JuteError} where the bytes are not one. */
export function readTxn(reader: JuteReader, type: number): txns.Txn {
  const row = BY_TYPE.get(type);
  if (row === undefined) throw new JuteError(`txn of unknown type ${type}`);
  if (row.record !== null) return row.record(reader);
  return row.kind === "multi" ? readMultiTxn(reader) : readCloseSessionTxn(reader);
}

/** Writes the body of a txn. */
export function writeTxn(out: JuteWriter, txn: txns.Txn): void {
  if (txn.kind === "multi") writeMultiTxn(out, txn);
  else if (txn.kind === "closeSession") {
    if (txn.paths !== null) out.list(text, txn.paths);
  } else BY_KIND.get(txn.kind)!.record!(out, txn);
}

/** The list of paths came with 3.6. Without it the record ends here, or goes on with the digest: 12 bytes that start with its version. */
function readCloseSessionTxn(reader: JuteReader): txns.CloseSessionTxn {
  const isDigest = reader.remaining === TXN_DIGEST_BYTES && reader.peekInt() === DIGEST_VERSION;
  return { kind: "closeSession", paths: reader.remaining === 0 || isDigest ? null : reader.list(text) };
}

function readMultiTxn(reader: JuteReader): txns.MultiTxn {
  const subs = reader.list((jute): txns.SubTxn => {
    const type = jute.int();
    // Before its body is read: multis within multis could go deeper than calls may.
    if (NOT_IN_A_MULTI.has(type)) throw new JuteError(`txn of type ${type} in a multi`);
    return readTxn(new JuteReader(jute.buffer() ?? undefined), type) as txns.SubTxn;
  });
  return { kind: "multi", txns: subs };
}

function writeMultiTxn(out: JuteWriter, { txns: subs }: txns.MultiTxn): void {
  out.int(subs.length);
  for (const txn of subs) {
    out.int(txnTypeOf(txn.kind));
    out.int(0);
    const start = out.length;
    writeTxn(out, txn);
    out.setInt(start - 4, out.length - start);
  }
}

// --- Proposals: header, body, digest -------------------------------------------------------------------------------------

/** Reads a txn with its header and, where one stands behind it, its digest. */
export function readProposal(reader: JuteReader): txns.Proposal {
  const header = txnHeader(reader);
  const txn = readTxn(reader, reader.int());
  return { header, txn, digest: reader.remaining > 0 ? readDigest(reader) : null };
}

/** Writes a txn with its header and, where it has one, its digest. */
export function writeProposal(out: JuteWriter, { header, txn, digest, bytes }: txns.Proposal): void {
  if (bytes !== undefined) return out.raw(bytes);
  txnHeader(out, header);
  out.int(txnTypeOf(txn.kind));
  writeTxn(out, txn);
  if (digest !== null) txnDigest(out, { version: DIGEST_VERSION, treeDigest: digest });
}

function readDigest(reader: JuteReader): bigint | null {
  const { version, treeDigest } = txnDigest(reader);
  return version === DIGEST_VERSION ? treeDigest : null;
}

// --- Parts of a snapshot -------------------------------------------------------------------------------------------------

/** Starts a log or snapshot file. */
export interface FileHeader {
  readonly magic: number;
  readonly version: number;
  readonly dbid: bigint;
}
export const fileHeader: JuteRecord<FileHeader> = (jute, it) => ({
  magic: jute.int(it?.magic),
  version: jute.int(it?.version),
  dbid: jute.long(it?.dbid),
});

export interface SnapshotSession {
  readonly id: SessionId;
  /** Milliseconds. */
  readonly timeOut: number;
}
export const snapshotSession: JuteRecord<SnapshotSession> = (jute, it) => ({
  id: jute.long(it?.id),
  timeOut: jute.int(it?.timeOut),
});

export interface SnapshotAcl {
  readonly index: bigint;
  readonly acl: readonly Acl[];
}
export const snapshotAcl: JuteRecord<SnapshotAcl> = (jute, it) => ({
  index: jute.long(it?.index),
  acl: jute.list(acl, it?.acl),
});

/** Metadata as stored (ZooKeeper: StatPersisted): `cversion` counts creations alone, `owner` also marks containers and TTLs. */
export interface StatPersisted {
  readonly czxid: bigint;
  readonly mzxid: bigint;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly owner: bigint;
  readonly pzxid: bigint;
}
export const statPersisted: JuteRecord<StatPersisted> = (jute, it) => ({
  czxid: jute.long(it?.czxid),
  mzxid: jute.long(it?.mzxid),
  ctime: jute.millis(it?.ctime),
  mtime: jute.millis(it?.mtime),
  version: jute.int(it?.version),
  cversion: jute.int(it?.cversion),
  aversion: jute.int(it?.aversion),
  owner: jute.long(it?.owner),
  pzxid: jute.long(it?.pzxid),
});

/** A znode behind its path, which is read first: the path "/" ends the list and has nothing behind it. */
export interface SnapshotNode {
  readonly data: Uint8Array | null;
  /** Into the list of ACLs; -1 for the open one that the built-in znodes have. */
  readonly aclIndex: bigint;
  readonly stat: StatPersisted;
}
export const snapshotNode: JuteRecord<SnapshotNode> = (jute, it) => ({
  data: jute.buffer(it?.data),
  aclIndex: jute.long(it?.aclIndex),
  stat: statPersisted(jute, it?.stat),
});
