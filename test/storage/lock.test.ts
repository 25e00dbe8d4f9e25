/** The lock on a data directory: who keeps it, and whose word counts no more. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type FileStorageOptions, fileStorage } from "../../adapters/storage/mod.ts";
import type { Logger, Storage } from "../../lib/ports.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { until } from "../support/until.ts";

const folder = temporaryFolder("lock");
after(() => rmSync(folder, { recursive: true, force: true }));
let places = 0;
const newPlace = (): string => join(folder, String(places++));
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

describe("the lock", () => {
  test("is on the log's folder, too", async () => {
    const dataLogDir = newPlace();
    const first = await opened({ dataDir: newPlace(), dataLogDir });
    await assert.rejects(fileStorage({ dataDir: newPlace(), dataLogDir }).open(quiet), /in use/);
    await first.close();
  });

  const lockOf = (dataDir: string): string => join(dataDir, "version-2", "zookernel.lock");

  test("of a process that is no more is taken over, whatever its number is now", async (t) => {
    const dataDir = newPlace();
    const first = await opened({ dataDir });
    const mine = JSON.parse(readFileSync(lockOf(dataDir), "utf8")) as Record<string, unknown>;
    await first.close();
    if (mine.began === null) return t.skip("this system does not tell when a process began");
    // This process's number, or its parent's, from another moment: an earlier process had it.
    const abandoned: object[] = [
      { ...mine, began: "1", token: "x" },
      { ...mine, pid: process.ppid, began: "1", token: "x" },
    ];
    for (const holder of abandoned) {
      writeFileSync(lockOf(dataDir), JSON.stringify(holder));
      const storage = await opened({ dataDir });
      await storage.close();
      assert.ok(!existsSync(lockOf(dataDir)));
    }
  });

  test("of a process that lives is respected, and named", async (t) => {
    const dataDir = newPlace();
    const first = await opened({ dataDir });
    const mine = JSON.parse(readFileSync(lockOf(dataDir), "utf8")) as Record<string, unknown>;
    await assert.rejects(fileStorage(dataDir).open(quiet), /in use: process \d+ has it open, which is this one/);
    await first.close();
    if (mine.began === null) return t.skip("this system does not tell when a process began");
    const stat = readFileSync(`/proc/${process.ppid}/stat`, "latin1");
    const began = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    writeFileSync(lockOf(dataDir), JSON.stringify({ ...mine, pid: process.ppid, began, token: "x" }));
    await assert.rejects(fileStorage(dataDir).open(quiet), new RegExp(`in use: process ${process.ppid} has it open`));
    rmSync(lockOf(dataDir));
  });

  test("of a folder that was copied counts for the folder that it was made in alone", async (t) => {
    const dataDir = newPlace();
    await using first = await opened({ dataDir });
    const held = JSON.parse(readFileSync(lockOf(dataDir), "utf8")) as Record<string, unknown>;
    if (held.began === null) return t.skip("this system does not tell when a process began");
    const copy = newPlace();
    cpSync(dataDir, copy, { recursive: true });
    await using second = await opened({ dataDir: copy });
    await assert.rejects(fileStorage(copy).open(quiet), /in use: process \d+ has it open, which is this one/);
    // The same folder under another name, and moved, is no copy.
    const link = newPlace();
    symlinkSync(dataDir, link);
    await assert.rejects(fileStorage(link).open(quiet), /in use/);
    const moved = newPlace();
    renameSync(dataDir, moved);
    await assert.rejects(fileStorage(moved).open(quiet), /in use/);
    renameSync(moved, dataDir);
    await second.close();
    await first.close();
  });

  test("of a folder whose log was copied to another place with it", async (t) => {
    const [dataDir, dataLogDir] = [newPlace(), newPlace()];
    await using first = await opened({ dataDir, dataLogDir });
    const held = JSON.parse(readFileSync(lockOf(dataDir), "utf8")) as Record<string, unknown>;
    if (held.began === null) return t.skip("this system does not tell when a process began");
    const copies = [newPlace(), newPlace()] as const;
    cpSync(dataDir, copies[0], { recursive: true });
    cpSync(dataLogDir, copies[1], { recursive: true });
    await using second = await opened({ dataDir: copies[0], dataLogDir: copies[1] });
    await second.close();
    await first.close();
  });

  test("of a process that is dead but not reaped is taken over", async (t) => {
    if (statOf(process.pid) === null) return t.skip("this system does not tell the state of a process");
    const dataDir = newPlace();
    const first = await opened({ dataDir });
    const held = JSON.parse(readFileSync(lockOf(dataDir), "utf8")) as Record<string, unknown>;
    await first.close();
    const { parent, pid } = await zombie();
    try {
      writeFileSync(lockOf(dataDir), JSON.stringify({ ...held, pid, began: statOf(pid)!.began, token: "x" }));
      await using second = await opened({ dataDir });
      await second.close();
      // Without the moment when it began, as another system would have it.
      writeFileSync(lockOf(dataDir), JSON.stringify({ ...held, pid, began: null, token: "x" }));
      await using third = await opened({ dataDir });
      await third.close();
    } finally {
      parent.kill("SIGKILL");
    }
  });

  test("that is still being written is waited for, and its holder named", async (t) => {
    const dataDir = newPlace();
    mkdirSync(join(dataDir, "version-2"), { recursive: true });
    const other = statOf(process.ppid);
    if (other === null) return t.skip("this system does not tell when a process began");
    const first = await opened({ dataDir: newPlace() });
    const held = JSON.parse(readFileSync(lockOf(first.name), "utf8")) as Record<string, unknown>;
    await first.close();
    writeFileSync(lockOf(dataDir), "");
    const opening = assert.rejects(fileStorage(dataDir).open(quiet), new RegExp(`in use: process ${process.ppid} has it open`));
    writeFileSync(
      lockOf(dataDir),
      JSON.stringify({ ...held, pid: process.ppid, began: other.began, folder: null, token: "x" }),
    );
    await opening;
    rmSync(lockOf(dataDir));
  });

  test("of two that start at the same time is one's, and the other says whose", async () => {
    const dataDir = newPlace();
    const storages = [fileStorage(dataDir), fileStorage(dataDir), fileStorage(dataDir)];
    const opened = await Promise.allSettled(storages.map((storage) => storage.open(quiet)));
    const refused = opened.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
    assert.equal(refused.length, 2);
    for (const reason of refused) assert.match(reason, new RegExp(`process ${process.pid} has it open`));
    for (const storage of storages) await storage.close();
  });
});

async function opened(options: FileStorageOptions): Promise<Storage & AsyncDisposable> {
  const storage = fileStorage(options);
  await storage.open(quiet);
  return Object.assign(storage, { [Symbol.asyncDispose]: () => storage.close() });
}

/** State and moment of beginning of a process, as Linux tells them; null elsewhere. */
function statOf(pid: number): { readonly state: string; readonly began: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0]!, began: fields[19]! };
  } catch {
    return null;
  }
}

/** A process that is dead and that nobody has reaped, as its parent does nothing. */
async function zombie(): Promise<{ readonly parent: ChildProcess; readonly pid: number }> {
  const script = "import os,sys,time\npid=os.fork()\nif pid==0: os._exit(0)\nprint(pid,flush=True)\ntime.sleep(600)";
  const parent = spawn("python3", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  parent.stdout!.on("data", (bytes: Buffer) => {
    said += bytes;
  });
  await until(() => said.endsWith("\n"), "the child's number");
  const pid = Number(said);
  await until(() => statOf(pid)?.state === "Z", "the child's end");
  return { parent, pid };
}
