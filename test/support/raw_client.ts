/**
 * A client that hides nothing: one TCP connection, every reply and event in the order in which it came, and any bytes on request.
 *
 * It does not reconnect, ping, or judge. Bytes are read and written by lib/wire, so it is for tests of what a server means; what
 * lib/wire itself makes of bytes is held against recordings (test/unit/wire).
 *
 *     const client = await RawClient.connect(address, { timeOut: 10_000 });
 *     const { zxid, outcome } = await client.request({ kind: "sync", path: "/" });
 */

import type { Hello, Welcome } from "../../lib/kernel/messages.ts";
import type { Op, Outcome } from "../../lib/model/ops.ts";
import type { WatchedEvent, Zxid } from "../../lib/model/types.ts";
import {
  NOTIFICATION_XID,
  PING_XID,
  readEvent,
  readResponse,
  readWelcome,
  writeHello,
  writeRequest,
} from "../../lib/wire/codec.ts";
import { JuteReader } from "../../lib/wire/jute.ts";
import { replyHeader } from "../../lib/wire/records.ts";
import { type Address, bytesOf, FrameConnection } from "./frame_connection.ts";

export interface Reply {
  readonly kind: "reply";
  readonly xid: number;
  readonly zxid: Zxid;
  readonly err: number;
  /** What the body says, as the answer to the op that was asked. */
  readonly outcome: Outcome;
  /** The body as it came. */
  readonly body: Uint8Array;
}

export interface Notification {
  readonly kind: "event";
  readonly event: WatchedEvent;
}

/** The server ended the connection before it answered. */
export class ConnectionEnded extends Error {
  constructor() {
    super("the connection ended before the answer");
    this.name = "ConnectionEnded";
  }
}

export const NEW_SESSION: Hello = {
  lastZxidSeen: 0n,
  timeOut: 30_000,
  sessionId: 0n,
  passwd: new Uint8Array(16),
  readOnly: false,
};

/** An answer that somebody waits for. The handshake has no xid: it is the first. */
interface Waiting {
  readonly xid: number | null;
  readonly op: Op["kind"];
  readonly resolve: (reply: Reply | Welcome) => void;
  readonly reject: (error: Error) => void;
}

export class RawClient {
  /** Everything that came after the handshake, in order. */
  readonly received: (Reply | Notification)[] = [];
  readonly #connection: FrameConnection;
  readonly #waiting: Waiting[] = [];
  #welcome: Welcome | null = null;
  #lastXid = 0;

  private constructor(connection: FrameConnection) {
    this.#connection = connection;
    connection.onFrame = (body) => this.#frame(body);
    void connection.ended.then(() => {
      for (const { reject } of this.#waiting.splice(0)) reject(new ConnectionEnded());
    });
  }

  /** Opens a connection and says nothing. */
  static async open(address: Address): Promise<RawClient> {
    return new RawClient(await FrameConnection.open(address));
  }

  /** Opens a connection and shakes hands; rejects with {@link ConnectionEnded} if there is no answer. */
  static async connect(address: Address, hello: Partial<Hello> = {}): Promise<RawClient> {
    const client = await RawClient.open(address);
    await client.hello(hello);
    return client;
  }

  /** Shakes hands. A refusal is an answer too: its timeOut is 0. */
  hello(hello: Partial<Hello>): Promise<Welcome> {
    const frame = bytesOf((out) => writeHello(out, { ...NEW_SESSION, ...hello }));
    return this.#ask(frame, null, "unknown") as Promise<Welcome>;
  }

  /** What the server answered to the handshake. */
  get welcome(): Welcome {
    if (this.#welcome === null) throw new Error("no handshake yet");
    return this.#welcome;
  }

  get isEnded(): boolean {
    return this.#connection.isEnded;
  }

  /** Settles when the connection has ended, whoever ended it. */
  get ended(): Promise<void> {
    return this.#connection.ended;
  }

  /** Asks, and resolves with the answer; rejects with {@link ConnectionEnded} if there will be none. */
  request(op: Exclude<Op, { kind: "unreadable" }>, xid: number = ++this.#lastXid): Promise<Reply> {
    const frame = bytesOf((out) => writeRequest(out, xid, op));
    return this.requestFrame(frame, xid, op.kind);
  }

  /** Asks with a frame made elsewhere; `op` says how to read the answer. */
  requestFrame(frame: Uint8Array, xid: number, op: Op["kind"]): Promise<Reply> {
    return this.#ask(frame, xid, op) as Promise<Reply>;
  }

  ping(): Promise<Reply> {
    return this.request({ kind: "ping" }, PING_XID);
  }

  /** Any bytes at all. */
  send(bytes: Uint8Array): void {
    this.#connection.send(bytes);
  }

  /** Cuts the connection; the session lives on. */
  drop(): Promise<void> {
    return this.#connection.drop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drop();
  }

  #ask(frame: Uint8Array, xid: number | null, op: Op["kind"]): Promise<Reply | Welcome> {
    if (this.isEnded) return Promise.reject(new ConnectionEnded());
    const answered = new Promise<Reply | Welcome>((resolve, reject) => this.#waiting.push({ xid, op, resolve, reject }));
    this.send(frame);
    return answered;
  }

  #frame(body: Uint8Array): void {
    const reader = new JuteReader(body);
    if (this.#waiting[0]?.xid === null) {
      this.#welcome = readWelcome(reader);
      this.#waiting.shift()!.resolve(this.#welcome);
      return;
    }
    const { xid, zxid, err } = replyHeader(reader);
    if (xid === NOTIFICATION_XID && err === 0) {
      this.received.push({ kind: "event", event: readEvent(reader, zxid) });
      return;
    }
    const at = this.#waiting.findIndex((waiting) => waiting.xid === xid);
    const asked = at === -1 ? undefined : this.#waiting.splice(at, 1)[0];
    const outcome = readResponse(new JuteReader(body.subarray(reader.offset)), asked?.op ?? "unknown", err);
    const reply: Reply = { kind: "reply", xid, zxid, err, outcome, body: body.subarray(reader.offset) };
    this.received.push(reply);
    asked?.resolve(reply);
  }
}
