/** The file storage: what every Storage does, and what is a matter of files. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type FileStorageOptions, fileStorage } from "../../adapters/storage/mod.ts";
import type { Zxid } from "../../lib/model/types.ts";
import type { Logger, Storage } from "../../lib/ports.ts";
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

  test("cuts nothing where no snapshot would be left to start from, and goes on", async () => {
    for (const kept of [[5n], [5n, 8n]]) {
      const dataDir = newPlace();
      await using storage = await opened({ dataDir });
      for (let zxid = 1n; zxid <= 9n; zxid++) await storage.append([record(zxid)]);
      for (const zxid of kept) await storage.saveSnapshot(zxid, [Uint8Array.of(1)]);
      const before = files(dataDir);
      await assert.rejects(storage.truncate(3n), /nothing can be cut/);
      assert.deepEqual(files(dataDir), before);
      await storage.append([record(10n)]);
      assert.deepEqual(await zxidsFrom(storage, 8n), [8n, 9n, 10n]);
    }
  });

  test("cuts nothing where what would be left is refused by whoever cuts", async () => {
    const dataDir = newPlace();
    await using storage = await opened({ dataDir });
    await storage.saveSnapshot(0n, [Uint8Array.of(1)]);
    for (let zxid = 1n; zxid <= 6n; zxid++) {
      await storage.append([record(zxid)]);
      if (zxid === 3n) await storage.saveSnapshot(3n, [Uint8Array.of(1)]);
    }
    const before = files(dataDir);
    const refusing = storage.truncate(4n, async (left) => {
      assert.deepEqual(
        left.snapshots.map(({ zxid }) => zxid),
        [3n, 0n],
      );
      assert.deepEqual(await zxidsFrom(left, 0n), [1n, 2n, 3n, 4n]);
      throw new Error("no such tree");
    });
    await assert.rejects(refusing, /0x4 ends nothing that can be used .no such tree.: nothing can be cut there/);
    assert.deepEqual(files(dataDir), before);
    await storage.append([record(7n)]);
    assert.deepEqual(await zxidsFrom(storage, 5n), [5n, 6n, 7n]);
  });

  test("cuts the log at a snapshot whose txn it lacks", async () => {
    const dataDir = newPlace();
    await using storage = await opened({ dataDir });
    await storage.saveSnapshot(0n, [Uint8Array.of(1)]);
    for (const zxid of [1n, 2n, 4n, 5n]) await storage.append([record(zxid)]);
    await storage.saveSnapshot(3n, [Uint8Array.of(1)]);
    const left = await storage.truncate(3n);
    assert.deepEqual(await zxidsFrom(left, 0n), [1n, 2n]);
  });

  for (const lower of [3n, 1n]) {
    test(`keeps the snapshot that was written last, also one at ${lower} below three others`, async () => {
      const dataDir = newPlace();
      await using storage = await opened({ dataDir });
      for (let zxid = 1n; zxid <= 9n; zxid++) {
        await storage.append([record(zxid)]);
        if (zxid > 4n && zxid % 2n === 1n) await storage.saveSnapshot(zxid, [Uint8Array.of(1)]);
      }
      await storage.saveSnapshot(lower, [Uint8Array.of(2)]);
      const left = await storage.truncate(lower);
      assert.deepEqual(
        left.snapshots.map(({ zxid }) => zxid),
        [lower],
      );
      assert.deepEqual(files(dataDir, "snapshot"), [`snapshot.${lower}`]);
    });
  }

  test("has one snapshot of a zxid, however it is packed: the one that was written last", async () => {
    const dataDir = newPlace();
    for (const [compression, byte] of [
      ["gzip", 1],
      ["none", 2],
      ["snappy", 3],
      ["gzip", 4],
    ] as const) {
      await using storage = await opened({ dataDir, compression });
      await storage.saveSnapshot(7n, [Uint8Array.of(byte)]);
      await storage.close();
      await using again = fileStorageOf(dataDir);
      const { snapshots } = await again.open(quiet);
      assert.equal(snapshots.length, 1);
      const bytes = [];
      for await (const chunk of snapshots[0]!.read()) bytes.push(...chunk);
      assert.deepEqual(bytes, [byte]);
    }
  });
});

function fileStorageOf(dataDir: string): Storage & AsyncDisposable {
  const storage = fileStorage(dataDir);
  return Object.assign(storage, { [Symbol.asyncDispose]: () => storage.close() });
}

async function zxidsFrom(stored: Pick<Storage, "readLog">, from: Zxid): Promise<Zxid[]> {
  const zxids: Zxid[] = [];
  for await (const { records } of stored.readLog(from)) zxids.push(...records.map(({ zxid }) => zxid));
  return zxids;
}

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
