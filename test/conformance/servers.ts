/**
 * Servers to run recorded rows and exchanges against: ours in this process, through the public API, or the real one as a process.
 */

import { readFileSync } from "node:fs";
import { openSettings } from "../../adapters/cli/open_settings.ts";
import { saslOptions } from "../../adapters/cli/security.ts";
import { parseZooCfg } from "../../adapters/cli/zoo_cfg.ts";
import { fileStorage } from "../../adapters/storage/mod.ts";
import { tcp } from "../../adapters/tcp/mod.ts";
import { type Compat, open } from "../../mod.ts";
import type { Address } from "../support/frame_connection.ts";
import { startServer, type ZooConfig, zooCfg } from "../support/server_process.ts";

/** A fresh server for one row. */
export interface FreshServer extends Address {
  stop(): Promise<void>;
}

/** What rows say of the server's configuration: zoo.cfg keys, and JVM flags. */
export interface GoldenConfig {
  readonly jvm?: readonly string[];
  readonly [key: string]: unknown;
}

/** Starts a server with a row's configuration. */
export type StartServer = (config: GoldenConfig) => Promise<FreshServer>;

/** zoo.cfg keys and values; a system property `zookeeper.KEY` is the same as the key. */
export function zooConfigOf(config: GoldenConfig): ZooConfig {
  const { jvm = [], ...keys } = config;
  const properties = jvm.map((flag) => {
    const [, key, value] = /^-D(?:zookeeper\.)?([^=]+)=(.*)$/.exec(flag)!;
    return [key!, value!] as const;
  });
  return { ...(keys as ZooConfig), ...Object.fromEntries(properties) };
}

export const startApache: StartServer = async (config) => {
  const server = await startServer({ kind: "apache", config: zooConfigOf(config) });
  return { host: server.host, port: server.port, stop: async () => void (await server.stop("SIGKILL")) };
};

/** Keys that came after 3.4, which reads them as nothing. */
const SINCE_3_5 = /^(enforce\.auth|sessionRequireClientSASLAuth|DigestAuthenticationProvider\.enabled)/;

/** Ours, answering like a version of ZooKeeper: told by the same zoo.cfg. */
export function startOurs(compat: Compat): StartServer {
  return async (config) => {
    const { dataDir, ...keys } = zooConfigOf(config);
    const known = Object.entries(keys).filter(([key]) => compat !== "3.4" || !SINCE_3_5.test(key));
    const text = zooCfg({ tickTime: 2000, dataDir: "here", ...Object.fromEntries(known) });
    const { settings } = parseZooCfg(text, "zoo.cfg");
    const { acl, ...options } = openSettings(settings, true);
    const server = await open({
      compat,
      ...options,
      acl: { ...acl, ...("authProvider.1" in keys && { saslRegistered: SASL_PROVIDER.test(String(keys["authProvider.1"])) }) },
      ...("java.security.auth.login.config" in keys && saslOptions(settings, (file) => readFileSync(file, "utf8"))),
      ...(dataDir !== undefined && { storage: fileStorage(String(dataDir)) }),
    });
    const { host, port } = await server.listen(tcp({ port: 0 }));
    return { host, port, stop: () => server.close() };
  };
}

const SASL_PROVIDER = /\.SASLAuthenticationProvider$/;
