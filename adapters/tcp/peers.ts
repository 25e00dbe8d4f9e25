/**
 * TCP between the members of an ensemble: in the clear or by TLS, and whether they must prove who they are.
 *
 * Invariant: a member that others than this machine can reach lets nobody in who has not proved to belong to the ensemble, unless it was told to.
 */
import { setImmediate } from "node:timers";
import { flag, having, objectOf, oneOf, orNull, takeOptions } from "../../lib/options/shape.ts";
import { type PeerSaslOptions, SaslPeerAuth } from "../../lib/peers/peer_auth.ts";
import type { Logger } from "../../lib/ports.ts";
import type { PeerNetwork } from "../../lib/server/ensemble.ts";
import { nonce } from "../system.ts";
import { TcpDialer } from "./dialer.ts";
import { type ServerTlsOptions, type TcpOptions, tcp } from "./listener.ts";
import { completed } from "./options.ts";
import { CREDENTIALS, USERS } from "./sasl_shape.ts";
import { tlsListener } from "./tls.ts";
import { CONTEXT_SHAPE } from "./tls_shape.ts";

export type { PeerSaslOptions };

/**
 * What each member shows the others, and whom it trusts. At both ends the certificate must be valid for a member's address in the configuration:
 * one that the same authority has signed for somebody else does not make a member.
 */
export interface PeerTlsOptions
  extends Pick<ServerTlsOptions, "key" | "cert" | "ca" | "passphrase" | "pfx" | "minVersion" | "maxVersion" | "ciphers"> {
  /**
   * For a running ensemble that goes over to TLS member by member: `accepted` lets members in the clear in as well, `dialled` also dials in the
   * clear. Default `refused`.
   */
  readonly clear?: "refused" | "accepted" | "dialled";
}

/** Where gathering saves a quarter of the CPU time of a write. On Bun it costs more than it saves. */
const isNode = !("Bun" in globalThis || "Deno" in globalThis);

/** What `tcpPeers()` may be told. */
export interface TcpPeersOptions {
  /** TLS at both ends. All members must do the same; Apache's have `sslQuorum=true` for it. Default: in the clear. */
  readonly tls?: PeerTlsOptions;
  /** SASL's DIGEST-MD5 on every stream, as Apache's `quorum.auth.enableSasl`. Default: none. */
  readonly sasl?: PeerSaslOptions;
  /**
   * Whether other machines may reach this member without proof of who they are. Whoever does can change all data: only for networks that nobody but
   * members can reach. Default false: `tls` or `sasl`, or addresses of this machine alone.
   */
  readonly allowUnauthenticated?: boolean;
  readonly logger?: Pick<Logger, "warn">;
}

const OPTIONS = objectOf<TcpPeersOptions>(
  {
    tls: objectOf<PeerTlsOptions>({ ...CONTEXT_SHAPE, clear: oneOf(["refused", "accepted", "dialled"]) }, "{ key, cert, ca }"),
    sasl: objectOf<PeerSaslOptions>(
      { credentials: orNull(CREDENTIALS), users: USERS, required: flag },
      "{ credentials: { username, password }, users: { bob: password } }",
      ["credentials", "users"],
    ),
    allowUnauthenticated: flag,
    logger: having(["warn"], "console"),
  },
  "{ tls: { key, cert, ca } }",
);

/**
 * The streams between the members of an ensemble.
 *
 * @throws TypeError that names the option that is wrong; Error, when the member is opened, where it would let anybody in
 *
 * @example
 * ```ts
 * const peers = tcpPeers({ tls: { key, cert, ca } });
 * await using server = await open({ storage, ensemble: { id: 1, config, peers } });
 * ```
 */
export function tcpPeers(options: TcpPeersOptions = {}): PeerNetwork {
  const taken = takeOptions("use tcpPeers()", options, OPTIONS);
  const { tls, sasl, allowUnauthenticated = false, logger } = taken;
  const isOpen = !allowUnauthenticated && !provesPeers(taken);
  const { clear = "refused", ...context } = tls ?? {};
  return {
    ...(isNode && { gather: (run: () => void) => void setImmediate(run) }),
    listener(address, hosts) {
      if (isOpen && !isOfThisMachine(address.host)) throw new Error(openToAll(address.host));
      const where: TcpOptions = { ...address, keepAlive: true, ...(logger !== undefined && { logger }) };
      if (tls === undefined) return tcp(where);
      return tlsListener(completed(where), { ...context, unified: clear !== "refused" }, hosts);
    },
    dialer: tls === undefined || clear === "dialled" ? new TcpDialer(null) : new TcpDialer(context),
    ...(sasl !== undefined && { auth: new SaslPeerAuth(sasl, nonce) }),
  };
}

/** Whether nobody is let in who has not proved to belong to the ensemble. */
export function provesPeers({ tls, sasl }: TcpPeersOptions): boolean {
  const byTls = tls !== undefined && (tls.clear ?? "refused") === "refused";
  return byTls || (sasl !== undefined && sasl.required !== false);
}

/** Whether only programs of this machine can reach the host. */
export function isOfThisMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function openToAll(host: string): string {
  return (
    `Members would be let in at ${host} without proof of who they are, and whoever is let in can change all data: ` +
    "give tcpPeers() tls or sasl, or allowUnauthenticated where nobody but members can reach it"
  );
}
