/** What one client may make the server do and hold: slices of work, replies that nobody takes, requests that wait. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { memoryStorage } from "../../adapters/storage/memory.ts";
import type { Op } from "../../lib/model/ops.ts";
import type { Storage } from "../../lib/ports.ts";
import { create, type FakeStream, HELLO, join, PING, request, Stage } from "../support/stage.ts";
import { until } from "../support/until.ts";

const BIG = "x".repeat(100_000);

/** `count` requests with xids from 1 on, in one segment. */
function many(count: number, op: Exclude<Op, { kind: "unreadable" }>): Uint8Array {
  return join(...Array.from({ length: count }, (_, at) => request(at + 1, op)));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

/** Lets the server go on until it has nothing more to do. */
async function rest(turns = 30): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await setImmediate();
}

/** A storage whose disk does nothing until it is told. */
function stalledStorage(): { readonly storage: Storage; finish(): void } {
  const storage = memoryStorage();
  let resolve = (): void => {};
  const written = new Promise<void>((done) => {
    resolve = done;
  });
  let isStalled = false;
  const append = storage.append.bind(storage);
  storage.append = (records) => {
    void append(records);
    // The session's own txn is let through.
    if (!isStalled) {
      isStalled = true;
      return undefined;
    }
    return written;
  };
  return { storage, finish: resolve };
}

async function withBig(settings: Parameters<typeof Stage.open>[0] = {}): Promise<{ stage: Stage; stream: FakeStream }> {
  const stage = await Stage.open(settings);
  const zk = await stage.server.connect();
  await zk.create("/big", BIG);
  await zk.close();
  const stream = stage.connect();
  stream.say(HELLO);
  return { stage, stream };
}

const getBig: Op = { kind: "getData", path: "/big", watch: false };

describe("a client that doesn't take its replies", () => {
  test("gets all of them later, in order, and few are made meanwhile", async () => {
    const { stage, stream } = await withBig({ limits: { outputBytesPause: 200_000 } });
    stream.room = 0;
    stream.say(many(400, getBig));
    await rest();
    assert.equal(stream.paused, true);
    assert.ok(stream.writtenBytes < 500_000, `${stream.writtenBytes} bytes were made`);
    while (stream.unsent > 0) {
      stream.take(150_000);
      await rest(3);
    }
    assert.deepEqual(stream.xids, upTo(400));
    assert.equal(stream.paused, false);
    await stage.server.close();
  });

  test("keeps its session for as long as it takes something, and is cut off when it takes nothing", async () => {
    const { stage, stream } = await withBig({ limits: { outputBytesPause: 200_000, outputStallMs: 20_000 } });
    stream.room = 0;
    stream.say(many(1000, getBig));
    for (let round = 0; round < 10; round++) {
      await rest(3);
      stage.clock.advance(15_000);
      stream.take(100_000);
    }
    assert.deepEqual([stream.state, stage.server.mode], ["open", "standalone"]);
    assert.match(stage.ask("mntr"), /\nzk_global_sessions\t1\n/);
    stage.clock.advance(21_000);
    assert.equal(stream.state, "destroyed");
    assert.match(stage.logged.join(), /is cut off: it has taken nothing for 20000 ms of \d+ bytes sent to it/);
    stream.handler.closed();
    stage.clock.advance(60_000);
    assert.match(stage.ask("mntr"), /\nzk_global_sessions\t0\n/);
    await stage.server.close();
  });

  test("may leave so many events waiting, and no more", async () => {
    const stage = await Stage.open({ limits: { outputBytesPause: 2000, outputBytesMax: 30_000 } });
    const [watcher, writer] = [stage.connect(), stage.connect()];
    watcher.say(HELLO, request(1, { kind: "addWatch", path: "/", mode: 1 }));
    writer.say(HELLO);
    watcher.room = 0;
    for (let at = 0; at < 1000; at++) {
      writer.say(create(`/${at}`));
      if (at === 100) assert.deepEqual([watcher.state, watcher.paused], ["open", true]);
    }
    assert.equal(watcher.state, "destroyed");
    assert.match(stage.logged.join(), /events of 30\d\d\d bytes wait for it/);
    await stage.server.close();
  });

  test("is told all before its stream ends", async () => {
    const { stage, stream } = await withBig({ limits: { outputBytesPause: 200_000 } });
    stream.room = 0;
    stream.say(join(many(50, getBig), request(51, { kind: "closeSession" })));
    for (let round = 0; stream.state === "open" && round < 1000; round++) {
      stream.take(150_000);
      await rest(3);
    }
    assert.deepEqual([stream.state, stream.xids], ["ended", upTo(51)]);
    await stage.server.close();
  });
});

describe("a client that asks a lot at once", () => {
  test("lets others have their turns, and gets its answers in order", async () => {
    const stage = await Stage.open({ limits: { requestsInRowMax: 100 } });
    const [greedy, modest] = [stage.connect(), stage.connect()];
    greedy.say(HELLO);
    modest.say(HELLO);
    greedy.say(many(5000, { kind: "exists", path: "/", watch: false }));
    assert.equal(greedy.xids.length, 100);
    await setImmediate();
    modest.say(PING);
    assert.deepEqual(modest.xids, [-2]);
    assert.ok(greedy.xids.length < 5000);
    await until(() => greedy.xids.length === 5000, "the rest of the answers");
    assert.deepEqual([greedy.xids, greedy.paused], [upTo(5000), false]);
    await stage.server.close();
  });

  test("has turns of some milliseconds", async () => {
    const stage = await Stage.open({ limits: { requestsInRowMs: 1 } });
    const stream = stage.connect();
    stream.say(HELLO);
    const now = stage.clock.now.bind(stage.clock);
    let late = 0;
    stage.clock.now = () => ({ ...now(), mono: now().mono + late++ });
    stream.say(many(200, { kind: "exists", path: "/", watch: false }));
    assert.ok(stream.xids.length < 50, `${stream.xids.length} answers in a row`);
    await until(() => stream.xids.length === 200, "the rest of the answers");
    await stage.server.close();
  });

  test("and others like it let who asks for little go first", async () => {
    const stage = await Stage.open();
    const greedy = Array.from({ length: 20 }, () => stage.connect());
    const modest = stage.connect();
    for (const stream of [...greedy, modest]) stream.say(HELLO);
    const now = stage.clock.now.bind(stage.clock);
    let late = 0;
    stage.clock.now = () => {
      late += 6;
      return { ...now(), mono: now().mono + late };
    };
    const long = many(3, { kind: "exists", path: `/${"a".repeat(40_000)}`, watch: false });
    for (const stream of greedy) stream.say(long);
    modest.say(PING);
    const answered = (): number => greedy.reduce((sum, { xids }) => sum + xids.length, 0);
    for (let round = 0; round < 100 && modest.xids.length === 0; round++) await setImmediate();
    assert.ok(answered() <= 3, `${answered()} others were answered before`);
    await until(() => answered() === 60, "all other answers");
    await stage.server.close();
  });

  test("reads several znodes at once up to a limit", async () => {
    const { stage, stream } = await withBig({ limits: { multiReadBytesMax: 450_000 } });
    const reads = (count: number): Op => ({ kind: "multiRead", ops: Array.from({ length: count }, () => getBig as never) });
    stream.say(request(1, reads(4) as never), request(2, reads(5) as never), request(3, reads(6000) as never));
    assert.deepEqual(stream.xids, [1, 2, 3]);
    assert.ok(stream.writtenBytes < 500_000);
    await stage.server.close();
  });
});

describe("requests that wait", () => {
  test("behind a write are no more than the limit, and are answered as of their place", async () => {
    const { storage, finish } = stalledStorage();
    const stage = await Stage.open({ storage, limits: { waitingRequestsMax: 50 } });
    const stream = stage.connect();
    stream.say(HELLO);
    stream.say(create("/w"));
    const exists: Op = { kind: "exists", path: "/w2", watch: false };
    const reads = Array.from({ length: 500 }, (_, at) => request(at + 2, exists));
    stream.say(join(...reads.slice(0, 200), request(1000, createOp("/w2")), ...reads.slice(200)));
    await rest();
    assert.equal(stream.paused, true);
    assert.match(stage.ask("cons"), /queued=50,/);
    finish();
    await until(() => stream.xids.length === 502, "the answers");
    const found = Buffer.concat(stream.writes).toString("latin1");
    assert.deepEqual(stream.xids, [...upTo(201), 1000, ...upTo(501).slice(201)]);
    assert.equal(stream.paused, false);
    assert.ok(found.includes("/w2"));
    await stage.server.close();
  });

  test("behind a write take no more memory than the limit", async () => {
    const { storage, finish } = stalledStorage();
    const stage = await Stage.open({ storage, limits: { waitingBytesMax: 1_000_000 } });
    const stream = stage.connect();
    stream.say(HELLO);
    const data = new Uint8Array(100_000);
    stream.say(...upTo(40).map((xid) => request(xid, { ...createOp(`/w${xid}`), data })));
    await rest();
    assert.equal(stream.paused, true);
    assert.match(stage.ask("cons"), /queued=10,/);
    finish();
    await until(() => stream.xids.length === 40, "the answers");
    assert.deepEqual(stream.xids, upTo(40));
    await stage.server.close();
  });

  test("for the throttle count, too, and keep their session alive", async () => {
    const { storage, finish } = stalledStorage();
    const stage = await Stage.open({
      storage,
      limits: { waitingRequestsMax: 50 },
      throttle: { requestsInProcessMax: 1 },
    });
    const stream = stage.connect();
    stream.say(HELLO);
    stream.say(create("/w"));
    stream.say(many(500, { kind: "exists", path: "/", watch: false }));
    await rest();
    assert.equal(stream.paused, true);
    stage.clock.advance(90_000);
    finish();
    await until(() => {
      stage.clock.advance(100);
      return stream.xids.length === 501;
    }, "the answers");
    assert.deepEqual([stream.xids.slice(1), stream.state], [upTo(500), "open"]);
    await stage.server.close();
  });

  test("if they are long, wait alone until nothing else does", async () => {
    const { storage, finish } = stalledStorage();
    const stage = await Stage.open({ storage });
    const stream = stage.connect();
    stream.say(HELLO);
    stream.say(create("/w"));
    stream.say(join(request(2, { kind: "getAllChildrenNumber", path: "/" }), PING, request(3, createOp("/w2"))));
    await rest();
    assert.match(stage.ask("cons"), /queued=1,/);
    finish();
    await until(() => stream.xids.length === 4, "the answers");
    assert.deepEqual(stream.xids, [1, 2, -2, 3]);
    await stage.server.close();
  });
});

function createOp(path: string): Extract<Op, { kind: "create" | "create2" | "createContainer" | "createTTL" }> {
  const acl = [{ perms: 31, scheme: "world", id: "anyone" }];
  return { kind: "create", path, data: null, acl, flags: 0, ttl: 0 };
}
