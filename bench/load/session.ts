/**
 * One connection with one ZooKeeper session: connects, shakes hands, hands over frames, says goodbye.
 *
 * It never reconnects, keeps no watches and sends no pings of its own: a lost connection ends the measurement with an error.
 *
 * Invariant: between `open` and `close` every frame from the server goes to the current sink; nothing is read by two owners.
 */

import { connect, type Socket } from "node:net";
import { closeSession, connectRequest, EVENT_XID, patchXid } from "./frames.ts";
import { FrameReader, type FrameSink, REPLY_HEADER_BYTES, replyError, replyXid } from "./replies.ts";

const SESSION_TIMEOUT_MS = 40_000;

/** How long a connection may take to be there or to answer outside the measured time. */
const ANSWER_TIMEOUT_MS = 60_000;

export interface Reply {
  readonly error: number;
  readonly body: Buffer;
}

export class Session {
  readonly #socket: Socket;
  readonly #reader: FrameReader = new FrameReader();
  #sink: FrameSink = IGNORE;
  #fail: (error: Error) => void = () => {};
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      try {
        this.#reader.push(chunk, this.#sink);
      } catch (error) {
        this.#fail(error as Error);
      }
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => {
      if (!this.#ended) this.#fail(new Error("the server closed a connection"));
    });
  }

  /** Connects and waits for the ConnectResponse. Rejects when the server refuses, closes or does not answer in time. */
  static async open(port: number, timeoutMs: number = ANSWER_TIMEOUT_MS): Promise<Session> {
    const session = new Session(connect({ host: "127.0.0.1", port }));
    try {
      const response = await session.#answer(connectRequest(SESSION_TIMEOUT_MS), timeoutMs);
      if (response.readInt32BE(4) <= 0) throw new Error("the server refused a session");
    } catch (error) {
      session.destroy();
      throw error;
    }
    return session;
  }

  /** Hands all further frames to `sink`, and a broken connection to `fail`. */
  attach(sink: FrameSink, fail: (error: Error) => void): void {
    this.#sink = sink;
    this.#fail = fail;
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Sends one request and waits for its reply. For set-up: one at a time, and not while a sink is attached. */
  async call(frame: Buffer, timeoutMs: number = ANSWER_TIMEOUT_MS): Promise<Reply> {
    patchXid(frame, 0, 1);
    const reply = await this.#answer(frame, timeoutMs);
    return { error: replyError(reply, 0), body: reply.subarray(REPLY_HEADER_BYTES) };
  }

  /** Closes the session (so the server has nothing to expire later), then the connection. */
  async close(): Promise<void> {
    await this.call(closeSession());
    this.destroy();
  }

  destroy(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  #answer(frame: Buffer, timeoutMs: number = ANSWER_TIMEOUT_MS): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish(() => reject(new Error("the server did not answer"))), timeoutMs);
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.attach(IGNORE, () => {});
        settle();
      };
      const onFrame = (buffer: Buffer, start: number, end: number): void => {
        if (replyXid(buffer, start) === EVENT_XID) return; // a watch that fires during the goodbye
        const copy = Buffer.from(buffer.subarray(start, end));
        finish(() => resolve(copy));
      };
      this.attach({ frame: onFrame, readDone: () => {} }, (error) => finish(() => reject(error)));
      this.write(frame);
    });
  }
}

const IGNORE: FrameSink = { frame: () => {}, readDone: () => {} };
