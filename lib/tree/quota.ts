/**
 * Quotas: how many znodes and bytes a subtree may hold, kept in ordinary znodes under `/zookeeper/quota`.
 *
 * A quota on P lives in `/zookeeper/quota<P>/zookeeper_limits`, its usage in `…/zookeeper_stats`. The usage is edited in place by every
 * member as it applies a change: no version, no zxid, no event.
 *
 * Invariant: only the deepest quota above a path counts for it; a quota on the root never does.
 */
import { nameOf, parentOf } from "../path.ts";
import { QUOTA_ROOT, ROOT, type Tree } from "./tree.ts";
import type { Znode } from "./znode.ts";

const LIMITS = "zookeeper_limits";
const STATS = "zookeeper_stats";
const UTF8 = new TextEncoder();
const TEXT = new TextDecoder();

/** What a limits or stats znode says. -1 is "no limit". */
interface QuotaNumbers {
  readonly count: number;
  readonly bytes: number;
  /** Keys of our own format's tail, kept as they were. */
  readonly more: ReadonlyMap<string, number>;
}

/** Tells the quotas that a znode is there. */
export function quotaCreated(tree: Tree, path: string, node: Znode): void {
  const target = quotaTarget(path);
  if (target !== null) {
    if (nameOf(path) === LIMITS) tree.addQuotaPath(target);
    if (nameOf(path) === STATS) recount(tree, target, path);
  }
  addUsage(tree, path, 1, bytesOf(node));
}

export function quotaDeleted(tree: Tree, path: string, node: Znode): void {
  const target = quotaTarget(path);
  if (target !== null && nameOf(path) === LIMITS) tree.deleteQuotaPath(target);
  addUsage(tree, path, -1, -bytesOf(node));
}

export function quotaChanged(tree: Tree, path: string, byteDifference: number): void {
  addUsage(tree, path, 0, byteDifference);
}

/** Arms every quota of a tree that was just loaded, and counts what is used. */
export function restoreQuotas(tree: Tree): void {
  for (const path of [...tree.subtree(QUOTA_ROOT)]) {
    const target = quotaTarget(path);
    if (target === null) continue;
    if (nameOf(path) === LIMITS) tree.addQuotaPath(target);
    if (nameOf(path) === STATS) recount(tree, target, path);
  }
}

/**
 * Whether a change would break a hard limit: null if not. Usage is read as it is now, so changes under way together may overshoot, as in
 * ZooKeeper. A limits znode that cannot be read makes every change below it fail, likewise.
 */
export function quotaProblem(
  tree: Tree,
  path: string,
  countDifference: number,
  byteDifference: number,
): "QuotaExceeded" | "MarshallingError" | null {
  const target = quotaAbove(tree, path);
  if (target === null) return null;
  const limitsNode = tree.get(`${QUOTA_ROOT}${target}/${LIMITS}`);
  const statsNode = tree.get(`${QUOTA_ROOT}${target}/${STATS}`);
  if (limitsNode === undefined || statsNode === undefined) return null;
  const limits = parseQuota(limitsNode.data);
  const used = parseQuota(statsNode.data);
  if (limits === null || used === null) return "MarshallingError";
  const countLimit = limits.more.get("countHardLimit") ?? -1;
  const byteLimit = limits.more.get("byteHardLimit") ?? -1;
  if (countDifference !== 0 && countLimit > -1 && used.count + countDifference > countLimit) return "QuotaExceeded";
  if (byteDifference !== 0 && byteLimit > -1 && used.bytes + byteDifference > byteLimit) return "QuotaExceeded";
  return null;
}

/** The path whose quota this znode of the quota tree belongs to; null for any other znode. */
function quotaTarget(path: string): string | null {
  if (!path.startsWith(`${QUOTA_ROOT}/`)) return null;
  const name = nameOf(path);
  if (name !== LIMITS && name !== STATS) return null;
  return parentOf(path).slice(QUOTA_ROOT.length);
}

/** The deepest path with a quota that is this path or above it. */
function quotaAbove(tree: Tree, path: string): string | null {
  const quotas = tree.quotaPaths;
  if (quotas.size === 0) return null;
  for (let at = path; at !== ROOT && at !== ""; at = parentOf(at)) if (quotas.has(at)) return at;
  return null;
}

function addUsage(tree: Tree, path: string, count: number, bytes: number): void {
  const target = quotaAbove(tree, path);
  if (target === null || (count === 0 && bytes === 0)) return;
  const statsPath = `${QUOTA_ROOT}${target}/${STATS}`;
  const node = tree.get(statsPath);
  const used = node === undefined ? null : parseQuota(node.data);
  if (used !== null)
    tree.editQuietly(statsPath, formatQuota({ ...used, count: used.count + count, bytes: used.bytes + bytes }));
}

function recount(tree: Tree, target: string, statsPath: string): void {
  if (target === "") return;
  let count = 0;
  let bytes = 0;
  for (const path of tree.get(target) === undefined ? [] : tree.subtree(target)) {
    count++;
    bytes += bytesOf(tree.get(path)!);
  }
  tree.editQuietly(statsPath, formatQuota({ count, bytes, more: new Map() }));
}

function bytesOf(node: Znode): number {
  return node.data === null ? 0 : node.data.length;
}

/** Reads `count=5,bytes=-1=;byteHardLimit=9;countHardLimit=2`; null where a part is no `key=number`. */
function parseQuota(data: Uint8Array | null): QuotaNumbers | null {
  let count = -1;
  let bytes = -1;
  const more = new Map<string, number>();
  for (const part of TEXT.decode(data ?? new Uint8Array(0)).split(/[,;]/)) {
    const [key, text, ...rest] = part.split("=");
    if (key === undefined || text === undefined || rest.some((tail) => tail !== "") || !/^[+-]?\d+$/.test(text)) return null;
    if (key === "count") count = Number(text);
    else if (key === "bytes") bytes = Number(text);
    else more.set(key, Number(text));
  }
  return { count, bytes, more };
}

function formatQuota({ count, bytes, more }: QuotaNumbers): Uint8Array {
  const tail = [...more].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `;${key}=${value}`);
  return UTF8.encode(`count=${count},bytes=${bytes}${tail.length === 0 ? "" : `=${tail.join("")}`}`);
}
