/**
 * What every Storage must do, whatever it is built on. An adapter's own test file calls this with a factory.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Zxid } from "../../lib/model/types.ts";
import type { Logger, LogRecord, Storage, Stored } from "../../lib/ports.ts";

/** A place to keep data in, and a way to come back to it: each call gives a new storage over the same place. */
export type StorageFactory = () => Promise<() => Storage>;

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

export function storageContract(name: string, makePlace: StorageFactory): void {
  const check = (what: string, run: (at: Stage) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      const stage = new Stage(await makePlace());
      try {
        await run(stage);
      } finally {
        await stage.storage.close();
      }
    });
  };

  check("holds nothing at first", async (at) => {
    const stored = await at.open();
    assert.deepEqual([...stored.snapshots], []);
    assert.equal(stored.hasLog, false);
    assert.deepEqual(stored.epochs, { accepted: null, current: null, unfinished: null });
    assert.deepEqual(await at.log(0n), []);
  });

  check("gives back what was appended, in order and byte for byte", async (at) => {
    await at.open();
    const records = [1n, 2n, 3n, 0x1_0000_0001n].map((zxid) => record(zxid, Number(zxid & 7n) * 40));
    await at.storage.append(records.slice(0, 2));
    await at.storage.append(records.slice(2));
    await at.reopen();
    assert.equal(at.stored.hasLog, true);
    assert.deepEqual(await at.log(0n), records);
  });

  check("gives back what was appended last, from a zxid on", async (at) => {
    await at.open();
    for (let zxid = 1n; zxid <= 20n; zxid++) {
      await at.storage.append([record(zxid)]);
      if (zxid === 8n) await at.storage.saveSnapshot(7n, [bytesOf("snapshot")]);
    }
    await at.reopen();
    assert.deepEqual(zxids(await at.log(15n)), [15n, 16n, 17n, 18n, 19n, 20n]);
    assert.deepEqual(zxids(await at.log(8n)).slice(0, 3), [8n, 9n, 10n]);
    assert.deepEqual(await at.log(21n), []);
  });

  check("takes overlapping appends, and keeps their order", async (at) => {
    await at.open();
    const waiting: (Promise<void> | undefined)[] = [];
    const order: Zxid[] = [];
    for (let zxid = 1n; zxid <= 200n; zxid++) {
      const durable = at.storage.append([record(zxid, 300)]);
      waiting.push(durable);
      void durable?.then(() => order.push(zxid));
      if (zxid % 50n === 0n) await durable;
    }
    await Promise.all(waiting);
    assert.deepEqual(order, [...order].sort(bySize));
    await at.reopen();
    assert.deepEqual(
      zxids(await at.log(0n)),
      Array.from({ length: 200 }, (_, index) => BigInt(index + 1)),
    );
  });

  check("does not need the bytes of a record once append has returned", async (at) => {
    await at.open();
    const bytes = record(1n, 50).bytes;
    const wanted = bytes.slice();
    const durable = at.storage.append([{ zxid: 1n, bytes }]);
    bytes.fill(0xff, 40);
    await durable;
    await at.reopen();
    assert.deepEqual(await at.log(0n), [{ zxid: 1n, bytes: wanted }]);
  });

  check("keeps a large record", async (at) => {
    await at.open();
    const large = record(1n, 3_000_000);
    await at.storage.append([large, record(2n)]);
    await at.reopen();
    assert.deepEqual(await at.log(0n), [large, record(2n)]);
  });

  check("writes what waits before it closes", async (at) => {
    await at.open();
    const durable = at.storage.append([record(1n)]);
    await at.reopen();
    await durable;
    assert.deepEqual(zxids(await at.log(0n)), [1n]);
  });

  check("gives back snapshots, the newest first", async (at) => {
    await at.open();
    for (const zxid of [0n, 9n, 0x2_0000_0000n])
      await at.storage.saveSnapshot(zxid, chunks(`snapshot ${zxid}, `, "in two", ""));
    await at.reopen();
    assert.deepEqual(
      at.stored.snapshots.map(({ zxid }) => zxid),
      [0x2_0000_0000n, 9n, 0n],
    );
    assert.equal(await text(at.stored.snapshots[1]!.read()), "snapshot 9, in two");
  });

  check("keeps nothing of a snapshot that is not finished", async (at) => {
    await at.open();
    await at.storage.saveSnapshot(1n, chunks("whole"));
    const broken = (async function* () {
      yield bytesOf("half");
      throw new Error("no more");
    })();
    await assert.rejects(at.storage.saveSnapshot(2n, broken), /no more/);
    await at.reopen();
    assert.deepEqual(
      at.stored.snapshots.map(({ zxid }) => zxid),
      [1n],
    );
  });

  check("lets other work run between two chunks of a snapshot", async (at) => {
    const chunksMax = 1_000_000; // enough for any timer to fall due meanwhile
    await at.open();
    let turns = 0;
    let seen = 0;
    const timer = setInterval(() => turns++, 0);
    const slow = (function* () {
      for (let step = 0; step < chunksMax && turns < 3; step++) {
        seen++;
        yield step % 2 === 0 ? bytesOf("x") : new Uint8Array(0);
      }
    })();
    await at.storage.saveSnapshot(1n, slow);
    clearInterval(timer);
    assert.ok(turns >= 3, `${seen} chunks without a turn of anybody else`);
  });

  check("keeps epochs, each by itself", async (at) => {
    await at.open();
    await at.storage.saveEpochs({ accepted: 3, current: null });
    await at.storage.saveEpochs({ accepted: 5, current: 4 });
    await at.storage.saveEpochs({ accepted: null, current: 5 });
    await at.reopen();
    assert.deepEqual(at.stored.epochs, { accepted: 5, current: 5, unfinished: null });
  });

  check("drops what stands behind a zxid, snapshots too, and goes on from there", async (at) => {
    await at.open();
    for (let zxid = 1n; zxid <= 10n; zxid++) {
      await at.storage.append([record(zxid)]);
      if (zxid % 3n === 0n) await at.storage.saveSnapshot(zxid, chunks(`at ${zxid}`));
    }
    await at.storage.truncate(5n);
    await at.storage.append([record(6n, 77)]);
    await at.reopen();
    assert.deepEqual(
      at.stored.snapshots.map(({ zxid }) => zxid),
      [3n],
    );
    assert.deepEqual(await at.log(0n), [...[1n, 2n, 3n, 4n, 5n].map((zxid) => record(zxid)), record(6n, 77)]);
  });

  check("drops what stands behind the beginning of an epoch, which is no record itself", async (at) => {
    await at.open();
    const [old, first, second] = [3n, 0x1_0000_0001n, 0x1_0000_0002n];
    for (const zxid of [old, first, second]) await at.storage.append([record(zxid)]);
    const left = await at.storage.truncate(0x1_0000_0000n);
    assert.equal(left.hasLog, true);
    await at.storage.append([record(first, 77)]);
    await at.reopen();
    assert.deepEqual(await at.log(0n), [record(old), record(first, 77)]);
  });

  check("drops nothing where the zxid is not there", async (at) => {
    await at.open();
    for (const zxid of [1n, 2n, 5n]) await at.storage.append([record(zxid)]);
    await assert.rejects(at.storage.truncate(3n), /0x3 is neither in the log nor a snapshot/);
    await at.reopen();
    assert.deepEqual(zxids(await at.log(0n)), [1n, 2n, 5n]);
  });

  check("tells how much there is", async (at) => {
    await at.open();
    const before = at.storage.usage();
    await at.storage.append([record(1n, 5000)]);
    await at.storage.saveSnapshot(1n, [new Uint8Array(7000)]);
    const { dataDirBytes, logDirBytes, ...folders } = at.storage.usage();
    assert.ok(dataDirBytes > before.dataDirBytes && logDirBytes > before.logDirBytes);
    assert.deepEqual(folders, { dataDir: before.dataDir, dataLogDir: before.dataLogDir });
  });

  check("serves one at a time", async (at) => {
    await at.open();
    await assert.rejects(at.another().open(quiet), /in use|open already/);
    await at.storage.append([record(1n)]);
    await at.reopen();
    assert.deepEqual(zxids(await at.log(0n)), [1n]);
  });

  check("takes nothing before it is open and after it is closed, and may be closed twice", async (at) => {
    const before = at.storage;
    assert.throws(() => before.append([record(1n)]), /not open/);
    await at.open();
    await at.storage.close();
    await at.storage.close();
    assert.throws(() => at.storage.append([record(1n)]), /not open/);
    await assert.rejects(at.storage.saveSnapshot(1n, []), /not open/);
  });
}

class Stage {
  readonly #again: () => Storage;
  storage: Storage;
  stored!: Stored;

  constructor(again: () => Storage) {
    this.#again = again;
    this.storage = again();
  }

  async open(): Promise<Stored> {
    this.stored = await this.storage.open(quiet);
    return this.stored;
  }

  async reopen(): Promise<void> {
    await this.storage.close();
    this.storage = this.#again();
    await this.open();
  }

  another(): Storage {
    return this.#again();
  }

  async log(from: Zxid): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    for await (const chunk of this.stored.readLog(from)) {
      for (const { zxid, start, end } of chunk.records) records.push({ zxid, bytes: chunk.bytes.slice(start, end) });
    }
    return records;
  }
}

/** A record as a txn's header starts it, with so many bytes behind. */
function record(zxid: Zxid, more = 0): LogRecord {
  const bytes = new Uint8Array(32 + more).fill(Number(zxid & 0xffn));
  new DataView(bytes.buffer).setBigInt64(12, zxid);
  return { zxid, bytes };
}

function zxids(records: readonly LogRecord[]): Zxid[] {
  return records.map(({ zxid }) => zxid);
}

function bySize(one: bigint, other: bigint): number {
  return one < other ? -1 : 1;
}

function bytesOf(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

async function* chunks(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield bytesOf(part);
}

async function text(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  let all = "";
  for await (const piece of pieces) all += new TextDecoder().decode(piece);
  return all;
}
