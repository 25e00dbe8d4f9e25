/**
 * A client that hides nothing: one TCP connection, every frame in the order in which it came, and any bytes on request.
 *
 * It does not reconnect, ping, or judge. Bytes are read and written by lib/wire, so it is for tests of what a server means; what
 * lib/wire itself makes of bytes is held against recordings (test/unit/wire).
 *
 *     const client = await RawClient.connect(address, { timeOut: 10_000 });
 *     const { zxid, outcome } = await client.request({ kind: "sync", path: "/" });
 */

import { connect, type Socket } from "node:net";
import type { Hello, Welcome } from "../../lib/kernel/messages.ts";
import type { Op, Outcome } from "../../lib/ops.ts";
import type { WatchedEvent, Zxid } from "../../lib/types.ts";
import {
  NOTIFICATION_XID,
  PING_XID,
  readEvent,
  readResponse,
  readWelcome,
  writeHello,
  writeRequest,
} from "../../lib/wire/codec.ts";
import { Framer } from "../../lib/wire/framer.ts";
import { JuteReader, JuteWriter } from "../../lib/wire/jute.ts";
import { replyHeader } from "../../lib/wire/records.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

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

/** Replies may be larger than any request. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

interface Waiting {
  readonly op: Op["kind"];
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

export class RawClient {
  /** Everything that came after the handshake, in order. */
  readonly received: (Reply | Notification)[] = [];
  readonly #socket: Socket;
  readonly #framer = new Framer(FRAME_BYTES_MAX);
  readonly #reader = new JuteReader();
  readonly #waiting: { readonly xid: number; readonly waiting: Waiting }[] = [];
  #welcome: Welcome | null = null;
  #welcomed: ((error: Error | null) => void) | null = null;
  #nextXid = 1;
  #ended = false;
  /** Settles when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", () => {}); // a close follows
    this.ended = new Promise((resolve) => {
      socket.on("close", () => {
        this.#end();
        resolve();
      });
    });
  }

  /** Opens a connection and says nothing. */
  static open({ host, port }: Address): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true }, () => {
        socket.off("error", reject);
        resolve(new RawClient(socket));
      });
      socket.once("error", reject);
    });
  }

  /** Opens a connection and shakes hands; rejects with {@link ConnectionEnded} if there is no answer. */
  static async connect(address: Address, hello: Partial<Hello> = {}): Promise<RawClient> {
    const client = await RawClient.open(address);
    await client.hello(hello);
    return client;
  }

  /** Shakes hands. A refusal is an answer too: see `welcome`. */
  hello(hello: Partial<Hello>): Promise<Welcome> {
    const answered = new Promise<Welcome>((resolve, reject) => {
      this.#welcomed = (error) => (error === null ? resolve(this.welcome) : reject(error));
    });
    this.send(frameOf((out) => writeHello(out, { ...NEW_SESSION, ...hello })));
    return answered;
  }

  /** What the server answered to the handshake. */
  get welcome(): Welcome {
    if (this.#welcome === null) throw new Error("no handshake yet");
    return this.#welcome;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  /** Asks, and resolves with the answer; rejects with {@link ConnectionEnded} if there will be none. */
  request(op: Exclude<Op, { kind: "unreadable" }>, xid: number = this.#takeXid()): Promise<Reply> {
    return this.requestFrame(
      frameOf((out) => writeRequest(out, xid, op)),
      op.kind,
      xid,
    );
  }

  /** Asks with a frame made elsewhere; `op` says how to read the answer. */
  requestFrame(frame: Uint8Array, op: Op["kind"], xid: number): Promise<Reply> {
    const answered = new Promise<Reply>((resolve, reject) => {
      if (this.#ended) reject(new ConnectionEnded());
      else this.#waiting.push({ xid, waiting: { op, resolve, reject } });
    });
    this.send(frame);
    return answered;
  }

  ping(): Promise<Reply> {
    return this.request({ kind: "ping" }, PING_XID);
  }

  /** Any bytes at all. */
  send(bytes: Uint8Array): void {
    if (!this.#ended) this.#socket.write(bytes);
  }

  /** Cuts the connection; the session lives on. */
  async drop(): Promise<void> {
    this.#socket.destroy();
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drop();
  }

  #takeXid(): number {
    return this.#nextXid++;
  }

  #receive(chunk: Uint8Array): void {
    this.#framer.push(chunk);
    while (this.#framer.next(this.#reader) === "frame") this.#frame(this.#reader);
    this.#framer.keepRest();
  }

  #frame(reader: JuteReader): void {
    if (this.#welcomed !== null) {
      this.#welcome = readWelcome(reader);
      this.#welcomed(null);
      this.#welcomed = null;
      return;
    }
    const { xid, zxid, err } = replyHeader(reader);
    if (xid === NOTIFICATION_XID && err === 0) {
      this.received.push({ kind: "event", event: readEvent(reader, zxid) });
      return;
    }
    const body = new Uint8Array(reader.remaining);
    for (let i = 0; i < body.length; i++) body[i] = reader.byte();
    const at = this.#waiting.findIndex((request) => request.xid === xid);
    const [request] = at === -1 ? [] : this.#waiting.splice(at, 1);
    const outcome = readResponse(new JuteReader(body), request?.waiting.op ?? "unknown", err);
    const reply: Reply = { kind: "reply", xid, zxid, err, outcome, body };
    this.received.push(reply);
    request?.waiting.resolve(reply);
  }

  #end(): void {
    this.#ended = true;
    const error = new ConnectionEnded();
    this.#welcomed?.(error);
    this.#welcomed = null;
    for (const { waiting } of this.#waiting.splice(0)) waiting.reject(error);
  }
}

/** A frame as it is written. */
export function frameOf(write: (out: JuteWriter) => void): Uint8Array {
  const out = new JuteWriter();
  write(out);
  return out.copy();
}
