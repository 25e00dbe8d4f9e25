/**
 * A `node:net` socket as a {@link Duplex}: the same on Node, Bun and Deno.
 *
 * Not here: who listens or connects. Invariant: the handler hears `closed` exactly once and nothing after it, whatever the
 * socket does; and no socket error leaves this file.
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
  socket.on("drain", () => {
    if (!socket.destroyed) handler.drained();
  });
  // A peer that stops sending is gone, as in ZooKeeper; what we had ended ourselves is still delivered.
  socket.on("end", () => {
    if (!socket.writableEnded) socket.destroy();
  });
  socket.on("close", () => handler.closed());
}

class SocketDuplex implements Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly authIds: readonly AuthId[];
  readonly #socket: Socket;

  constructor(socket: Socket, remoteAddress: string, authIds: readonly AuthId[]) {
    this.authIds = authIds;
    this.#socket = socket;
    this.remoteAddress = unmapped(remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
  }

  write(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    // Ending alone would leave the reading half open for as long as the peer likes.
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
