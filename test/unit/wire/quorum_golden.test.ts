/**
 * The recorded traffic of Apache ensembles: every message is read, and written again as the same bytes.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { AclInterner } from "../../../lib/acl/intern.ts";
import type { Image } from "../../../lib/broadcast/zab/messages.ts";
import { completed, treeOptions } from "../../../lib/options/options.ts";
import { readDatabase } from "../../../lib/store/snapshot_reader.ts";
import { databaseChunks } from "../../../lib/store/snapshot_records.ts";
import { JuteWriter } from "../../../lib/wire/jute.ts";
import {
  isSnap,
  leaderPacketOf,
  learnerPacketOf,
  PacketReader,
  packetOfLeader,
  packetOfLearner,
  QuorumError,
  type QuorumPacket,
  writePacket,
} from "../../../lib/wire/quorum.ts";
import { initialBytes, notificationBytes, readInitial, readNotification } from "../../../lib/wire/votes.ts";
import { fromHex, goldenRows, toHex } from "../../support/golden.ts";
import { projectPath } from "../../support/root.ts";

interface QuorumRow {
  readonly conn?: string;
  readonly dir?: string;
  readonly hex?: string;
  readonly note?: string;
}

const files = readdirSync(projectPath("test", "golden", "quorum")).filter((name) => name.endsWith(".jsonl"));
const IMAGE: Image = { lastZxid: 0n };
const PACKET_BYTES_MAX = 1 << 21;

describe("the golden ensembles, message by message", () => {
  for (const file of files) {
    const rows = goldenRows<QuorumRow>("quorum", file).filter(({ hex }) => hex !== undefined && hex !== "");
    test(`${file}: quorum port`, () => {
      for (const row of rows.filter(({ conn }) => conn!.startsWith("q"))) {
        if (!row.note!.startsWith("snapshot")) assert.equal(toHex(bytesOf(typed(packetOf(row), row))), row.hex, row.note);
      }
    });
    for (const { hex, note } of rows.filter(({ note }) => note!.startsWith("snapshot"))) {
      test(`${file}: ${note}`, () => holdsAgain(fromHex(hex!)));
    }
    test(`${file}: election port`, () => {
      for (const row of rows.filter(({ conn }) => conn!.startsWith("e"))) {
        assert.equal(electionRoundTrip(fromHex(row.hex!)), row.hex, row.note);
      }
    });
  }
});

describe("packets", () => {
  const ping = bytesOf(packetOfLearner({ kind: "pong", zxid: 7n, touched: [{ session: 5n, timeoutMs: 4000 }] }));

  test("come whole, however the bytes arrive", () => {
    const reader = new PacketReader(PACKET_BYTES_MAX);
    const found: QuorumPacket[] = [];
    for (const byte of [...ping, ...ping]) {
      reader.push(Uint8Array.of(byte));
      for (let next = reader.next(); next !== null; next = reader.next()) found.push(next);
    }
    assert.deepEqual(found.map(learnerPacketOf), [
      { kind: "pong", zxid: 7n, touched: [{ session: 5n, timeoutMs: 4000 }] },
      { kind: "pong", zxid: 7n, touched: [{ session: 5n, timeoutMs: 4000 }] },
    ]);
  });

  test("of impossible lengths are refused before anything is kept for them", () => {
    for (const length of [-2, PACKET_BYTES_MAX + 1, 2 ** 31 - 1]) {
      const bytes = ping.slice();
      new DataView(bytes.buffer).setInt32(12, length);
      const reader = new PacketReader(PACKET_BYTES_MAX);
      reader.push(bytes);
      assert.throws(() => reader.next(), QuorumError);
    }
  });

  test("of types that nobody knows yet are passed over", () => {
    const unknown: QuorumPacket = { type: 99, zxid: 0n, data: null, authIds: null };
    assert.equal(learnerPacketOf(unknown), null);
    assert.equal(leaderPacketOf(unknown, null), null);
  });
});

describe("votes", () => {
  test("of 3.4 say less", () => {
    const old = new Uint8Array(28);
    new DataView(old.buffer).setBigInt64(12, 0x500000001n);
    const read = readNotification(old)!;
    assert.deepEqual([read.version, read.vote.epoch, read.config], [0, 5n, null]);
    assert.equal(readNotification(new Uint8Array(40))!.version, 0);
  });

  test("that are cut off, or of impossible lengths, are none", () => {
    assert.equal(readNotification(new Uint8Array(27)), null);
    const wrong = new Uint8Array(44);
    new DataView(wrong.buffer).setInt32(40, -5);
    assert.equal(readNotification(wrong), null);
    new DataView(wrong.buffer).setInt32(40, 2 ** 31 - 1);
    assert.equal(readNotification(wrong), null);
  });

  test("a first message is waited for, and one of an unknown version refused", () => {
    const bytes = initialBytes(3n, "127.0.0.1:3888");
    for (let length = 0; length < bytes.length; length++) assert.equal(readInitial(bytes.subarray(0, length)), null);
    assert.deepEqual(readInitial(bytes), { id: 3n, addresses: ["127.0.0.1:3888"], length: bytes.length });
    assert.deepEqual(readInitial(fromHex("0000000000000004")), { id: 4n, addresses: [], length: 8 });
    assert.throws(() => readInitial(fromHex("ffffffffffff00ff")));
  });
});

function packetOf({ hex }: QuorumRow): QuorumPacket {
  const reader = new PacketReader(PACKET_BYTES_MAX);
  reader.push(fromHex(hex!));
  const packet = reader.next();
  assert.ok(packet !== null && reader.takeRest().length === 0);
  return packet;
}

/** Through what it means, and back. */
function typed(packet: QuorumPacket, { conn, dir }: QuorumRow): QuorumPacket {
  const learner = /^q(\d+)-/.exec(conn!)![1];
  if (dir!.startsWith(`${learner}->`)) return packetOfLearner(learnerPacketOf(packet)!);
  return packetOfLeader(leaderPacketOf(packet, isSnap(packet) ? IMAGE : null)!);
}

function bytesOf(packet: QuorumPacket): Uint8Array {
  const out = new JuteWriter();
  writePacket(out, packet);
  return out.copy();
}

/**
 * A database is read, and written again, in as many bytes. Which of them comes first is the order of Java's hash tables, as are the numbers of ACLs:
 * where there is only one ACL, the bytes are the same.
 */
async function holdsAgain(bytes: Uint8Array): Promise<void> {
  const theirs = await databaseOf(bytes);
  const written = bytesOfDatabase(theirs);
  const ours = await databaseOf(written);
  assert.equal(written.length, bytes.length);
  assert.equal(ours.tree.digest, theirs.tree.digest);
  assert.deepEqual(ours.sessions, theirs.sessions);
  assert.equal(toHex(bytesOfDatabase(ours)), toHex(written));
  if (new DataView(bytes.buffer, bytes.byteOffset).getInt32(4 + 12 * theirs.sessions.size) === 1)
    assert.equal(toHex(written), toHex(bytes));
}

/** The bytes come one by one, with another packet's behind them. */
async function databaseOf(bytes: Uint8Array): ReturnType<typeof readDatabase> {
  const next = Uint8Array.of(7);
  async function* arriving(): AsyncGenerator<Uint8Array> {
    for (const byte of bytes) yield Uint8Array.of(byte);
    yield next;
  }
  const database = await readDatabase(arriving(), treeOptions(completed({}, true)), new AclInterner());
  assert.ok(database.rest.length <= 1);
  return database;
}

function bytesOfDatabase({ tree, sessions }: Awaited<ReturnType<typeof readDatabase>>): Uint8Array {
  const frozen = tree.freeze();
  const chunks = [...databaseChunks({ tree: frozen, sessions, lastZxid: 0n })].map((chunk) => chunk.slice());
  frozen.nodes.release();
  frozen.children.release();
  return Buffer.concat(chunks);
}

function electionRoundTrip(bytes: Uint8Array): string {
  if (bytes[0] !== 0xff) return toHex(notificationBytes(readNotification(bytes.subarray(4))!));
  const { id, addresses } = readInitial(bytes)!;
  // Of several addresses all are read, and only one is ever said.
  return addresses.length === 1 ? toHex(initialBytes(id, addresses[0]!)) : toHex(bytes);
}
