/**
 * What callers hand to the verbs, brought into the form that goes to a server: modes, data, ACLs, paths.
 */
import { OPEN_ACL_UNSAFE } from "../acl/perms.ts";
import { ZkError } from "../errors.ts";
import type { CreateOp } from "../ops.ts";
import { pathProblem, withChroot } from "../path.ts";
import type { Acl, CreateMode } from "../types.ts";

/** Data of a znode: bytes, a string (its UTF-8 bytes), or null, which ZooKeeper keeps apart from no bytes. */
export type Data = Uint8Array | string | null;

/** What `create` may be told. */
export interface CreateOptions {
  /** Default `persistent`. */
  readonly mode?: CreateMode;
  /** Who may do what; default everybody everything. */
  readonly acl?: readonly Acl[];
  /** Time to live in milliseconds, 1 to 2⁴⁰ − 1; needed by the modes with a TTL, and by no other. */
  readonly ttlMs?: number;
}

const FLAGS: Record<CreateMode, number> = {
  persistent: 0,
  ephemeral: 1,
  persistent_sequential: 2,
  ephemeral_sequential: 3,
  container: 4,
  persistent_with_ttl: 5,
  persistent_sequential_with_ttl: 6,
};

const UTF8 = new TextEncoder();

export function toBytes(data: Data | undefined): Uint8Array | null {
  if (data === undefined || data === null) return null;
  return typeof data === "string" ? UTF8.encode(data) : data;
}

/** The op that creates; `wantsStat` where the answer is to hold the new znode's Stat. */
export function createOp(path: string, data: Data | undefined, options: CreateOptions, wantsStat: boolean): CreateOp {
  const mode = options.mode ?? "persistent";
  const flags = FLAGS[mode];
  if (flags === undefined)
    throw new ZkError("BadArguments", { operation: "create", path, reason: `there is no mode "${mode}"` });
  const withTtl = flags >= 5;
  const kind = mode === "container" ? "createContainer" : withTtl ? "createTTL" : wantsStat ? "create2" : "create";
  const ttl = options.ttlMs ?? 0;
  if (withTtl !== (options.ttlMs !== undefined)) {
    const reason = withTtl ? `mode "${mode}" needs ttlMs` : `mode "${mode}" takes no ttlMs`;
    throw new ZkError("BadArguments", { operation: "create", path, reason });
  }
  return { kind, path, data: toBytes(data), acl: options.acl ?? OPEN_ACL_UNSAFE, flags, ttl };
}

/** The server's path for a caller's; refused here if it is malformed, with the reason. */
export function serverPath(chroot: string, path: string, operation: string, sequential = false): string {
  const problem = pathProblem(sequential ? `${path}1` : path);
  if (problem !== null) throw new ZkError("BadArguments", { operation, path, reason: problem });
  // A sequential name may be nothing but its number: then the slash is part of it.
  return sequential ? chroot + path : withChroot(chroot, path);
}

export function isSequential(mode: CreateMode | undefined): boolean {
  return mode?.includes("sequential") ?? false;
}
