/** How members of an ensemble reach one another by TCP. */
import type { PeerNetwork } from "../../lib/ensemble/open.ts";
import type { Logger } from "../../lib/ports.ts";
import { TcpDialer } from "./dialer.ts";
import { NodeListener } from "./node.ts";
import { completed } from "./options.ts";

/**
 * The streams between the members of an ensemble, in the clear and without proof of who is there: for networks that only members can reach.
 *
 * @example
 * ```ts
 * await using server = await open({ storage, ensemble: { id: 1, config, peers: tcpPeers() } });
 * ```
 */
export function tcpPeers(options: { readonly logger?: Pick<Logger, "warn"> } = {}): PeerNetwork {
  return {
    listener: (address) => new NodeListener(completed({ ...address, ...options, keepAlive: true })),
    dialer: new TcpDialer(null),
  };
}
