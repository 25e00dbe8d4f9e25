/** What is done against floods, with time and the disk in the test's hands. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryStorage } from "../../adapters/storage/memory.ts";
import { tcp } from "../../adapters/tcp/listener.ts";
import { settingsOf, type ThrottleSettings } from "../../lib/options/options.ts";
import type { LogRecord, Storage } from "../../lib/ports.ts";
import { ConnectionThrottle } from "../../lib/service/connection_throttle.ts";
import { open, type Server } from "../../mod.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { CLOSE_SESSION, create, getData, PING, setData } from "../support/ops.ts";
import { ConnectionEnded, RawClient } from "../support/raw_client.ts";
import { fourLetterWord } from "../support/server_process.ts";
import { until } from "../support/until.ts";

async function throttleOf(given: Partial<ThrottleSettings>): Promise<ThrottleSettings> {
  return (await settingsOf({ throttle: given }, false)).throttle;
}

describe("handshakes", () => {
  test("each takes a token, and tokens come with time, up to a limit", async () => {
    const settings = await throttleOf({ connectionTokens: 2, connectionFillTimeMs: 10, connectionFillCount: 1 });
    const throttle = new ConnectionThrottle(settings, Math.random, 0);
    const at = (mono: number): boolean => throttle.admits("global", mono);
    assert.deepEqual([0, 0, 0, 5, 11, 11, 1000, 1000, 1000].map(at), [
      true,
      true,
      false,
      false,
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  test("without tokens set there is no throttling", async () => {
    const throttle = new ConnectionThrottle(await throttleOf({}), Math.random, 0);
    assert.ok(Array.from({ length: 1000 }).every(() => throttle.admits("global", 0)));
  });

  test("kinds of sessions may weigh differently; tokens are counted in new ones", async () => {
    const connectionWeights = { global: 3, local: 1, renew: 2 };
    const settings = await throttleOf({ connectionTokens: 2, connectionFillTimeMs: 1000, connectionWeights });
    const throttle = new ConnectionThrottle(settings, Math.random, 0);
    assert.deepEqual(
      (["renew", "global", "renew", "local", "local"] as const).map((kind) => throttle.admits(kind, 0)),
      [true, true, false, true, false],
    );
    assert.deepEqual([throttle.admits("global", 1001), throttle.admits("local", 1001)], [true, false]);
  });

  test("the chance of being turned away rises while there is no token, and falls while none is taken", async () => {
    const settings = await throttleOf({
      connectionTokens: 1,
      connectionFillTimeMs: 1000,
      connectionFreezeTimeMs: 10,
      connectionDropIncrease: 0.5,
      connectionDropDecrease: 0.25,
    });
    const throttle = new ConnectionThrottle(settings, () => 0.4, 0);
    assert.equal(throttle.admits("global", 1), true); // the only token
    assert.equal(throttle.admits("global", 12), false);
    assert.equal(throttle.dropChance, 0.5);
    assert.equal(throttle.admits("global", 24), false);
    assert.equal(throttle.dropChance, 1);
    // Full again: a step down each time.
    assert.deepEqual(
      [3000, 3020, 3040].map((mono) => [throttle.admits("global", mono), throttle.dropChance]),
      [
        [false, 0.75],
        [false, 0.5],
        [true, 0.25],
      ],
    );
  });

  test("who is turned away is cut off without a word, and counted", async () => {
    const server = await open({ throttle: { connectionTokens: 1, connectionFillTimeMs: 1_000_000 }, fourLetterWords: ["*"] });
    const address = await server.listen(tcp({ port: 0 }));
    await RawClient.connect(address);
    await assert.rejects(RawClient.connect(address), ConnectionEnded);
    const mntr = await fourLetterWord(address.port, "mntr");
    assert.match(mntr, /^zk_connection_rejected\t1$/m);
    assert.match(mntr, /^zk_connection_drop_probability\t0\.0$/m);
    await server.close();
  });
});

/** A server whose disk takes its time: what is appended counts once the test says so. */
class SlowServer {
  readonly clock = new ManualClock();
  readonly #waiting: (() => void)[] = [];
  #server: Server | null = null;
  #port = 0;

  static async open(throttle: Partial<ThrottleSettings>): Promise<SlowServer> {
    const slow = new SlowServer();
    const memory = memoryStorage();
    const storage: Storage = {
      ...{ name: memory.name, open: (logger) => memory.open(logger), close: () => memory.close() },
      append: (records) => slow.#append(memory, records),
      ...{ saveSnapshot: memory.saveSnapshot.bind(memory), saveEpochs: memory.saveEpochs.bind(memory) },
      ...{ truncate: memory.truncate.bind(memory), readLog: memory.readLog.bind(memory), usage: memory.usage.bind(memory) },
    };
    slow.#server = await open({ storage, clock: slow.clock, throttle, fourLetterWords: ["*"] });
    slow.#port = (await slow.#server.listen(tcp({ port: 0 }))).port;
    return slow;
  }

  async client(): Promise<RawClient> {
    const connecting = RawClient.connect({ host: "127.0.0.1", port: this.#port });
    await this.written();
    return await connecting;
  }

  /** Waits for something to be appended, and lets it be written. */
  async written(): Promise<void> {
    await until(() => this.#waiting.length > 0, "something is appended");
    this.#waiting.shift()!();
  }

  async counter(name: string): Promise<number> {
    const value = new RegExp(`^zk_${name}\t(\\d+)$`, "m").exec(await fourLetterWord(this.#port, "mntr"))?.[1];
    return Number(value);
  }

  async close(): Promise<void> {
    for (const written of this.#waiting.splice(0)) written();
    await this.#server!.close();
  }

  async #append(memory: Storage, records: readonly LogRecord[]): Promise<void> {
    const kept = records.map(({ zxid, bytes }) => ({ zxid, bytes: bytes.slice() }));
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    await memory.append(kept);
  }
}

describe("requests", () => {
  test("while one is on its way, others wait, and go on in their order when it is answered", async () => {
    const server = await SlowServer.open({ requestsInProcessMax: 1 });
    const client = await server.client();
    const answers = Promise.all([create("/a"), setData("/a", "1"), getData("/a")].map((op) => client.request(op)));
    await until(async () => (await server.counter("request_throttle_wait_count")) > 0, "requests wait");
    await server.written();
    await until(() => client.received.length === 1, "the first is answered");
    server.clock.advance(1);
    await server.written();
    await until(() => client.received.length === 2, "the second is answered");
    server.clock.advance(1);
    assert.deepEqual(
      (await answers).map(({ err, zxid }) => [err, zxid]),
      [
        [0, 2n],
        [0, 3n],
        [0, 3n],
      ],
    );
    await server.close();
  });

  test("what has waited for too long is answered ThrottledOp without a zxid; pings and closeSession never are", async () => {
    const server = await SlowServer.open({ requestsInProcessMax: 1, opWaitTimeMs: 50 });
    const client = await server.client();
    const first = client.request(create("/a"));
    const others = [setData("/a"), getData("/a")].map((op) => client.request(op));
    const ping = client.ping();
    const closed = client.request(CLOSE_SESSION);
    await until(async () => (await server.counter("request_throttle_wait_count")) > 0, "requests wait");
    server.clock.advance(51);
    await server.written();
    assert.equal((await first).err, 0);
    server.clock.advance(1);
    assert.deepEqual(
      (await Promise.all(others)).map(({ err, zxid }) => [err, zxid]),
      [
        [-127, 2n],
        [-127, 2n],
      ],
    );
    assert.equal((await ping).err, 0);
    await server.written();
    assert.deepEqual([(await closed).err, (await closed).zxid], [0, 3n]);
    await server.close();
  });

  test("what a client that is gone has asked does not go on", async () => {
    const server = await SlowServer.open({ requestsInProcessMax: 1 });
    const [client, other] = [await server.client(), await server.client()];
    const first = client.request(create("/a"));
    void other.request(create("/b")).catch(() => {});
    await until(async () => (await server.counter("request_throttle_wait_count")) > 0, "a request waits");
    await other.drop();
    await until(async () => (await server.counter("num_alive_connections")) === 2, "the server notices that it is gone");
    await server.written();
    await first;
    server.clock.advance(1);
    assert.equal(await server.counter("stale_requests_dropped"), 1);
    assert.equal(await client.request(getData("/b")).then(({ err }) => err), -101);
    assert.equal((await client.request(PING, -2)).err, 0);
    await server.close();
  });
});
