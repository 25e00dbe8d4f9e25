/** The TCP port that ZooKeeper's clients connect to: through the runtime's own sockets where that is cheaper, else `node:net`. */
import type { Listener } from "../../lib/ports.ts";
import { BunListener } from "./bun.ts";
import { NodeListener } from "./node.ts";
import { completed, type TcpOptions } from "./options.ts";

export type { TcpOptions };

/**
 * A TCP port for `server.listen()`.
 *
 * @example
 * ```ts
 * const { port } = await server.listen(tcp({ port: 0 }));
 * ```
 *
 * @throws RangeError for a port or backlog that can't be.
 */
export function tcp(options: TcpOptions): Listener {
  const complete = completed(options);
  return "Bun" in globalThis ? new BunListener(complete) : new NodeListener(complete);
}
