/** The file storage: what every Storage does, and what is a matter of files. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type FileStorageOptions, fileStorage } from "../../adapters/storage/mod.ts";
import type { Logger, Storage } from "../../lib/ports.ts";
import type { Zxid } from "../../lib/types.ts";
import { storageContract } from "../contracts/storage.ts";
import { temporaryFolder } from "../support/temporary.ts";

const folder = temporaryFolder("file");
after(() => rmSync(folder, { recursive: true, force: true }));
let places = 0;
const newPlace = (): string => join(folder, String(places++));
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

function contract(what: string, options: Partial<FileStorageOptions>, twoFolders = false): void {
  storageContract(what, async () => {
    const dataDir = newPlace();
    const logs = twoFolders ? { dataLogDir: `${dataDir}-log` } : {};
    return () => fileStorage({ dataDir, ...logs, ...options });
  });
}

contract("file", { snapshotsKept: 0 });
contract("file, two folders, no padding", { snapshotsKept: 0, preAllocBytes: 0 }, true);
contract("file, not forced, small files, packed by gzip", {
  ...{ snapshotsKept: 0, forceSync: false, preAllocBytes: 64, logFileBytesMax: 200, compression: "gzip" },
});
contract("file, packed by snappy", { snapshotsKept: 0, compression: "snappy" });

describe("file storage", () => {
  test("names its files as ZooKeeper does, and pads the log with zeros while it is written", async () => {
    const dataDir = newPlace();
    await using storage = await opened({ dataDir, preAllocBytes: 4096 });
    await storage.saveSnapshot(0n, [Uint8Array.of(1)]);
    await storage.append([record(0x1_0000_0001n)]);
    const log = join(dataDir, "version-2", "log.100000001");
    assert.equal(statSync(log).size, 16 + 4096);
    await storage.append([record(0x1_0000_0002n)]);
    assert.equal(statSync(log).size, 16 + 4096);
    assert.deepEqual(files(dataDir), ["log.100000001", "snapshot.0", "zookernel.lock"]);
    await storage.close();
    assert.equal(statSync(log).size, 16 + 2 * 45);
    assert.deepEqual(files(dataDir), ["log.100000001", "snapshot.0"]);
  });

  test("starts another log file after each start and each snapshot, and where one is long", async () => {
    const dataDir = newPlace();
    for (const zxid of [1n, 2n]) {
      await using storage = await opened({ dataDir });
      await storage.append([record(zxid)]);
    }
    await using storage = await opened({ dataDir, logFileBytesMax: 100 });
    await storage.append([record(3n)]);
    await storage.saveSnapshot(3n, [Uint8Array.of(1)]);
    for (let zxid = 4n; zxid <= 7n; zxid++) await storage.append([record(zxid)]);
    assert.deepEqual(files(dataDir, "log"), ["log.1", "log.2", "log.3", "log.4", "log.6"]);
  });

  test("deletes snapshots that are too many, and the log before the oldest one kept", async () => {
    const dataDir = newPlace();
    await using storage = await opened({ dataDir, snapshotsKept: 2 });
    for (let zxid = 1n; zxid <= 8n; zxid++) {
      await storage.append([record(zxid)]);
      if (zxid % 2n === 0n) await storage.saveSnapshot(zxid - 1n, [Uint8Array.of(1)]);
    }
    // log.5 holds 6, which the snapshot of 5 lacks.
    assert.deepEqual(files(dataDir, "log", "snapshot"), ["log.5", "log.7", "snapshot.5", "snapshot.7"]);
  });

  test("removes what an interrupted write has left, and nothing else", async () => {
    const dataDir = newPlace();
    mkdirSync(join(dataDir, "version-2"), { recursive: true });
    for (const name of ["zookernel-new-snapshot", "zookernel-new-log", "currentEpoch.tmp", "snapshot.7.tmp", "notes.txt"]) {
      writeFileSync(join(dataDir, "version-2", name), "4");
    }
    const storage = fileStorage(dataDir);
    const { snapshots, epochs } = await storage.open(quiet);
    assert.deepEqual([...snapshots], []);
    assert.equal(epochs.unfinished, 4);
    await storage.close();
    assert.deepEqual(files(dataDir), ["currentEpoch.tmp", "notes.txt", "snapshot.7.tmp"]);
  });

  test("writes epochs as ZooKeeper does, and refuses one that is no number", async () => {
    const dataDir = newPlace();
    await using storage = await opened({ dataDir });
    await storage.saveEpochs({ accepted: 12, current: 11 });
    assert.equal(readFileSync(join(dataDir, "version-2", "acceptedEpoch"), "latin1"), "12");
    await storage.close();
    writeFileSync(join(dataDir, "version-2", "currentEpoch"), "eleven\n");
    await assert.rejects(fileStorage(dataDir).open(quiet), /currentEpoch: an epoch must be a number, not "eleven"/);
    assert.ok(!existsSync(join(dataDir, "version-2", "zookernel.lock")));
  });

  test("refuses logs and snapshots in each other's folder", async () => {
    const dataDir = newPlace();
    for (const [file, problem] of [
      ["log.1", /log\.1: a log is in the wrong folder\. Move it to /],
      ["other/version-2/snapshot.1", /snapshot\.1: a snapshot is in the wrong folder\. Move it to /],
    ] as const) {
      const path = file.includes("/") ? join(dataDir, file) : join(dataDir, "version-2", file);
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, "");
      await assert.rejects(fileStorage({ dataDir, dataLogDir: join(dataDir, "other") }).open(quiet), problem);
      rmSync(path);
    }
  });

  test("says what the system says where it can't use a folder", async () => {
    const dataDir = newPlace();
    writeFileSync(dataDir, "a file");
    await assert.rejects(fileStorage(dataDir).open(quiet), new RegExp(`^StorageError: ${dataDir}: the folder can't be used: `));
  });

  test("leaves nothing of a snapshot that failed", async () => {
    const dataDir = newPlace();
    await using storage = await opened({ dataDir });
    const broken = (function* () {
      yield new Uint8Array(10_000);
      throw new Error("no more");
    })();
    await assert.rejects(storage.saveSnapshot(1n, broken), /no more/);
    assert.deepEqual(files(dataDir), ["zookernel.lock"]);
  });

  test("makes no folder where that is not wanted", async () => {
    const dataDir = newPlace();
    await assert.rejects(fileStorage({ dataDir, autocreate: false }).open(quiet), /there is no such folder/);
    assert.ok(!existsSync(dataDir));
  });
});

describe("the lock", () => {
  test("is on the log's folder, too", async () => {
    const dataLogDir = newPlace();
    const first = await opened({ dataDir: newPlace(), dataLogDir });
    await assert.rejects(fileStorage({ dataDir: newPlace(), dataLogDir }).open(quiet), /in use/);
    await first.close();
  });

  const lockOf = (dataDir: string): string => join(dataDir, "version-2", "zookernel.lock");

  test("of a process that is no more is taken over, whatever its number is now", async () => {
    const dataDir = newPlace();
    const first = await opened({ dataDir });
    const mine = JSON.parse(readFileSync(lockOf(dataDir), "utf8")) as Record<string, unknown>;
    await first.close();
    // This process's number with a word that it does not know: an earlier process had it. A number that began at another moment: likewise.
    const abandoned: object[] = [{ ...mine, token: "x" }];
    if (mine.began !== null) abandoned.push({ ...mine, pid: process.ppid, began: "1", token: "x" });
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
});

async function opened(options: FileStorageOptions): Promise<Storage & AsyncDisposable> {
  const storage = fileStorage(options);
  await storage.open(quiet);
  return Object.assign(storage, { [Symbol.asyncDispose]: () => storage.close() });
}

function record(zxid: Zxid): { zxid: Zxid; bytes: Uint8Array } {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setBigInt64(12, zxid);
  return { zxid, bytes };
}

function files(dataDir: string, ...kinds: readonly string[]): string[] {
  const all = readdirSync(join(dataDir, "version-2"));
  return (kinds.length === 0 ? all : all.filter((name) => kinds.some((kind) => name.startsWith(`${kind}.`)))).sort();
}
