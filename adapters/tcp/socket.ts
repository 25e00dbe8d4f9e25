/**
 * A `node:net` socket as a {@link Duplex}: the same on Node, Bun and Deno.
 *
 * Not here: who listens or connects. Invariant: the handler hears `closed` exactly once and nothing after it, whatever the
 * socket does; and no socket error leaves this file. What the other end takes, however slowly, is seen piece by piece.
 */
import type { Socket } from "node:net";
import type { AuthId } from "../../lib/model/types.ts";
import type { Duplex, DuplexHandler } from "../../lib/ports.ts";
import { unmapped } from "./options.ts";

/** Joins a connected socket to the handler that `accept` gives for it. `authIds` is what TLS has proved of the peer. */
export function attach(socket: Socket, accept: (duplex: Duplex) => DuplexHandler, authIds: readonly AuthId[] = []): void {
  // An error is always followed by `close`, and there is nobody to tell more than that.
  socket.on("error", () => {});
  if (socket.remoteAddress === undefined) {
    socket.destroy(); // gone before it was looked at
    return;
  }
  socket.setNoDelay(true);
  const duplex = new SocketDuplex(socket, socket.remoteAddress, authIds);
  const handler = accept(duplex);
  socket.on("data", (bytes) => {
    if (!socket.destroyed) handler.data(bytes);
  });
  duplex.whenDrained(() => handler.drained());
  // A peer that stops sending is gone, as in ZooKeeper; what we had ended ourselves is still delivered.
  socket.on("end", () => {
    if (!socket.writableEnded) socket.destroy();
  });
  socket.on("close", () => handler.closed());
}

/**
 * A socket counts a write as waiting until all of it is taken, and joins what waits into one write. So longer ones are handed to it in pieces of this
 * size, one at a time.
 */
const PIECE_BYTES = 64 * 1024;

class SocketDuplex implements Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly authIds: readonly AuthId[];
  readonly #socket: Socket;
  /** What was not handed to the socket yet, behind a piece that it is sending. */
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isSending = false;
  #isEnding = false;
  #drained: () => void = () => {};

  constructor(socket: Socket, remoteAddress: string, authIds: readonly AuthId[]) {
    this.authIds = authIds;
    this.#socket = socket;
    this.remoteAddress = unmapped(remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
  }

  /** Says who hears that everything was taken. */
  whenDrained(drained: () => void): void {
    this.#drained = drained;
    this.#socket.on("drain", () => {
      if (!this.#isSending && !this.#socket.destroyed) drained();
    });
  }

  write(bytes: Uint8Array): void {
    if (!this.#socket.writable || this.#isEnding) return;
    if (!this.#isSending && bytes.length <= PIECE_BYTES) {
      this.#socket.write(bytes);
      return;
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (!this.#isSending) this.#sendNext();
  }

  readonly #sendNext = (): void => {
    const first = this.#queue[0];
    this.#isSending = first !== undefined;
    if (first === undefined) return this.#sent();
    const piece = first.subarray(0, PIECE_BYTES);
    if (piece.length === first.length) this.#queue.shift();
    else this.#queue[0] = first.subarray(PIECE_BYTES);
    this.#queuedBytes -= piece.length;
    this.#socket.write(piece, (error) => {
      if (!error && !this.#socket.destroyed) this.#sendNext();
    });
  };

  #sent(): void {
    if (this.#isEnding) this.#socket.destroySoon();
    else this.#drained();
  }

  bufferedBytes(): number {
    return this.#socket.writableLength + this.#queuedBytes;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#isEnding = true;
    // Ending alone would leave the reading half open for as long as the peer likes.
    if (!this.#isSending) this.#socket.destroySoon();
  }

  destroy(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#socket.destroy();
  }
}
