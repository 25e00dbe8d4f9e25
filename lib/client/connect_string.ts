/**
 * Connect strings: `host1:2181,host2,[fd00::3]:2181/chroot`.
 *
 * Not here: resolving names, which is done anew at each attempt. Invariant: what comes out names at least one server, none twice, and its chroot
 * is a valid path or "".
 */

import { checkString } from "../base/validate.ts";
import { ZkError } from "../model/errors.ts";
import { pathProblem } from "../model/path.ts";
import type { ServerAddress } from "../ports.ts";

/** What a connect string says. */
export interface ConnectString {
  readonly servers: readonly ServerAddress[];
  /** Path under which everything happens; "" for none. */
  readonly chroot: string;
}

const DEFAULT_PORT = 2181;

/**
 * Reads a connect string. A port that is left out is 2181; everything from the first slash on is the chroot.
 *
 * @throws TypeError for what is no text; ZkError `BadArguments` that says which part is wrong
 *
 * @example
 * ```ts
 * parseConnectString("zk1,zk2:2182/app"); // { servers: [{ host: "zk1", port: 2181 }, { host: "zk2", port: 2182 }], chroot: "/app" }
 * ```
 */
export function parseConnectString(text: string): ConnectString {
  checkString("connect", "servers", text, '"zk1:2181,zk2:2181/app"');
  const slash = text.indexOf("/");
  const list = slash === -1 ? text : text.slice(0, slash);
  const chroot = slash === -1 ? "" : text.slice(slash).trimEnd();
  const problem = chroot === "" ? null : pathProblem(chroot);
  if (problem !== null) throw refusal(`chroot "${chroot}": ${problem}`);
  const names = list.split(",").map((name) => name.trim());
  const servers = names.filter((name) => name !== "").map(parseServer);
  const unique = [...new Map(servers.map((server) => [serverName(server), server])).values()];
  if (unique.length === 0) throw refusal(`"${text}" names no server`);
  return { servers: unique, chroot: chroot === "/" ? "" : chroot };
}

function parseServer(text: string): ServerAddress {
  const match = /^(?:\[([^[\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text);
  if (match === null) {
    const hint = text.split(":").length > 2 && !text.includes("[") ? "; an IPv6 address stands in brackets" : "";
    throw refusal(`"${text}" is not host:port${hint}`);
  }
  const port = match[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  if (port < 1 || port > 65_535) throw refusal(`"${text}": a port is a number from 1 to 65535`);
  return { host: match[1] ?? match[2]!, port };
}

function refusal(reason: string): ZkError {
  return new ZkError("BadArguments", { operation: "connect", reason });
}

/** As in a connect string. */
export function serverName({ host, port }: ServerAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
