/**
 * What zoo.cfg says of TLS and SASL, with the files that it names: keys and certificates in PEM, users in a JAAS file.
 *
 * Not here: ports (open_settings.ts). Invariant: no problem that is told holds a secret.
 */
import type { OpenSettings } from "../../lib/options.ts";
import { parseJaas } from "../../lib/sasl/jaas.ts";
import type { ServerTlsOptions } from "../tcp/listener.ts";
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
  const keys = zoo["ssl.keyStore.location"];
  const authorities = zoo["ssl.trustStore.location"];
  const clientAuth = zoo["ssl.clientAuth"] ?? "need";
  if (keys === undefined) throw new ZooCfgError(["ssl.keyStore.location is not set: there is no TLS without a key"]);
  if (authorities === undefined && clientAuth !== "none") throw new ZooCfgError([TRUST_NOBODY]);
  const pem = readPem("ssl.keyStore", keys, read);
  const passphrase = passwordOf(zoo, read);
  return {
    ...{ key: pem, cert: pem, clientAuth },
    ...(passphrase !== undefined && { passphrase }),
    ...(authorities !== undefined && { ca: readPem("ssl.trustStore", authorities, read) }),
  };
}

const TRUST_NOBODY =
  "ssl.trustStore.location is not set: no client's certificate could be judged; set it, or ssl.clientAuth=none to ask for none";

function passwordOf(zoo: Partial<ZooSettings>, read: ReadText): string | undefined {
  const file = zoo["ssl.keyStore.passwordPath"];
  return file === undefined ? zoo["ssl.keyStore.password"] : readFile("ssl.keyStore.passwordPath", file, read).trim();
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
  const users = file === undefined ? null : readUsers(file, read);
  if (users === null) {
    if (zoo.sessionRequireClientSASLAuth) throw new ZooCfgError([NOBODY_COULD_COME]);
    return {};
  }
  return { sasl: { users, allowFailedClients: zoo.allowSaslFailedClients ?? false } };
}

const NOBODY_COULD_COME =
  "sessionRequireClientSASLAuth is set, but no JAAS file with a section Server (java.security.auth.login.config, or --jaas): no client could be let in";

function readUsers(file: string, read: ReadText): Readonly<Record<string, string>> | null {
  try {
    return parseJaas(readFile("java.security.auth.login.config", file, read)).users;
  } catch (error) {
    if (error instanceof TypeError) throw new ZooCfgError([`${file}: ${error.message}`]);
    throw error;
  }
}

function readFile(key: string, file: string, read: ReadText): string {
  try {
    return read(file);
  } catch (error) {
    throw new ZooCfgError([`${key}: cannot read ${file}: ${(error as Error).message}`]);
  }
}
