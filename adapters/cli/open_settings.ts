/**
 * What zoo.cfg asks for, in the words of `open()` and `tcp()`.
 *
 * Where zoo.cfg does not say, ZooKeeper's default for zoo.cfg counts, which is not always that of `open()`.
 */
import type { OpenSettings } from "../../lib/options.ts";
import type { TcpOptions } from "../tcp/listener.ts";
import { DEFAULT_TICK_TIME_MS } from "./zoo_cfg.ts";
import type { ZooSettings } from "./zoo_keys.ts";

export function openSettings(zoo: Partial<ZooSettings>): OpenSettings {
  return {
    tickTimeMs: zoo.tickTime ?? DEFAULT_TICK_TIME_MS,
    ...given("minSessionTimeoutMs", zoo.minSessionTimeout === -1 ? undefined : zoo.minSessionTimeout),
    ...given("maxSessionTimeoutMs", zoo.maxSessionTimeout === -1 ? undefined : zoo.maxSessionTimeout),
    extendedTypes: zoo.extendedTypesEnabled ?? false,
    ...given("digest", zoo["digest.enabled"]),
    ...given("closeSessionPaths", zoo["closeSessionTxn.enabled"]),
    ...given("enforceQuota", zoo.enforceQuota),
    ...given("reconfigEnabled", zoo.reconfigEnabled),
    ...given("localSessions", zoo.localSessionsEnabled),
    ...given("localSessionsUpgrading", zoo.localSessionsUpgradingEnabled),
    ...given("fourLetterWords", enabledWords(zoo)),
    requiredAuthSchemes: zoo["enforce.auth.enabled"] ? (zoo["enforce.auth.schemes"] ?? []) : [],
    acl: {
      ...given("skip", zoo.skipACL),
      ...given("superDigest", zoo["DigestAuthenticationProvider.superDigest"]),
      ...given("digestEnabled", zoo["DigestAuthenticationProvider.enabled"]),
      ...given("digestAlg", zoo["DigestAuthenticationProvider.digestAlg"]),
    },
    limits: {
      ...given("frameBytesMax", zoo["jute.maxbuffer"]),
      ...given("connectionsPerAddressMax", zoo.maxClientCnxns),
      ...given("connectionsMax", zoo.maxCnxns),
      ...given("handshakeTimeoutMs", zoo["nio.sessionlessCnxnTimeout"]),
      ...given("outstandingRequestsMax", zoo.globalOutstandingLimit),
    },
    reaper: {
      ...given("intervalMs", zoo["znode.container.checkIntervalMs"]),
      ...given("perMinuteMax", zoo["znode.container.maxPerMinute"]),
      ...given("neverUsedMs", zoo["znode.container.maxNeverUsedIntervalMs"]),
    },
  };
}

/** A server that may be read-only answers whether it is, as ZooKeeper's clients ask it to find another one. */
function enabledWords(zoo: Partial<ZooSettings>): readonly string[] | undefined {
  const words = zoo["4lw.commands.whitelist"];
  return zoo["readonlymode.enabled"] ? [...(words ?? []), "isro"] : words;
}

/** Where to listen; null where zoo.cfg names no port. */
export function listenOptions(zoo: Partial<ZooSettings>): TcpOptions | null {
  if (zoo.clientPort === undefined || zoo.clientPort === 0) return null;
  return {
    port: zoo.clientPort,
    ...given("host", zoo.clientPortAddress),
    ...given("backlog", zoo.clientPortListenBacklog === -1 ? undefined : zoo.clientPortListenBacklog),
    ...given("keepAlive", zoo.clientTcpKeepAlive),
  };
}

/** The one property, or none where there is no value for it. */
function given<const Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]?: Value });
}
