/**
 * Serves a TCP port through `node:net`, unchanged on Node, Bun and Deno.
 *
 * Not here: what the bytes mean, and limits on who may connect. Invariant: after `stop()` no socket and no handle is left.
 */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Duplex, DuplexHandler, ListenAddress, Listener, Logger } from "../../lib/ports.ts";
import { attach } from "./socket.ts";

/** Where to listen, and how. */
export interface TcpOptions {
  /** Address or name to bind. `127.0.0.1` unless told: a server is not reachable from elsewhere by accident. */
  readonly host?: string;
  /** Port, 0–65535; 0 lets the system choose one, see {@link ListenAddress}. */
  readonly port: number;
  /** Connections that may wait to be accepted. 1,024 unless told; Bun always takes 512, and the system may cap it. */
  readonly backlog?: number;
  /** Asks the system to probe idle peers (SO_KEEPALIVE). Off unless told: sessions have their own pings. */
  readonly keepAlive?: boolean;
  /** Hears of connections that the system could not hand over, such as when file descriptors run out. */
  readonly logger?: Pick<Logger, "warn">;
}

/**
 * A TCP port for {@link Listener} users.
 *
 * @example
 * ```ts
 * const { port } = await server.listen(tcp({ port: 0 }));
 * ```
 *
 * @throws RangeError for a port or backlog that can't be.
 */
export function tcp(options: TcpOptions): Listener {
  checkRange("port", options.port, 0, 65_535);
  checkRange("backlog", options.backlog ?? 1024, 1, 2 ** 31 - 1);
  return new TcpListener(options);
}

class TcpListener implements Listener {
  readonly #options: TcpOptions;
  readonly #sockets = new Set<Socket>();
  /** Set from `start` to `stop`; settles once bound, or refused by the system. */
  #server: Promise<Server> | undefined;

  constructor(options: TcpOptions) {
    this.#options = options;
  }

  async start(accept: (duplex: Duplex) => DuplexHandler): Promise<ListenAddress> {
    const { host = "127.0.0.1", port, keepAlive = false } = this.#options;
    if (this.#server !== undefined) throw new Error(`Already listening on ${named(host, port)}`);
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      if (keepAlive) socket.setKeepAlive(true);
      attach(socket, accept);
    });
    this.#server = this.#bind(server, host, port);
    try {
      const bound = (await this.#server).address() as AddressInfo;
      return { host: bound.address, port: bound.port };
    } catch (error) {
      this.#server = undefined;
      throw error;
    }
  }

  #bind(server: Server, host: string, port: number): Promise<Server> {
    const { backlog = 1024, logger } = this.#options;
    return new Promise((resolve, reject) => {
      const refused = (error: Error): void => reject(listenError(error, named(host, port)));
      server.once("error", refused);
      server.listen({ host, port, backlog, exclusive: true }, () => {
        server.off("error", refused);
        server.on("error", (error) => logger?.warn(`Cannot accept a connection on ${named(host, port)}: ${error.message}`));
        resolve(server);
      });
    });
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

function checkRange(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`tcp(): ${name} must be a whole number from ${least} to ${most}, not ${value}`);
  }
}

const NEXT_STEPS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another process listens there; stop it, or choose another port (0 lets the system choose)",
  EACCES: "this user may not bind that port; choose one above 1023",
  EADDRNOTAVAIL: "no interface of this machine has that address; use 127.0.0.1, 0.0.0.0 or one of its own",
  ENOTFOUND: "the name is unknown; use an address of this machine",
};

/** The system's error with what was wanted and what to do about it; `code` stays as it was. */
function listenError(cause: NodeJS.ErrnoException, where: string): Error {
  const code = cause.code ?? "";
  const reason = NEXT_STEPS[code] ?? cause.message;
  return Object.assign(new Error(`Cannot listen on ${where}: ${reason}`, { cause }), { code });
}

function named(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
