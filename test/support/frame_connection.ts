/** One TCP connection that carries frames: bytes out as they are given, frames in as they come. Nothing is interpreted. */

import { connect, type Socket } from "node:net";
import { Framer } from "../../lib/wire/framer.ts";
import { JuteReader, JuteWriter } from "../../lib/wire/jute.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
  /** The address to come from; default: as the system chooses. */
  readonly localAddress?: string;
}

/** Replies may be larger than any request. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

export class FrameConnection {
  /** Hears each frame's body, until it is told otherwise: then they wait for {@link next}. */
  onFrame: (body: Uint8Array) => void = (body) => this.#keep(body);
  /** Settles when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #framer = new Framer(FRAME_BYTES_MAX);
  readonly #reader = new JuteReader();
  readonly #kept: Uint8Array[] = [];
  #wanted: ((body: Uint8Array | null) => void) | null = null;
  #isEnded = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", () => {}); // a close follows
    this.ended = new Promise((resolve) => {
      socket.on("close", () => {
        this.#isEnded = true;
        this.#wanted?.(null);
        resolve();
      });
    });
  }

  static open(address: Address): Promise<FrameConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...address, noDelay: true }, () => {
        socket.off("error", reject);
        resolve(new FrameConnection(socket));
      });
      socket.once("error", reject);
    });
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The next frame's body; null if the connection ends before it. One may wait at a time. */
  next(): Promise<Uint8Array | null> {
    const kept = this.#kept.shift();
    if (kept !== undefined || this.#isEnded) return Promise.resolve(kept ?? null);
    return new Promise((resolve) => {
      this.#wanted = (body) => {
        this.#wanted = null;
        resolve(body);
      };
    });
  }

  send(bytes: Uint8Array): void {
    if (!this.#isEnded) this.#socket.write(bytes);
  }

  /** Says that nothing more is sent, and resolves when the other side has let go too. */
  async finish(): Promise<void> {
    this.#socket.end();
    await this.ended;
  }

  /** Cuts the connection. */
  async drop(): Promise<void> {
    this.#socket.destroy();
    await this.ended;
  }

  #keep(body: Uint8Array): void {
    if (this.#wanted === null) this.#kept.push(body);
    else this.#wanted(body);
  }

  #receive(chunk: Uint8Array): void {
    this.#framer.push(chunk);
    while (this.#framer.next(this.#reader) === "frame") {
      const body = new Uint8Array(this.#reader.remaining);
      for (let i = 0; i < body.length; i++) body[i] = this.#reader.byte();
      this.onFrame(body);
    }
    this.#framer.keepRest();
  }
}

/** Bytes as they are written. */
export function bytesOf(write: (out: JuteWriter) => void): Uint8Array {
  const out = new JuteWriter();
  write(out);
  return out.copy();
}
