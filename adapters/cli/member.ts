/**
 * Membership of a server of zoo.cfg in its ensemble: who it is, from the file `myid`, where its clients come, and which change was under way.
 */
import { readFileSync } from "node:fs";
import { join } from "@std/path";
import type { EnsembleConfig, EnsembleMember } from "../../lib/broadcast/zab/ensemble.ts";
import type { DynamicConfig } from "./dynamic_config.ts";
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

/** The configuration that the member had seen proposed when it went down; null: none. One that can't be read may have been agreed to: no start without. */
export function lastSeenOf(store: DynamicConfig): EnsembleConfig | null {
  try {
    return store.readProposed();
  } catch (error) {
    const remedy = "put it right, or remove it if the reconfiguration that it stands for is through";
    throw new ZooCfgError([`${store.next}: ${(error as Error).message}: ${remedy}`]);
  }
}
