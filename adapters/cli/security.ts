/**
 * Settings of zoo.cfg for TLS and SASL, for clients and between the members of an ensemble, with the files that it names: keys and certificates in PEM,
 * users in a JAAS file.
 *
 * Not here: ports (open_settings.ts). Invariant: no problem that is told holds a secret.
 */

import type { EnsembleMember } from "../../lib/broadcast/zab/ensemble.ts";
import type { OpenSettings } from "../../lib/options/options.ts";
import { type Jaas, type JaasSections, parseJaas } from "../../lib/sasl/jaas.ts";
import type { ServerTlsOptions } from "../tcp/listener.ts";
import { isOfThisMachine, type PeerSaslOptions, type PeerTlsOptions, provesPeers, type TcpPeersOptions } from "../tcp/peers.ts";
import { ZooCfgError } from "./zoo_cfg.ts";
import { STORES_AS_PEM, type ZooSettings } from "./zoo_keys.ts";

/** Reads a file as text. */
export type ReadText = (file: string) => string;

/**
 * How to serve TLS; null where no port asks for it.
 *
 * @throws ZooCfgError for a key store that is missing or not PEM
 */
export function tlsOptions(zoo: Partial<ZooSettings>, read: ReadText): Omit<ServerTlsOptions, "unified"> | null {
  if (!zoo.secureClientPort && !zoo["client.portUnification"]) return null;
  const clientAuth = zoo["ssl.clientAuth"] ?? "need";
  return { ...keysOf(zoo, "ssl", read), ...trustOf(zoo, "ssl", clientAuth === "none", read), clientAuth };
}

/** Clients' keys are found under the one, members' under the other. */
type Prefix = "ssl" | "ssl.quorum";

function keysOf(
  zoo: Partial<ZooSettings>,
  prefix: Prefix,
  read: ReadText,
): Pick<PeerTlsOptions, "key" | "cert" | "passphrase"> {
  const file = zoo[`${prefix}.keyStore.location`];
  if (file === undefined) throw new ZooCfgError([`${prefix}.keyStore.location is not set: there is no TLS without a key`]);
  const pem = readPem(`${prefix}.keyStore`, file, read);
  const passwordFile = zoo[`${prefix}.keyStore.passwordPath`];
  const passphrase =
    passwordFile === undefined
      ? zoo[`${prefix}.keyStore.password`]
      : readFile(`${prefix}.keyStore.passwordPath`, passwordFile, read).trim();
  return { key: pem, cert: pem, ...(passphrase !== undefined && { passphrase }) };
}

function trustOf(zoo: Partial<ZooSettings>, prefix: Prefix, optional: boolean, read: ReadText): Pick<PeerTlsOptions, "ca"> {
  const file = zoo[`${prefix}.trustStore.location`];
  if (file !== undefined) return { ca: readPem(`${prefix}.trustStore`, file, read) };
  if (optional) return {};
  const orNone = prefix === "ssl" ? ", or ssl.clientAuth=none to ask for none" : "";
  throw new ZooCfgError([`${prefix}.trustStore.location is not set: no certificate could be judged; set it${orNone}`]);
}

function readPem(key: string, file: string, read: ReadText): string {
  const text = readFile(`${key}.location`, file, read);
  if (text.includes("-----BEGIN ")) return text;
  throw new ZooCfgError([`${key}.location: ${file} is not in PEM; ${STORES_AS_PEM}`]);
}

/**
 * SASL's users, for `open()`; none without a JAAS file that has them.
 *
 * @throws ZooCfgError
 */
export function saslOptions(zoo: Partial<ZooSettings>, read: ReadText): Pick<OpenSettings, "sasl"> {
  const file = zoo["java.security.auth.login.config"];
  const users = file === undefined ? null : readJaas(file, read).users;
  if (users === null) {
    if (zoo.sessionRequireClientSASLAuth) throw new ZooCfgError([NOBODY_COULD_COME]);
    return {};
  }
  return { sasl: { users, allowFailedClients: zoo.allowSaslFailedClients ?? false } };
}

const NOBODY_COULD_COME =
  "sessionRequireClientSASLAuth is set, but no JAAS file with a section Server (java.security.auth.login.config, or --jaas): no client could be let in";

function readJaas(file: string, read: ReadText, sections?: JaasSections): Jaas {
  try {
    return parseJaas(readFile("java.security.auth.login.config", file, read), sections);
  } catch (error) {
    if (error instanceof TypeError) throw new ZooCfgError([`${file}: ${error.message}`]);
    throw error;
  }
}

// ── between members ──

/**
 * How the member `me` and the others prove who they are.
 *
 * @throws ZooCfgError for keys, users or sections that are missing, and where anybody could be let in unawares
 */
export function peerOptions(zoo: Partial<ZooSettings>, me: EnsembleMember, read: ReadText): TcpPeersOptions {
  const tls = peerTls(zoo, read);
  const sasl = peerSasl(zoo, read);
  const allowUnauthenticated = zoo["quorum.allowUnauthenticatedPeers"] ?? false;
  const options = { ...(tls !== null && { tls }), ...(sasl !== null && { sasl }), allowUnauthenticated };
  const far = zoo.quorumListenOnAllIPs ? "every interface" : me.addresses.find(({ host }) => !isOfThisMachine(host))?.host;
  if (far !== undefined && !allowUnauthenticated && !provesPeers(options)) {
    throw new ZooCfgError([
      `server.${me.id} would let other members in at ${far} without proof of who they are, and whoever is let in can change all data: set ` +
        "sslQuorum=true with ssl.quorum.keyStore.location and ssl.quorum.trustStore.location, or quorum.auth.serverRequireSasl=true with " +
        "quorum.auth.enableSasl, quorum.auth.learnerRequireSasl and a JAAS file, or, where nobody but members can reach its ports, " +
        "quorum.allowUnauthenticatedPeers=true",
    ]);
  }
  return options;
}

function peerTls(zoo: Partial<ZooSettings>, read: ReadText): PeerTlsOptions | null {
  const { sslQuorum = false, portUnification = false } = zoo;
  if (!sslQuorum && !portUnification) return null;
  // Only where members use TLS: elsewhere they ask for nothing.
  if ((zoo["ssl.quorum.clientAuth"] ?? "need") !== "need")
    throw new ZooCfgError(["ssl.quorum.clientAuth: allowed: need (members must show certificates)"]);
  if (zoo["ssl.quorum.hostnameVerification"] === false)
    throw new ZooCfgError([
      "ssl.quorum.hostnameVerification: allowed: true (certificates must be valid for the members' addresses)",
    ]);
  const clear = !sslQuorum ? "dialled" : portUnification ? "accepted" : "refused";
  return { ...keysOf(zoo, "ssl.quorum", read), ...trustOf(zoo, "ssl.quorum", false, read), clear };
}

function peerSasl(zoo: Partial<ZooSettings>, read: ReadText): PeerSaslOptions | null {
  const proves = zoo["quorum.auth.learnerRequireSasl"] ?? false;
  const required = zoo["quorum.auth.serverRequireSasl"] ?? false;
  if (!zoo["quorum.auth.enableSasl"]) {
    if (!proves && !required) return null;
    throw new ZooCfgError([
      "quorum.auth.learnerRequireSasl and quorum.auth.serverRequireSasl need quorum.auth.enableSasl=true",
    ]);
  }
  if (required && !proves)
    throw new ZooCfgError([
      "quorum.auth.serverRequireSasl needs quorum.auth.learnerRequireSasl=true: this member would be refused itself",
    ]);
  const file = zoo["java.security.auth.login.config"];
  if (file === undefined)
    throw new ZooCfgError(["quorum.auth.enableSasl needs a JAAS file: java.security.auth.login.config, or --jaas"]);
  const sections = {
    users: zoo["quorum.auth.server.saslLoginContext"] ?? "QuorumServer",
    client: zoo["quorum.auth.learner.saslLoginContext"] ?? "QuorumLearner",
  };
  const { users, client } = readJaas(file, read, sections);
  if (users === null) throw new ZooCfgError([`${file} has no section ${sections.users}: no member could be let in`]);
  if (proves && client === null)
    throw new ZooCfgError([`${file} has no section ${sections.client}: this member could not prove who it is`]);
  return { credentials: proves ? client : null, users, required };
}

function readFile(key: string, file: string, read: ReadText): string {
  try {
    return read(file);
  } catch (error) {
    throw new ZooCfgError([`${key}: cannot read ${file}: ${(error as Error).message}`]);
  }
}
