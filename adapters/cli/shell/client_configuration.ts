/**
 * Configuration of a client in Java's properties, as `-client-configuration` names it: TLS and SASL, with the files that it names.
 *
 * Invariant: what can't be served is refused rather than left out, and no message holds a secret.
 */
import { readFileSync } from "node:fs";
import { parseJaas } from "../../../lib/sasl/jaas.ts";
import type { ClientTlsOptions, RemoteConnectOptions } from "../../tcp/connect.ts";
import { parseProperties } from "../properties.ts";

/** @param file null for none */
export function clientConfiguration(file: string | null): RemoteConnectOptions {
  if (file === null) return {};
  const properties = new Map(parseProperties(readFileSync(file, "utf8")).map(({ key, value }) => [key.trim(), value.trim()]));
  const get = (name: string): string | undefined => properties.get(`zookeeper.${name}`) ?? properties.get(name);
  const tls = get("client.secure") === "true" ? tlsOf(get) : undefined;
  const jaas = get("java.security.auth.login.config") ?? properties.get("java.security.auth.login.config");
  const sasl =
    jaas === undefined || get("sasl.client") === "false" ? undefined : saslOf(jaas, get("sasl.clientconfig") ?? "Client");
  return { ...(tls !== undefined && { tls }), ...(sasl !== undefined && { sasl }) };
}

function saslOf(file: string, section: string): NonNullable<RemoteConnectOptions["sasl"]> {
  const { client } = parseJaas(readFileSync(file, "utf8"), { users: "Server", client: section });
  if (client === null) throw new Error(`${file} has no section ${section} with a name and a password`);
  return client;
}

type Get = (name: string) => string | undefined;

function tlsOf(get: Get): ClientTlsOptions {
  const trust = storeOf(get, "trustStore");
  const key = storeOf(get, "keyStore");
  return {
    ...(trust !== undefined && { ca: trust.content }),
    ...(key !== undefined && { ...(key.isPem ? { key: key.content, cert: key.content } : { pfx: key.content }) }),
    ...(key?.password !== undefined && { passphrase: key.password }),
  };
}

function storeOf(
  get: Get,
  name: "keyStore" | "trustStore",
): { content: Buffer; isPem: boolean; password?: string } | undefined {
  const file = get(`ssl.${name}.location`);
  if (file === undefined) return undefined;
  const content = readFileSync(file);
  const isPem = content.includes("-----BEGIN ");
  if (!isPem && (name === "trustStore" || !/\.(p12|pfx|pkcs12)$/i.test(file)))
    throw new Error(`zookeeper.ssl.${name}.location: ${file} is not in PEM; openssl pkcs12 -in FILE -out FILE.pem converts it`);
  const passwordFile = get(`ssl.${name}.passwordPath`);
  const password = passwordFile === undefined ? get(`ssl.${name}.password`) : readFileSync(passwordFile, "utf8").trim();
  return { content, isPem, ...(password !== undefined && { password }) };
}
