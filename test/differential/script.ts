/**
 * A script: what a few clients do to a server, step by step, as plain data. The same script is played on two servers.
 *
 * In paths `~` stands for the root of the script, a fresh znode for each run; a `relativeZxid` below zero counts back from the
 * newest zxid. So nothing in a script depends on what was played before it.
 *
 * Steps follow one another: the next begins when all answers and events of the last one have arrived. Inside a step requests are
 * pipelined.
 */

import { writeRequest } from "../../lib/wire/codec.ts";
import { bytesOf } from "../support/frame_connection.ts";
import type { SendableOp } from "../support/ops.ts";

export interface Request {
  readonly op: SendableOp;
  /** Default: counted up. -1 and -2 mean something else and are not used. */
  readonly xid?: number;
  /** Bytes more (or, below zero, fewer) at the end of the frame than there should be. */
  readonly bytes?: number;
}

/** A slot is a client: one session at a time, on one connection at a time. A step on a slot without them opens them first. */
export type Step =
  | {
      readonly kind: "ask";
      readonly slot: number;
      readonly requests: readonly Request[];
      /** Pipelines all of it, also where {@link pipelines} would not. */
      readonly atOnce?: true;
    }
  /** Ends the session. */
  | { readonly kind: "close"; readonly slot: number }
  /** Cuts the connection and leaves the session. */
  | { readonly kind: "drop"; readonly slot: number }
  /** Takes the session to a new connection. The former one is cut, or the server is left to close it. */
  | {
      readonly kind: "attach";
      readonly slot: number;
      readonly former: "cut" | "left";
      readonly timeOut: number;
      readonly passwd: "right" | "wrong" | "short" | "null";
      readonly lastZxidSeen: "none" | "now" | "ahead";
      /** Leaves out the readOnly byte, as clients before 3.4 did. */
      readonly short: boolean;
    }
  /** Lets the session expire, with its connection open or cut. */
  | { readonly kind: "expire"; readonly slot: number; readonly timeOut: number; readonly connected: boolean };

export type Script = readonly Step[];

/** How many requests and handshakes a script has. */
export function operationsIn(script: Script): number {
  return script.reduce((sum, step) => sum + (step.kind === "ask" ? step.requests.length : 1), 0);
}

/** An op with the root in place of `~`, and zxids counted from `now`. */
export function opInPlace(op: SendableOp, root: string, now: bigint): SendableOp {
  return inPlace(op, root, now) as SendableOp;
}

function inPlace(value: unknown, root: string, now: bigint): unknown {
  if (typeof value === "string") return value.replaceAll("~", root);
  if (typeof value === "bigint") return value < 0n ? now + value : value;
  if (Array.isArray(value)) return value.map((element) => inPlace(element, root, now));
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, inPlace(field, root, now)]));
}

/** The frame of a request. */
export function frameOf(op: SendableOp, xid: number, bytes = 0): Uint8Array {
  const whole = bytesOf((out) => writeRequest(out, xid, op));
  if (bytes === 0) return whole;
  const frame = new Uint8Array(Math.max(4, whole.length + bytes));
  frame.set(whole.subarray(0, frame.length));
  new DataView(frame.buffer).setInt32(0, frame.length - 4);
  return frame;
}

/**
 * Requests in groups that may be pipelined. What is answered ahead of requests under way (auth packets, opcodes and frames that make
 * no sense) goes alone; what may end the connection goes last, since how much a server reads behind it is a matter of chance.
 */
export function pipelines(requests: readonly Request[], oneByOne: boolean): Request[][] {
  const groups: Request[][] = [];
  let isOpen = false;
  for (const request of requests) {
    if (isOpen && !oneByOne && !overtakes(request)) groups.at(-1)!.push(request);
    else groups.push([request]);
    isOpen = !endsGroup(request);
  }
  return groups;
}

/** A frame shorter than its length and a header. */
const TOO_SHORT = 12;

function overtakes({ op, bytes = 0 }: Request): boolean {
  return ["auth", "sasl", "unknown"].includes(op.kind) || (bytes < 0 && frameOf(op, 0, bytes).length < TOO_SHORT);
}

function endsGroup({ op, bytes = 0 }: Request): boolean {
  return bytes < 0 || ["auth", "sasl", "unknown", "closeSession"].includes(op.kind) || leavesTraces(op);
}

/**
 * Until it is committed, 3.8.0 judges by the old list after a setACL, takes a container for what its flags say, and counts on what
 * stands before the nonsense after a multi with nonsense in it. When that is, is a matter of chance.
 */
function leavesTraces(op: SendableOp): boolean {
  if (op.kind === "setACL") return true;
  if (op.kind === "createContainer") return op.flags !== 4;
  if (op.kind !== "multi") return false;
  return op.ops.some((sub) => {
    if (!("acl" in sub)) return false;
    return (sub.acl ?? []).some(({ id }) => id === null) || (sub.flags > 4 && sub.kind !== "createTTL");
  });
}

/** A script as text: a step a line, requests below it. */
export function describeScript(script: Script): string {
  return script
    .map((step, at) => {
      if (step.kind !== "ask") return `${at} ${describeValue(step)}`;
      return [`${at} slot ${step.slot} asks`, ...step.requests.map((request) => `    ${describeRequest(request)}`)].join("\n");
    })
    .join("\n");
}

function describeRequest({ op, xid, bytes }: Request): string {
  const oddities = [...(xid === undefined ? [] : [`xid ${xid}`]), ...(bytes === undefined ? [] : [`${bytes} bytes`])];
  return `${describeValue(op)}${oddities.length === 0 ? "" : ` (${oddities.join(", ")})`}`;
}

/** Any value on one line: `{kind: "create", path: "~/a", data: "x", …}`, bytes as text. */
export function describeValue(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Uint8Array) return `bytes ${JSON.stringify(Buffer.from(value).toString("latin1"))}`;
  if (Array.isArray(value)) return `[${value.map(describeValue).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "undefined";
  return `{${Object.entries(value)
    .map(([key, field]) => `${key}: ${describeValue(field)}`)
    .join(", ")}}`;
}
