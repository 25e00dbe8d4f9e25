/**
 * Serves a TCP port through `node:net`, unchanged on Node, Bun and Deno.
 *
 * Not here: what the bytes mean, and limits on who may connect. Invariant: after `stop()` no socket and no handle is left.
 */
import type { AddressInfo, Server, Socket } from "node:net";
import type { Duplex, DuplexHandler, ListenAddress, Listener } from "../../lib/ports.ts";
import { type CompleteTcpOptions, listenError, named } from "./options.ts";
import { attach } from "./socket.ts";

export class NodeListener implements Listener {
  readonly #options: CompleteTcpOptions;
  readonly #sockets = new Set<Socket>();
  /** Set from `start` to `stop`; settles once bound, or refused by the system. */
  #server: Promise<Server> | undefined;

  constructor(options: CompleteTcpOptions) {
    this.#options = options;
  }

  async start(accept: (duplex: Duplex) => DuplexHandler): Promise<ListenAddress> {
    const { host, port } = this.#options;
    if (this.#server !== undefined) throw new Error(`Already listening on ${named(host, port)}`);
    this.#server = this.#bind(accept);
    try {
      const bound = (await this.#server).address() as AddressInfo;
      return { host: bound.address, port: bound.port };
    } catch (error) {
      this.#server = undefined;
      throw error;
    }
  }

  async #bind(accept: (duplex: Duplex) => DuplexHandler): Promise<Server> {
    const { host, port, backlog, keepAlive, logger } = this.#options;
    // Loaded where it is needed: on Bun it takes longer to load than a server to start.
    const { createServer } = await import("node:net");
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      if (keepAlive) socket.setKeepAlive(true);
      attach(socket, accept);
    });
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

  async stop(): Promise<void> {
    const bound = this.#server;
    this.#server = undefined;
    const server = await bound?.catch(() => undefined); // start() has told why there is none
    if (server === undefined) return;
    const released = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await released;
  }
}
