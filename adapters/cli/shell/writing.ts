/**
 * Commands that change znodes: `create`, `set`, `delete`, `deleteall`, `rmr`, `setAcl`, and `addauth`.
 */
import { decodeBase64 } from "../../../lib/base/base64.ts";
import { parseJavaLong } from "../../../lib/base/java_long.ts";
import { ZkError } from "../../../lib/model/errors.ts";
import type { CreateMode } from "../../../lib/model/types.ts";
import type { Acl, Stat, ZooKeeper } from "../../../mod.ts";
import { branchOf } from "./branch.ts";
import { type Answer, type Call, type Command, SILENT } from "./command.ts";
import { CommandFailure, EXIT, javaText, UsageError } from "./failures.ts";
import { checkedPath } from "./paths.ts";
import { parseAcl, statLines } from "./text.ts";

export const WRITING: readonly Command[] = [
  {
    ...{ name: "create", synopsis: "[-s] [-e] [-c] [-t ttl] path [data] [acl]", least: 1, run: create },
    flags: { s: "flag", e: "flag", c: "flag", t: "value" },
    summary:
      "Makes a znode and prints its path; -s appends a number, -e removes it with this session, -c once its last child is gone, -t after so many milliseconds without a change.",
    example: 'create /app/config "some text" world:anyone:r',
  },
  {
    ...{ name: "set", synopsis: "[-s] [-v version] path data", least: 2, run: set },
    flags: { s: "flag", v: "value", b: "flag" },
    summary:
      "Changes the data of a znode; -v only if it has this version, -s prints its new Stat, -b takes the data in Base64.",
    example: "set -v 3 /app/config new",
  },
  {
    ...{ name: "delete", synopsis: "[-v version] path", flags: { v: "value" }, least: 1, run: remove },
    summary: "Deletes a znode that has no children; -v only if it has this version.",
    example: "delete /app/config",
  },
  {
    ...{ name: "deleteall", synopsis: "path [-b batch size]", flags: { b: "value" }, least: 1, run: removeBranch },
    summary: "Deletes a znode with all below it; -b says how many of them go in one transaction.",
    example: "deleteall /app",
  },
  {
    ...{ name: "rmr", synopsis: "path", flags: {}, least: 1, run: removeBranch },
    summary: "Deletes a znode with all below it, as deleteall does.",
    example: "rmr /app",
  },
  {
    ...{ name: "setAcl", synopsis: "[-s] [-v version] [-R] path acl", least: 2, run: setAcl },
    flags: { s: "flag", v: "value", R: "flag" },
    summary: "Says who may do what; -v only if the ACL has this version, -s prints the new Stat, -R also for all below it.",
    example: "setAcl /app world:anyone:r,auth::cdrwa",
  },
  {
    ...{ name: "addauth", synopsis: "scheme auth", flags: {}, least: 1, run: addAuth },
    summary: "Proves an identity to the server, for as long as this session lasts.",
    example: "addauth digest ada:secret",
  },
];

async function create(call: Call): Promise<Answer> {
  const { operands, flags, style, signal, note } = call;
  if (style === "3.4" && operands.length < 2) throw new UsageError("");
  const { mode, ttlMs } = modeOf(call);
  const acl = operands[2] === undefined ? undefined : parseAcl(operands[2], note);
  if (acl?.length === 0) throw invalidAcl(undefined, style === "3.4");
  const path = checkedPath(operands[0] ?? "", style, flags.has("s"));
  const options = { mode, signal, ...(ttlMs !== undefined && { ttlMs }), ...(acl !== undefined && { acl }) };
  try {
    const created = await (await call.zk()).create(path, operands[1] ?? null, options);
    return { lines: [`Created ${created}`], json: { path: created } };
  } catch (error) {
    throw error instanceof ZkError && error.code === "InvalidACL" ? invalidAcl(path, style === "3.4") : error;
  }
}

const TTL_MS_MAX = 2 ** 40 - 1;

/** @throws UsageError for options that exclude one another */
function modeOf({ flags }: Call): { readonly mode: CreateMode; readonly ttlMs?: number } {
  const [sequential, ephemeral, container] = [flags.has("s"), flags.has("e"), flags.has("c")];
  if (container && (sequential || ephemeral))
    throw new UsageError("-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.");
  const ttl = flags.value("t");
  if (ttl === undefined) {
    if (container) return { mode: "container" };
    if (ephemeral) return { mode: sequential ? "ephemeral_sequential" : "ephemeral" };
    return { mode: sequential ? "persistent_sequential" : "persistent" };
  }
  const ttlMs = parseJavaLong(ttl);
  if (ttlMs === null) throw new UsageError("-t argument must be a long value");
  if (ephemeral) throw new UsageError("TTLs cannot be used with Ephemeral znodes");
  if (container) throw new UsageError("TTLs cannot be used with Container znodes");
  if (ttlMs < 1n || ttlMs > TTL_MS_MAX) throw new UsageError(`ttl must be positive and cannot be larger than: ${TTL_MS_MAX}`);
  return { mode: sequential ? "persistent_sequential_with_ttl" : "persistent_with_ttl", ttlMs: Number(ttlMs) };
}

/** create prints Java's own words as well. */
function invalidAcl(path: string | undefined, old: boolean): CommandFailure {
  const text = `Acl is not valid : ${path ?? "null"}`;
  const about = { code: "InvalidACL", ...(path !== undefined && { path }) } as const;
  return new CommandFailure(old ? text : `${javaText("InvalidACL", path)}\n${text}`, EXIT.refused, about);
}

async function set(call: Call): Promise<Answer> {
  const { operands, flags, style, signal } = call;
  const [path = "", text = ""] = operands;
  const version = versionOf(flags.value("v") ?? (style === "3.4" ? operands[2] : undefined));
  const data = flags.has("b") ? decodeBase64(text) : text;
  if (data === null) throw new UsageError(`"${text}" is no Base64`, "such as aGVsbG8=; get -b prints it");
  const stat = await (await call.zk()).setData(checkedPath(path, style), data, { version, signal });
  return ofStat(path, stat, flags.has("s") || style === "3.4");
}

async function remove(call: Call): Promise<Answer> {
  const { operands, flags, style, signal, note } = call;
  const [path = "", old] = operands;
  if (old !== undefined && style !== "3.4")
    note("'delete path [version]' has been deprecated. Please use 'delete [-v version] path' instead.");
  const version = versionOf(flags.value("v") ?? (style === "3.4" ? old : undefined));
  await (await call.zk()).delete(checkedPath(path, style), { version, signal });
  return { lines: [], json: { path } };
}

const BATCH = 1000;

/** Leaves first. What the server keeps for itself stays, as it must. */
async function removeBranch(call: Call): Promise<Answer> {
  const path = checkedPath(call.operands[0] ?? "", call.style);
  const batch = call.flags.value("b");
  const size = batch === undefined ? BATCH : intOf(batch);
  if (size === null) throw new UsageError("-b argument must be an int value");
  if (size < 1) throw new UsageError("-b argument must be greater than zero");
  const zk = await call.zk();
  const paths = (await branchOf(zk, path, call.signal)).filter((place) => isDeletable(zk, place)).reverse();
  for (let at = 0; at < paths.length; at += size) {
    const transaction = zk.transaction();
    for (const place of paths.slice(at, at + size)) transaction.delete(place);
    await transaction.commit({ signal: call.signal });
  }
  return { lines: [], json: { path, deleted: paths.length } };
}

function isDeletable(zk: ZooKeeper, path: string): boolean {
  return path !== "/" && (zk.chroot !== "" || !(path === "/zookeeper" || path.startsWith("/zookeeper/")));
}

async function setAcl(call: Call): Promise<Answer> {
  const { operands, flags, style, signal, note } = call;
  const [given = "", text = "", old] = operands;
  const acl = parseAcl(text, note);
  const path = checkedPath(given, style);
  const version = versionOf(flags.value("v") ?? (style === "3.4" ? old : undefined));
  if (acl.length === 0) throw new CommandFailure("Acl is not valid : null", EXIT.refused, { code: "InvalidACL" });
  const zk = await call.zk();
  if (flags.has("R")) return await setAclOfBranch(zk, path, acl, call);
  return ofStat(path, await zk.setACL(path, acl, { version, signal }), flags.has("s") || style === "3.4");
}

/** Goes on where one is refused, and says which. */
async function setAclOfBranch(zk: ZooKeeper, path: string, acl: readonly Acl[], call: Call): Promise<Answer> {
  const failures: string[] = [];
  const paths = await branchOf(zk, path, call.signal);
  for (const place of paths) {
    try {
      await zk.setACL(place, acl, { version: versionOf(call.flags.value("v")), signal: call.signal });
    } catch (error) {
      if (!(error instanceof ZkError) || error.code === "ConnectionLoss") throw error;
      failures.push(javaText(error.code, place));
    }
  }
  if (failures.length > 0) throw new CommandFailure(failures.join("\n"), EXIT.refused, { path });
  return { lines: [], json: { path, paths } };
}

async function addAuth(call: Call): Promise<Answer> {
  const [scheme = "", auth = null] = call.operands;
  try {
    await (await call.zk()).addAuth(scheme, auth, { signal: call.signal });
  } catch (error) {
    if (!(error instanceof ZkError) || error.code !== "AuthFailed") throw error;
    // The event says it. Such a session is of no more use.
    throw new CommandFailure("", EXIT.refused, { code: "AuthFailed", hint: "connect begins another session" });
  }
  return SILENT;
}

function ofStat(path: string, stat: Stat, shown: boolean): Answer {
  return { lines: shown ? statLines(stat) : [], json: { path, stat } };
}

/** A version to compare with; -1 is any. Java's zkCli.sh ends where it is no number. */
function versionOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const version = intOf(text);
  if (version === null) throw new UsageError(`-v argument must be an int value, not ${text}`);
  return version === -1 ? undefined : version;
}

function intOf(text: string): number | null {
  const value = parseJavaLong(text);
  return value === null || BigInt.asIntN(32, value) !== value ? null : Number(value);
}
