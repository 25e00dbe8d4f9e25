/**
 * Ops, outcomes, events and handshakes to frame bodies and back, in both directions: what a server reads a client writes.
 *
 * Not here: frame lengths on the way in (framer.ts) and the state of a connection (server_conn.ts). Decoding a request judges
 * only whether the bytes are one: what it asks for is the kernel's business. Invariant: no bytes make `readRequest` throw.
 */

import type { Hello, Welcome } from "../kernel/messages.ts";
import { ERROR_NUMBERS, errorCodeOf } from "../model/errors.ts";
import {
  DONE,
  type GetChildrenOp,
  type GetDataOp,
  type MultiResult,
  type MultiWriteOp,
  type Op,
  type Outcome,
} from "../model/ops.ts";
import type { EventType, WatchedEvent, Zxid } from "../model/types.ts";
import { JuteError, type JuteReader, type JuteRecord, type JuteWriter } from "./jute.ts";
import { multiSideOf, rowOfKind, rowOfOpcode } from "./opcodes.ts";
import * as records from "./records.ts";

/** xid of notifications: what a server says unasked. */
export const NOTIFICATION_XID = -1;
/** xid of a ping's reply, whatever the ping's was. */
export const PING_XID = -2;

// --- Requests ------------------------------------------------------------------------------------------------------------

/** Reads the body behind a request header. A body that ends early or holds an impossible length is an `unreadable` op. */
export function readRequest(opcode: number, reader: JuteReader): Op {
  const row = rowOfOpcode(opcode);
  if (row === undefined) return { kind: "unknown", opcode };
  try {
    if (row.request !== null) return row.request(reader);
    return row.kind === "multi" ? readMulti(reader) : readMultiRead(reader);
  } catch (error) {
    if (error instanceof JuteError) return { kind: "unreadable", op: row.kind, write: row.write };
    throw error;
  }
}

/** Writes an op as a whole frame: length, header, body. What can't be written leaves nothing behind: others have frames here, too. */
export function writeRequest(out: JuteWriter, xid: number, op: Exclude<Op, { kind: "unreadable" }>): void {
  const { length } = out;
  try {
    const frame = beginFrame(out);
    if (op.kind === "unknown") {
      records.requestHeader(out, { xid, opcode: op.opcode });
    } else {
      records.requestHeader(out, { xid, opcode: rowOfKind(op.kind).opcode });
      writeRequestBody(out, op);
    }
    endFrame(out, frame);
  } catch (error) {
    out.clear(length);
    throw error;
  }
}

/** Writes what stands behind a request's header. */
export function writeRequestBody(out: JuteWriter, op: Exclude<Op, { kind: "unreadable" | "unknown" }>): void {
  if (op.kind === "multi" || op.kind === "multiRead") writeMultiOps(out, op.ops ?? []);
  else rowOfKind(op.kind).request!(out, op);
}

function readMulti(reader: JuteReader): Op {
  const ops = readMultiOps(reader);
  if (ops.some((op) => multiSideOf(op) !== "writes")) return { kind: "unreadable", op: "multi", write: true };
  return { kind: "multi", ops: ops as MultiWriteOp[] };
}

function readMultiRead(reader: JuteReader): Op {
  const ops = readMultiOps(reader);
  // Writes alone are understood and then refused, which is answered in a form of its own; a mixture is not even understood.
  if (ops.length > 0 && ops.every((op) => multiSideOf(op) === "writes")) return { kind: "multiRead", ops: null };
  if (ops.some((op) => multiSideOf(op) !== "reads")) return { kind: "unreadable", op: "multiRead", write: false };
  return { kind: "multiRead", ops: ops as (GetDataOp | GetChildrenOp)[] };
}

function readMultiOps(reader: JuteReader): Op[] {
  const ops: Op[] = [];
  for (;;) {
    const { type, done } = records.multiHeader(reader);
    if (done) return ops;
    const request = rowOfOpcode(type)?.request;
    if (!request) throw new JuteError(`opcode ${type} in a multi`);
    ops.push(request(reader));
  }
}

const MULTI_END: records.MultiHeader = { type: -1, done: true, err: -1 };

function writeMultiOps(out: JuteWriter, ops: readonly (MultiWriteOp | GetDataOp | GetChildrenOp)[]): void {
  for (const op of ops) {
    const row = rowOfKind(op.kind);
    records.multiHeader(out, { type: row.opcode, done: false, err: -1 });
    row.request!(out, op);
  }
  records.multiHeader(out, MULTI_END);
}

// --- Replies -------------------------------------------------------------------------------------------------------------

/** Writes a reply as a whole frame. */
export function writeReply(out: JuteWriter, xid: number, zxid: Zxid, outcome: Outcome): void {
  const frame = beginFrame(out);
  out.int(xid);
  out.long(zxid);
  out.int(errOf(outcome));
  writeResponse(out, outcome);
  endFrame(out, frame);
}

function errOf(outcome: Outcome): number {
  switch (outcome.kind) {
    case "error":
    case "multiRefused":
      return ERROR_NUMBERS[outcome.code];
    case "sasl":
      return outcome.code === "Ok" ? 0 : ERROR_NUMBERS[outcome.code];
    default:
      return 0;
  }
}

function writeResponse(out: JuteWriter, outcome: Outcome): void {
  switch (outcome.kind) {
    case "error":
    case "done":
      return;
    case "multi":
      writeMultiResults(out, outcome.results);
      return;
    case "multiRefused":
      writeMultiResults(out, []);
      return;
    case "sasl":
      out.buffer(outcome.token);
      return;
    default:
      RESPONSES[outcome.kind](out, outcome as never);
  }
}

/** Outcomes whose body is a plain record. */
const RESPONSES = {
  path: records.pathResponse,
  pathStat: records.pathStatResponse,
  stat: records.statResponse,
  data: records.dataResponse,
  acl: records.aclResponse,
  children: records.childrenResponse,
  childrenStat: records.childrenStatResponse,
  ephemerals: records.ephemeralsResponse,
  totalNumber: records.totalNumberResponse,
  clientInfo: records.clientInfoResponse,
  watchAdded: records.watchAddedResponse,
} satisfies { readonly [K in Outcome["kind"]]?: JuteRecord<records.OutcomeOf<K>> };

/** Reads what stands behind a reply's header. The op is the one that the reply's xid belongs to. */
export function readResponse(reader: JuteReader, op: Op["kind"], err: number): Outcome {
  const code = err === 0 ? null : errorCodeOf(err);
  if (op === "unreadable" || op === "unknown") return code === null ? DONE : { kind: "error", code };
  const kind = rowOfKind(op).outcome;
  if (kind === "sasl") return { kind, token: reader.remaining > 0 ? reader.buffer() : null, code: code ?? "Ok" };
  if (code !== null && kind === "multi" && reader.remaining > 0) return { kind: "multiRefused", code };
  if (code !== null) return { kind: "error", code };
  if (kind === "multi") return { kind, results: readMultiResults(reader) };
  return kind === "done" ? DONE : RESPONSES[kind](reader);
}

// --- Results of a multi --------------------------------------------------------------------------------------------------

/** Results that are plain records, and the opcodes that stand for them. */
const RESULTS = {
  create: { type: 1, record: records.createResult },
  create2: { type: 15, record: records.create2Result },
  setData: { type: 5, record: records.setDataResult },
  getData: { type: 4, record: records.getDataResult },
  getChildren: { type: 8, record: records.getChildrenResult },
  delete: { type: 2, record: (): MultiResult => ({ kind: "delete" }) },
  check: { type: 13, record: (): MultiResult => ({ kind: "check" }) },
} satisfies { readonly [K in Exclude<MultiResult["kind"], "error">]: { readonly type: number; readonly record: unknown } };

const RESULT_OF_TYPE = new Map(Object.values(RESULTS).map((result) => [result.type, result]));
const ERROR_TYPE = -1;

function writeMultiResults(out: JuteWriter, results: readonly MultiResult[]): void {
  for (const result of results) {
    if (result.kind === "error") {
      const err = result.code === "Ok" ? 0 : ERROR_NUMBERS[result.code];
      records.multiHeader(out, { type: ERROR_TYPE, done: false, err });
      out.int(err);
    } else {
      const { type, record } = RESULTS[result.kind];
      records.multiHeader(out, { type, done: false, err: 0 });
      record(out, result as never);
    }
  }
  records.multiHeader(out, MULTI_END);
}

function readMultiResults(reader: JuteReader): MultiResult[] {
  const results: MultiResult[] = [];
  for (;;) {
    const { type, done } = records.multiHeader(reader);
    if (done) return results;
    if (type === ERROR_TYPE) {
      const err = reader.int();
      results.push({ kind: "error", code: err === 0 ? "Ok" : errorCodeOf(err) });
    } else {
      const result = RESULT_OF_TYPE.get(type);
      if (result === undefined) throw new JuteError(`result of type ${type} in a multi`);
      results.push(result.record(reader));
    }
  }
}

// --- Notifications -------------------------------------------------------------------------------------------------------

const EVENT_NUMBERS: { readonly [K in EventType]: number } = {
  NodeCreated: 1,
  NodeDeleted: 2,
  NodeDataChanged: 3,
  NodeChildrenChanged: 4,
};
const EVENT_TYPES = new Map<number, EventType>(
  (Object.entries(EVENT_NUMBERS) as [EventType, number][]).map(([type, number]) => [number, type]),
);
/** The state every notification carries: SyncConnected. */
const SYNC_CONNECTED = 3;

/** Writes a notification as a whole frame. */
export function writeEvent(out: JuteWriter, event: WatchedEvent): void {
  const frame = beginFrame(out);
  records.replyHeader(out, { xid: NOTIFICATION_XID, zxid: event.zxid, err: 0 });
  records.watcherEvent(out, { type: EVENT_NUMBERS[event.type], state: SYNC_CONNECTED, path: event.path });
  endFrame(out, frame);
}

/** Reads what stands behind a notification's header. */
export function readEvent(reader: JuteReader, zxid: Zxid): WatchedEvent {
  const { type: number, path } = records.watcherEvent(reader);
  const type = EVENT_TYPES.get(number);
  if (type === undefined) throw new JuteError(`event of type ${number}`);
  return { type, path, zxid };
}

// --- Handshake -----------------------------------------------------------------------------------------------------------

/**
 * Reads a ConnectRequest. `short` tells that it came without its last byte, readOnly: such a client, older than 3.4, expects an
 * answer without it too.
 */
export function readHello(reader: JuteReader): { readonly hello: Hello; readonly short: boolean } {
  const { lastZxidSeen, timeOut, sessionId, passwd } = records.connectRequest(reader);
  const short = reader.remaining === 0;
  return { hello: { lastZxidSeen, timeOut, sessionId, passwd, readOnly: short ? false : reader.boolean() }, short };
}

/** Writes a ConnectRequest as a whole frame. */
export function writeHello(out: JuteWriter, hello: Hello, short = false): void {
  const frame = beginFrame(out);
  records.connectRequest(out, { protocolVersion: 0, ...hello });
  if (!short) out.boolean(hello.readOnly);
  endFrame(out, frame);
}

/** Reads a ConnectResponse, with or without its readOnly byte. */
export function readWelcome(reader: JuteReader): Welcome {
  const { timeOut, sessionId, passwd } = records.connectResponse(reader);
  return { timeOut, sessionId, passwd: passwd ?? new Uint8Array(16), readOnly: reader.remaining > 0 && reader.boolean() };
}

/** Writes a ConnectResponse as a whole frame. */
export function writeWelcome(out: JuteWriter, welcome: Welcome, short = false): void {
  const frame = beginFrame(out);
  records.connectResponse(out, { protocolVersion: 0, ...welcome });
  if (!short) out.boolean(welcome.readOnly);
  endFrame(out, frame);
}

// --- Frames --------------------------------------------------------------------------------------------------------------

/** Leaves room for a frame's length, which `endFrame` fills in. */
function beginFrame(out: JuteWriter): number {
  out.int(0);
  return out.length;
}

function endFrame(out: JuteWriter, start: number): void {
  out.setInt(start - 4, out.length - start);
}
