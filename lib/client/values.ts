/**
 * Translation of callers' values into the form that goes to a server: paths, and the ops that several kinds of callers make.
 *
 * Not here: the checks of single arguments (arguments.ts).
 */

import { checkString } from "../base/validate.ts";
import { ZkError } from "../model/errors.ts";
import type { CreateOp } from "../model/ops.ts";
import { pathProblem, withChroot } from "../model/path.ts";
import type { CreateMode } from "../model/types.ts";
import { type CheckedCreateOptions, takeData } from "./arguments.ts";

const FLAGS: Readonly<Record<CreateMode, number>> = {
  persistent: 0,
  ephemeral: 1,
  persistent_sequential: 2,
  ephemeral_sequential: 3,
  container: 4,
  persistent_with_ttl: 5,
  persistent_sequential_with_ttl: 6,
};
const FLAGS_WITH_TTL_MIN = 5;

/** The op that creates; `wantsStat` where the answer is to hold the new znode's Stat. */
export function createOp(
  path: string,
  data: unknown,
  { mode, acl, ttlMs }: CheckedCreateOptions,
  wantsStat: boolean,
): CreateOp {
  const flags = FLAGS[mode];
  const withTtl = flags >= FLAGS_WITH_TTL_MIN;
  const kind = mode === "container" ? "createContainer" : withTtl ? "createTTL" : wantsStat ? "create2" : "create";
  return { kind, path, data: data === undefined ? null : takeData("create", data), acl, flags, ttl: ttlMs ?? 0 };
}

/** The server's path for a caller's; refused here if it is malformed, with the reason. */
export function serverPath(chroot: string, path: string, operation: string, sequential = false): string {
  checkString(operation, "path", path, '"/a"');
  const problem = pathProblem(sequential ? `${path}1` : path);
  if (problem !== null) throw new ZkError("BadArguments", { operation, path, reason: problem });
  // A sequential name may be nothing but its number: then the slash is part of it.
  return sequential ? chroot + path : withChroot(chroot, path);
}

export function isSequential(mode: CreateMode): boolean {
  return mode.includes("sequential");
}
