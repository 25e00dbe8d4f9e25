/**
 * A whole database as bytes and back: every znode with its Stat and ACL, the sessions with the time left to them, the last zxid.
 *
 * Not here: ZooKeeper's own snapshots (store/), which other servers read. Only this library reads a dump.
 *
 * Invariant: what is loaded equals what was dumped, down to the counters that name sequential znodes.
 */
import { AclInterner } from "../acl/intern.ts";
import { argumentError } from "../base/validate.ts";
import { Database } from "../kernel/database.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { parentOf, pathProblem } from "../model/path.ts";
import type { Acl, AclList, Now, SessionId, Zxid } from "../model/types.ts";
import { Sessions } from "../session/sessions.ts";
import { restoreQuotas } from "../tree/quota.ts";
import { ROOT, Tree, type TreeOptions } from "../tree/tree.ts";
import type { StoredStat } from "../tree/znode.ts";
import { pack, unpack } from "./pack.ts";

const FORMAT = "zookernel dump 1";

interface Dump {
  readonly wall: number;
  readonly lastZxid: Zxid;
  readonly sessions: readonly { readonly id: SessionId; readonly timeoutMs: number; readonly leftMs: number }[];
  readonly znodes: readonly DumpedZnode[];
}

interface DumpedZnode extends StoredStat {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: AclList | null;
}

export function dumpKernel(kernel: Kernel, now: Now): Uint8Array {
  const { tree, lastZxid } = kernel.database;
  const sessions = [...kernel.sessions.all()].filter(({ local, closing }) => !local && !closing);
  const dump: Dump = {
    wall: now.wall,
    lastZxid,
    sessions: sessions.map(({ id, timeoutMs, deadline }) => ({ id, timeoutMs, leftMs: deadline - now.mono })),
    znodes: pathsOf(tree).map((path) => dumpedZnode(path, tree)),
  };
  return pack(dump, FORMAT);
}

/** Parents first, and children in the order in which they are listed. */
function pathsOf(tree: Tree): string[] {
  const paths: string[] = [ROOT];
  for (const path of paths) {
    const prefix = path === ROOT ? ROOT : `${path}/`;
    for (const name of tree.children(path)) paths.push(prefix + name);
  }
  return paths;
}

function dumpedZnode(path: string, tree: Tree): DumpedZnode {
  const { data, acl, czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion, owner } = tree.get(path)!;
  return { path, data, acl, czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion, owner };
}

/** What a dump holds, made alive again. */
export interface Loaded {
  readonly database: Database;
  readonly sessions: Sessions;
  /** The time when it was dumped, milliseconds since 1970. */
  readonly wall: number;
}

/** Bytes in that format may come from anywhere: a field that is none would be found much later, or never. */
function isDump(value: unknown): value is Dump {
  const { wall, lastZxid, sessions, znodes } = Object(value) as Partial<Dump>;
  if (typeof wall !== "number" || typeof lastZxid !== "bigint" || !Array.isArray(sessions) || !Array.isArray(znodes))
    return false;
  const paths = new Set<string>();
  return sessions.every(isSession) && znodes.every((znode) => isZnode(Object(znode), paths)) && paths.has(ROOT);
}

function isSession(value: unknown): boolean {
  const { id, timeoutMs, leftMs } = Object(value) as Partial<Dump["sessions"][number]>;
  return typeof id === "bigint" && Number.isFinite(timeoutMs) && Number.isFinite(leftMs);
}

const COUNTERS = ["version", "cversion", "aversion"] as const;
const TIMES = ["ctime", "mtime"] as const;
const WIDE = ["czxid", "mzxid", "pzxid", "owner"] as const;

/** @param paths those before it: parents come first, and nobody comes twice */
function isZnode(znode: Partial<DumpedZnode>, paths: Set<string>): boolean {
  const { path, data, acl } = znode;
  if (typeof path !== "string" || paths.has(path) || pathProblem(path, { allowRangeEnds: true }) !== null) return false;
  if (path !== ROOT && !paths.has(parentOf(path))) return false;
  paths.add(path);
  return (
    (data === null || data instanceof Uint8Array) &&
    (acl === null || (Array.isArray(acl) && acl.every(isAcl))) &&
    WIDE.every((name) => typeof znode[name] === "bigint") &&
    COUNTERS.every((name) => Number.isInteger(znode[name])) &&
    TIMES.every((name) => Number.isFinite(znode[name]))
  );
}

function isAcl(value: unknown): boolean {
  const { perms, scheme, id } = Object(value) as Partial<Acl>;
  return Number.isInteger(perms) && typeof scheme === "string" && typeof id === "string";
}

/** @throws TypeError if the bytes are no dump */
export function loadDump(bytes: Uint8Array, options: TreeOptions, tickTimeMs: number, mono: number): Loaded {
  const dump = unpack(bytes, FORMAT);
  if (!isDump(dump)) throw argumentError("load the dump", "the bytes hold something else");
  const tree = new Tree(options, "bare");
  const interner = new AclInterner();
  for (const { path, data, acl, ...stored } of dump.znodes)
    tree.load(path, data, acl === null ? null : interner.intern(acl), stored);
  tree.finishLoading();
  tree.ensureConfigNode();
  restoreQuotas(tree);
  const sessions = new Sessions(tickTimeMs);
  for (const { id, timeoutMs, leftMs } of dump.sessions) {
    // As if it had last been heard of so long ago that it falls due when it would have.
    const deadline = Math.ceil((mono + leftMs) / tickTimeMs) * tickTimeMs;
    sessions.add(id, timeoutMs, false, deadline - tickTimeMs - timeoutMs);
  }
  const timeouts = new Map(dump.sessions.map(({ id, timeoutMs }) => [id, timeoutMs]));
  return { database: new Database(tree, timeouts, dump.lastZxid), sessions, wall: dump.wall };
}
