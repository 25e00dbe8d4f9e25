/**
 * Bytes that make no sense, thrown at a running server: it neither fails nor grows, and whoever else is connected notices nothing.
 *
 * The seed is printed; ZOOKERNEL_FUZZ_SEED repeats a run.
 */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { tcp } from "../../adapters/tcp/listener.ts";
import type { Logger } from "../../lib/ports.ts";
import { writeHello, writeRequest } from "../../lib/wire/codec.ts";
import { JuteReader } from "../../lib/wire/jute.ts";
import { open } from "../../mod.ts";
import { type Address, bytesOf, FrameConnection } from "../support/frame_connection.ts";
import { type ClientRow, fromHex, goldenRows } from "../support/golden.ts";
import { Random } from "../support/random.ts";
import { NEW_SESSION, RawClient } from "../support/raw_client.ts";
import { projectPath } from "../support/root.ts";

const FRAMES = 10_000;
const FRAMES_BETWEEN_LOOKS = 20;
const CONNECTIONS_AT_ONCE = 8;
/** What the server, the test and all that a runtime keeps for later may take together. */
const GROWTH_BYTES_MAX = 256 * 1024 * 1024;

const HELLO = bytesOf((out) => writeHello(out, { ...NEW_SESSION, timeOut: 4000 }));

describe("a server under fire", () => {
  test(`${FRAMES} malformed frames`, { timeout: 120_000 }, async (t) => {
    const random = Random.seeded("ZOOKERNEL_FUZZ_SEED");
    t.diagnostic(`ZOOKERNEL_FUZZ_SEED=${random.seed}`);
    await underFire(random, () => malformedFrame(random));
  });

  test(`${FRAMES} recorded frames with bytes changed`, { timeout: 120_000 }, async (t) => {
    const random = Random.seeded("ZOOKERNEL_FUZZ_SEED");
    t.diagnostic(`ZOOKERNEL_FUZZ_SEED=${random.seed}`);
    const frames = recordedFrames();
    await underFire(random, () => withBytesChanged(random, random.of(frames)));
  });

  test("a thousand connections that announce a megabyte each and send one byte", { timeout: 120_000 }, async () => {
    await withServer(async (address) => {
      const before = process.memoryUsage().rss;
      const clients: RawClient[] = [];
      for (let i = 0; i < 1000; i++) clients.push(await RawClient.open(address));
      for (const client of clients) client.send(fromHex("000fffff00"));
      const bystander = await RawClient.connect(address);
      await bystander.ping();
      assert.ok(process.memoryUsage().rss - before < GROWTH_BYTES_MAX);
      await Promise.all([...clients, bystander].map((client) => client.drop()));
    });
  });
});

/** Runs with a server, and fails if it had to complain of itself. */
async function withServer(run: (address: Address) => Promise<void>): Promise<void> {
  const complaints: string[] = [];
  const logger: Logger = { debug() {}, info() {}, warn() {}, error: (message) => complaints.push(message) };
  const server = await open({ logger, limits: { connectionsPerAddressMax: 0 } });
  try {
    await run(await server.listen(tcp({ port: 0 })));
  } finally {
    await server.close();
  }
  assert.deepEqual(complaints, []);
}

async function underFire(random: Random, nextFrame: () => Uint8Array): Promise<void> {
  await withServer(async (address) => {
    const bystander = await Bystander.enter(address);
    const before = process.memoryUsage().rss;
    let left = FRAMES;
    const shooter = async (): Promise<void> => {
      let target: FrameConnection | null = null;
      while (left-- > 0) {
        target ??= await aim(address, random);
        if (!(await shoot(target, nextFrame()))) target = null;
        if (left % FRAMES_BETWEEN_LOOKS === 0) await bystander.livesOn();
      }
      await target?.drop();
    };
    await Promise.all(Array.from({ length: CONNECTIONS_AT_ONCE }, shooter));
    await bystander.leave();
    const growth = process.memoryUsage().rss - before;
    assert.ok(growth < GROWTH_BYTES_MAX, `${growth} bytes more than before; seed ${random.seed}`);
    const newcomer = await RawClient.connect(address);
    assert.equal((await newcomer.request({ kind: "exists", path: "/", watch: false })).err, 0);
    await newcomer.drop();
  });
}

/** A connection, now and then without a handshake: then the first frame is taken for one. */
async function aim(address: Address, random: Random): Promise<FrameConnection> {
  const target = await FrameConnection.open(address);
  if (random.below(10) > 0) target.send(HELLO);
  return target;
}

const PROBE_XID = 0x7e57;
const PROBE = bytesOf((out) => writeRequest(out, PROBE_XID, { kind: "exists", path: "/", watch: false }));

/** Sends a frame and waits until the server has dealt with it; false if the connection is of no more use. */
async function shoot(target: FrameConnection, frame: Uint8Array): Promise<boolean> {
  target.send(frame);
  // Of a frame that is not whole nothing is heard: the server waits for the rest.
  const isWhole = frame.length >= 4 && new DataView(frame.buffer, frame.byteOffset).getInt32(0) === frame.length - 4;
  if (!isWhole) {
    await target.finish();
    return false;
  }
  target.send(PROBE);
  for (let body = await target.next(); body !== null; body = await target.next()) {
    if (body.length >= 4 && new JuteReader(body).int() === PROBE_XID) return true;
  }
  return false;
}

/** A client with a znode of its own, which sees every change of it and no other. */
class Bystander {
  static readonly #PATH = "/bystander";
  readonly #client: RawClient;
  #version = 0;

  private constructor(client: RawClient) {
    this.#client = client;
  }

  static async enter(address: Address): Promise<Bystander> {
    const client = await RawClient.connect(address);
    await client.request({ kind: "auth", scheme: "digest", auth: Buffer.from("bystander:secret") });
    const acl = [{ perms: 31, scheme: "auth", id: "" }];
    const data = new Uint8Array(0);
    const made = await client.request({ kind: "create", path: Bystander.#PATH, data, acl, flags: 1, ttl: 0 });
    assert.equal(made.err, 0);
    return new Bystander(client);
  }

  async livesOn(): Promise<void> {
    const version = this.#version++;
    const [set] = await Promise.all([
      this.#client.request({ kind: "setData", path: Bystander.#PATH, data: Uint8Array.of(1), version }),
      this.#client.ping(),
    ]);
    assert.equal(set.err, 0);
    assert.equal(set.outcome.kind === "stat" && set.outcome.stat.version, version + 1);
  }

  async leave(): Promise<void> {
    assert.equal((await this.#client.request({ kind: "closeSession" })).err, 0);
    await this.#client.ended;
  }
}

const KNOWN_OPCODES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22];
const MORE_OPCODES = [100, 101, 102, 103, 104, 105, 106, 107, -11, -10, -1, 0, 10, 99];

function malformedFrame(random: Random): Uint8Array {
  const body = random.bytes(random.below(random.of([8, 40, 400])));
  switch (random.below(10)) {
    case 0: // a length that is not the body's
      return framed(body, random.of([-1, -(2 ** 31), 2 ** 31 - 1, 0x100000, body.length + 1, Math.max(0, body.length - 1)]));
    case 1: // no frame at all
      return body;
    case 2: // any header
      return framed(body, body.length);
    default: // a header that is known, and a body that is not, beginning with a plausible length
      return framed(Buffer.concat([requestHeader(random), int(random.below(30) - 2), body]));
  }
}

function requestHeader(random: Random): Uint8Array {
  const xid = random.of([1, -2, -4, -8, 0, random.below(2 ** 31)]);
  return Buffer.concat([int(xid), int(random.of(random.below(2) === 0 ? KNOWN_OPCODES : MORE_OPCODES))]);
}

function framed(body: Uint8Array, length: number = body.length): Uint8Array {
  return Buffer.concat([int(length), body]);
}

function int(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** Every whole frame that recorded clients sent, of no more than a few kilobytes. */
function recordedFrames(): Uint8Array[] {
  const files = readdirSync(projectPath("test", "golden", "client")).filter((name) => name.endsWith(".jsonl"));
  const rows = files.flatMap((file) => goldenRows<ClientRow>("client", file));
  return rows
    .filter((row) => row.dir === "c2s" && row.truncatedAt === undefined && row.hex !== "")
    .map((row) => fromHex(row.hex));
}

/** Mostly behind the length, so that the frames after it are still seen as such. */
function withBytesChanged(random: Random, frame: Uint8Array): Uint8Array {
  const changed = frame.slice();
  const from = random.below(20) === 0 ? 0 : Math.min(4, changed.length - 1);
  for (let times = 1 + random.below(6); times > 0; times--) {
    const at = from + random.below(changed.length - from);
    changed[at] = random.of([random.below(256), 0, 0xff, 0x7f, 0x80, changed[at]! ^ (1 << random.below(8))]);
  }
  return changed;
}
