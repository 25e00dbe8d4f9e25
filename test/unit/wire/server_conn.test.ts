import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Hello, Welcome } from "../../../lib/kernel/messages.ts";
import { DONE, type Op, type Outcome } from "../../../lib/model/ops.ts";
import { writeHello, writeReply, writeRequest, writeWelcome } from "../../../lib/wire/codec.ts";
import { JuteWriter } from "../../../lib/wire/jute.ts";
import { FOUR_LETTER_WORDS, ServerConn, type ServerConnOwner } from "../../../lib/wire/server_conn.ts";
import { fromHex, toHex } from "../../support/golden.ts";

const HELLO: Hello = { lastZxidSeen: 5n, timeOut: 10_000, sessionId: 0n, passwd: new Uint8Array(16), readOnly: false };
const WELCOME: Welcome = { timeOut: 10_000, sessionId: 7n, passwd: new Uint8Array(16).fill(9), readOnly: false };
const REFUSED: Welcome = { timeOut: 0, sessionId: 0n, passwd: new Uint8Array(16), readOnly: false };
const GET: Op = { kind: "getData", path: "/a", watch: true };
const PING: Op = { kind: "ping" };

function bytesOf(write: (out: JuteWriter) => void): Uint8Array {
  const out = new JuteWriter();
  write(out);
  return out.copy();
}
const hello = bytesOf((out) => writeHello(out, HELLO));
const shortHello = bytesOf((out) => writeHello(out, HELLO, true));
const get = bytesOf((out) => writeRequest(out, 1, GET));
const ping = bytesOf((out) => writeRequest(out, -2, PING));
const welcomeBytes = bytesOf((out) => writeWelcome(out, WELCOME));

/** A connection and a log of what it asks its owner; the owner welcomes at once if told to. */
class Recorder implements ServerConnOwner {
  readonly heard: unknown[] = [];
  announced = 0;
  /** A word that is not on the list. */
  refused = "";
  readonly conn: ServerConn;
  readonly #welcome: Welcome | null;

  constructor(welcome: Welcome | null = null, frameBytesMax = 1000) {
    this.#welcome = welcome;
    this.conn = new ServerConn(this, frameBytesMax);
  }
  connect(said: Hello): void {
    this.heard.push(["connect", said]);
    if (this.#welcome !== null) this.conn.welcome(this.#welcome);
  }
  request(xid: number, op: Op): void {
    this.heard.push(["request", xid, op]);
  }
  disconnect(): void {
    this.heard.push(["disconnect"]);
  }
  tooLong(): void {} // told.test.ts
  takesMore(): boolean {
    return true;
  }
  answersWord(word: string): boolean {
    return word !== this.refused;
  }
  word(word: string, mask: bigint | null): void {
    this.heard.push(["word", word, mask]);
  }
  somethingToSend(): void {
    this.announced++;
  }
  /** Feeds bytes that are overwritten afterwards, whole or one at a time. */
  feed(bytes: Uint8Array, oneByOne: boolean): void {
    const size = oneByOne ? 1 : bytes.length;
    for (let at = 0; at < bytes.length; at += size) {
      const lent = bytes.slice(at, at + size);
      this.conn.receive(lent);
      lent.fill(0xee);
    }
  }
  taken(): string {
    return toHex(this.conn.take() ?? new Uint8Array(0));
  }
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

for (const oneByOne of [false, true]) {
  describe(`a connection fed ${oneByOne ? "one byte at a time" : "whole chunks"}`, () => {
    test("greets, and answers", () => {
      const it = new Recorder();
      it.feed(hello, oneByOne);
      assert.deepEqual(it.heard, [["connect", HELLO]]);
      it.conn.welcome(WELCOME);
      assert.equal(it.taken(), toHex(welcomeBytes));
      it.feed(concat(get, ping), oneByOne);
      assert.deepEqual(it.heard.slice(1), [
        ["request", 1, GET],
        ["request", -2, PING],
      ]);
      const missing: Outcome = { kind: "error", code: "NoNode" };
      it.conn.reply(1, 3n, missing);
      it.conn.reply(-2, 3n, DONE);
      it.conn.event({ type: "NodeCreated", path: "/w", zxid: -1n });
      const event = "0000001effffffffffffffffffffffff000000000000000100000003000000022f77";
      const replies = bytesOf((out) => {
        writeReply(out, 1, 3n, missing);
        writeReply(out, -2, 3n, DONE);
      });
      assert.equal(it.announced, 2);
      assert.equal(it.taken(), toHex(replies) + event);
      assert.equal(it.taken(), "");
      assert.equal(it.conn.ended, false);
    });

    test("leaves the readOnly byte out for a client that does not know it", () => {
      const it = new Recorder(WELCOME);
      it.feed(shortHello, oneByOne);
      assert.deepEqual(it.heard, [["connect", HELLO]]);
      assert.equal(it.taken(), toHex(bytesOf((out) => writeWelcome(out, WELCOME, true))));
    });

    test("keeps requests behind the handshake until it is welcome", () => {
      const it = new Recorder();
      it.feed(concat(hello, get, ping), oneByOne);
      assert.equal(it.heard.length, 1);
      assert.equal(it.conn.holding, true);
      it.conn.welcome(WELCOME);
      assert.equal(it.conn.holding, false);
      assert.deepEqual(it.heard.slice(1), [
        ["request", 1, GET],
        ["request", -2, PING],
      ]);
    });

    test("goes on at once when the welcome comes from within connect", () => {
      const it = new Recorder(WELCOME);
      it.feed(concat(hello, get, ping), oneByOne);
      assert.equal(it.heard.length, 3);
    });

    test("loses them when it is refused", () => {
      const it = new Recorder(REFUSED);
      it.feed(concat(hello, get), oneByOne);
      it.conn.close();
      it.feed(get, oneByOne);
      assert.equal(it.heard.length, 1);
      const refused = `0000002500000000000000000000000000000000${"00000010"}${"00".repeat(16)}00`;
      assert.equal(it.taken(), refused);
      assert.equal(it.conn.ended, true);
    });

    test("stays ended when the welcome comes too late", () => {
      const it = new Recorder();
      it.feed(hello, oneByOne);
      it.conn.gone();
      it.conn.welcome(WELCOME);
      it.feed(get, oneByOne);
      assert.equal(it.conn.ended, true);
      assert.equal(it.taken(), "");
      assert.deepEqual(it.heard.slice(1), [["disconnect"]]);
    });

    test("hears a second ConnectRequest as a request with opcode 0", () => {
      const it = new Recorder(WELCOME);
      it.feed(concat(hello, hello), oneByOne);
      assert.deepEqual(it.heard.slice(1), [["request", 0, { kind: "unknown", opcode: 0 }]]);
    });

    test("ends without a word for what makes no sense", () => {
      const nonsense: readonly [string, string, boolean][] = [
        ["a negative length", "ffffffff", true],
        ["a length above the limit", "000003e9", true],
        ["a frame too short for a header", "0000000700000001000000", true],
        ["an empty frame", "00000000", true],
        ["a handshake that is none", "000000080000000000000000", false],
      ];
      for (const [what, hex, afterHandshake] of nonsense) {
        const it = new Recorder(WELCOME);
        if (afterHandshake) it.feed(hello, oneByOne);
        const greeting = it.taken();
        it.feed(concat(fromHex(hex), get), oneByOne);
        assert.equal(it.conn.ended, true, what);
        assert.equal(it.taken(), "", what);
        const tail = afterHandshake ? [["connect", HELLO], ["disconnect"]] : [];
        assert.deepEqual(it.heard, tail, what);
        assert.equal(greeting !== "", afterHandshake);
      }
    });

    test("says one disconnect when the stream goes, and none when the host closed it", () => {
      const gone = new Recorder(WELCOME);
      gone.feed(hello, oneByOne);
      gone.conn.gone();
      gone.conn.gone();
      assert.deepEqual(gone.heard.slice(1), [["disconnect"]]);

      const closed = new Recorder(WELCOME);
      closed.feed(hello, oneByOne);
      closed.conn.reply(1, 2n, DONE);
      closed.conn.close();
      assert.equal(closed.announced, 1);
      assert.equal(closed.taken().endsWith("0000001000000001000000000000000200000000"), true);
      assert.equal(closed.conn.ended, true);
      closed.conn.gone();
      closed.feed(get, oneByOne);
      assert.equal(closed.heard.length, 1);

      const silent = new Recorder();
      silent.feed(hello.subarray(0, 20), oneByOne);
      silent.conn.gone();
      assert.deepEqual(silent.heard, []);
    });

    test("hands over four-letter words", () => {
      for (const word of FOUR_LETTER_WORDS) {
        if (word === "stmk") continue;
        const it = new Recorder();
        it.feed(concat(Buffer.from(word), Buffer.from("\nmore")), oneByOne);
        assert.deepEqual(it.heard, [["word", word, null]]);
        it.conn.answer("imok");
        it.feed(hello, oneByOne);
        assert.equal(it.taken(), "696d6f6b");
        assert.equal(it.conn.ended, true);
        assert.equal(it.heard.length, 1);
      }
    });

    test("waits for the mask behind stmk", () => {
      const it = new Recorder();
      it.feed(Buffer.from("stmk"), oneByOne);
      assert.deepEqual(it.heard, []);
      it.feed(fromHex("0000000000000132"), oneByOne);
      assert.deepEqual(it.heard, [["word", "stmk", 306n]]);
    });

    test("waits for nothing behind a stmk that is refused", () => {
      const it = new Recorder();
      it.refused = "stmk";
      it.feed(Buffer.from("stmk"), oneByOne);
      assert.deepEqual(it.heard, [["word", "stmk", null]]);
    });

    test("takes other letters for the length of a frame, and words for nothing else after the handshake", () => {
      const it = new Recorder();
      it.feed(Buffer.from("ruoK"), oneByOne);
      assert.equal(it.conn.ended, true);
      assert.deepEqual(it.heard, []);

      const open = new Recorder(WELCOME);
      open.feed(concat(hello, Buffer.from("ruok")), oneByOne);
      assert.deepEqual(open.heard.slice(1), [["disconnect"]]);
    });
  });
}

describe("what a connection sends", () => {
  test("large and small, in one piece a turn, and nothing of it is written over later", () => {
    const it = new Recorder(WELCOME);
    it.feed(hello, false);
    const kept: { bytes: Uint8Array; hex: string }[] = [];
    for (const length of [10, 100_000, 20, 3000]) {
      it.conn.reply(1, 1n, { kind: "ephemerals", ephemerals: ["x".repeat(length)] });
      it.conn.reply(2, 1n, DONE);
      const bytes = it.conn.take()!;
      kept.push({ bytes, hex: toHex(bytes) });
    }
    for (const { bytes, hex } of kept) assert.equal(toHex(bytes), hex);
    assert.equal(kept[1]!.bytes.length, 4 + 16 + 4 + 4 + 100_000 + 20);
  });
});
