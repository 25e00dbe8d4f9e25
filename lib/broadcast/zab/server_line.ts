/**
 * A member as one line, `server.N=…`: in zoo.cfg, in its dynamic file, in reconfigurations and in the configuration that members tell one another.
 *
 * Not here: what follows from how many there are.
 */
import { parseJavaLong } from "../../base/java_long.ts";
import type { EnsembleMember } from "./ensemble.ts";

/** The line, without its end. The role is always said. */
export function serverLine({ id, addresses, role, client }: EnsembleMember): string {
  const places = addresses.map(({ host, quorumPort, electionPort }) => `${bracketed(host)}:${quorumPort}:${electionPort}`);
  return `server.${id}=${places.join("|")}:${role}${client === null ? "" : `;${clientPlace(client)}`}`;
}

/** Where clients find a member; a host that is not said is any. */
export function clientPlace(client: EnsembleMember["client"]): string | null {
  return client === null ? null : `${bracketed(client.host ?? ANY_HOST)}:${client.port}`;
}

/** An IPv6 address stands in brackets. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

const ANY_HOST = "0.0.0.0";

/**
 * Reads `server.<id>=<host>:<quorum port>:<election port>[:<role>][|…][;[<client host>:]<client port>]`.
 *
 * @throws Error in words that go behind the value: what about it is not right.
 */
export function parseServerLine(key: string, value: string): EnsembleMember {
  const id = key.startsWith("server.") ? parseJavaLong(key.slice("server.".length)) : null;
  if (id === null) throw new Error("the key must be server. and a whole number");
  const [servers = "", client, ...rest] = value.split(";");
  if (rest.length > 0) throw new Error(FORM);
  const specs = servers.split("|").map(parseSpec);
  const roles = new Set(specs.map(({ role }) => role));
  if (roles.size > 1) throw new Error("all addresses of a member must have the same role");
  return {
    id,
    addresses: specs.map(({ host, quorumPort, electionPort }) => ({ host, quorumPort, electionPort })),
    role: specs[0]!.role,
    client: client === undefined ? null : parseClient(client),
  };
}

const FORM =
  "it does not have the form server_config or server_config;client_config, where server_config is " +
  "host:port:port or host:port:port:role, and client_config is port or host:port";

function parseSpec(spec: string): EnsembleMember["addresses"][number] & Pick<EnsembleMember, "role"> {
  const parts = splitAddress(spec);
  if (parts.length < 3 || parts.length > 4) throw new Error(FORM);
  const [host = "", quorum = "", election = "", role = "participant"] = parts;
  const kind = role.toLowerCase();
  if (kind !== "participant" && kind !== "observer") throw new Error(`Unrecognised peertype: ${role}`);
  const quorumPort = parsePort(quorum, host);
  const electionPort = parsePort(election, host);
  if (quorumPort === electionPort) throw new Error("quorum port and election port must be different");
  return { host, quorumPort, electionPort, role: kind };
}

function parseClient(client: string): { host: string | null; port: number } {
  const parts = splitAddress(client);
  if (parts.length > 2) throw new Error(FORM);
  const [port = "", host = null] = parts.reverse();
  return { host, port: parsePort(port, host ?? "") };
}

/** Splits at colons; an IPv6 address stands in brackets, which go. */
function splitAddress(address: string): string[] {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(address.trim());
  if (bracketed === null) return address.trim().split(":");
  return [bracketed[1]!, ...(bracketed[2]?.split(":") ?? [])];
}

function parsePort(port: string, host: string): number {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`Address unresolved: ${host}:${port}`);
  return Number(port);
}
