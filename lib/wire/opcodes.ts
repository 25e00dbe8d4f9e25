/**
 * The opcodes a client may use: for each its number, whether it is a write, its request record, and which outcome answers it.
 *
 * Not here: multi's list of ops, which is not a plain record (codec.ts), and opcodes only servers use, which are unknown ones.
 */
import type { MultiWriteOp, Op, Outcome } from "../model/ops.ts";
import type { Jute } from "./jute.ts";
import * as records from "./records.ts";

/** Outcomes of what worked; sasl's tells by its code. */
export type Success = Exclude<Outcome["kind"], "error" | "multiRefused">;

/** One opcode. */
export interface OpcodeRow {
  readonly kind: Exclude<Op["kind"], "unreadable" | "unknown">;
  readonly opcode: number;
  /** Writes take a zxid, also when they fail. */
  readonly write: boolean;
  /** What answers it when it succeeds. */
  readonly outcome: Success;
  /** The request record; it is only ever given ops of the row's own kind. Null for the two multis. */
  readonly request: RequestRecord | null;
}

// A method's parameters may be narrower than its type says: each row's record takes ops of the row's kind only.
type RequestRecord = { record(jute: Jute, op?: Op): Op }["record"];

function read(opcode: number, kind: OpcodeRow["kind"], outcome: Success, request: RequestRecord | null): OpcodeRow {
  return { kind, opcode, write: false, outcome, request };
}
function write(opcode: number, kind: OpcodeRow["kind"], outcome: Success, request: RequestRecord | null): OpcodeRow {
  return { kind, opcode, write: true, outcome, request };
}

const ROWS: readonly OpcodeRow[] = [
  write(1, "create", "path", records.createRequest("create")),
  write(2, "delete", "done", records.deleteRequest),
  read(3, "exists", "stat", records.existsRequest),
  read(4, "getData", "data", records.getDataRequest),
  write(5, "setData", "stat", records.setDataRequest),
  read(6, "getACL", "acl", records.getAclRequest),
  write(7, "setACL", "stat", records.setAclRequest),
  read(8, "getChildren", "children", records.getChildrenRequest("getChildren")),
  read(9, "sync", "path", records.syncRequest),
  read(11, "ping", "done", records.pingRequest),
  read(12, "getChildren2", "childrenStat", records.getChildrenRequest("getChildren2")),
  write(13, "check", "done", records.checkRequest),
  write(14, "multi", "multi", null),
  write(15, "create2", "pathStat", records.createRequest("create2")),
  write(16, "reconfig", "data", records.reconfigRequest),
  read(17, "checkWatches", "done", records.watchTypeRequest("checkWatches")),
  read(18, "removeWatches", "done", records.watchTypeRequest("removeWatches")),
  write(19, "createContainer", "pathStat", records.createRequest("createContainer")),
  write(20, "deleteContainer", "done", records.deleteContainerRequest),
  write(21, "createTTL", "pathStat", records.createTtlRequest),
  read(22, "multiRead", "multi", null),
  read(100, "auth", "done", records.authPacket),
  read(101, "setWatches", "done", records.setWatchesRequest),
  read(102, "sasl", "sasl", records.saslRequest),
  read(103, "getEphemerals", "ephemerals", records.getEphemeralsRequest),
  read(104, "getAllChildrenNumber", "totalNumber", records.getAllChildrenNumberRequest),
  read(105, "setWatches2", "done", records.setWatches2Request),
  read(106, "addWatch", "watchAdded", records.addWatchRequest),
  read(107, "whoAmI", "clientInfo", records.whoAmIRequest),
  write(-11, "closeSession", "done", records.closeSessionRequest),
];

const BY_OPCODE = new Map(ROWS.map((row) => [row.opcode, row]));
const BY_KIND = new Map<Op["kind"], OpcodeRow>(ROWS.map((row) => [row.kind, row]));

/** The row of an opcode; undefined where nobody knows it, or only servers may use it. */
export function rowOfOpcode(opcode: number): OpcodeRow | undefined {
  return BY_OPCODE.get(opcode);
}

/** The row of an op that can be sent. */
export function rowOfKind(kind: OpcodeRow["kind"]): OpcodeRow {
  return BY_KIND.get(kind)!;
}

const MULTI_WRITES: ReadonlySet<string> = new Set<MultiWriteOp["kind"]>([
  "create",
  "create2",
  "createContainer",
  "createTTL",
  "delete",
  "setData",
  "check",
]);
const MULTI_READS: ReadonlySet<string> = new Set(["getData", "getChildren"]);

/** Whether an op may stand inside a multi, and in which: one of writes, or one of reads. */
export function multiSideOf(op: Op): "writes" | "reads" | null {
  if (MULTI_WRITES.has(op.kind)) return "writes";
  return MULTI_READS.has(op.kind) ? "reads" : null;
}
