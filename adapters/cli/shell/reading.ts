/**
 * Commands that read: `ls`, `ls2`, `get`, `stat`, `getAcl`, `getAllChildrenNumber`, `getEphemerals`, `whoami`, `sync`.
 */
import { permLetters } from "../../../lib/acl/perms.ts";
import type { Watcher } from "../../../lib/client/watchers.ts";
import { ZkError } from "../../../lib/model/errors.ts";
import type { ZooKeeper } from "../../../mod.ts";
import type { Answer, Call, Command } from "./command.ts";
import { CommandFailure, EXIT } from "./failures.ts";
import { checkedPath, childOf } from "./paths.ts";
import { aclLines, type DataForm, dataJson, dataText, listText, statLines } from "./text.ts";

export const READING: readonly Command[] = [
  {
    ...{ name: "ls", synopsis: "[-s] [-w] [-R] path", flags: { s: "flag", w: "flag", R: "flag" }, least: 1, run: list },
    summary: "Lists the children of a znode; -s adds its Stat, -w prints the next change, -R lists all that is below it.",
    example: "ls -R /app",
  },
  {
    ...{ name: "ls2", synopsis: "path", flags: {}, least: 1, run: listWithStat },
    summary: "Lists the children of a znode with its Stat, as ls -s does.",
    example: "ls2 /app",
  },
  {
    ...{ name: "get", synopsis: "[-s] [-w] path", least: 1, run: get },
    flags: { s: "flag", w: "flag", b: "flag", x: "flag" },
    summary: "Prints the data of a znode; -s adds its Stat, -w prints the next change, -b prints Base64, -x a table of bytes.",
    example: "get -s /app/config",
  },
  {
    ...{ name: "stat", synopsis: "[-w] path", flags: { w: "flag" }, least: 1, run: stat },
    summary: "Prints the Stat of a znode; -w prints the next change, or that it is made.",
    example: "stat /app",
  },
  {
    ...{ name: "getAcl", synopsis: "[-s] path", flags: { s: "flag" }, least: 1, run: getAcl },
    summary: "Prints who may do what with a znode; -s adds its Stat.",
    example: "getAcl /app",
  },
  {
    ...{ name: "getAllChildrenNumber", synopsis: "path", flags: {}, least: 1, run: getAllChildrenNumber },
    summary: "Counts the znodes below one, at any depth.",
    example: "getAllChildrenNumber /app",
  },
  {
    ...{ name: "getEphemerals", synopsis: "path", flags: {}, least: 0, run: getEphemerals },
    summary: "Lists the ephemerals of this session whose paths begin so; without a path all of them.",
    example: "getEphemerals /app",
  },
  {
    ...{ name: "whoami", synopsis: "", flags: {}, least: 0, run: whoami },
    summary: "Prints the identities that the server knows this shell by.",
    example: "whoami",
  },
  {
    ...{ name: "sync", synopsis: "path", flags: {}, least: 1, run: sync },
    summary: "Waits until this server has all that was committed before.",
    example: "sync /",
  },
];

async function list(call: Call): Promise<Answer> {
  const watch = wantsWatch(call, "ls", "[-w]") ? call.watcher : undefined;
  const path = pathOf(call);
  if (call.flags.has("R")) return await listBranch(call, path, watch);
  const { children, stat } = await (await call.zk()).getChildren(path, { watch, signal: call.signal });
  const names = call.style === "3.4" ? children : children.sort();
  return { lines: [listText(names), ...(call.flags.has("s") ? statLines(stat) : [])], json: { path, children: names, stat } };
}

async function listWithStat(call: Call): Promise<Answer> {
  const watch = call.operands.length > 1 ? call.watcher : undefined;
  const path = pathOf(call);
  const { children, stat } = await (await call.zk()).getChildren(path, { watch, signal: call.signal });
  const names = call.style === "3.4" ? children : children.sort();
  return { lines: [listText(names), ...statLines(stat)], json: { path, children: names, stat } };
}

/** The znode, then all its children, before what is below them. */
async function listBranch(call: Call, path: string, watch: Watcher | undefined): Promise<Answer> {
  const zk = await call.zk();
  const paths = [path];
  const waiting: string[] = [];
  const take = (parent: string, names: readonly string[]): void => {
    const places = [...names].sort().map((name) => childOf(parent, name));
    for (const place of places) paths.push(place);
    for (const place of places.reverse()) waiting.push(place);
  };
  // Of the first one also the data are watched, as in zkCli.sh.
  if (watch !== undefined) await zk.getData(path, { watch, signal: call.signal });
  take(path, (await zk.getChildren(path, { watch, signal: call.signal })).children);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
    take(next, await childrenIfThere(zk, next, watch, call.signal));
  return { lines: paths, json: { path, paths } };
}

/** None of a znode that has gone meanwhile. */
async function childrenIfThere(
  zk: ZooKeeper,
  path: string,
  watch: Watcher | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    return (await zk.getChildren(path, { watch, signal })).children;
  } catch (error) {
    if (error instanceof ZkError && error.code === "NoNode") return [];
    throw error;
  }
}

async function get(call: Call): Promise<Answer> {
  const { flags, signal, style } = call;
  const watch = wantsWatch(call, "get", "[-s] [-w]") ? call.watcher : undefined;
  const path = pathOf(call);
  const form: DataForm = flags.has("b") ? "base64" : flags.has("x") ? "hex" : "text";
  const { data, stat } = await (await call.zk()).getData(path, { watch, signal });
  const shownStat = flags.has("s") || style === "3.4" ? statLines(stat) : [];
  return { lines: [dataText(data, form), ...shownStat], json: { path, ...dataJson(data, form), stat } };
}

async function stat(call: Call): Promise<Answer> {
  const watch = wantsWatch(call, "stat", "[-w]") ? call.watcher : undefined;
  const path = pathOf(call);
  const found = await (await call.zk()).exists(path, { watch, signal: call.signal });
  if (found === null) throw new ZkError("NoNode", { operation: "stat", path });
  return { lines: statLines(found), json: { path, stat: found } };
}

async function getAcl(call: Call): Promise<Answer> {
  const path = pathOf(call);
  const { acl, stat } = await (await call.zk()).getACL(path, { signal: call.signal });
  const entries = acl.map(({ scheme, id, perms }) => ({ scheme, id, perms: permLetters(perms) }));
  const lines = [...aclLines(acl), ...(call.flags.has("s") ? statLines(stat) : [])];
  return { lines, json: { path, acl: entries, stat } };
}

async function getAllChildrenNumber(call: Call): Promise<Answer> {
  const path = pathOf(call);
  const count = await (await call.zk()).getAllChildrenNumber(path, { signal: call.signal });
  return { lines: [String(count)], json: { path, count } };
}

async function getEphemerals(call: Call): Promise<Answer> {
  const path = checkedPath(call.operands[0] ?? "/", call.style);
  const ephemerals = await (await call.zk()).getEphemerals(path, { signal: call.signal });
  return { lines: [listText(ephemerals)], json: { path, ephemerals } };
}

async function whoami(call: Call): Promise<Answer> {
  const identities = await (await call.zk()).whoAmI({ signal: call.signal });
  return { lines: ["Auth scheme: User", ...identities.map(({ scheme, id }) => `${scheme}: ${id}`)], json: { identities } };
}

async function sync(call: Call): Promise<Answer> {
  const path = pathOf(call);
  const old = call.style === "3.4";
  try {
    await (await call.zk()).sync(path, { signal: call.signal });
  } catch (error) {
    if (!(error instanceof ZkError)) throw error;
    const text = old ? `Sync returned ${error.number}` : `Sync has failed. rc=${error.number}`;
    const exitCode = error.code === "ConnectionLoss" ? EXIT.notConnected : EXIT.refused;
    throw new CommandFailure(text, exitCode, { code: error.code, path });
  }
  return { lines: [old ? "Sync returned 0" : "Sync is OK"], json: { path } };
}

/** Whether the watch is wanted. Until 3.4 a second operand was how to ask for it. */
function wantsWatch({ operands, flags, style, note }: Call, name: string, now: string): boolean {
  if (operands.length < 2) return flags.has("w");
  if (style !== "3.4") note(`'${name} path [watch]' has been deprecated. Please use '${name} ${now} path' instead.`);
  return true;
}

function pathOf({ operands: [path = ""], style }: Call): string {
  return checkedPath(path, style);
}
