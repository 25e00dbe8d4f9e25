/** The TCP port that ZooKeeper's clients connect to: through the runtime's own sockets where that is cheaper, else `node:net` or `node:tls`. */
import type { Listener } from "../../lib/ports.ts";
import { BunListener } from "./bun.ts";
import { LoopbackListener } from "./loopback.ts";
import { NodeListener } from "./node.ts";
import { type CompleteTcpOptions, type ServerTlsOptions, type TcpOptions, takeTcp } from "./options.ts";
import { tlsListener } from "./tls.ts";

export type { ServerTlsOptions, TcpOptions };

/**
 * A TCP port for `server.listen()`.
 *
 * @example
 * ```ts
 * const { port } = await server.listen(tcp({ port: 0 }));
 * ```
 *
 * @throws TypeError that names the option that is wrong; RangeError for a port or backlog that can't be
 */
export function tcp(options: TcpOptions): Listener {
  const { where, tls, isLoopback } = takeTcp(options);
  const make = (host: string, port: number): Listener => listenerOf({ ...where, host, port }, tls);
  return isLoopback ? new LoopbackListener(make, where.port) : make(where.host, where.port);
}

function listenerOf(where: CompleteTcpOptions, tls: ServerTlsOptions | undefined): Listener {
  if (tls !== undefined) return tlsListener(where, tls);
  return "Bun" in globalThis ? new BunListener(where) : new NodeListener(where);
}
