/**
 * Serves TLS through `node:tls`, unchanged on Node, Bun and Deno; if asked, clients in the clear on the same port, too.
 *
 * Not here: the port itself (node.ts). Invariant: nobody is let in before the handshake is over and the client's certificate, where one is asked
 * for, has been found good.
 */
import type { Server } from "node:net";
import type { TLSSocket } from "node:tls";
import { subjectOf } from "../../lib/acl/certificate.ts";
import type { AuthId } from "../../lib/model/types.ts";
import type { Listener } from "../../lib/ports.ts";
import type { PeerHosts } from "../../lib/server/ensemble.ts";
import { Handshakes } from "./handshakes.ts";
import { type Joined, type MakeServer, NodeListener } from "./node.ts";
import { type CompleteTcpOptions, checkKeyPair, type ServerTlsOptions, unmapped } from "./options.ts";
import { unlocked } from "./private_key.ts";

/** How long a client may take for its handshake. */
const HANDSHAKE_MS_MAX = 10_000;
/** What a TLS handshake begins with, and no request and no four-letter word. */
const HANDSHAKE_BYTE = 0x16;

/** @param hosts names and addresses, one of which certificates from an address must be valid for; none: they may be anybody's */
export function tlsListener(options: CompleteTcpOptions, tls: ServerTlsOptions, hosts?: PeerHosts): Listener {
  const { clientAuth = "need", unified = false, ...context } = tls;
  checkKeyPair(context);
  const secure: MakeSecure = async (joined, handshakes) => {
    const { checkServerIdentity, createServer } = await import("node:tls");
    const isOfHost = (socket: TLSSocket, remoteAddress: string): boolean =>
      hosts === undefined ||
      hosts(remoteAddress).some((host) => checkServerIdentity(host, socket.getPeerCertificate()) === undefined);
    const server = createServer({
      ...(await unlocked(context)),
      requestCert: clientAuth !== "none",
      rejectUnauthorized: clientAuth === "need",
      handshakeTimeout: HANDSHAKE_MS_MAX,
    });
    server.on("connection", (socket) => handshakes.begin(socket));
    server.on("secureConnection", (socket) => {
      handshakes.end(socket);
      const authIds = identities(socket, clientAuth);
      const remoteAddress = unmapped(socket.remoteAddress ?? "");
      if (authIds !== null && isOfHost(socket, remoteAddress)) return joined(socket, authIds);
      if (authIds !== null)
        options.logger.warn(`A certificate from ${remoteAddress} is refused: it is valid for no member's address`);
      socket.destroy();
    });
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    return server;
  };
  if (unified) return new NodeListener(options, withPlain(secure));
  return new NodeListener(options, (joined, reserve) => secure(joined, new Handshakes(HANDSHAKE_MS_MAX, reserve)), true);
}

type MakeSecure = (joined: Joined, handshakes: Handshakes) => Promise<Server>;

/** What a client's certificate proves; null if it proves nothing and is there all the same. */
function identities(socket: TLSSocket, clientAuth: ServerTlsOptions["clientAuth"]): AuthId[] | null {
  if (clientAuth === "none") return [];
  const { raw } = socket.getPeerCertificate();
  if (raw === undefined) return [];
  const id = socket.authorized ? subjectOf(raw) : null;
  return id === null ? null : [{ scheme: "x509", id }];
}

/** Looks at the first byte of each connection and gives it to the server that it belongs to. */
function withPlain(secure: MakeSecure): MakeServer {
  return async (joined, reserve) => {
    const handshakes = new Handshakes(HANDSHAKE_MS_MAX, reserve);
    const [{ createServer }, tls] = [await import("node:net"), await secure(joined, handshakes)];
    return createServer((socket) => {
      socket.on("error", () => socket.destroy());
      handshakes.begin(socket);
      socket.once("data", (bytes) => {
        socket.pause();
        socket.unshift(bytes);
        if (bytes[0] === HANDSHAKE_BYTE) {
          tls.emit("connection", socket);
        } else {
          handshakes.end(socket);
          joined(socket);
          socket.resume();
        }
      });
    });
  };
}
