/** How members of an ensemble reach one another by TCP, in the clear or by TLS. */
import type { PeerNetwork } from "../../lib/ensemble/open.ts";
import type { Logger } from "../../lib/ports.ts";
import { TcpDialer } from "./dialer.ts";
import { type ServerTlsOptions, tcp } from "./listener.ts";

/** What each member shows the others, and whom it trusts: its certificate must be valid for its address in the configuration. */
export type PeerTlsOptions = Pick<
  ServerTlsOptions,
  "key" | "cert" | "ca" | "passphrase" | "pfx" | "minVersion" | "maxVersion" | "ciphers"
>;

export interface TcpPeersOptions {
  /**
   * TLS at both ends, and only with members whose certificates one of `ca` has signed. Default: in the clear and without proof of who is there, for
   * networks that only members can reach. All members must do the same; Apache's have `sslQuorum=true` for it.
   */
  readonly tls?: PeerTlsOptions;
  readonly logger?: Pick<Logger, "warn">;
}

/**
 * The streams between the members of an ensemble.
 *
 * @example
 * ```ts
 * await using server = await open({ storage, ensemble: { id: 1, config, peers: tcpPeers() } });
 * ```
 */
export function tcpPeers({ tls, logger }: TcpPeersOptions = {}): PeerNetwork {
  const given = { keepAlive: true, ...(logger !== undefined && { logger }), ...(tls !== undefined && { tls }) };
  return { listener: (address) => tcp({ ...address, ...given }), dialer: new TcpDialer(tls ?? null) };
}
