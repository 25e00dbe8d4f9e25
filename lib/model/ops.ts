/**
 * Requests of clients (Op) and the answers to them (Outcome), whichever way they came: in process or over the wire.
 *
 * An Op carries what the client sent, not what is right: null paths, unknown flags and bad modes are judged by the kernel,
 * in ZooKeeper's order of checks. Field names are those of ZooKeeper's request and response records.
 *
 * Invariant: an Outcome's `kind` alone tells which response record it is.
 */
import type { ErrorCode } from "./errors.ts";
import type { AclList, AuthId, SessionId, Stat, Zxid } from "./types.ts";

/** An ACL entry as submitted: any part may be missing. */
export interface SubmittedAcl {
  readonly perms: number;
  readonly scheme: string | null;
  readonly id: string | null;
}

/** The four opcodes that create: they differ in what they answer and which flags they allow. */
export type CreateKind = "create" | "create2" | "createContainer" | "createTTL";

export interface CreateOp {
  readonly kind: CreateKind;
  readonly path: string | null;
  readonly data: Uint8Array | null;
  readonly acl: readonly SubmittedAcl[] | null;
  /** 0–6 as numbered by ZooKeeper; anything else is refused. */
  readonly flags: number;
  /** Milliseconds; only `createTTL` reads it. */
  readonly ttl: number;
}
export interface DeleteOp {
  readonly kind: "delete";
  readonly path: string | null;
  /** The version the znode must have; -1 for any. */
  readonly version: number;
}
/** What servers say to one another; of a client it is refused. */
export interface DeleteContainerOp {
  readonly kind: "deleteContainer";
  readonly path: string | null;
}
export interface SetDataOp {
  readonly kind: "setData";
  readonly path: string | null;
  readonly data: Uint8Array | null;
  readonly version: number;
}
export interface SetAclOp {
  readonly kind: "setACL";
  readonly path: string | null;
  readonly acl: readonly SubmittedAcl[] | null;
  readonly version: number;
}
export interface CheckOp {
  readonly kind: "check";
  readonly path: string | null;
  readonly version: number;
}
export interface ReconfigOp {
  readonly kind: "reconfig";
  readonly joiningServers: string | null;
  readonly leavingServers: string | null;
  readonly newMembers: string | null;
  readonly curConfigId: Zxid;
}

/** What a reconfiguration comes to. */
export interface NextConfiguration {
  /** Its text: the configuration znode's data. */
  readonly data: Uint8Array;
  /** A refusal of what ZooKeeper itself takes, if there is one: it comes behind all of ZooKeeper's own, `NoAuth` included. */
  readonly refusal: ErrorCode | null;
}
/** A request whose body could not be read, or is not looked into any more. A write still takes its place in the log, as an error. */
export interface UnreadableOp {
  readonly kind: "unreadable";
  /** How it is answered; default `MarshallingError`. */
  readonly code?: ErrorCode;
  /** What its opcode said that it is. */
  readonly op: OpKind;
  readonly write: boolean;
}

/** What a learner asks for a client that shakes hands. */
export interface CreateSessionOp {
  readonly kind: "createSession";
  /** Milliseconds. */
  readonly timeOut: number;
}

/** What may stand inside a multi. */
export type MultiWriteOp = CreateOp | DeleteOp | SetDataOp | CheckOp;
export interface MultiOp {
  readonly kind: "multi";
  readonly ops: readonly MultiWriteOp[];
}

export interface GetDataOp {
  readonly kind: "getData";
  readonly path: string | null;
  readonly watch: boolean;
}
export interface ExistsOp {
  readonly kind: "exists";
  readonly path: string | null;
  readonly watch: boolean;
}
export interface GetChildrenOp {
  readonly kind: "getChildren" | "getChildren2";
  readonly path: string | null;
  readonly watch: boolean;
}
export interface GetAclOp {
  readonly kind: "getACL";
  readonly path: string | null;
}
export interface GetAllChildrenNumberOp {
  readonly kind: "getAllChildrenNumber";
  readonly path: string | null;
}
export interface GetEphemeralsOp {
  readonly kind: "getEphemerals";
  readonly prefixPath: string | null;
}
export interface WhoAmIOp {
  readonly kind: "whoAmI";
}
export interface MultiReadOp {
  readonly kind: "multiRead";
  /** null: it holds writes, and is refused as a whole. */
  readonly ops: readonly (GetDataOp | GetChildrenOp)[] | null;
}
export interface SyncOp {
  readonly kind: "sync";
  readonly path: string | null;
}
export interface PingOp {
  readonly kind: "ping";
}
export interface CloseSessionOp {
  readonly kind: "closeSession";
}
export interface AuthOp {
  readonly kind: "auth";
  readonly scheme: string | null;
  readonly auth: Uint8Array | null;
}
export interface SaslOp {
  readonly kind: "sasl";
  readonly token: Uint8Array | null;
}
export interface AddWatchOp {
  readonly kind: "addWatch";
  readonly path: string | null;
  /** 0 persistent, 1 persistent and recursive; anything else is refused. */
  readonly mode: number;
}
export interface WatchTypeOp {
  readonly kind: "removeWatches" | "checkWatches";
  readonly path: string | null;
  /** 1 children, 2 data, 3 any; since 3.9 also 4 persistent, 5 persistent and recursive. */
  readonly type: number;
}
export interface SetWatchesOp {
  readonly kind: "setWatches" | "setWatches2";
  readonly relativeZxid: Zxid;
  readonly dataWatches: readonly (string | null)[] | null;
  readonly existWatches: readonly (string | null)[] | null;
  readonly childWatches: readonly (string | null)[] | null;
  readonly persistentWatches: readonly (string | null)[] | null;
  readonly persistentRecursiveWatches: readonly (string | null)[] | null;
}
/** An opcode nobody knows, or one that only servers may use. */
export interface UnknownOp {
  readonly kind: "unknown";
  readonly opcode: number;
}

/** Ops that become a txn, failed ones included. */
export type WriteOp = CreateOp | DeleteOp | SetDataOp | SetAclOp | CheckOp | ReconfigOp | MultiOp;
/** Ops answered from the tree as it is. */
export type ReadOp =
  | GetDataOp
  | ExistsOp
  | GetChildrenOp
  | GetAclOp
  | GetAllChildrenNumberOp
  | GetEphemeralsOp
  | WhoAmIOp
  | MultiReadOp
  | AddWatchOp
  | WatchTypeOp
  | SetWatchesOp;
export type Op =
  | WriteOp
  | ReadOp
  | DeleteContainerOp
  | SyncOp
  | PingOp
  | CloseSessionOp
  | AuthOp
  | SaslOp
  | UnreadableOp
  | UnknownOp;
export type OpKind = Op["kind"];

/** One result inside a multi or multiRead. */
export type MultiResult =
  | { readonly kind: "error"; readonly code: ErrorCode | "Ok" }
  | { readonly kind: "create"; readonly path: string }
  | { readonly kind: "create2"; readonly path: string; readonly stat: Stat }
  | { readonly kind: "delete" }
  | { readonly kind: "check" }
  | { readonly kind: "setData"; readonly stat: Stat }
  | { readonly kind: "getData"; readonly data: Uint8Array | null; readonly stat: Stat }
  | { readonly kind: "getChildren"; readonly children: readonly string[] };

export type Outcome =
  | { readonly kind: "error"; readonly code: ErrorCode }
  /** Nothing but the header: delete, ping, auth, setWatches, removeWatches, closeSession … */
  | { readonly kind: "done" }
  | { readonly kind: "path"; readonly path: string | null }
  | { readonly kind: "pathStat"; readonly path: string; readonly stat: Stat }
  | { readonly kind: "stat"; readonly stat: Stat }
  | { readonly kind: "data"; readonly data: Uint8Array | null; readonly stat: Stat }
  | { readonly kind: "acl"; readonly acl: AclList; readonly stat: Stat }
  | { readonly kind: "children"; readonly children: readonly string[] }
  | { readonly kind: "childrenStat"; readonly children: readonly string[]; readonly stat: Stat }
  | { readonly kind: "multi"; readonly results: readonly MultiResult[] }
  /** Understood and refused as a whole: ZooKeeper then adds an empty list of results to the error. */
  | { readonly kind: "multiRefused"; readonly code: ErrorCode }
  | { readonly kind: "ephemerals"; readonly ephemerals: readonly string[] }
  | { readonly kind: "totalNumber"; readonly totalNumber: number }
  | { readonly kind: "clientInfo"; readonly clientInfo: readonly AuthId[] }
  | { readonly kind: "watchAdded" }
  | { readonly kind: "sasl"; readonly token: Uint8Array | null; readonly code: ErrorCode | "Ok" };

/** The outcome that says only that it worked. */
export const DONE: Outcome = { kind: "done" };

/** What a learner passes on to the leader for one of its clients. What becomes of it is known by its session and cxid. */
export interface Forwarded {
  readonly session: SessionId;
  /** The request's number on its connection; 0 where there was none. */
  readonly cxid: number;
  readonly op: Op | CreateSessionOp;
  /** The identities of the client's connection; null where none count. */
  readonly authIds: readonly AuthId[] | null;
}
