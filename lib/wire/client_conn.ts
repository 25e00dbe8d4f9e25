/**
 * The client's side of one connection, without a socket: what is asked becomes bytes, bytes become the welcome, replies and events.
 *
 * How the glue that has the stream uses it:
 * - `hello` first, then `request`, as often as there is something to ask, once the welcome has come;
 * - what arrives goes to `receive`;
 * - after a call of `somethingToSend`, at the end of the turn, `take` gives all of it in one piece;
 * - `stop` when the connection is given up: then nothing is called back any more, not even from within a `receive` that is going on.
 *
 * A reply doesn't say what it answers, so the kind of each request is remembered until its reply has come.
 *
 * Not here: sessions, time and what comes after a loss (client/session.ts). Invariants: bytes that make no sense are told by `broken`, once, and
 * nothing after it; replies to ordinary requests come in the order of the requests, or the connection is broken.
 */

import { Fifo } from "../base/fifo.ts";
import { Slab } from "../base/slab.ts";
import type { Hello, Welcome } from "../kernel/messages.ts";
import { errorCodeOf } from "../model/errors.ts";
import { DONE, type Op, type Outcome } from "../model/ops.ts";
import type { WatchedEvent, Zxid } from "../model/types.ts";
import { NOTIFICATION_XID, readEvent, readResponse, readWelcome, writeHello, writeRequest } from "./codec.ts";
import { Framer } from "./framer.ts";
import { JuteError, JuteReader } from "./jute.ts";
import { Outbox } from "./outbox.ts";

/** What a connection tells whoever owns it. It may be asked or stopped from within the call. */
export interface ClientConnOwner {
  welcome(welcome: Welcome): void;
  reply(xid: number, zxid: Zxid, outcome: Outcome): void;
  event(event: WatchedEvent): void;
  /** The server said what makes no sense. Nothing can be read from it any more. */
  broken(reason: string): void;
  /** There is something to take. Said once until the next `take`. */
  somethingToSend(): void;
}

/** A request that can be sent. */
export type ClientOp = Exclude<Op, { kind: "unreadable" }>;

interface Asked {
  readonly xid: number;
  readonly kind: ClientOp["kind"];
}

const REPLY_HEADER_BYTES = 16;

// One reader serves all connections: it is done with a frame before anybody hears of it. What callers get shares no memory with what a server in
// the same process keeps.
const reader = new JuteReader(undefined, new Slab(4096));

export class ClientConn {
  readonly #owner: ClientConnOwner;
  readonly #framer: Framer;
  readonly #outbox: Outbox;
  readonly #asked: Fifo<Asked> = new Fifo<Asked>();
  #state: "greeting" | "open" | "stopped" = "greeting";

  /** @param replyBytesMax longest reply that is taken */
  constructor(owner: ClientConnOwner, replyBytesMax: number) {
    this.#owner = owner;
    this.#framer = new Framer(replyBytesMax);
    this.#outbox = new Outbox(() => owner.somethingToSend());
  }

  // ── to the stream ──

  hello(hello: Hello): void {
    writeHello(this.#outbox.writer, hello);
  }

  /** Asks. A negative xid is one of the protocol's own: pings, credentials, watches to set again. Their replies stand outside the order. */
  request(xid: number, op: ClientOp): void {
    if (this.#state === "stopped") return;
    writeRequest(this.#outbox.writer, xid, op);
    if (xid >= 0) this.#asked.push({ xid, kind: op.kind });
  }

  /** Everything there is to send, in one piece that the caller may keep; null for nothing. */
  take(): Uint8Array | null {
    return this.#outbox.take();
  }

  // ── from the stream ──

  /** Takes what arrived. The bytes belong to the caller again when it returns. */
  receive(bytes: Uint8Array): void {
    if (this.#state === "stopped") return;
    this.#framer.push(bytes);
    for (let found = this.#framer.next(reader); found !== "more"; found = this.#framer.next(reader)) {
      if (found === "bad") return this.#break("a frame of impossible length");
      this.#frame();
      if (this.#isStopped()) return;
    }
    this.#framer.keepRest();
  }

  /** Gives the connection up. */
  stop(): void {
    this.#state = "stopped";
    this.#framer.clear();
  }

  #frame(): void {
    try {
      if (this.#state === "greeting") this.#welcome();
      else this.#reply();
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.#break(error.message);
    }
  }

  #welcome(): void {
    // What a read-only server of 3.7 to 3.9 says that has no sessions to give: the header of a reply.
    if (reader.remaining === REPLY_HEADER_BYTES) return this.#break("the server is read-only and gives no sessions");
    const welcome = readWelcome(reader);
    this.#state = "open";
    this.#owner.welcome(welcome);
  }

  #reply(): void {
    const xid = reader.int();
    const zxid = reader.long();
    const err = reader.int();
    if (xid === NOTIFICATION_XID) return this.#owner.event(readEvent(reader, zxid));
    if (xid < 0) return this.#owner.reply(xid, zxid, err === 0 ? DONE : { kind: "error", code: errorCodeOf(err) });
    const asked = this.#asked.shift();
    if (asked?.xid !== xid) return this.#break(`a reply to request ${xid} where ${asked?.xid ?? "none"} was due`);
    this.#owner.reply(xid, zxid, readResponse(reader, asked.kind, err));
  }

  #break(reason: string): void {
    this.stop();
    this.#owner.broken(reason);
  }

  // Whoever is called back may stop the connection, which control flow analysis doesn't know.
  #isStopped(): boolean {
    return this.#state === "stopped";
  }
}
