/** Ops as tests write them: what is usual stands by itself, the rest is said. */

import type {
  CreateKind,
  CreateOp,
  GetChildrenOp,
  GetDataOp,
  MultiWriteOp,
  Op,
  SetWatchesOp,
  SubmittedAcl,
} from "../../lib/model/ops.ts";

export type SendableOp = Exclude<Op, { kind: "unreadable" }>;

/** Everybody may do everything. */
export const OPEN: readonly SubmittedAcl[] = [{ perms: 31, scheme: "world", id: "anyone" }];

/** An entry of an ACL: `acl(1, "ip", "10.0.0.1")`. */
export function acl(perms: number, scheme: string | null, id: string | null): SubmittedAcl {
  return { perms, scheme, id };
}

export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

/** Flags of a create. */
export const Flags = {
  persistent: 0,
  ephemeral: 1,
  sequential: 2,
  ephemeralSequential: 3,
  container: 4,
  ttl: 5,
  sequentialTtl: 6,
} as const;

export interface CreateOptions {
  readonly kind?: CreateKind;
  readonly data?: string | Uint8Array | null;
  readonly acl?: readonly SubmittedAcl[] | null;
  readonly flags?: number;
  readonly ttl?: number;
}

const OWN_FLAGS = { create: 0, create2: 0, createContainer: 4, createTTL: 5 };

export function create(path: string | null, options: CreateOptions = {}): CreateOp {
  const { kind = "create", data = "", acl = OPEN, flags = OWN_FLAGS[kind], ttl = 1000 } = options;
  return { kind, path, data: typeof data === "string" ? bytes(data) : data, acl, flags, ttl };
}

export function remove(path: string | null, version = -1): MultiWriteOp & { readonly kind: "delete" } {
  return { kind: "delete", path, version };
}

export function setData(path: string | null, data: string | Uint8Array | null = "", version = -1): MultiWriteOp {
  return { kind: "setData", path, data: typeof data === "string" ? bytes(data) : data, version };
}

export function check(path: string | null, version = -1): MultiWriteOp {
  return { kind: "check", path, version };
}

export function setAcl(path: string | null, acl: readonly SubmittedAcl[] | null = OPEN, version = -1): SendableOp {
  return { kind: "setACL", path, acl, version };
}

export function multi(...ops: readonly MultiWriteOp[]): SendableOp {
  return { kind: "multi", ops };
}

export function exists(path: string | null, watch = false): SendableOp {
  return { kind: "exists", path, watch };
}

export function getData(path: string | null, watch = false): GetDataOp {
  return { kind: "getData", path, watch };
}

export function getChildren(path: string | null, watch = false, kind: GetChildrenOp["kind"] = "getChildren"): GetChildrenOp {
  return { kind, path, watch };
}

export function multiRead(...ops: readonly (GetDataOp | GetChildrenOp)[]): SendableOp {
  return { kind: "multiRead", ops };
}

export function getAcl(path: string | null): SendableOp {
  return { kind: "getACL", path };
}

export function sync(path: string | null): SendableOp {
  return { kind: "sync", path };
}

export function addWatch(path: string | null, mode: "persistent" | "recursive" | number): SendableOp {
  return { kind: "addWatch", path, mode: typeof mode === "number" ? mode : mode === "persistent" ? 0 : 1 };
}

const WATCHER_TYPES = { children: 1, data: 2, any: 3, persistent: 4, persistentRecursive: 5 };

export function removeWatches(path: string | null, type: keyof typeof WATCHER_TYPES | number = "any"): SendableOp {
  return { kind: "removeWatches", path, type: typeof type === "number" ? type : WATCHER_TYPES[type] };
}

export function checkWatches(path: string | null, type: keyof typeof WATCHER_TYPES | number = "any"): SendableOp {
  return { kind: "checkWatches", path, type: typeof type === "number" ? type : WATCHER_TYPES[type] };
}

type Paths = readonly (string | null)[] | null;

/** The lists that are not given are empty; with one of the last two it is a setWatches2. */
export function setWatches(
  relativeZxid: bigint,
  lists: {
    readonly data?: Paths;
    readonly exist?: Paths;
    readonly child?: Paths;
    readonly persistent?: Paths;
    readonly recursive?: Paths;
  },
): SetWatchesOp {
  const { data = [], exist = [], child = [], persistent = [], recursive = [] } = lists;
  return {
    kind: "persistent" in lists || "recursive" in lists ? "setWatches2" : "setWatches",
    relativeZxid,
    dataWatches: data,
    existWatches: exist,
    childWatches: child,
    persistentWatches: persistent,
    persistentRecursiveWatches: recursive,
  };
}

/** An identity of scheme digest, or of another. */
export function auth(userAndPassword: string | null, scheme: string | null = "digest"): SendableOp {
  return { kind: "auth", scheme, auth: userAndPassword === null ? null : bytes(userAndPassword) };
}

export function reconfig(joiningServers: string | null = null): SendableOp {
  return { kind: "reconfig", joiningServers, leavingServers: null, newMembers: null, curConfigId: -1n };
}

/** Ops that only have a path, or nothing. */
export const getAllChildrenNumber = (path: string | null): SendableOp => ({ kind: "getAllChildrenNumber", path });
export const getEphemerals = (prefixPath: string | null): SendableOp => ({ kind: "getEphemerals", prefixPath });
export const deleteContainer = (path: string | null): SendableOp => ({ kind: "deleteContainer", path });
export const WHO_AM_I: SendableOp = { kind: "whoAmI" };
export const PING: SendableOp = { kind: "ping" };
export const CLOSE_SESSION: SendableOp = { kind: "closeSession" };
