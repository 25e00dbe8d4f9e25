/**
 * Which requests a fault is for: by operation, path and session.
 *
 * Not here: what happens to them (line.ts).
 */

import { argumentError } from "../base/validate.ts";
import type { ConnInput } from "../member/host.ts";
import type { Op, OpKind } from "../model/ops.ts";
import type { SessionId } from "../model/types.ts";
import { listOf, objectOf, oneOf, type Take, takeOptions, znodePath } from "../options/shape.ts";
import { type SessionRef, sessionIdOf } from "./session_ref.ts";

/** Opcodes that differ only in what they answer go by one name. */
type Variant = "create2" | "createContainer" | "createTTL" | "getChildren2" | "setWatches2";

/** What a client can say, by ZooKeeper's names; `create` and `getChildren` stand for all their variants, `connect` is the handshake. */
export type FaultOp = Exclude<OpKind, Variant> | "connect";

const VARIANTS: Readonly<Record<Variant, FaultOp>> = {
  create2: "create",
  createContainer: "create",
  createTTL: "create",
  getChildren2: "getChildren",
  setWatches2: "setWatches",
};

/** All of them. */
const NAMES: Readonly<Record<FaultOp, true>> = {
  addWatch: true,
  auth: true,
  check: true,
  checkWatches: true,
  closeSession: true,
  connect: true,
  create: true,
  delete: true,
  deleteContainer: true,
  exists: true,
  getACL: true,
  getAllChildrenNumber: true,
  getChildren: true,
  getData: true,
  getEphemerals: true,
  multi: true,
  multiRead: true,
  ping: true,
  reconfig: true,
  removeWatches: true,
  sasl: true,
  setACL: true,
  setData: true,
  setWatches: true,
  sync: true,
  unknown: true,
  unreadable: true,
  whoAmI: true,
};
const FAULT_OPS = Object.keys(NAMES) as FaultOp[];

/** What a fault is for. What is left out matches everything, except that pings and handshakes must be named. */
export interface FaultScope {
  /** One operation, or several. */
  readonly op?: FaultOp | readonly FaultOp[];
  /**
   * A path as the client sends it, chroot included: `*` stands for any one name, `**` for any number of them, so `/locks/**` is everything below
   * `/locks`. A multi matches by any of its operations.
   */
  readonly path?: string;
  /** A handle, or the id of a session; a `connect` matches by the session it wants back. */
  readonly session?: SessionRef;
}

/** The name a request goes by. */
export function opName(input: ConnInput): FaultOp {
  const kind = input.kind === "request" ? input.op.kind : "connect";
  return isVariant(kind) ? VARIANTS[kind] : kind;
}

function isVariant(kind: string): kind is Variant {
  return Object.hasOwn(VARIANTS, kind);
}

/**
 * A scope as it holds from now on.
 *
 * @throws TypeError for what no request can match
 */
export function takeScope(given: unknown): FaultScope {
  return takeOptions("plan a fault", given, SCOPE);
}

const faultOp: Take<FaultOp> = (given, action, name) => {
  if (typeof given === "string" && isVariant(given))
    throw argumentError(action, `${name} "${given}" goes by "${VARIANTS[given]}", as all its variants do`);
  return oneOf(FAULT_OPS)(given, action, name);
};

const faultOps: Take<FaultOp | readonly FaultOp[]> = (given, action, name) => {
  if (!Array.isArray(given)) return faultOp(given, action, name);
  if (given.length === 0) throw argumentError(action, `${name} is empty: no request could match it`);
  return listOf(faultOp, '["create", "delete"]')(given, action, name);
};

const SCOPE = objectOf<FaultScope>(
  { op: faultOps, path: znodePath, session: (given) => sessionIdOf(given as SessionRef) },
  '{ op: "create", path: "/locks/**" }',
);

/** Decides whether a request is meant. */
export type Matches = (op: FaultOp, paths: readonly string[], session: SessionId) => boolean;

export function compileScope(scope: FaultScope): Matches {
  const ops = scope.op === undefined ? null : new Set<FaultOp>(typeof scope.op === "string" ? [scope.op] : scope.op);
  const pattern = scope.path === undefined ? null : pathPattern(scope.path);
  const session = scope.session === undefined ? null : sessionIdOf(scope.session);
  return (op, paths, of) => {
    if (ops === null ? op === "ping" || op === "connect" : !ops.has(op)) return false;
    if (session !== null && session !== of) return false;
    return pattern === null || paths.some((path) => pattern.test(path));
  };
}

function pathPattern(glob: string): RegExp {
  const parts = glob.split("/").map((name) => (name === "**" ? ".+" : name.split("*").map(escaped).join("[^/]*")));
  return new RegExp(`^${parts.join("/")}$`);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** The paths a request is about. */
export function pathsOf(input: ConnInput): readonly string[] {
  return input.kind === "request" ? opPaths(input.op) : [];
}

function opPaths(op: Op): readonly string[] {
  if (op.kind === "multi") return op.ops.flatMap(opPaths);
  if (op.kind === "multiRead") return (op.ops ?? []).flatMap(opPaths);
  const path = op.kind === "getEphemerals" ? op.prefixPath : "path" in op ? op.path : null;
  return path === null ? [] : [path];
}
