/**
 * Quotas: how many znodes and bytes a subtree may hold, kept in ordinary znodes under `/zookeeper/quota`.
 *
 * A quota on P lives in `/zookeeper/quota<P>/zookeeper_limits`, its usage in `…/zookeeper_stats`. The usage is edited in place by every
 * member as it applies a change: no version, no zxid, no event.
 *
 * Invariant: only the deepest quota above a path counts for it; a quota on the root never does.
 */
import { parseJavaLong } from "../base/java_long.ts";
import { nameOf, parentOf } from "../model/path.ts";
import { QUOTA_ROOT, type Tree } from "./tree.ts";
import type { Znode } from "./znode.ts";

/** Names of the znodes that hold limits and usage. */
export const LIMITS = "zookeeper_limits";
export const STATS = "zookeeper_stats";
const COUNT = "count";
const BYTES = "bytes";
const COUNT_LIMIT = "countHardLimit";
const BYTE_LIMIT = "byteHardLimit";
const UTF8 = new TextEncoder();
const TEXT = new TextDecoder();

/** What a limits or stats znode says: number by key. A key that is missing says -1, which is "no limit". */
export type QuotaNumbers = ReadonlyMap<string, bigint>;

const NONE = -1n;

/** Tells the quotas that a znode is there. */
export function quotaCreated(tree: Tree, path: string, node: Znode): void {
  const target = quotaTarget(path);
  if (target !== null) {
    if (nameOf(path) === LIMITS) tree.addQuotaPath(target);
    if (nameOf(path) === STATS) recount(tree, target);
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
    if (nameOf(path) !== LIMITS) continue;
    tree.addQuotaPath(target);
    recount(tree, target);
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
  const target = tree.quotaAbove(path);
  if (target === null) return null;
  const limitsNode = tree.get(`${QUOTA_ROOT}${target}/${LIMITS}`);
  if (limitsNode === undefined) return null;
  const limits = quotaNumbers(limitsNode.data);
  if (limits === null) return "MarshallingError";
  const counts = countDifference !== 0 && isLimited(limits, COUNT, COUNT_LIMIT);
  const weighs = byteDifference !== 0 && isLimited(limits, BYTES, BYTE_LIMIT);
  const statsNode = tree.get(`${QUOTA_ROOT}${target}/${STATS}`);
  if (statsNode === undefined || !(counts || weighs)) return null;
  const used = quotaNumbers(statsNode.data);
  if (used === null) return "MarshallingError";
  const tooMany = counts && isOver(limits, COUNT_LIMIT, used, COUNT, countDifference);
  return tooMany || (weighs && isOver(limits, BYTE_LIMIT, used, BYTES, byteDifference)) ? "QuotaExceeded" : null;
}

function isLimited(limits: QuotaNumbers, soft: string, hard: string): boolean {
  return numberOf(limits, soft) > NONE || numberOf(limits, hard) > NONE;
}

function isOver(limits: QuotaNumbers, hard: string, used: QuotaNumbers, key: string, difference: number): boolean {
  const limit = numberOf(limits, hard);
  return limit > NONE && numberOf(used, key) + BigInt(difference) > limit;
}

/** The path whose quota this znode of the quota tree belongs to; null for any other znode. */
function quotaTarget(path: string): string | null {
  if (!path.startsWith(`${QUOTA_ROOT}/`)) return null;
  const name = nameOf(path);
  if (name !== LIMITS && name !== STATS) return null;
  return parentOf(path).slice(QUOTA_ROOT.length);
}

function addUsage(tree: Tree, path: string, count: number, bytes: number): void {
  const target = tree.quotaAbove(path);
  if (target === null) return;
  const statsPath = `${QUOTA_ROOT}${target}/${STATS}`;
  const node = tree.get(statsPath);
  const used = node === undefined ? null : quotaNumbers(node.data);
  // Where they can't be read 3.8.0 ends its process; here they are left as they are.
  if (used === null) return;
  const more = [
    [COUNT, numberOf(used, COUNT) + BigInt(count)],
    [BYTES, numberOf(used, BYTES) + BigInt(bytes)],
  ] as const;
  tree.editQuietly(statsPath, formatQuota(new Map([...used, ...more])));
}

/** Counts what is used from the tree. */
function recount(tree: Tree, target: string): void {
  if (target === "") return;
  let count = 0;
  let bytes = 0;
  for (const path of tree.get(target) === undefined ? [] : tree.subtree(target)) {
    count++;
    bytes += bytesOf(tree.get(path)!);
  }
  const used = new Map([
    [COUNT, BigInt(count)],
    [BYTES, BigInt(bytes)],
  ]);
  tree.editQuietly(`${QUOTA_ROOT}${target}/${STATS}`, formatQuota(used));
}

function bytesOf(node: Znode): number {
  return node.data === null ? 0 : node.data.length;
}

function numberOf(numbers: QuotaNumbers, key: string): bigint {
  return numbers.get(key) ?? NONE;
}

/** What was read before: a limit may be a megabyte of text, and is asked for by each write below it. */
const numbersOf = new WeakMap<Uint8Array, QuotaNumbers | null>();

function quotaNumbers(data: Uint8Array | null): QuotaNumbers | null {
  if (data === null) return null;
  let numbers = numbersOf.get(data);
  if (numbers === undefined) {
    numbers = parseQuota(data);
    numbersOf.set(data, numbers);
  }
  return numbers;
}

/**
 * Reads `count=5,bytes=-1=;byteHardLimit=9;countHardLimit=2` as ZooKeeper does: what stands behind a second `=` means nothing, an empty number
 * is none. null where a part has no number, or one that no Java long can be.
 */
export function parseQuota(data: Uint8Array): QuotaNumbers | null {
  const numbers = new Map<string, bigint>();
  if (data.length === 0) return numbers;
  const parts = TEXT.decode(data).split(SEPARATOR);
  if (parts[0] === "") return null;
  for (const part of parts) {
    if (part === "") continue;
    const [key = "", text = ""] = part.split("=", 2);
    const number = text === "" ? NONE : parseJavaLong(text);
    if (number === null || !hasValue(part)) return null;
    numbers.set(key, number);
  }
  return numbers;
}

const SEPARATOR = /[,;]/;

/** Whether something stands behind the first `=`, more than signs of the same kind. */
function hasValue(part: string): boolean {
  let at = part.indexOf("=");
  while (at >= 0 && part[at] === "=") at++;
  return at > 0 && at < part.length;
}

/** Writes them so that versions before 3.7 find the two keys that they know. */
export function formatQuota(numbers: QuotaNumbers): Uint8Array {
  const tail = [...numbers].filter(([key]) => key !== COUNT && key !== BYTES).sort(([a], [b]) => (a < b ? -1 : 1));
  const more = tail.map(([key, value]) => `;${key}=${value}`).join("");
  const head = `count=${numberOf(numbers, COUNT)},bytes=${numberOf(numbers, BYTES)}`;
  return UTF8.encode(more === "" ? head : `${head}=${more}`);
}
