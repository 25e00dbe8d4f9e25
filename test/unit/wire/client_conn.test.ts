/** The client's side of a connection: fed whole chunks, one byte at a time, and what no server should say. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Hello, Welcome } from "../../../lib/kernel/messages.ts";
import { DONE, type Outcome } from "../../../lib/model/ops.ts";
import { copyOfStat } from "../../../lib/model/stat.ts";
import type { Stat, WatchedEvent, Zxid } from "../../../lib/model/types.ts";
import { ClientConn, type ClientConnOwner, type ClientOp } from "../../../lib/wire/client_conn.ts";
import { writeEvent, writeHello, writeReply, writeRequest, writeWelcome } from "../../../lib/wire/codec.ts";
import { bytesOf } from "../../support/frame_connection.ts";
import { type ClientRow, fromHex, goldenRows, toHex } from "../../support/golden.ts";

const HELLO: Hello = { lastZxidSeen: 5n, timeOut: 10_000, sessionId: 0n, passwd: new Uint8Array(16), readOnly: true };
const WELCOME: Welcome = { timeOut: 10_000, sessionId: 7n, passwd: new Uint8Array(16).fill(9), readOnly: false };
const EVENT: WatchedEvent = { type: "NodeDataChanged", path: "/a", zxid: -1n };
const STAT: Stat = {
  ...{ czxid: 1n, mzxid: 2n, ctime: 3, mtime: 4, version: 5, cversion: 6, aversion: 7 },
  ...{ ephemeralOwner: 0n, dataLength: 1, numChildren: 0, pzxid: 1n },
};
const DATA: Outcome = { kind: "data", data: Uint8Array.of(1), stat: copyOfStat(STAT) };

const welcome = bytesOf((out) => writeWelcome(out, WELCOME));
const event = bytesOf((out) => writeEvent(out, EVENT));
const reply = (xid: number, zxid: Zxid, outcome: Outcome): Uint8Array => bytesOf((out) => writeReply(out, xid, zxid, outcome));

/** A connection and a log of what it tells its owner. */
class Recorder implements ClientConnOwner {
  readonly heard: unknown[] = [];
  announced = 0;
  readonly conn: ClientConn;
  stopAt = "";

  constructor(replyBytesMax = 1000) {
    this.conn = new ClientConn(this, replyBytesMax);
  }
  welcome(said: Welcome): void {
    this.#hear("welcome", said);
  }
  reply(xid: number, zxid: Zxid, outcome: Outcome): void {
    this.#hear("reply", xid, zxid, outcome);
  }
  event(said: WatchedEvent): void {
    this.#hear("event", said);
  }
  broken(reason: string): void {
    this.#hear("broken", reason);
  }
  somethingToSend(): void {
    this.announced++;
  }
  #hear(kind: string, ...rest: unknown[]): void {
    this.heard.push([kind, ...rest]);
    if (kind === this.stopAt) this.conn.stop();
  }
  /** Feeds bytes that are overwritten afterwards, whole or one at a time. */
  feed(oneByOne: boolean, ...frames: readonly Uint8Array[]): void {
    const bytes = new Uint8Array(Buffer.concat(frames));
    const size = oneByOne ? 1 : bytes.length;
    for (let at = 0; at < bytes.length; at += size) {
      const lent = bytes.slice(at, at + size);
      this.conn.receive(lent);
      lent.fill(0xee);
    }
  }
}

for (const oneByOne of [false, true]) {
  describe(`a connection fed ${oneByOne ? "one byte at a time" : "whole chunks"}`, () => {
    test("hears the welcome, replies as what was asked, and events between them", () => {
      const it = new Recorder();
      it.conn.hello(HELLO);
      it.feed(oneByOne, welcome);
      it.conn.request(1, { kind: "getData", path: "/a", watch: true });
      it.conn.request(2, { kind: "delete", path: "/a", version: -1 });
      it.conn.request(3, { kind: "exists", path: "/a", watch: false });
      it.feed(oneByOne, reply(1, 8n, DATA), event, reply(2, 9n, DONE), reply(3, 9n, { kind: "error", code: "NoNode" }));
      assert.deepEqual(it.heard, [
        ["welcome", WELCOME],
        ["reply", 1, 8n, DATA],
        ["event", EVENT],
        ["reply", 2, 9n, DONE],
        ["reply", 3, 9n, { kind: "error", code: "NoNode" }],
      ]);
    });

    test("lets replies to pings, credentials and watches come out of turn", () => {
      const it = new Recorder();
      it.feed(oneByOne, welcome);
      it.conn.request(1, { kind: "delete", path: "/a", version: -1 });
      it.conn.request(-4, { kind: "auth", scheme: "digest", auth: Uint8Array.of(1) });
      it.conn.request(-2, { kind: "ping" });
      it.feed(oneByOne, reply(-4, 0n, { kind: "error", code: "AuthFailed" }), reply(-2, 7n, DONE), reply(1, 8n, DONE));
      assert.deepEqual(it.heard.slice(1), [
        ["reply", -4, 0n, { kind: "error", code: "AuthFailed" }],
        ["reply", -2, 7n, DONE],
        ["reply", 1, 8n, DONE],
      ]);
    });

    test("is broken by a reply that is not due, and says nothing after that", () => {
      const it = new Recorder();
      it.feed(oneByOne, welcome);
      it.conn.request(1, { kind: "delete", path: "/a", version: -1 });
      it.feed(oneByOne, reply(2, 8n, DONE), reply(1, 9n, DONE));
      assert.deepEqual(it.heard.slice(1), [["broken", "a reply to request 2 where 1 was due"]]);
      it.feed(oneByOne, event);
      assert.equal(it.heard.length, 2);
    });

    test("is broken by a reply to nothing, by an impossible length, and by bodies that end early", () => {
      for (const [bytes, reason] of [
        [reply(1, 8n, DONE), "a reply to request 1 where none was due"],
        [fromHex("ffffffff"), "a frame of impossible length"],
        [fromHex("7fffffff"), "a frame of impossible length"],
        [fromHex("00000004fffffffe"), "8 bytes wanted at byte 8, 0 left"],
        [event.with(3, event[3]! - 1).subarray(0, event.length - 1), "length 2 at byte 28, 1 bytes left"],
      ] as const) {
        const it = new Recorder();
        it.feed(oneByOne, welcome, bytes);
        const [kind, said] = it.heard[1] as string[];
        assert.equal(kind, "broken");
        // Where the frame lies within its chunk depends on the chunks.
        assert.equal(said!.replace(/at byte \d+/, ""), reason.replace(/at byte \d+/, ""));
        assert.equal(it.heard.length, 2);
      }
    });

    test("says nothing more once stopped, even within a chunk", () => {
      for (const stopAt of ["welcome", "event"]) {
        const it = new Recorder();
        it.stopAt = stopAt;
        it.feed(oneByOne, welcome, event, event);
        assert.deepEqual((it.heard.at(-1) as string[])[0], stopAt);
        assert.equal(it.heard.length, stopAt === "welcome" ? 1 : 2);
      }
    });
  });
}

test("what a turn asks is taken in one piece and announced once", () => {
  const it = new Recorder();
  const ping: ClientOp = { kind: "ping" };
  const get: ClientOp = { kind: "getData", path: "/a", watch: false };
  it.conn.hello(HELLO);
  it.conn.request(1, get);
  it.conn.request(-2, ping);
  assert.equal(it.announced, 1);
  const expected = bytesOf((out) => {
    writeHello(out, HELLO);
    writeRequest(out, 1, get);
    writeRequest(out, -2, ping);
  });
  const taken = it.conn.take()!;
  assert.equal(toHex(taken), toHex(expected));
  assert.equal(it.conn.take(), null);
  it.conn.request(2, get);
  assert.equal(it.announced, 2);
  assert.equal(toHex(taken), toHex(expected), "what was taken is not written into again");
});

test("a stopped connection takes no more requests", () => {
  const it = new Recorder();
  it.conn.stop();
  it.conn.request(1, { kind: "ping" });
  assert.equal(it.conn.take(), null);
});

test("the header that a read-only server without sessions answers with is understood as that", () => {
  const row = goldenRows<ClientRow>("client", "read-only-without-local-sessions.jsonl").find(
    ({ dir, hex }) => dir === "s2c" && hex.length === 2 * 20,
  )!;
  const it = new Recorder();
  it.feed(false, fromHex(row.hex));
  assert.deepEqual(it.heard, [["broken", "the server is read-only and gives no sessions"]]);
});
