/**
 * Serves a TCP port through a server of `node:net` or its like, unchanged on Node, Bun and Deno.
 *
 * Not here: TLS (tls.ts), what the bytes mean, and limits on who may connect. Invariant: after `stop()` no socket and no handle is left.
 */
import type { AddressInfo, Server, Socket } from "node:net";
import type { AuthId } from "../../lib/model/types.ts";
import type { Duplex, DuplexHandler, ListenAddress, Listener, Reserve } from "../../lib/ports.ts";
import { type CompleteTcpOptions, listenError, named } from "./options.ts";
import { attach } from "./socket.ts";

/**
 * Makes the server; `joined` gets each connection that is ready to be used, and what its transport has proved of the peer. `reserve` is asked for
 * those that aren't ready yet.
 */
export type MakeServer = (joined: Joined, reserve: Reserve | undefined) => Promise<Server>;
export type Joined = (socket: Socket, authIds?: readonly AuthId[]) => void;

type Accept = (duplex: Duplex) => DuplexHandler;

/** In the clear. Loaded where it is needed: on Bun it takes longer to load than a server to start. */
const plainServer: MakeServer = async (joined) => (await import("node:net")).createServer((socket) => joined(socket));

export class NodeListener implements Listener {
  readonly #options: CompleteTcpOptions;
  readonly #make: MakeServer;
  readonly #secure: boolean;
  readonly #sockets = new Set<Socket>();
  /** Of servers that accept no more: settled once their last socket is closed. */
  readonly #emptied: Promise<void>[] = [];
  /** Set from `start` to `stop`; settles once bound, or refused by the system. */
  #server: Promise<Server> | undefined;

  /** `secure`: what `make` makes serves TLS, and nobody in the clear. */
  constructor(options: CompleteTcpOptions, make: MakeServer = plainServer, secure = false) {
    this.#options = options;
    this.#make = make;
    this.#secure = secure;
  }

  async start(accept: Accept, reserve?: Reserve): Promise<ListenAddress> {
    const { host, port } = this.#options;
    if (this.#server !== undefined) throw new Error(`Already listening on ${named(host, port)}`);
    this.#server = this.#bind(accept, reserve);
    try {
      const bound = (await this.#server).address() as AddressInfo;
      return { host: bound.address, port: bound.port, secure: this.#secure };
    } catch (error) {
      this.#server = undefined;
      throw error;
    }
  }

  async #bind(accept: Accept, reserve: Reserve | undefined): Promise<Server> {
    const { host, port, backlog, keepAlive, logger } = this.#options;
    const server = await this.#make((socket, authIds) => {
      this.#keep(socket);
      if (keepAlive) socket.setKeepAlive(true);
      attach(socket, accept, authIds);
    }, reserve);
    server.on("connection", (socket) => this.#keep(socket)); // also those that are not ready yet
    await new Promise<void>((resolve, reject) => {
      const refused = (error: Error): void => reject(listenError(error, named(host, port)));
      server.once("error", refused);
      server.listen({ host, port, backlog, exclusive: true }, () => {
        server.off("error", refused);
        resolve();
      });
    });
    server.on("error", (error) => logger.warn(`Cannot accept a connection on ${named(host, port)}: ${error.message}`));
    return server;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  async release(): Promise<void> {
    const bound = this.#server;
    this.#server = undefined;
    const server = await bound?.catch(() => undefined); // start() has told why there is none
    if (server === undefined) return;
    this.#emptied.push(new Promise((resolve) => server.close(() => resolve())));
  }

  async stop(): Promise<void> {
    await this.release();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#emptied.splice(0));
  }
}
