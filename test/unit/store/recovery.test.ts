/** What recovery makes of a log that does not follow on its snapshot, or leaves zxids out. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AclInterner } from "../../../lib/acl/intern.ts";
import { OPEN_ACL_UNSAFE } from "../../../lib/acl/perms.ts";
import { apply } from "../../../lib/kernel/apply.ts";
import { Database } from "../../../lib/kernel/database.ts";
import type { Proposal, Txn } from "../../../lib/model/txns.ts";
import type { Zxid } from "../../../lib/model/types.ts";
import { makeZxid } from "../../../lib/model/zxid.ts";
import type { LogChunk, Logger, Stored } from "../../../lib/ports.ts";
import { RecordEncoder } from "../../../lib/store/log_records.ts";
import { type Recovered, recover } from "../../../lib/store/recovery.ts";
import { readSnapshot } from "../../../lib/store/snapshot_reader.ts";
import { snapshotChunks } from "../../../lib/store/snapshot_records.ts";
import { Tree, type TreeOptions } from "../../../lib/tree/tree.ts";

const OPTIONS: TreeOptions = { extendedTypes: true, digest: true, counterWraps: false, configNode: true };

/** Txns as a server makes them, with the digests that they leave. */
class Source {
  readonly database = new Database(new Tree(OPTIONS));
  #number = 0;

  /** Creates a znode; `lost` leaves it out of what the caller keeps. */
  create(zxid: Zxid): Proposal {
    const path = `/n${++this.#number}`;
    return this.#propose(zxid, {
      ...{ kind: "create", path, data: null, acl: OPEN_ACL_UNSAFE, ephemeral: false, parentCVersion: this.#number },
    });
  }

  error(zxid: Zxid): Proposal {
    return { ...this.#propose(zxid, { kind: "error", code: "NoNode" }), digest: null };
  }

  snapshot(): Uint8Array {
    const { tree, sessions, lastZxid } = this.database;
    const content = { tree: tree.freeze(), sessions, lastZxid };
    return Buffer.concat(Array.from(snapshotChunks(content, { digest: true, lastZxid: false }), (chunk) => chunk.slice()));
  }

  #propose(zxid: Zxid, txn: Txn): Proposal {
    const proposal = { header: { session: 1n, cxid: 1, zxid, time: 0 }, txn, digest: null };
    apply(this.database, proposal, null);
    return { ...proposal, digest: this.database.tree.digest };
  }
}

/** A storage with these snapshots, newest first, and a log of these files. */
function storedOf(snapshots: readonly (readonly [Zxid, Uint8Array])[], files: readonly (readonly Proposal[])[]): Stored {
  const chunk = (proposals: readonly Proposal[], index: number): LogChunk => ({
    file: `log ${index}`,
    bytes: Buffer.concat(new RecordEncoder().encode(proposals).map(({ bytes }) => bytes)),
    records: spansOf(proposals),
    placeOf: (at) => `log ${index} record ${at}`,
  });
  return {
    epochs: { accepted: null, current: null, unfinished: null },
    snapshots: snapshots.map(([zxid, bytes]) => ({ zxid, name: `snapshot ${zxid}`, read: () => each([bytes]) })),
    hasLog: files.length > 0,
    readLog: () => each(files.map(chunk)),
  };
}

function spansOf(proposals: readonly Proposal[]): LogChunk["records"] {
  let start = 0;
  return new RecordEncoder().encode(proposals).map(({ zxid, bytes }) => {
    const span = { zxid, start, end: start + bytes.length };
    start = span.end;
    return span;
  });
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

function recovered(stored: Stored, said: string[] = []): Promise<Recovered> {
  const note = (message: string): void => void said.push(message);
  const logger: Logger = { debug() {}, info() {}, warn: note, error: note };
  return recover("data", stored, { tree: OPTIONS, trustEmptySnapshot: false, logger });
}

describe("recovery", () => {
  test("goes on from the snapshot's own txn, wherever the log begins before it", async () => {
    const source = new Source();
    const before = [source.create(1n), source.create(2n)];
    const snapshot = source.snapshot();
    const after = [source.create(3n), source.create(4n)];
    for (const files of [[[...before, ...after]], [before, after], [after]]) {
      const { database, replayed } = await recovered(storedOf([[2n, snapshot]], files));
      assert.deepEqual([database.lastZxid, database.tree.digest, replayed], [4n, source.database.tree.digest, 2]);
    }
  });

  test("takes a zxid that is left out within a file", async () => {
    const source = new Source();
    const snapshot = source.snapshot();
    const file = [source.create(1n), source.create(3n), source.create(makeZxid(1, 5))];
    assert.equal((await recovered(storedOf([[0n, snapshot]], [file]))).database.lastZxid, makeZxid(1, 5));
  });

  test("takes one left out between two files if the digests say that nothing is missing", async () => {
    const source = new Source();
    const snapshot = source.snapshot();
    const first = [source.create(1n)];
    const second = [source.error(3n), source.create(4n)];
    assert.equal((await recovered(storedOf([[0n, snapshot]], [first, second]))).database.lastZxid, 4n);
  });

  for (const [what, arrange] of [
    ["in one file", (all: Proposal[]) => [[...all.slice(0, 4), ...all.slice(1)]]],
    ["with the next file", (all: Proposal[]) => [all.slice(0, 4), all.slice(2)]],
    ["a whole file", (all: Proposal[]) => [all, all]],
    ["twice", (all: Proposal[]) => [[...all.slice(0, 3), ...all.slice(1, 3), ...all.slice(2)], all.slice(5)]],
  ] as const) {
    test(`passes over txns that stand in the log again, ${what}, and says so (ZOOKEEPER-4394)`, async () => {
      const source = new Source();
      const snapshot = source.snapshot();
      const all = [1n, 2n, 3n, 4n, 5n, 6n].map((zxid) => source.create(zxid));
      const said: string[] = [];
      const { database, replayed } = await recovered(storedOf([[0n, snapshot]], arrange(all)), said);
      assert.deepEqual([database.lastZxid, database.tree.digest, replayed], [6n, source.database.tree.digest, 6]);
      assert.match(
        said.join("\n"),
        /^log \d record \d: \d txns? stands? in the log again, the first of them 0x\d, .*passed over/,
      );
      assert.equal(said.length, 1);
    });
  }

  test("passes over txns that stand again and are in the snapshot", async () => {
    const source = new Source();
    const before = [1n, 2n, 3n].map((zxid) => source.create(zxid));
    const snapshot = source.snapshot();
    const after = [4n, 5n].map((zxid) => source.create(zxid));
    const stored = storedOf([[3n, snapshot]], [[...after.slice(0, 1), ...before.slice(1), ...after]]);
    assert.equal((await recovered(stored)).database.tree.digest, source.database.tree.digest);
  });

  test("refuses another txn of a zxid that was there", async () => {
    const source = new Source();
    const snapshot = source.snapshot();
    const all = [1n, 2n, 3n, 4n].map((zxid) => source.create(zxid));
    const [other] = [new Source().create(3n)];
    for (const files of [[[...all, other!]], [[...all, all[3]!], [other!]], [[...all.slice(0, 3), other!, all[3]!]]]) {
      await assert.rejects(
        recovered(storedOf([[0n, snapshot]], files)),
        /^StorageError: log \d record \d: txn 0x3 stands behind later ones, and is not one that stood before them/,
      );
    }
  });

  test("refuses a missing file", async () => {
    const source = new Source();
    const snapshot = source.snapshot();
    const [first, , third] = [[source.create(1n)], [source.create(2n)], [source.create(3n)]];
    const stored = storedOf([[0n, snapshot]], [first!, third!]);
    await assert.rejects(
      recovered(stored),
      /^StorageError: log 1 record 0: txns are missing: 0x3 follows 0x1 \(log 0 record 0\)/,
    );
  });

  test("refuses a missing file whose absence no digest disproves", async () => {
    const source = new Source();
    const snapshot = source.snapshot();
    const stored = storedOf([[0n, snapshot]], [[source.create(1n)], [source.error(3n)]]);
    await assert.rejects(recovered(stored), /txns are missing: 0x3 follows 0x1/);
  });

  test("refuses a log without the txns behind its snapshot", async () => {
    const source = new Source();
    source.create(1n);
    const snapshot = source.snapshot();
    source.create(2n);
    const stored = storedOf([[1n, snapshot]], [[source.create(3n)]]);
    await assert.rejects(recovered(stored), /log 0 record 0: txns are missing: 0x3 follows 0x1 \(the snapshot\)/);
  });

  test("refuses an epoch that does not start with its first txn", async () => {
    const source = new Source();
    const snapshot = source.snapshot();
    const first = [source.create(makeZxid(1, 1))];
    source.create(makeZxid(2, 1));
    const stored = storedOf([[0n, snapshot]], [first, [source.create(makeZxid(2, 2))]]);
    await assert.rejects(recovered(stored), /txns are missing: 0x200000002 follows 0x100000001/);
  });

  test("refuses txns that go back", async () => {
    const source = new Source();
    const snapshot = source.snapshot();
    const [one, two, three] = [source.create(1n), source.create(2n), source.create(3n)];
    for (const files of [[[one, three, two]], [[one, three], [two]], [[one, three, two, two]]]) {
      await assert.rejects(recovered(storedOf([[0n, snapshot]], files)), /stands behind later ones, and is not one/);
    }
  });

  test("says where the tree is first another than the log says", async () => {
    const source = new Source();
    const snapshot = source.snapshot();
    const file = [source.create(1n), { ...source.create(2n), digest: 5n }, { ...source.create(3n), digest: 6n }];
    const said: string[] = [];
    await recovered(storedOf([[0n, snapshot]], [file]), said);
    assert.equal(said.length, 2);
    assert.match(said[0]!, /^log 0 record 1: after txn 0x2 the tree's digest is \d+, and the log says 5$/);
    assert.match(said[1]!, /^2 txns in all/);
  });

  test("refuses a record that is no txn, and says which", async () => {
    const source = new Source();
    const snapshot = source.snapshot();
    const stored = storedOf([[0n, snapshot]], [[source.create(1n)]]);
    const spoiled: Stored = {
      ...stored,
      readLog: async function* (zxid) {
        for await (const chunk of stored.readLog(zxid)) {
          const bytes = chunk.bytes.slice();
          bytes[31] = 99; // the txn's type
          yield { ...chunk, bytes };
        }
      },
    };
    await assert.rejects(
      recovered(spoiled),
      /log 0 record 0: the record is whole but no txn that is known: txn of unknown type 99/,
    );
  });

  test("falls back to an older snapshot, and fails where none is whole", async () => {
    const source = new Source();
    const oldest = source.snapshot();
    const file = [source.create(1n), source.create(2n)];
    const damaged = source.snapshot().slice(0, -1);
    const said: string[] = [];
    const { database, snapshotZxid } = await recovered(
      storedOf(
        [
          [2n, damaged],
          [0n, oldest],
        ],
        [file],
      ),
      said,
    );
    assert.deepEqual([database.lastZxid, snapshotZxid], [2n, 0n]);
    assert.deepEqual(said, ["snapshot 2 is damaged (the snapshot ends too early): the snapshot before it is tried"]);
    await assert.rejects(recovered(storedOf([[2n, damaged]], [file])), /data: none of its 1 snapshots is whole/);
  });

  test("shares one object between all ACLs that say the same", async () => {
    const source = new Source();
    const snapshot = source.snapshot();
    const { database } = await recovered(storedOf([[0n, snapshot]], [[source.create(1n), source.create(2n)]]));
    assert.equal(database.tree.get("/n1")!.acl, OPEN_ACL_UNSAFE);
    assert.equal(database.tree.get("/n2")!.acl, OPEN_ACL_UNSAFE);
    const again = await readSnapshot(each([source.snapshot()]), OPTIONS, new AclInterner());
    assert.equal(again.tree.get("/n1")!.acl, OPEN_ACL_UNSAFE);
  });
});
