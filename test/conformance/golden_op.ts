/**
 * Ops as the rows of `golden/semantics.jsonl` write them, with their defaults, as the ops of lib/model/ops.ts.
 *
 * Text that can't be printed stands there as `{"hex": …}`, the bytes on the wire; some of them are no UTF-8 at all. Those go
 * through as a placeholder of the same length, which {@link RawStrings} replaces in the finished frame.
 */

import type { CreateKind, GetChildrenOp, GetDataOp, MultiWriteOp, Op, SubmittedAcl } from "../../lib/model/ops.ts";
import { fromHex } from "../support/golden.ts";

export type GoldenText = string | null | { readonly hex: string };

/** An op or pseudo-op of a row. */
export interface GoldenOp {
  readonly op: string;
  readonly c?: string;
  readonly path?: GoldenText;
  readonly data?: GoldenText | readonly string[];
  readonly acl?: readonly (readonly [number, string | null, string | null])[] | null;
  readonly flags?: number;
  readonly ttl?: number;
  readonly version?: number;
  readonly watch?: boolean;
  readonly mode?: number;
  readonly type?: number;
  readonly scheme?: string;
  readonly auth?: string;
  readonly ops?: readonly (readonly [string, Omit<GoldenOp, "op">])[];
  /** multi: leave the terminator out. */
  readonly noend?: boolean;
  readonly relativeZxid?: number;
  readonly exist?: readonly string[];
  readonly child?: readonly string[];
  readonly persistent?: readonly string[];
  readonly persistentRecursive?: readonly string[];
  readonly joining?: string | null;
  readonly leaving?: string | null;
  readonly members?: string | null;
  /** raw: opcode, and the bytes behind the request header in hex. */
  readonly opnum?: number;
  readonly bytes?: string;
  readonly xid?: number;
  readonly ms?: number;
  readonly timeout?: number;
}

type Sendable = Exclude<Op, { kind: "unreadable" | "unknown" }>;

const OPEN_ACL = [[31, "world", "anyone"]] as const;

/** Bytes that stand for strings in a frame to be. */
export class RawStrings {
  readonly #replacements: { readonly placeholder: Buffer; readonly bytes: Uint8Array }[] = [];

  text(text: GoldenText | undefined): string | null {
    if (text === null || text === undefined || typeof text === "string") return text ?? null;
    const bytes = fromHex(text.hex);
    const decoded = Buffer.from(bytes).toString("utf8");
    if (Buffer.from(decoded, "utf8").equals(bytes)) return decoded;
    const placeholder = `\x7f${"\x7e".repeat(bytes.length - 1)}`;
    this.#replacements.push({ placeholder: Buffer.from(placeholder), bytes });
    return placeholder;
  }

  /** The frame with the bytes where their placeholders are. */
  restore(frame: Uint8Array): Uint8Array {
    const buffer = Buffer.from(frame);
    for (const { placeholder, bytes } of this.#replacements) buffer.set(bytes, buffer.indexOf(placeholder));
    return new Uint8Array(buffer);
  }
}

export function opOf(golden: GoldenOp, strings: RawStrings): Sendable {
  const { version = -1, watch = false } = golden;
  const path = strings.text(golden.path);
  switch (golden.op) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL":
      return createOp(golden.op, path, golden);
    case "delete":
    case "check":
      return { kind: golden.op, path, version };
    case "setData":
      return { kind: "setData", path, data: bytesOf(golden.data), version };
    case "setACL":
      return { kind: "setACL", path, acl: aclOf(golden.acl), version };
    case "exists":
    case "getData":
    case "getChildren":
    case "getChildren2":
      return { kind: golden.op, path, watch };
    case "getACL":
    case "getAllChildrenNumber":
    case "sync":
      return { kind: golden.op, path };
    case "getEphemerals":
      return { kind: "getEphemerals", prefixPath: path };
    case "whoAmI":
    case "ping":
    case "closeSession":
      return { kind: golden.op };
    case "multi":
      return { kind: "multi", ops: subOps(golden, strings) as MultiWriteOp[] };
    case "multiRead":
      return { kind: "multiRead", ops: subOps(golden, strings) as (GetDataOp | GetChildrenOp)[] };
    case "auth":
      return { kind: "auth", scheme: golden.scheme ?? null, auth: bytesOf(golden.auth) };
    case "addWatch":
      return { kind: "addWatch", path, mode: golden.mode ?? 0 };
    case "removeWatches":
    case "checkWatches":
      return { kind: golden.op, path, type: golden.type ?? 3 };
    case "setWatches":
    case "setWatches2":
      return setWatchesOp(golden.op, golden);
    case "reconfig":
      return {
        kind: "reconfig",
        joiningServers: golden.joining ?? null,
        leavingServers: golden.leaving ?? null,
        newMembers: golden.members ?? null,
        curConfigId: -1n,
      };
    default:
      throw new Error(`an op that the rows' README does not name: ${golden.op}`);
  }
}

function createOp(kind: CreateKind, path: string | null, golden: GoldenOp): Sendable {
  const flags = { create: 0, create2: 0, createContainer: 4, createTTL: 5 };
  return {
    kind,
    path,
    data: bytesOf(golden.data),
    acl: aclOf(golden.acl),
    flags: golden.flags ?? flags[kind],
    ttl: golden.ttl ?? 1000,
  };
}

function setWatchesOp(kind: "setWatches" | "setWatches2", golden: GoldenOp): Sendable {
  return {
    kind,
    relativeZxid: BigInt(golden.relativeZxid ?? 0),
    dataWatches: (golden.data as readonly string[] | undefined) ?? [],
    existWatches: golden.exist ?? [],
    childWatches: golden.child ?? [],
    persistentWatches: golden.persistent ?? [],
    persistentRecursiveWatches: golden.persistentRecursive ?? [],
  };
}

function subOps(golden: GoldenOp, strings: RawStrings): Sendable[] {
  return golden.ops!.map(([op, fields]) => opOf({ op, ...fields }, strings));
}

function bytesOf(data: GoldenOp["data"]): Uint8Array | null {
  if (data === null) return null;
  if (typeof data === "object" && "hex" in data) return fromHex(data.hex);
  return new Uint8Array(Buffer.from((data as string | undefined) ?? ""));
}

function aclOf(acl: GoldenOp["acl"]): readonly SubmittedAcl[] | null {
  if (acl === null) return null;
  return (acl ?? OPEN_ACL).map(([perms, scheme, id]) => ({ perms, scheme, id }));
}
