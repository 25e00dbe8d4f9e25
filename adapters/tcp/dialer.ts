/**
 * Reaches servers through `node:net` and `node:tls`, unchanged on Node, Bun and Deno.
 *
 * Names are resolved anew for each attempt, and every address of a name is tried, in random order. Invariant: an attempt that was given up leaves
 * no socket behind.
 */
import { lookup } from "node:dns/promises";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { setImmediate } from "node:timers";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { Dialer, Duplex, DuplexHandler, ServerAddress } from "../../lib/ports.ts";
import { attach } from "./socket.ts";

export class TcpDialer implements Dialer {
  readonly #tls: ConnectionOptions | null;

  /** @param tls null: in the clear */
  constructor(tls: ConnectionOptions | null) {
    this.#tls = tls;
  }

  dial(server: ServerAddress, opened: (duplex: Duplex) => DuplexHandler, failed: (reason: string) => void): () => void {
    const attempt = new Attempt(server, this.#tls);
    attempt.run().then(
      (socket) => {
        if (attempt.isGivenUp) socket?.destroy();
        else if (socket !== null) attach(socket, opened);
      },
      (error: Error) => {
        if (!attempt.isGivenUp) failed(error.message);
      },
    );
    return () => attempt.giveUp();
  }

  atTurnEnd(run: () => void): void {
    setImmediate(run);
  }
}

class Attempt {
  isGivenUp = false;
  readonly #server: ServerAddress;
  readonly #tls: ConnectionOptions | null;
  #socket: Socket | null = null;

  constructor(server: ServerAddress, tls: ConnectionOptions | null) {
    this.#server = server;
    this.#tls = tls;
  }

  /** The socket, connected; null once given up. Rejects with the last address's reason if none can be reached. */
  async run(): Promise<Socket | null> {
    const addresses = await addressesOf(this.#server.host);
    let failure: unknown = new Error("the name has no address");
    for (const address of addresses) {
      if (this.isGivenUp) return null;
      try {
        return await this.#reach(address);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  giveUp(): void {
    this.isGivenUp = true;
    this.#socket?.destroy();
  }

  #reach(address: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = this.#connect(address);
      this.#socket = socket;
      socket.on("error", reject);
      socket.once("close", () => reject(new Error("the connection was closed")));
      socket.once(this.#tls === null ? "connect" : "secureConnect", () => {
        this.#socket = null; // from now on its user's
        resolve(socket);
      });
    });
  }

  #connect(address: string): Socket {
    const { host, port } = this.#server;
    if (this.#tls === null) return connectTcp({ host: address, port });
    // The certificate is held against the name that was asked for, whatever address it led to.
    return connectTls({ ...(isIP(host) === 0 ? { servername: host } : {}), ...this.#tls, host: address, port });
  }
}

/** All addresses of a name, in random order. */
async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true });
  return found
    .map(({ address }) => ({ address, order: Math.random() }))
    .sort((one, other) => one.order - other.order)
    .map(({ address }) => address);
}
