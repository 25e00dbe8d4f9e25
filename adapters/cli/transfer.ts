/**
 * `zookernel export` and `import`: a data directory as lines of JSON, one for each znode, parents first, and back.
 *
 * Invariant: what was exported is imported as the same tree, stats and digest included, with the same sessions.
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { createInterface } from "node:readline";
import * as z from "zod/mini"; // as a namespace, so that bundlers leave out what is not used
import { AclInterner } from "../../lib/acl/intern.ts";
import { Database } from "../../lib/kernel/database.ts";
import { formatZxid } from "../../lib/model/zxid.ts";
import type { Logger } from "../../lib/ports.ts";
import { StorageError } from "../../lib/store/storage_error.ts";
import { Tree } from "../../lib/tree/tree.ts";
import type { Znode } from "../../lib/tree/znode.ts";
import { fileStorage } from "../storage/file.ts";
import { type Folders, saveSnapshot, TREE, withRecovered } from "./data_directory.ts";
import { Lines, Progress } from "./output.ts";

const FORMAT = "zookernel-export-1";

/** `export <dataDir> [dataLogDir]`, to standard output. */
export function exportData(folders: Folders, logger: Logger): Promise<number> {
  return withRecovered(folders, logger, async ({ tree, sessions, lastZxid }) => {
    const lines = new Lines();
    const progress = new Progress("znodes exported");
    const timeouts = Object.fromEntries(Array.from(sessions, ([id, timeoutMs]) => [hex(id), timeoutMs]));
    await lines.write(JSON.stringify({ format: FORMAT, zxid: hex(lastZxid), digest: String(tree.digest), sessions: timeouts }));
    let count = 0;
    for (const path of tree.subtree("/")) {
      await lines.write(JSON.stringify(exported(path, tree.get(path)!)));
      progress.done(++count);
    }
    await lines.end();
    return 0;
  });
}

/** `import <dataDir>`, from standard input, to a directory that holds no data yet. */
export async function importData(dataDir: string, logger: Logger): Promise<number> {
  const storage = fileStorage({ dataDir });
  const { snapshots, hasLog } = await storage.open(logger);
  try {
    if (snapshots.length > 0 || hasLog)
      throw new StorageError({ place: dataDir, problem: "there is data already: nothing is imported" });
    const database = await readExport();
    await saveSnapshot(storage, database, new Progress("bytes written"));
    console.log(
      `${dataDir}: ${database.tree.size} znodes and ${database.sessions.size} sessions at ${formatZxid(database.lastZxid)}`,
    );
    return 0;
  } finally {
    await storage.close();
  }
}

async function readExport(): Promise<Database> {
  const interner = new AclInterner();
  const progress = new Progress("znodes imported");
  const tree = new Tree(TREE, "bare");
  let head: z.infer<typeof headSchema> | null = null;
  let number = 0;
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (head === null) {
      head = parsed(headSchema, line, number);
      continue;
    }
    const { path, data, acl, stat } = parsed(znodeSchema, line, number);
    const bytes = data === null ? null : new Uint8Array(Buffer.from(data, "base64"));
    if (!tree.load(path, bytes, acl === null ? null : interner.intern(acl), stat))
      throw wrong(number, `${path} stands before its parent`);
    progress.done(number - 1);
  }
  if (head === null) throw wrong(1, "there is nothing to import");
  tree.finishLoading();
  if (BigInt(head.digest) !== tree.digest)
    throw wrong(number, "the znodes are not those that were exported: their digest is another");
  return new Database(tree, new Map(Object.entries(head.sessions).map(([id, timeout]) => [signed(id), timeout])), head.zxid);
}

function exported(path: string, node: Znode): unknown {
  const { czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion, owner, data, acl } = node;
  const zxids = { czxid: hex(czxid), mzxid: hex(mzxid), pzxid: hex(pzxid) };
  const stat = { ...zxids, ctime, mtime, version, cversion, aversion, owner: hex(owner) };
  return {
    path,
    data: data === null ? null : Buffer.from(data.buffer, data.byteOffset, data.length).toString("base64"),
    acl,
    stat,
  };
}

const HEX = z.regex(/^0x[0-9a-f]{1,16}$/);
const hexSchema = z.pipe(z.string().check(HEX), z.transform(signed));
const whole = z.int();
const headSchema = z.strictObject({
  format: z.literal(FORMAT),
  zxid: hexSchema,
  digest: z.string().check(z.regex(/^-?\d+$/)),
  sessions: z.record(z.string().check(HEX), whole),
});
const znodeSchema = z.strictObject({
  path: z.string().check(z.startsWith("/")),
  data: z.nullable(z.base64()),
  acl: z.nullable(z.array(z.strictObject({ perms: whole, scheme: z.string(), id: z.string() }))),
  stat: z.strictObject({
    czxid: hexSchema,
    mzxid: hexSchema,
    pzxid: hexSchema,
    ctime: whole,
    mtime: whole,
    version: whole,
    cversion: whole,
    aversion: whole,
    owner: hexSchema,
  }),
});

function parsed<T>(schema: z.ZodMiniType<T>, line: string, number: number): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw wrong(number, (error as Error).message);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw wrong(number, result.error.issues.map((issue) => `${issue.path.join(".") || "line"}: ${issue.message}`).join("; "));
}

function wrong(line: number, problem: string): StorageError {
  return new StorageError({ place: `line ${line}`, problem });
}

function hex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

function signed(text: string): bigint {
  return BigInt.asIntN(64, BigInt(text));
}
