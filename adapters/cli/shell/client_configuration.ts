/**
 * Configuration of a client in Java's properties, as `-client-configuration` names it: TLS and SASL, with the files that it names.
 *
 * Invariant: what about TLS can't be served is refused rather than left out, and no message holds a secret.
 */
import { readFileSync } from "node:fs";
import { parseJaas } from "../../../lib/sasl/jaas.ts";
import type { ClientTlsOptions, RemoteConnectOptions } from "../../tcp/connect.ts";
import { parseProperties } from "../properties.ts";

/** The values, by key without Java's prefix. */
type Properties = ReadonlyMap<string, string>;

/**
 * @param file null for none
 * @throws Error that names what can't be read or served
 */
export function clientConfiguration(file: string | null): RemoteConnectOptions {
  if (file === null) return {};
  const entries = parseProperties(readFileSync(file, "utf8"));
  const properties = new Map(entries.map(({ key, value }) => [key.trim().replace(/^zookeeper\./, ""), value.trim()]));
  return { ...tlsOf(properties), ...saslOf(properties) };
}

function saslOf(properties: Properties): Pick<RemoteConnectOptions, "sasl"> {
  const file = properties.get("java.security.auth.login.config");
  if (file === undefined || properties.get("sasl.client") === "false") return {};
  const section = properties.get("sasl.clientconfig") ?? "Client";
  const { client } = parseJaas(readFileSync(file, "utf8"), { users: "Server", client: section });
  if (client === null) throw new Error(`${file} has no section ${section} with a name and a password`);
  return { sasl: client };
}

/** What there is about TLS, and is served. */
const TLS_KEY = /^ssl\.(?:(?:keyStore|trustStore)\.(?:location|password|passwordPath|type)|hostnameVerification)$/;

function tlsOf(properties: Properties): Pick<RemoteConnectOptions, "tls"> {
  if (properties.get("client.secure") !== "true") return {};
  const unserved = [...properties.keys()].find((key) => key.startsWith("ssl.") && !TLS_KEY.test(key));
  if (unserved !== undefined) throw new Error(`zookeeper.${unserved} is not served: leave it out`);
  if (properties.get("ssl.hostnameVerification") === "false")
    throw new Error("zookeeper.ssl.hostnameVerification: allowed is true (certificates must be valid for the server's name)");
  return { tls: { ...trustOf(properties), ...keyOf(properties) } };
}

function trustOf(properties: Properties): Pick<ClientTlsOptions, "ca"> {
  const file = properties.get("ssl.trustStore.location");
  if (file === undefined) return {};
  const ca = readFileSync(file, "utf8");
  if (!isPem(ca)) throw notPem("ssl.trustStore.location", file);
  return { ca };
}

function keyOf(properties: Properties): Pick<ClientTlsOptions, "key" | "cert" | "pfx" | "passphrase"> {
  const file = properties.get("ssl.keyStore.location");
  if (file === undefined) return {};
  const content = readFileSync(file);
  const text = content.toString("latin1");
  const isPkcs12 = /\.(?:p12|pfx|pkcs12)$/i.test(file);
  if (!isPem(text) && !isPkcs12) throw notPem("ssl.keyStore.location", file);
  const passwordFile = properties.get("ssl.keyStore.passwordPath");
  const passphrase =
    passwordFile === undefined ? properties.get("ssl.keyStore.password") : readFileSync(passwordFile, "utf8").trim();
  return {
    ...(isPem(text) ? { key: text, cert: text } : { pfx: content }),
    ...(passphrase !== undefined && passphrase !== "" && { passphrase }),
  };
}

function isPem(text: string): boolean {
  return text.includes("-----BEGIN ");
}

function notPem(key: string, file: string): Error {
  return new Error(`zookeeper.${key}: ${file} is not in PEM; keytool -importkeystore and openssl pkcs12 make it so`);
}
