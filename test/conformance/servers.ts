/**
 * Servers to run recorded rows and exchanges against: ours in this process, through the public API, or the real one as a process.
 */

import { readFileSync } from "node:fs";
import { fileStorage } from "../../adapters/storage/mod.ts";
import { parseJaas, tcp } from "../../adapters/tcp/mod.ts";
import { type Compat, type OpenOptions, open } from "../../mod.ts";
import type { Address } from "../support/frame_connection.ts";
import { startServer, type ZooConfig } from "../support/server_process.ts";

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

/** Ours, answering like a version of ZooKeeper. */
export function startOurs(compat: Compat): StartServer {
  return async (config) => {
    const keys = Object.entries(zooConfigOf(config)).filter(([key]) => compat !== "3.4" || !SINCE_3_5.test(key));
    const server = await open({ compat, extendedTypes: false, ...openOptionsOf(keys) });
    const { host, port } = await server.listen(tcp({ port: 0 }));
    return { host, port, stop: () => server.close() };
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The options that stand for the zoo.cfg keys of the recordings. */
function openOptionsOf(config: readonly (readonly [string, unknown])[]): OpenOptions {
  const options: Mutable<OpenOptions> = {};
  for (const [key, given] of config) {
    const value = String(given);
    switch (key) {
      case "tickTime":
        options.tickTimeMs = Number(value);
        break;
      case "extendedTypesEnabled":
        options.extendedTypes = value === "true";
        break;
      case "znode.container.checkIntervalMs":
        options.reaper = { ...options.reaper, intervalMs: Number(value) };
        break;
      case "znode.container.maxNeverUsedIntervalMs":
        options.reaper = { ...options.reaper, neverUsedMs: Number(value) };
        break;
      case "DigestAuthenticationProvider.superDigest":
        options.acl = { ...options.acl, superDigest: value };
        break;
      case "DigestAuthenticationProvider.enabled":
        options.acl = { ...options.acl, digestEnabled: value === "true" };
        break;
      case "skipACL":
        options.acl = { ...options.acl, skip: value === "yes" };
        break;
      case "reconfigEnabled":
        options.reconfigEnabled = value === "true";
        break;
      case "enforceQuota":
        options.enforceQuota = value === "true";
        break;
      case "enforce.auth.enabled":
        break; // the schemes alone say it
      case "enforce.auth.schemes":
        options.requiredAuthSchemes = value.split(",");
        break;
      case "sessionRequireClientSASLAuth":
        if (value === "true") options.requiredAuthSchemes = ["sasl"];
        break;
      case "maxClientCnxns":
        options.limits = { ...options.limits, connectionsPerAddressMax: Number(value) };
        break;
      case "maxCnxns":
        options.limits = { ...options.limits, connectionsMax: Number(value) };
        break;
      case "superUser":
        options.acl = { ...options.acl, superUsers: [value] };
        break;
      case "allowSaslFailedClients":
        options.sasl = { ...options.sasl, allowFailedClients: value === "true" };
        break;
      case "java.security.auth.login.config":
        options.sasl = { ...options.sasl, users: parseJaas(readFileSync(value, "utf8")).users ?? {} };
        break;
      case "localSessionsEnabled":
        options.localSessions = value === "true";
        break;
      case "localSessionsUpgradingEnabled":
        options.localSessionsUpgrading = value === "true";
        break;
      case "4lw.commands.whitelist":
        options.fourLetterWords = value.split(/\s*,\s*/);
        break;
      case "dataDir":
        options.storage = fileStorage(value);
        break;
      case "authProvider.1":
        if (value.endsWith("EnsembleAuthenticationProvider")) options.acl = { ensembleAuthNames: [], ...options.acl };
        else options.acl = { ...options.acl, saslRegistered: value.endsWith("SASLAuthenticationProvider") };
        break;
      case "ensembleAuthName":
        options.acl = { ...options.acl, ensembleAuthNames: value.split(",") };
        break;
      default:
        throw new Error(`a recording's configuration has ${key}, which no option stands for here`);
    }
  }
  return options;
}
