/** The two servers that are compared, started with the same configuration: Apache ZooKeeper as a process, ours in this one. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStorage } from "../../adapters/storage/mod.ts";
import { tcp } from "../../adapters/tcp/listener.ts";
import { digestId } from "../../lib/acl/providers.ts";
import type { Storage } from "../../lib/ports.ts";
import { open } from "../../mod.ts";
import type { Address } from "../support/frame_connection.ts";
import { startServer } from "../support/server_process.ts";
import { SUPER_PASSWORD } from "./side.ts";

/** What may differ from run to run. */
export interface Setup {
  readonly extendedTypes: boolean;
  readonly enforceQuota: boolean;
  readonly skipAcl: boolean;
}

export type SetupName = "plain" | "quota" | "skipAcl";

export const SETUPS: Readonly<Record<SetupName, Setup>> = {
  plain: { extendedTypes: true, enforceQuota: false, skipAcl: false },
  quota: { extendedTypes: false, enforceQuota: true, skipAcl: false },
  skipAcl: { extendedTypes: true, enforceQuota: false, skipAcl: true },
};

export interface RunningServer extends Address {
  /** Where its log is, once it has stopped: a folder, or a storage. */
  readonly log: string | Storage;
  stop(): Promise<void>;
  /** Removes the log. */
  forget(): void;
}

const SUPER_DIGEST = digestId(SUPER_PASSWORD, { digestAlg: "SHA1" });
/** Short, so that sessions expire fast; nobody's session but those that are to expire is near its end. */
const TICK_MS = 100;
const MAX_SESSION_TIMEOUT_MS = 60_000;
/** Containers and TTL znodes would go at a moment that is nobody's to choose. */
const NO_REAPING_MS = 2 ** 31 - 1;

export async function startApache({ extendedTypes, enforceQuota, skipAcl }: Setup): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "zookernel-differential-"));
  const server = await startServer({
    kind: "apache",
    folder,
    config: {
      tickTime: TICK_MS,
      maxSessionTimeout: MAX_SESSION_TIMEOUT_MS,
      maxClientCnxns: 0,
      extendedTypesEnabled: extendedTypes,
      enforceQuota,
      skipACL: skipAcl ? "yes" : "no",
      "4lw.commands.whitelist": "*",
      "DigestAuthenticationProvider.superDigest": SUPER_DIGEST,
      "znode.container.checkIntervalMs": NO_REAPING_MS,
      forceSync: "no",
      snapCount: 10_000_000,
    },
  });
  const { host, port, dataDir } = server;
  return {
    ...{ host, port, log: dataDir },
    stop: async () => void (await server.stop()),
    forget: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function startOurs({ extendedTypes, enforceQuota, skipAcl }: Setup): Promise<RunningServer> {
  const storage = memoryStorage();
  const server = await open({
    storage,
    tickTimeMs: TICK_MS,
    maxSessionTimeoutMs: MAX_SESSION_TIMEOUT_MS,
    extendedTypes,
    enforceQuota,
    fourLetterWords: ["*"],
    acl: { skip: skipAcl, superDigest: SUPER_DIGEST },
    limits: { connectionsPerAddressMax: 0 },
    reaper: { intervalMs: NO_REAPING_MS },
  });
  const { host, port } = await server.listen(tcp({ port: 0 }));
  return { host, port, log: storage, stop: () => server.close(), forget: () => {} };
}
