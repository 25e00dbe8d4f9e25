/**
 * Commands about quotas: `setquota`, `listquota`, `delquota`.
 *
 * A quota is two znodes below `/zookeeper/quota`: what is allowed, and what is used, which the server keeps. Not here: their form (lib/tree/quota.ts).
 */
import { parseJavaLong } from "../../../lib/base/java_long.ts";
import { ZkError } from "../../../lib/model/errors.ts";
import { parentOf } from "../../../lib/model/path.ts";
import { formatQuota, LIMITS, parseQuota, type QuotaNumbers, STATS } from "../../../lib/tree/quota.ts";
import { QUOTA_ROOT } from "../../../lib/tree/tree.ts";
import type { ZooKeeper } from "../../../mod.ts";
import { branchOf } from "./branch.ts";
import { type Answer, type Call, type Command, usageOf } from "./command.ts";
import { CommandFailure, EXIT, UsageError } from "./failures.ts";
import { checkedPath } from "./paths.ts";

const SET_QUOTA: Command = {
  ...{ name: "setquota", synopsis: "-n|-b|-N|-B val path", least: 0, run: setQuota },
  flags: { n: "value", b: "value", N: "value", B: "value" },
  exclusive: ["n", "b", "N", "B"],
  summary:
    "Limits what is below a znode: -n how many znodes, -b how many bytes of data; these are only logged, -N and -B are enforced.",
  example: "setquota -N 1000 /app",
};

export const QUOTAS: readonly Command[] = [
  SET_QUOTA,
  {
    ...{ name: "listquota", synopsis: "path", flags: {}, least: 1, run: listQuota },
    summary: "Prints the limits of a znode, and what is used.",
    example: "listquota /app",
  },
  {
    ...{ name: "delquota", synopsis: "[-n|-b|-N|-B] path", least: 1, run: deleteQuota },
    flags: { n: "flag", b: "flag", N: "flag", B: "flag" },
    exclusive: ["n", "b", "N", "B"],
    summary: "Removes one limit of a znode, or all of them.",
    example: "delquota /app",
  },
];

/** Keys by option, and what each of them counts. */
const LIMIT_KEYS = { n: "count", b: "bytes", N: "countHardLimit", B: "byteHardLimit" } as const;
type LimitOption = keyof typeof LIMIT_KEYS;
const OPTIONS = Object.keys(LIMIT_KEYS) as LimitOption[];

const NONE = -1n;
const UNLIMITED: QuotaNumbers = new Map(Object.values(LIMIT_KEYS).map((key) => [key, NONE]));
const UNUSED: QuotaNumbers = new Map([
  ["count", 0n],
  ["bytes", 0n],
]);

function placesOf(path: string): { readonly place: string; readonly limits: string; readonly stats: string } {
  const place = `${QUOTA_ROOT}${path}`;
  return { place, limits: `${place}/${LIMITS}`, stats: `${place}/${STATS}` };
}

async function setQuota(call: Call): Promise<Answer> {
  const option = OPTIONS.find((one) => call.flags.has(one));
  if (option === undefined) throw missingOption();
  if (call.operands.length === 0) throw new UsageError(usageOf(SET_QUOTA));
  const limit = limitOf(option, call.flags.value(option) ?? "");
  const path = checkedPath(call.operands[0] ?? "", call.style);
  if (path.startsWith(QUOTA_ROOT)) throw refused(`cannot set a quota under the path: ${path}`, path);
  const { place, limits, stats } = placesOf(path);
  checkedPath(`${QUOTA_ROOT}${path}`, call.style);
  const zk = await call.zk();
  const { signal } = call;
  if ((await zk.exists(path, { signal })) === null) throw refused(`${path} does not exist.`, path);
  await refuseSecondQuota(zk, path, signal);
  const before = await numbersAt(zk, limits, signal);
  const now = new Map(before ?? UNLIMITED).set(LIMIT_KEYS[option], limit);
  if (before === null) {
    await zk.mkdirp(place, null, { signal });
    await zk.create(limits, formatQuota(now), { signal });
    await zk.create(stats, formatQuota(UNUSED), { signal });
  } else await zk.setData(limits, formatQuota(now), { signal });
  const used = (await numbersAt(zk, stats, signal)) ?? UNUSED;
  return { lines: warnings(now, used), json: { path, limits: objectOf(now), used: objectOf(used) } };
}

function missingOption(): UsageError {
  const names = "-n num soft quota, -b bytes soft quota, -N num hard quota, -B bytes hard quota";
  return new UsageError(`org.apache.commons.cli.MissingOptionException: Missing required option: [${names}]`);
}

/** @throws UsageError for what is no limit */
function limitOf(option: LimitOption, text: string): bigint {
  const value = parseJavaLong(text);
  const counts = option === "n" || option === "N";
  if (value === null || (counts && BigInt.asIntN(32, value) !== value))
    throw new UsageError("NumberFormatException happens when parsing the option value");
  if (counts && value <= 0n) throw new UsageError("the num quota must be greater than zero");
  if (value < 0n) throw new UsageError("the bytes quota must be greater than or equal to zero");
  return value;
}

/** Of a branch one znode alone has a quota. */
async function refuseSecondQuota(zk: ZooKeeper, path: string, signal: AbortSignal): Promise<void> {
  const { place, limits } = placesOf(path);
  for (const found of await branchIfThere(zk, place, signal)) {
    if (!found.endsWith(`/${LIMITS}`) || found === limits) continue;
    throw refused(`${path} has a child ${parentOf(found).slice(QUOTA_ROOT.length)} which has a quota`, path);
  }
  for (let above = parentOf(path); above !== "/"; above = parentOf(above)) {
    if ((await zk.exists(placesOf(above).limits, { signal })) === null) continue;
    throw refused(`${path} has a parent ${above} which has a quota`, path);
  }
}

async function branchIfThere(zk: ZooKeeper, path: string, signal: AbortSignal): Promise<string[]> {
  return (await zk.exists(path, { signal })) === null ? [] : await branchOf(zk, path, signal);
}

function refused(text: string, path: string): CommandFailure {
  return new CommandFailure(text, EXIT.refused, { path });
}

/** Limits that are broken from the beginning are no error. */
function warnings(limits: QuotaNumbers, used: QuotaNumbers): string[] {
  const isLess = (what: "count" | "bytes", hard: string): boolean =>
    [what, hard].some((key) => (limits.get(key) ?? NONE) !== NONE && limits.get(key)! < (used.get(what) ?? 0n));
  const warn = (what: "count" | "bytes"): string =>
    `[Warning]: the ${what} quota you create is less than the existing ${what}:${used.get(what)}`;
  return [...(isLess("bytes", LIMIT_KEYS.B) ? [warn("bytes")] : []), ...(isLess("count", LIMIT_KEYS.N) ? [warn("count")] : [])];
}

async function listQuota(call: Call): Promise<Answer> {
  const [path = ""] = call.operands;
  const { limits, stats } = placesOf(path);
  call.note(`absolute path is ${limits}`);
  checkedPath(limits, call.style);
  const zk = await call.zk();
  const limit = await textAt(zk, limits, call.signal);
  const used = await textAt(zk, stats, call.signal);
  if (limit === null || used === null) throw refused(`quota for ${path} does not exist.`, path);
  return {
    lines: [`Output quota for ${path} ${limit}`, `Output stat for ${path} ${used}`],
    json: { path, limits: objectOf(parsed(limit)), used: objectOf(parsed(used)) },
  };
}

async function deleteQuota(call: Call): Promise<Answer> {
  const [path = ""] = call.operands;
  const { limits, stats } = placesOf(path);
  checkedPath(limits, call.style);
  const zk = await call.zk();
  const { signal } = call;
  const before = await numbersAt(zk, limits, signal);
  if (before === null) return { lines: [`Quota does not exist for ${path}`], json: { path, existed: false } };
  const option = OPTIONS.find((one) => call.flags.has(one));
  if (option === undefined) {
    await zk.delete(limits, { signal });
    await zk.delete(stats, { signal });
    await deleteEmptyParents(zk, path, signal);
  } else await zk.setData(limits, formatQuota(new Map(before).set(LIMIT_KEYS[option], NONE)), { signal });
  return { lines: [], json: { path, existed: true } };
}

async function deleteEmptyParents(zk: ZooKeeper, path: string, signal: AbortSignal): Promise<void> {
  for (let above = path; above !== "/"; above = parentOf(above)) {
    const { place } = placesOf(above);
    const { children } = await zk.getChildren(place, { signal });
    if (children.length > 0) return;
    await zk.delete(place, { signal });
  }
}

async function textAt(zk: ZooKeeper, path: string, signal: AbortSignal): Promise<string | null> {
  try {
    const { data } = await zk.getData(path, { signal });
    return new TextDecoder().decode(data ?? new Uint8Array(0));
  } catch (error) {
    if (error instanceof ZkError && error.code === "NoNode") return null;
    throw error;
  }
}

/** Null where there is no such znode. */
async function numbersAt(zk: ZooKeeper, path: string, signal: AbortSignal): Promise<QuotaNumbers | null> {
  const text = await textAt(zk, path, signal);
  return text === null ? null : parsed(text);
}

/** @throws CommandFailure for a text that no quota is written as */
function parsed(text: string): QuotaNumbers {
  const numbers = parseQuota(new TextEncoder().encode(text));
  if (numbers === null) throw new CommandFailure(`A quota can't be read: ${text}`, EXIT.refused);
  return numbers;
}

function objectOf(numbers: QuotaNumbers): Record<string, string> {
  return Object.fromEntries([...numbers].map(([key, value]) => [key, String(value)]));
}
