/**
 * Transactions, the decisions of a leader, as the log, the snapshots' replay and the quorum protocol carry them.
 *
 * A txn holds outcomes, not intentions: the final sequential name, the new version, the ephemerals to delete. Applying it
 * decides nothing, so every member that applies the same txns has the same tree. Field names are those of ZooKeeper's
 * txn records.
 */
import type { ErrorCode } from "./errors.ts";
import type { AclList, SessionId, Zxid } from "./types.ts";

export interface CreateTxn {
  readonly kind: "create" | "create2";
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: AclList;
  readonly ephemeral: boolean;
  /** The parent's creation counter after this creation; -1 in records of 3.3 and older: count one up. */
  readonly parentCVersion: number;
}
export interface CreateContainerTxn {
  readonly kind: "createContainer";
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: AclList;
  readonly parentCVersion: number;
}
export interface CreateTtlTxn {
  readonly kind: "createTTL";
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: AclList;
  readonly parentCVersion: number;
  /** Milliseconds. */
  readonly ttl: number;
}
export interface DeleteTxn {
  /** `deleteContainer` is what the reaper writes, for expired TTL znodes too. */
  readonly kind: "delete" | "deleteContainer";
  readonly path: string;
}
export interface SetDataTxn {
  /** `reconfig` sets the config znode's text. */
  readonly kind: "setData" | "reconfig";
  readonly path: string;
  readonly data: Uint8Array | null;
  /** The version after the change. */
  readonly version: number;
}
export interface SetAclTxn {
  readonly kind: "setACL";
  readonly path: string;
  readonly acl: AclList;
  /** The aversion after the change. */
  readonly version: number;
}
export interface CheckTxn {
  readonly kind: "check";
  readonly path: string;
  readonly version: number;
}
export interface CreateSessionTxn {
  readonly kind: "createSession";
  /** Milliseconds. */
  readonly timeOut: number;
}
export interface CloseSessionTxn {
  readonly kind: "closeSession";
  /** The ephemerals to delete; null in records before 3.6, which leave it to whoever applies. */
  readonly paths: readonly string[] | null;
}
export interface ErrorTxn {
  readonly kind: "error";
  /** The number of the error; "Ok" (0) stands in old logs for members of a failed multi that did not fail themselves. */
  readonly code: ErrorCode | "Ok";
}
/** What may stand inside a multi. */
export type SubTxn = CreateTxn | CreateContainerTxn | CreateTtlTxn | DeleteTxn | SetDataTxn | SetAclTxn | CheckTxn | ErrorTxn;
export interface MultiTxn {
  readonly kind: "multi";
  /** One error among them: nothing is applied. */
  readonly txns: readonly SubTxn[];
}
export type Txn = SubTxn | MultiTxn | CreateSessionTxn | CloseSessionTxn;
export type TxnKind = Txn["kind"];

export interface TxnHeader {
  /** The session that asked; `0n` for the server itself. */
  readonly session: SessionId;
  /** The request's number on its connection; 0 where there was none. */
  readonly cxid: number;
  readonly zxid: Zxid;
  /** Wall clock of the leader when it was prepared, milliseconds since 1970. */
  readonly time: number;
}

/** A txn on its way to becoming durable and committed. */
export interface Proposal {
  readonly header: TxnHeader;
  readonly txn: Txn;
  /** Tree digest after this txn, signed 64 bit; null where digests are off and for error txns. */
  readonly digest: bigint | null;
  /** As it came from a leader: what is logged and passed on is this, byte by byte. Absent where it was made here. */
  readonly bytes?: Uint8Array;
}
