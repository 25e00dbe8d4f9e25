/**
 * Membership of a server of zoo.cfg in its ensemble: who it is, from the file `myid`, and where its clients come.
 */
import { readFileSync } from "node:fs";
import { join } from "@std/path";
import type { EnsembleConfig, EnsembleMember } from "../../lib/broadcast/zab/ensemble.ts";
import { ZooCfgError } from "./zoo_cfg.ts";
import type { ZooSettings } from "./zoo_keys.ts";

/** This member, as the file `myid` of the data folder says. */
export function memberOf(config: EnsembleConfig, dataDir: string): EnsembleMember {
  const path = join(dataDir, "myid");
  const text = textOf(path).trim();
  const listed = config.members.map(({ id }) => id);
  if (!/^\d{1,3}$/.test(text)) throw new ZooCfgError([`${path}: ${JSON.stringify(text.slice(0, 40))} is no member's number`]);
  const member = config.members.find(({ id }) => id === BigInt(text));
  if (member === undefined) throw new ZooCfgError([`${path}: member ${text} is not listed; listed are ${listed.join(", ")}`]);
  return member;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ZooCfgError([
      `${path} can't be read: it must hold this member's number, the N of its line server.N (${(error as Error).message})`,
    ]);
  }
}

/** The settings with the client address of the member's own line, where the line has one. */
export function withClientAddress(
  settings: Partial<ZooSettings>,
  { id, client }: EnsembleMember,
  file: string,
): Partial<ZooSettings> {
  if (client === null) return settings;
  const { clientPort = client.port, clientPortAddress } = settings;
  if (clientPort !== client.port) {
    throw new ZooCfgError([`${file}: clientPort ${clientPort} differs from that of server.${id}, ${client.port}`]);
  }
  const address = clientPortAddress ?? client.host;
  return { ...settings, clientPort, ...(address !== null && { clientPortAddress: address }) };
}
