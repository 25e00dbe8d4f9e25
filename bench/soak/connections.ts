/**
 * Connections of hostile clients. They come from loopback addresses of their own where the system has such (Linux), and all of a row end with its round.
 */

import { connect, type Socket } from "node:net";
import type { Op } from "../../lib/model/ops.ts";
import { writeHello, writeRequest } from "../../lib/wire/codec.ts";
import { bytesOf } from "../../test/support/frame_connection.ts";
import { NEW_SESSION, RawClient } from "../../test/support/raw_client.ts";

export type WireOp = Exclude<Op, { kind: "unreadable" }>;

const SESSION_TIMEOUT_MS = 4_000; // the shortest that the server grants: what is left behind ends soon

/** The server as one row sees it, for one round. */
export class Target {
  readonly host = "127.0.0.1";
  readonly port: number;
  readonly tlsPort: number;
  readonly localAddress: string;
  /** How long the whole soak takes. */
  readonly seconds: number;
  readonly #sockets = new Set<Socket>();
  readonly #clients: RawClient[] = [];

  /** @param row its number: the address that it comes from. */
  constructor(port: number, tlsPort: number, seconds: number, row: number) {
    this.port = port;
    this.tlsPort = tlsPort;
    this.seconds = seconds;
    this.localAddress = process.platform === "linux" ? `127.0.1.${row + 1}` : "127.0.0.1";
  }

  /** A client that reads what it is told. */
  async client(): Promise<RawClient> {
    const client = await RawClient.connect(this, { timeOut: SESSION_TIMEOUT_MS });
    this.#clients.push(client);
    return client;
  }

  /** A connection that has said nothing yet; whatever comes is thrown away. */
  socket(port: number = this.port): Promise<Socket> {
    const { host, localAddress } = this;
    const socket = connect({ host, port, localAddress, noDelay: true });
    this.#sockets.add(socket);
    socket.on("error", () => {}); // a close follows
    socket.on("data", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    return new Promise((resolve, reject) => {
      socket.once("connect", () => resolve(socket));
      socket.once("close", () => reject(new Error("the server closed the connection")));
    });
  }

  /** A connection with a session. */
  async session(): Promise<Socket> {
    const socket = await this.socket();
    const welcomed = new Promise((resolve, reject) => {
      socket.once("data", resolve);
      socket.once("close", () => reject(new Error("the server closed the connection")));
    });
    socket.write(bytesOf((out) => writeHello(out, { ...NEW_SESSION, timeOut: SESSION_TIMEOUT_MS })));
    await welcomed;
    return socket;
  }

  /** Cuts every connection that was opened; their sessions are left to expire. */
  end(): void {
    for (const socket of this.#sockets) socket.destroy();
    for (const client of this.#clients.splice(0)) void client.drop();
  }
}

/** The frames of requests, one after the other, as one piece. */
export function frames(ops: readonly WireOp[]): Uint8Array {
  return bytesOf((out) => {
    for (const [index, op] of ops.entries()) writeRequest(out, index + 1, op);
  });
}
