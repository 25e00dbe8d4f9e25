/**
 * Reaches servers through `node:net` and `node:tls`, unchanged on Node, Bun and Deno.
 *
 * Names are resolved anew for each attempt, and every address of a name is tried, in random order. Invariant: an attempt that was given up leaves
 * no socket behind.
 */
import type { Socket } from "node:net";
import { setImmediate } from "node:timers";
import type { ConnectionOptions } from "node:tls";
import type { Dialer, Duplex, DuplexHandler, ServerAddress } from "../../lib/ports.ts";
import { unlocked } from "./private_key.ts";
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
        if (!attempt.isGivenUp) failed(error.message.trim());
      },
    );
    return () => attempt.giveUp();
  }

  atTurnEnd(run: () => void): void {
    setImmediate(run);
  }
}

/** Makes a connection to one address; `ready` is the event that says it can be used. */
type Connect = (address: string) => { readonly socket: Socket; readonly ready: "connect" | "secureConnect" };

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
    // Loaded where they are needed: a server does without them.
    const net = await import("node:net");
    const isAddress = net.isIP(this.#server.host) !== 0;
    const connect = this.#tls === null ? this.#plain(net.connect) : await this.#secure(this.#tls, isAddress);
    const addresses = isAddress ? [this.#server.host] : await addressesOf(this.#server.host);
    let failure: unknown = new Error("the name has no address");
    for (const address of addresses) {
      if (this.isGivenUp) return null;
      try {
        return await this.#reach(connect, address);
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

  #plain(connect: typeof import("node:net")["connect"]): Connect {
    return (host) => ({ socket: connect({ host, port: this.#server.port }), ready: "connect" });
  }

  async #secure(tls: ConnectionOptions, isAddress: boolean): Promise<Connect> {
    const { connect } = await import("node:tls");
    const { host: servername, port } = this.#server;
    // The certificate is held against the name that was asked for, whatever address it led to.
    const options = await unlocked(isAddress ? tls : { servername, ...tls });
    return (host) => ({ socket: connect({ ...options, host, port }), ready: "secureConnect" });
  }

  #reach(connect: Connect, address: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const { socket, ready } = connect(address);
      this.#socket = socket;
      socket.on("error", reject);
      socket.once("close", () => reject(new Error("the connection was closed")));
      socket.once(ready, () => {
        this.#socket = null; // from now on its user's
        resolve(socket);
      });
    });
  }
}

/** All addresses of a name, in random order. */
async function addressesOf(host: string): Promise<string[]> {
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(host, { all: true });
  return found
    .map(({ address }) => ({ address, order: Math.random() }))
    .sort((one, other) => one.order - other.order)
    .map(({ address }) => address);
}
