/**
 * `zookernel log`: what stands in transaction logs, whether it is whole, and the end of what is not.
 */
import { statSync } from "node:fs";
import { dirname, join } from "@std/path";
import type { Proposal, SubTxn, Txn } from "../../lib/model/txns.ts";
import type { Zxid } from "../../lib/model/types.ts";
import { formatZxid } from "../../lib/model/zxid.ts";
import type { Logger } from "../../lib/ports.ts";
import { decodeRecord } from "../../lib/store/log_records.ts";
import { type LogEnd, LogScanner } from "../../lib/store/log_scanner.ts";
import { JuteReader } from "../../lib/wire/jute.ts";
import { logFiles, VERSION_FOLDER } from "../storage/file_names.ts";
import { InUseError, LOCK_FILE, Lock } from "../storage/lock.ts";
import { cutLog, keepTail } from "../storage/log_cut.ts";
import { nodeDisk } from "../storage/node_disk.ts";
import { withRecovered } from "./data_directory.ts";
import { Lines, Progress } from "./output.ts";

/** `log dump <file or dataDir>`: a line for each txn. */
export async function dumpLog(where: string): Promise<number> {
  const lines = new Lines();
  const progress = new Progress("txns");
  const reader = new JuteReader();
  let count = 0;
  for (const path of logsAt(where)) {
    const end = await scan(path, async (bytes, spans) => {
      for (const span of spans) await lines.write(describe(decodeRecord(reader, bytes, span)));
      count += spans.length;
      progress.done(count);
    });
    if (end.kind !== "whole") await lines.write(`${path} at offset ${end.offset}: ${describeEnd(end)}`);
  }
  await lines.end();
  return 0;
}

/** `log verify <file or dataDir>`: whether each file is whole; of a directory, also whether a server could start on it. */
export async function verifyLog(where: string, logger: Logger): Promise<number> {
  const progress = new Progress("txns");
  let sound = true;
  let whole = true;
  let count = 0;
  for (const path of logsAt(where)) {
    let first: Zxid | null = null;
    let last: Zxid | null = null;
    let inFile = 0;
    const end = await scan(path, async (_, spans) => {
      first ??= spans[0]!.zxid;
      last = spans.at(-1)!.zxid;
      inFile += spans.length;
      progress.done(count + inFile);
    });
    count += inFile;
    const range = first === null || last === null ? "no txns" : `${inFile} txns, ${formatZxid(first)} to ${formatZxid(last)}`;
    console.log(`${path}: ${range}, up to offset ${end.offset}: ${describeEnd(end)}`);
    whole &&= end.kind === "whole";
    sound &&= end.kind === "whole" || end.kind === "torn";
  }
  // A start cuts off what is torn, and nothing is to be changed here.
  if (whole && statSync(where).isDirectory()) await verifyStart(where, logger);
  return sound ? 0 : 1;
}

async function verifyStart(dataDir: string, logger: Logger): Promise<void> {
  try {
    await withRecovered([dataDir], logger, async ({ tree, sessions, lastZxid }) => {
      const content = `${tree.size} znodes, ${sessions.size} sessions, digest ${tree.digest}`;
      console.log(`${dataDir}: a server starts on it, at ${formatZxid(lastZxid)}: ${content}`);
    });
  } catch (error) {
    if (!(error instanceof InUseError)) throw error;
    console.log(`${dataDir}: a server has it open, so whether one could start on it is not tried`);
  }
}

/** `log repair <file>`: cuts off what can't be read, and keeps it beside the log. Whole records are given up only with `force`. */
export async function repairLog(path: string, force: boolean): Promise<number> {
  const folder = dirname(path);
  const lock = await Lock.take(nodeDisk, join(folder, LOCK_FILE), () => {});
  try {
    let last: Zxid | null = null;
    const end = await scan(path, async (_, spans) => {
      last = spans.at(-1)!.zxid;
    });
    if (end.kind === "whole") {
      console.log(`${path}: nothing to repair`);
      return 0;
    }
    if (end.kind === "foreign" || (end.following !== null && !force)) {
      console.error(`${path} at offset ${end.offset}: ${describeEnd(end)}`);
      if (end.kind !== "foreign")
        console.error("Txns that stand behind the damage would be lost: restore the file, or say --force");
      return 1;
    }
    const place = { path, offset: end.offset };
    const cut = await keepTail(nodeDisk, place);
    await cutLog(nodeDisk, place);
    const kept = last === null ? "It holds no txn now" : `Its last txn is ${formatZxid(last)} now`;
    console.log(`${path}: cut at offset ${end.offset} (${end.problem}). ${kept}; what was cut off is in ${cut}`);
    return 0;
  } finally {
    lock.release();
  }
}

/** The log files that are meant, oldest first. */
function logsAt(where: string): string[] {
  if (!statSync(where).isDirectory()) return [where];
  const inside = logFiles(nodeDisk, join(where, VERSION_FOLDER));
  return (inside.length > 0 ? inside : logFiles(nodeDisk, where)).map(({ path }) => path);
}

type Span = ReturnType<LogScanner["push"]>["records"][number];

async function scan(path: string, use: (bytes: Uint8Array, spans: readonly Span[]) => Promise<void>): Promise<LogEnd> {
  const scanner = new LogScanner(statSync(path).size);
  for await (const chunk of nodeDisk.read(path)) {
    const { bytes, records } = scanner.push(chunk);
    if (records.length > 0) await use(bytes, records);
  }
  return scanner.end();
}

function describeEnd({ kind, problem, following }: LogEnd): string {
  if (kind === "whole") return "whole";
  const behind = following === null ? "" : `; txn ${formatZxid(following.zxid)} stands whole behind it, at ${following.offset}`;
  return `${kind}: ${problem}${behind}`;
}

function describe({ header, txn, digest }: Proposal): string {
  const { session, cxid, zxid, time } = header;
  const when = new Date(time).toISOString();
  const tail = digest === null ? "" : ` digest ${digest}`;
  return `${when} session 0x${BigInt.asUintN(64, session).toString(16)} cxid ${cxid} zxid ${formatZxid(zxid)} ${describeTxn(txn)}${tail}`;
}

function describeTxn(txn: Txn): string {
  switch (txn.kind) {
    case "multi":
      return `multi [${txn.txns.map(describeTxn).join("; ")}]`;
    case "createSession":
      return `createSession ${txn.timeOut} ms`;
    case "closeSession":
      return `closeSession${txn.paths === null ? "" : ` ${JSON.stringify(txn.paths)}`}`;
    case "error":
      return `error ${txn.code}`;
    default:
      return describeSub(txn);
  }
}

function describeSub(txn: Exclude<SubTxn, { kind: "error" }>): string {
  const parts = [txn.kind, JSON.stringify(txn.path)];
  if ("data" in txn) parts.push(txn.data === null ? "null" : `${txn.data.length} bytes`);
  if ("ephemeral" in txn && txn.ephemeral) parts.push("ephemeral");
  if ("ttl" in txn) parts.push(`ttl ${txn.ttl} ms`);
  if ("parentCVersion" in txn) parts.push(`parentCVersion ${txn.parentCVersion}`);
  if ("version" in txn) parts.push(`version ${txn.version}`);
  if ("acl" in txn) parts.push(`acl ${txn.acl.map(({ perms, scheme, id }) => `${scheme}:${id}:${perms}`).join(",")}`);
  return parts.join(" ");
}
