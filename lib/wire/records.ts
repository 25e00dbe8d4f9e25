/**
 * The records of ZooKeeper's client protocol, field by field in wire order: one description for reading and writing
 * (see {@link JuteRecord}), in the shapes the kernel works with.
 *
 * Not here: opcodes, and what is not a plain record (multi), see codec.ts; transactions and snapshots, see txn_records.ts.
 */
import type * as ops from "../model/ops.ts";
import { StatFields } from "../model/stat.ts";
import type { Acl, AuthId, Stat } from "../model/types.ts";
import { type JuteRecord, string, text } from "./jute.ts";

// --- Envelopes -----------------------------------------------------------------------------------------------------------

export interface RequestHeader {
  readonly xid: number;
  readonly opcode: number;
}
export const requestHeader: JuteRecord<RequestHeader> = (jute, it) => ({
  xid: jute.int(it?.xid),
  opcode: jute.int(it?.opcode),
});

export interface ReplyHeader {
  readonly xid: number;
  readonly zxid: bigint;
  /** The number of an error code, 0 for none. */
  readonly err: number;
}
export const replyHeader: JuteRecord<ReplyHeader> = (jute, it) => ({
  xid: jute.int(it?.xid),
  zxid: jute.long(it?.zxid),
  err: jute.int(it?.err),
});

/** Stands before each op and result of a multi; the one with `done` ends the list. */
export interface MultiHeader {
  readonly type: number;
  readonly done: boolean;
  readonly err: number;
}
export const multiHeader: JuteRecord<MultiHeader> = (jute, it) => ({
  type: jute.int(it?.type),
  done: jute.boolean(it?.done),
  err: jute.int(it?.err),
});

// --- Handshake: both records may end with a readOnly byte, which clients before 3.4 neither send nor expect -----------------

export interface ConnectRequest {
  readonly protocolVersion: number;
  readonly lastZxidSeen: bigint;
  readonly timeOut: number;
  readonly sessionId: bigint;
  readonly passwd: Uint8Array | null;
}
export const connectRequest: JuteRecord<ConnectRequest> = (jute, it) => ({
  protocolVersion: jute.int(it?.protocolVersion),
  lastZxidSeen: jute.long(it?.lastZxidSeen),
  timeOut: jute.int(it?.timeOut),
  sessionId: jute.long(it?.sessionId),
  passwd: jute.buffer(it?.passwd),
});

export interface ConnectResponse {
  readonly protocolVersion: number;
  readonly timeOut: number;
  readonly sessionId: bigint;
  readonly passwd: Uint8Array | null;
}
export const connectResponse: JuteRecord<ConnectResponse> = (jute, it) => ({
  protocolVersion: jute.int(it?.protocolVersion),
  timeOut: jute.int(it?.timeOut),
  sessionId: jute.long(it?.sessionId),
  passwd: jute.buffer(it?.passwd),
});

// --- Parts ---------------------------------------------------------------------------------------------------------------

export const stat: JuteRecord<Stat> = (jute, it) =>
  new StatFields(
    jute.long(it?.czxid),
    jute.long(it?.mzxid),
    jute.millis(it?.ctime),
    jute.millis(it?.mtime),
    jute.int(it?.version),
    jute.int(it?.cversion),
    jute.int(it?.aversion),
    jute.long(it?.ephemeralOwner),
    jute.int(it?.dataLength),
    jute.int(it?.numChildren),
    jute.long(it?.pzxid),
  );

/** An ACL entry as the server keeps it. */
export const acl: JuteRecord<Acl> = (jute, it) => ({
  perms: jute.int(it?.perms),
  scheme: jute.text(it?.scheme),
  id: jute.text(it?.id),
});

/** An ACL entry as a client sends it. */
export const submittedAcl: JuteRecord<ops.SubmittedAcl> = (jute, it) => ({
  perms: jute.int(it?.perms),
  scheme: jute.string(it?.scheme),
  id: jute.string(it?.id),
});

const clientInfo: JuteRecord<AuthId> = (jute, it) => ({
  scheme: jute.text(it?.scheme),
  id: jute.text(it?.id),
});

export interface WatcherEvent {
  readonly type: number;
  readonly state: number;
  readonly path: string;
}
export const watcherEvent: JuteRecord<WatcherEvent> = (jute, it) => ({
  type: jute.int(it?.type),
  state: jute.int(it?.state),
  path: jute.text(it?.path),
});

// --- Requests ------------------------------------------------------------------------------------------------------------

/** `ttl` is on the wire only for createTTL. */
export function createRequest(kind: Exclude<ops.CreateKind, "createTTL">): JuteRecord<ops.CreateOp> {
  return (jute, op) => ({
    kind,
    path: jute.string(op?.path),
    data: jute.buffer(op?.data),
    acl: jute.vector(submittedAcl, op?.acl),
    flags: jute.int(op?.flags),
    ttl: 0,
  });
}

export const createTtlRequest: JuteRecord<ops.CreateOp> = (jute, op) => ({
  kind: "createTTL",
  path: jute.string(op?.path),
  data: jute.buffer(op?.data),
  acl: jute.vector(submittedAcl, op?.acl),
  flags: jute.int(op?.flags),
  ttl: jute.millis(op?.ttl),
});

export const deleteRequest: JuteRecord<ops.DeleteOp> = (jute, op) => ({
  kind: "delete",
  path: jute.string(op?.path),
  version: jute.int(op?.version),
});

export const deleteContainerRequest: JuteRecord<ops.DeleteContainerOp> = (jute, op) => ({
  kind: "deleteContainer",
  path: jute.string(op?.path),
});

export const setDataRequest: JuteRecord<ops.SetDataOp> = (jute, op) => ({
  kind: "setData",
  path: jute.string(op?.path),
  data: jute.buffer(op?.data),
  version: jute.int(op?.version),
});

export const setAclRequest: JuteRecord<ops.SetAclOp> = (jute, op) => ({
  kind: "setACL",
  path: jute.string(op?.path),
  acl: jute.vector(submittedAcl, op?.acl),
  version: jute.int(op?.version),
});

export const checkRequest: JuteRecord<ops.CheckOp> = (jute, op) => ({
  kind: "check",
  path: jute.string(op?.path),
  version: jute.int(op?.version),
});

export const reconfigRequest: JuteRecord<ops.ReconfigOp> = (jute, op) => ({
  kind: "reconfig",
  joiningServers: jute.string(op?.joiningServers),
  leavingServers: jute.string(op?.leavingServers),
  newMembers: jute.string(op?.newMembers),
  curConfigId: jute.long(op?.curConfigId),
});

export const existsRequest: JuteRecord<ops.ExistsOp> = (jute, op) => ({
  kind: "exists",
  path: jute.string(op?.path),
  watch: jute.boolean(op?.watch),
});

export const getDataRequest: JuteRecord<ops.GetDataOp> = (jute, op) => ({
  kind: "getData",
  path: jute.string(op?.path),
  watch: jute.boolean(op?.watch),
});

export function getChildrenRequest(kind: ops.GetChildrenOp["kind"]): JuteRecord<ops.GetChildrenOp> {
  return (jute, op) => ({
    kind,
    path: jute.string(op?.path),
    watch: jute.boolean(op?.watch),
  });
}

export const getAclRequest: JuteRecord<ops.GetAclOp> = (jute, op) => ({
  kind: "getACL",
  path: jute.string(op?.path),
});

export const getAllChildrenNumberRequest: JuteRecord<ops.GetAllChildrenNumberOp> = (jute, op) => ({
  kind: "getAllChildrenNumber",
  path: jute.string(op?.path),
});

export const getEphemeralsRequest: JuteRecord<ops.GetEphemeralsOp> = (jute, op) => ({
  kind: "getEphemerals",
  prefixPath: jute.string(op?.prefixPath),
});

export const syncRequest: JuteRecord<ops.SyncOp> = (jute, op) => ({
  kind: "sync",
  path: jute.string(op?.path),
});

export const whoAmIRequest: JuteRecord<ops.WhoAmIOp> = () => ({ kind: "whoAmI" });
export const pingRequest: JuteRecord<ops.PingOp> = () => ({ kind: "ping" });
export const closeSessionRequest: JuteRecord<ops.CloseSessionOp> = () => ({ kind: "closeSession" });

export const saslRequest: JuteRecord<ops.SaslOp> = (jute, op) => ({
  kind: "sasl",
  token: jute.buffer(op?.token),
});

export const addWatchRequest: JuteRecord<ops.AddWatchOp> = (jute, op) => ({
  kind: "addWatch",
  path: jute.string(op?.path),
  mode: jute.int(op?.mode),
});

export function watchTypeRequest(kind: ops.WatchTypeOp["kind"]): JuteRecord<ops.WatchTypeOp> {
  return (jute, op) => ({
    kind,
    path: jute.string(op?.path),
    type: jute.int(op?.type),
  });
}

export const setWatchesRequest: JuteRecord<ops.SetWatchesOp> = (jute, op) => ({
  kind: "setWatches",
  relativeZxid: jute.long(op?.relativeZxid),
  dataWatches: jute.vector(string, op?.dataWatches),
  existWatches: jute.vector(string, op?.existWatches),
  childWatches: jute.vector(string, op?.childWatches),
  persistentWatches: [],
  persistentRecursiveWatches: [],
});

export const setWatches2Request: JuteRecord<ops.SetWatchesOp> = (jute, op) => ({
  kind: "setWatches2",
  relativeZxid: jute.long(op?.relativeZxid),
  dataWatches: jute.vector(string, op?.dataWatches),
  existWatches: jute.vector(string, op?.existWatches),
  childWatches: jute.vector(string, op?.childWatches),
  persistentWatches: jute.vector(string, op?.persistentWatches),
  persistentRecursiveWatches: jute.vector(string, op?.persistentRecursiveWatches),
});

/** The packet starts with a type that has always been 0 and that nobody looks at. */
export const authPacket: JuteRecord<ops.AuthOp> = (jute, op) => {
  jute.int(0);
  return {
    kind: "auth",
    scheme: jute.string(op?.scheme),
    auth: jute.buffer(op?.auth),
  };
};

// --- Responses -----------------------------------------------------------------------------------------------------------

/** The outcome of one kind. */
export type OutcomeOf<K extends ops.Outcome["kind"]> = Extract<ops.Outcome, { readonly kind: K }>;
/** A result inside a multi of one kind. */
export type MultiResultOf<K extends ops.MultiResult["kind"]> = Extract<ops.MultiResult, { readonly kind: K }>;

export const pathResponse: JuteRecord<OutcomeOf<"path">> = (jute, it) => ({
  kind: "path",
  path: jute.string(it?.path),
});

export const pathStatResponse: JuteRecord<OutcomeOf<"pathStat">> = (jute, it) => ({
  kind: "pathStat",
  path: jute.text(it?.path),
  stat: stat(jute, it?.stat),
});

export const statResponse: JuteRecord<OutcomeOf<"stat">> = (jute, it) => ({
  kind: "stat",
  stat: stat(jute, it?.stat),
});

export const dataResponse: JuteRecord<OutcomeOf<"data">> = (jute, it) => ({
  kind: "data",
  data: jute.buffer(it?.data),
  stat: stat(jute, it?.stat),
});

export const aclResponse: JuteRecord<OutcomeOf<"acl">> = (jute, it) => ({
  kind: "acl",
  acl: jute.list(acl, it?.acl),
  stat: stat(jute, it?.stat),
});

export const childrenResponse: JuteRecord<OutcomeOf<"children">> = (jute, it) => ({
  kind: "children",
  children: jute.names(it?.children),
});

export const childrenStatResponse: JuteRecord<OutcomeOf<"childrenStat">> = (jute, it) => ({
  kind: "childrenStat",
  children: jute.names(it?.children),
  stat: stat(jute, it?.stat),
});

export const ephemeralsResponse: JuteRecord<OutcomeOf<"ephemerals">> = (jute, it) => ({
  kind: "ephemerals",
  ephemerals: jute.list(text, it?.ephemerals),
});

export const totalNumberResponse: JuteRecord<OutcomeOf<"totalNumber">> = (jute, it) => ({
  kind: "totalNumber",
  totalNumber: jute.int(it?.totalNumber),
});

export const clientInfoResponse: JuteRecord<OutcomeOf<"clientInfo">> = (jute, it) => ({
  kind: "clientInfo",
  clientInfo: jute.list(clientInfo, it?.clientInfo),
});

/** addWatch is answered with an error record, always 0. */
export const watchAddedResponse: JuteRecord<OutcomeOf<"watchAdded">> = (jute) => {
  jute.int(0);
  return { kind: "watchAdded" };
};

export const createResult: JuteRecord<MultiResultOf<"create">> = (jute, it) => ({
  kind: "create",
  path: jute.text(it?.path),
});

export const create2Result: JuteRecord<MultiResultOf<"create2">> = (jute, it) => ({
  kind: "create2",
  path: jute.text(it?.path),
  stat: stat(jute, it?.stat),
});

export const setDataResult: JuteRecord<MultiResultOf<"setData">> = (jute, it) => ({
  kind: "setData",
  stat: stat(jute, it?.stat),
});

export const getDataResult: JuteRecord<MultiResultOf<"getData">> = (jute, it) => ({
  kind: "getData",
  data: jute.buffer(it?.data),
  stat: stat(jute, it?.stat),
});

export const getChildrenResult: JuteRecord<MultiResultOf<"getChildren">> = (jute, it) => ({
  kind: "getChildren",
  children: jute.names(it?.children),
});
