/** A server whose streams and time the test holds in its hands: it is the client at each stream's other end. */
import assert from "node:assert/strict";
import type { Op } from "../../lib/model/ops.ts";
import type { AuthId } from "../../lib/model/types.ts";
import type { Duplex, DuplexHandler, ListenAddress, Listener, Logger } from "../../lib/ports.ts";
import type { Server } from "../../lib/server/server.ts";
import { writeHello, writeRequest } from "../../lib/wire/codec.ts";
import { JuteWriter } from "../../lib/wire/jute.ts";
import { type OpenOptions, open } from "../../mod.ts";
import { ManualClock } from "./manual_clock.ts";
import { NEW_SESSION } from "./raw_client.ts";

export const HELLO: Uint8Array = frames((out) => writeHello(out, NEW_SESSION));
export const WELCOME_BYTES: number = 4 + 37;
export const REPLY_BYTES: number = 4 + 16;
export const PING: Uint8Array = request(-2, { kind: "ping" });

export function frames(write: (out: JuteWriter) => void): Uint8Array {
  const out = new JuteWriter(64);
  write(out);
  return out.written().slice();
}

export function request(xid: number, op: Exclude<Op, { kind: "unreadable" }>): Uint8Array {
  return frames((out) => writeRequest(out, xid, op));
}

export function create(path: string): Uint8Array {
  const acl = [{ perms: 31, scheme: "world", id: "anyone" }];
  return request(1, { kind: "create", path, data: null, acl, flags: 0, ttl: 0 });
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** The server's end of a stream; the test is the client. */
export class FakeStream implements Duplex {
  readonly authIds: readonly AuthId[] = [];
  readonly remotePort: number;
  readonly remoteAddress: string;
  readonly writes: Uint8Array[] = [];
  state: "open" | "ended" | "destroyed" = "open";
  paused = false;
  unsent = 0;
  /** So many bytes are on their way at once when they are written. */
  room: number = Number.POSITIVE_INFINITY;
  handler: DuplexHandler = { data() {}, drained() {}, closed() {} };

  constructor(remoteAddress: string, remotePort: number) {
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  write(bytes: Uint8Array): void {
    assert.equal(this.state, "open");
    this.writes.push(bytes);
    this.unsent += Math.max(bytes.length - this.room, 0);
    this.room = Math.max(this.room - bytes.length, 0);
  }
  /** The client takes some of what was sent to it. */
  take(bytes: number): void {
    this.unsent -= Math.min(bytes, this.unsent);
    if (this.unsent === 0) this.handler.drained();
  }
  bufferedBytes(): number {
    return this.unsent;
  }
  pause(): void {
    assert.equal(this.paused, false);
    this.paused = true;
  }
  resume(): void {
    assert.equal(this.paused, true);
    this.paused = false;
  }
  end(): void {
    this.state = "ended";
  }
  destroy(): void {
    this.state = "destroyed";
  }

  say(...bytes: readonly Uint8Array[]): void {
    for (const chunk of bytes) this.handler.data(chunk);
  }
  get text(): string {
    return Buffer.concat(this.writes).toString("latin1");
  }
  /** Bytes sent to the client so far, those that it has not taken included. */
  get writtenBytes(): number {
    return this.lengths.reduce((sum, length) => sum + length, 0);
  }
  /** xids of the replies so far, in order; the welcome left out. */
  get xids(): number[] {
    const all = Buffer.concat(this.writes);
    const xids: number[] = [];
    for (let at = WELCOME_BYTES; at < all.length; at += 4 + all.readInt32BE(at)) xids.push(all.readInt32BE(at + 4));
    return xids;
  }
  get lengths(): number[] {
    return this.writes.map(({ length }) => length);
  }
}

export class Stage implements Listener {
  readonly clock: ManualClock = new ManualClock();
  readonly logged: string[] = [];
  server!: Server;
  #accept: (duplex: Duplex) => DuplexHandler = () => assert.fail("not listening");
  #nextPort = 40_000;

  static async open(settings: OpenOptions = {}): Promise<Stage> {
    const stage = new Stage();
    const keep = (line: string): void => void stage.logged.push(line);
    const logger: Logger = { debug() {}, info() {}, warn: keep, error: keep };
    stage.server = await open({ clock: stage.clock, logger, fourLetterWords: ["*"], ...settings });
    await stage.server.listen(stage);
    return stage;
  }

  async start(accept: (duplex: Duplex) => DuplexHandler): Promise<ListenAddress> {
    this.#accept = accept;
    return { host: "127.0.0.1", port: 2181, secure: false };
  }
  async release(): Promise<void> {}
  async stop(): Promise<void> {}

  connect(address = "127.0.0.1"): FakeStream {
    const stream = new FakeStream(address, this.#nextPort++);
    stream.handler = this.#accept(stream);
    return stream;
  }

  /** What the server says to a word asked by a client of its own address. */
  ask(word: string): string {
    const stream = this.connect("127.9.9.9");
    stream.say(Buffer.from(word));
    stream.handler.closed();
    return stream.text;
  }
}
