/**
 * Every key that zoo.cfg may have: how its value is read, and whether this server serves it or why it does not.
 *
 * As in Apache ZooKeeper a key that is no setting of its own stands for a Java system property, `zookeeper.KEY`; those that mean
 * something here are in the table by that KEY. A key's schema is made when the key is met: a short zoo.cfg starts quickly.
 */
import { DIGEST_ALGORITHMS, type DigestAlgorithm } from "../../lib/acl/digest_algorithms.ts";
import { bool, byteCount, fraction, list, mapped, oneOf, only, text, type ValueKind, whole, yesNo } from "./zoo_values.ts";

/** What is served, by its name in zoo.cfg. A key that the file does not have is absent. */
export interface ZooSettings {
  readonly dataDir: string;
  readonly dataLogDir: string;
  readonly snapCount: number;
  readonly snapSizeLimitInKb: number;
  readonly txnLogSizeLimitInKb: number;
  readonly preAllocSize: number;
  readonly forceSync: boolean;
  readonly "fsync.warningthresholdms": number;
  readonly "autopurge.snapRetainCount": number;
  readonly "autopurge.purgeInterval": number;
  readonly "datadir.autocreate": boolean;
  readonly "snapshot.trust.empty": boolean;
  readonly "snapshot.compression.method": "gzip" | "snappy";
  readonly "serializeLastProcessedZxid.enabled": boolean;
  readonly clientPort: number;
  readonly clientPortAddress: string;
  readonly clientPortListenBacklog: number;
  readonly secureClientPort: number;
  readonly secureClientPortAddress: string;
  readonly "client.portUnification": boolean;
  readonly "ssl.keyStore.location": string;
  readonly "ssl.keyStore.password": string;
  readonly "ssl.keyStore.passwordPath": string;
  readonly "ssl.keyStore.type": "PEM";
  readonly "ssl.trustStore.location": string;
  readonly "ssl.trustStore.type": "PEM";
  readonly "ssl.clientAuth": "need" | "want" | "none";
  readonly tickTime: number;
  readonly minSessionTimeout: number;
  readonly maxSessionTimeout: number;
  readonly maxClientCnxns: number;
  readonly maxCnxns: number;
  readonly clientTcpKeepAlive: boolean;
  readonly "nio.sessionlessCnxnTimeout": number;
  readonly "jute.maxbuffer": number;
  readonly "jute.maxbuffer.extrasize": number;
  readonly "ephemeralNodes.total.byte.limit": number;
  readonly "4lw.commands.whitelist": readonly string[];
  readonly standaloneEnabled: boolean;
  readonly initLimit: number;
  readonly snapshotSizeFactor: number;
  readonly syncLimit: number;
  readonly peerType: "participant" | "observer";
  readonly dynamicConfigFile: string;
  readonly quorumListenOnAllIPs: boolean;
  readonly sslQuorum: boolean;
  readonly portUnification: boolean;
  readonly "ssl.quorum.keyStore.location": string;
  readonly "ssl.quorum.keyStore.password": string;
  readonly "ssl.quorum.keyStore.passwordPath": string;
  readonly "ssl.quorum.keyStore.type": "PEM";
  readonly "ssl.quorum.trustStore.location": string;
  readonly "ssl.quorum.trustStore.type": "PEM";
  readonly "ssl.quorum.clientAuth": "need" | "want" | "none";
  readonly "ssl.quorum.hostnameVerification": boolean;
  readonly "quorum.auth.enableSasl": boolean;
  readonly "quorum.auth.learnerRequireSasl": boolean;
  readonly "quorum.auth.serverRequireSasl": boolean;
  readonly "quorum.auth.learner.saslLoginContext": string;
  readonly "quorum.auth.server.saslLoginContext": string;
  readonly "quorum.allowUnauthenticatedPeers": boolean;
  readonly reconfigEnabled: boolean;
  readonly extendedTypesEnabled: boolean;
  readonly emulate353TTLNodes: boolean;
  readonly enforceQuota: boolean;
  readonly skipACL: boolean;
  readonly localSessionsEnabled: boolean;
  readonly localSessionsUpgradingEnabled: boolean;
  readonly sessionSecret: string;
  readonly "readonlymode.enabled": boolean;
  readonly "digest.enabled": boolean;
  readonly "closeSessionTxn.enabled": boolean;
  readonly "znode.container.checkIntervalMs": number;
  readonly "znode.container.maxPerMinute": number;
  readonly "znode.container.maxNeverUsedIntervalMs": number;
  readonly globalOutstandingLimit: number;
  readonly request_throttle_max_requests: number;
  readonly request_throttle_stall_time: number;
  readonly throttled_op_wait_time: number;
  readonly connection_throttle_tokens: number;
  readonly connection_throttle_fill_time: number;
  readonly connection_throttle_fill_count: number;
  readonly connection_throttle_freeze_time: number;
  readonly connection_throttle_drop_increase: number;
  readonly connection_throttle_drop_decrease: number;
  readonly connection_throttle_decrease_ratio: number;
  readonly connection_throttle_weight_enabled: boolean;
  readonly connection_throttle_global_session_weight: number;
  readonly connection_throttle_local_session_weight: number;
  readonly connection_throttle_renew_session_weight: number;
  readonly "DigestAuthenticationProvider.superDigest": string;
  readonly "DigestAuthenticationProvider.enabled": boolean;
  readonly "DigestAuthenticationProvider.digestAlg": DigestAlgorithm;
  readonly "enforce.auth.enabled": boolean;
  readonly "enforce.auth.schemes": readonly string[];
  readonly sessionRequireClientSASLAuth: boolean;
  readonly allowSaslFailedClients: boolean;
  readonly "java.security.auth.login.config": string;
  readonly "audit.enable": boolean;
  readonly "admin.enableServer": boolean;
  readonly "admin.serverAddress": string;
  readonly "admin.serverPort": number;
  readonly "admin.commandURL": string;
  readonly "admin.idleTimeout": number;
  readonly "metricsProvider.className": string;
  readonly "metricsProvider.httpHost": string;
  readonly "metricsProvider.httpPort": number;
  /** Of this key and of all that begin with it and a dot. */
  readonly superUser: readonly string[];
  readonly letAnySaslUserDoX: string;
  /** Empty: a client may call the ensemble by any name. */
  readonly ensembleAuthName: readonly string[];
  readonly "X509AuthenticationProvider.superUser": string;
}

/** What to do with Java's own kinds of key stores. */
export const STORES_AS_PEM =
  "JKS, PKCS12 and BCFKS stores are not read: keytool -importkeystore makes a JKS store a PKCS12 one, openssl pkcs12 -noenc that a PEM file";

/** A way to make the kind of a key's values. */
type Kind<T> = () => ValueKind<T>;

const milliseconds =
  (least = 1): Kind<number> =>
  () =>
    whole({ least, unit: "milliseconds" });
const unlimitedAtZero = (): ValueKind<number> => whole({ note: "0 for no limit" });
const sessionTimeout =
  (ticks: number): Kind<number> =>
  () =>
    whole({ least: -1, unit: "milliseconds", note: `-1 for ${ticks} ticks` });
/** As they are called elsewhere. */
const compression = (): ValueKind<"gzip" | "snappy"> => {
  return mapped(oneOf("gz", "snappy"), (method) => (method === "gz" ? "gzip" : method));
};
const anyText = (): ValueKind<string> => text();
const saslUser = (): ValueKind<readonly string[]> => {
  return mapped(text("a SASL user"), (name) => [name]);
};
const keyFile = (): ValueKind<string> => text("a file with a private key and its certificate, both in PEM");
const trustFile = (): ValueKind<string> => text("a file with the certificates of authorities, in PEM");
const pem = (): ValueKind<"PEM"> => {
  const { schema } = oneOf("PEM");
  return { allowed: `PEM (${STORES_AS_PEM})`, schema };
};

const SERVED: { readonly [Key in keyof ZooSettings]: Kind<ZooSettings[Key]> } = {
  dataDir: () => text("a folder"),
  dataLogDir: () => text("a folder"),
  snapCount: () => whole(),
  snapSizeLimitInKb: () => whole({ least: -(2 ** 31), note: "0 or less for no limit" }),
  txnLogSizeLimitInKb: () => whole({ least: -(2 ** 31), note: "0 or less for no limit" }),
  preAllocSize: () => whole({ unit: "KiB" }),
  forceSync: yesNo,
  "fsync.warningthresholdms": milliseconds(0),
  "autopurge.snapRetainCount": () => whole(),
  "autopurge.purgeInterval": () => whole({ unit: "hours", note: "0 for never" }),
  "datadir.autocreate": bool,
  "snapshot.trust.empty": bool,
  "snapshot.compression.method": compression,
  "serializeLastProcessedZxid.enabled": bool,
  clientPort: () => whole({ most: 65_535, note: "0 for none" }),
  clientPortAddress: () => text("an address or name of this machine, such as 127.0.0.1 or 0.0.0.0"),
  clientPortListenBacklog: () => whole({ least: -1, note: "-1 for the default" }),
  secureClientPort: () => whole({ most: 65_535, note: "0 for none" }),
  secureClientPortAddress: () => text("an address or name of this machine, such as 127.0.0.1 or 0.0.0.0"),
  "client.portUnification": bool,
  "ssl.keyStore.location": keyFile,
  "ssl.keyStore.password": anyText,
  "ssl.keyStore.passwordPath": () => text("a file"),
  "ssl.keyStore.type": pem,
  "ssl.trustStore.location": trustFile,
  "ssl.trustStore.type": pem,
  "ssl.clientAuth": () => oneOf("need", "want", "none"),
  tickTime: milliseconds(),
  minSessionTimeout: sessionTimeout(2),
  maxSessionTimeout: sessionTimeout(20),
  maxClientCnxns: unlimitedAtZero,
  maxCnxns: unlimitedAtZero,
  clientTcpKeepAlive: bool,
  "nio.sessionlessCnxnTimeout": milliseconds(),
  "jute.maxbuffer": () => byteCount(1, 2 ** 30),
  "jute.maxbuffer.extrasize": () => byteCount(0, 2 ** 30),
  "ephemeralNodes.total.byte.limit": unlimitedAtZero,
  "4lw.commands.whitelist": () => list("four-letter words, or * for all"),
  standaloneEnabled: bool,
  initLimit: () => whole({ least: 1, unit: "ticks" }),
  snapshotSizeFactor: () => fraction(-1, Number.MAX_SAFE_INTEGER),
  syncLimit: () => whole({ least: 1, unit: "ticks" }),
  peerType: () => oneOf("participant", "observer"),
  dynamicConfigFile: () => text("a file that lists the members"),
  quorumListenOnAllIPs: bool,
  sslQuorum: bool,
  portUnification: bool,
  "ssl.quorum.keyStore.location": keyFile,
  "ssl.quorum.keyStore.password": anyText,
  "ssl.quorum.keyStore.passwordPath": () => text("a file"),
  "ssl.quorum.keyStore.type": pem,
  "ssl.quorum.trustStore.location": trustFile,
  "ssl.quorum.trustStore.type": pem,
  "ssl.quorum.clientAuth": () => oneOf("need", "want", "none"),
  "ssl.quorum.hostnameVerification": bool,
  "quorum.auth.enableSasl": bool,
  "quorum.auth.learnerRequireSasl": bool,
  "quorum.auth.serverRequireSasl": bool,
  "quorum.auth.learner.saslLoginContext": () => text("a section of the JAAS file"),
  "quorum.auth.server.saslLoginContext": () => text("a section of the JAAS file"),
  "quorum.allowUnauthenticatedPeers": bool,
  reconfigEnabled: bool,
  extendedTypesEnabled: bool,
  emulate353TTLNodes: bool,
  enforceQuota: bool,
  skipACL: yesNo,
  localSessionsEnabled: bool,
  localSessionsUpgradingEnabled: bool,
  sessionSecret: () => text("a secret of 16 characters or more"),
  "readonlymode.enabled": bool,
  "digest.enabled": bool,
  "closeSessionTxn.enabled": bool,
  "znode.container.checkIntervalMs": milliseconds(),
  "znode.container.maxPerMinute": () => whole({ least: 1 }),
  "znode.container.maxNeverUsedIntervalMs": milliseconds(0),
  globalOutstandingLimit: () => whole({ least: 1 }),
  request_throttle_max_requests: unlimitedAtZero,
  request_throttle_stall_time: milliseconds(),
  throttled_op_wait_time: milliseconds(0),
  connection_throttle_tokens: unlimitedAtZero,
  connection_throttle_fill_time: milliseconds(),
  connection_throttle_fill_count: () => whole({ least: 1 }),
  connection_throttle_freeze_time: () => whole({ least: -1, unit: "milliseconds", note: "-1 for no dropping by chance" }),
  connection_throttle_drop_increase: () => fraction(0, 1),
  connection_throttle_drop_decrease: () => fraction(0, 1),
  connection_throttle_decrease_ratio: () => fraction(0, 1),
  connection_throttle_weight_enabled: bool,
  connection_throttle_global_session_weight: () => whole({ least: 1 }),
  connection_throttle_local_session_weight: () => whole({ least: 1 }),
  connection_throttle_renew_session_weight: () => whole({ least: 1 }),
  "DigestAuthenticationProvider.superDigest": () => text("super:HASH"),
  "DigestAuthenticationProvider.enabled": bool,
  "DigestAuthenticationProvider.digestAlg": () => oneOf(...DIGEST_ALGORITHMS),
  "enforce.auth.enabled": bool,
  "enforce.auth.schemes": () => list("authentication schemes"),
  sessionRequireClientSASLAuth: bool,
  allowSaslFailedClients: bool,
  "audit.enable": bool,
  "admin.enableServer": bool,
  "admin.serverAddress": () => text("an address or name of this machine, such as 127.0.0.1 or 0.0.0.0"),
  "admin.serverPort": () => whole({ most: 65_535, note: "0 for any that is free" }),
  "admin.commandURL": () => text("a path such as /commands"),
  "admin.idleTimeout": milliseconds(),
  "metricsProvider.className": anyText,
  "metricsProvider.httpHost": () => text("an address or name of this machine, such as 127.0.0.1 or 0.0.0.0"),
  "metricsProvider.httpPort": () => whole({ most: 65_535, note: "0 for any that is free" }),
  "java.security.auth.login.config": () => text("a JAAS file"),
  superUser: saslUser,
  letAnySaslUserDoX: anyText,
  ensembleAuthName: () => list("names of the ensemble"),
  "X509AuthenticationProvider.superUser": () => text("the subject of a certificate"),
};

/** The names of what is served. */
export const SERVED_KEYS: readonly (keyof ZooSettings)[] = Object.keys(SERVED) as (keyof ZooSettings)[];

/** Why a group of keys is not served. `quiet`: nothing is lost by it, so it is no warning. */
export interface Reason {
  readonly text: string;
  readonly quiet: boolean;
}

const ENSEMBLE: Reason = { text: "it is a finer point of ensembles that is fixed here", quiet: true };
const DISK: Reason = { text: "what waits is always written at once, and together", quiet: true };
const JAVA: Reason = { text: "it tunes a Java machine, its threads, caches or classes", quiet: true };
const TLS: Reason = { text: "TLS 1.2 and 1.3 are served, with the runtime's own choice of ciphers", quiet: false };
const KERBEROS: Reason = { text: "members prove who they are by DIGEST-MD5", quiet: false };
const RELOAD: Reason = { text: "keys and certificates are read when the server starts", quiet: false };
const ADMIN: Reason = {
  text: "the admin server speaks HTTP/1.1 in the clear, and changes nothing: TLS and rights are a proxy's, or those of a program that embeds the server",
  quiet: false,
};
const LARGE: Reason = { text: "large requests have no budget of their own", quiet: false };
const STALE: Reason = { text: "what a client has asked that is gone is always dropped", quiet: true };
const AUTH: Reason = { text: "who may do what is judged by ZooKeeper's own providers alone", quiet: false };

/** The keys that are known but not served, by reason. Their values are judged all the same. */
const NOT_SERVED: readonly (readonly [Reason, Readonly<Record<string, Kind<unknown>>>])[] = [
  [
    ENSEMBLE,
    {
      connectToLearnerMasterLimit: () => whole({ unit: "ticks" }),
      electionAlg: () => oneOf("3"),
      syncEnabled: bool,
      observerMasterPort: () => whole({ least: -1, most: 65_535 }),
      "multiAddress.enabled": bool,
      "multiAddress.reachabilityCheckEnabled": bool,
      "multiAddress.reachabilityCheckTimeoutMs": milliseconds(),
      "quorum.cnxn.threads.size": () => whole({ least: 1 }),
      commitLogCount: () => whole(),
      "db.autocreate": bool,
      leaderServes: yesNo,
      cnxTimeout: () => whole({ unit: "seconds" }),
      tcpKeepAlive: bool,
      electionPortBindRetry: () => whole(),
      "fastleader.minNotificationInterval": milliseconds(),
      "fastleader.maxNotificationInterval": milliseconds(),
      enableEagerACLCheck: bool,
    },
  ],
  [
    DISK,
    {
      flushDelay: milliseconds(0),
      maxWriteQueuePollTime: milliseconds(0),
      maxBatchSize: () => whole(),
    },
  ],
  [
    JAVA,
    {
      maxResponseCacheSize: () => whole(),
      maxGetChildrenResponseCacheSize: () => whole(),
      serverCnxnFactory: anyText,
      watchManagerName: anyText,
      "nio.numSelectorThreads": () => whole({ least: 1 }),
      "nio.numWorkerThreads": () => whole(),
      "jvm.pause.monitor": bool,
      "jvm.pause.sleep.time.ms": milliseconds(),
      "jvm.pause.warn-threshold.ms": milliseconds(),
      "jvm.pause.info-threshold.ms": milliseconds(),
    },
  ],
  [
    LARGE,
    {
      largeRequestThreshold: () => whole({ least: -1, unit: "bytes" }),
      largeRequestMaxBytes: () => whole({ unit: "bytes" }),
    },
  ],
  [RELOAD, { sslQuorumReloadCertFiles: bool }],
  [STALE, { request_throttle_drop_stale: bool }],
];

/** Families of keys, of which none is served. */
const NOT_SERVED_FAMILIES: readonly (readonly [RegExp, Reason])[] = [
  [/^quorum\.auth\.kerberos\./, KERBEROS],
  [/^(metricsProvider\.|netty\.|jvm\.)/, JAVA],
  [/^(ssl\.|fips-mode$)/, TLS],
  [/^admin\./, ADMIN],
  [/^(authProvider\.|X509AuthenticationProvider\.)/, AUTH],
];

const NO_REVOCATION =
  "whether a certificate was revoked is not asked here: put only authorities and certificates that are good into the trust store";

/**
 * Settings that guard, or that say what is to be served: whoever ignored them would do something else than was asked. So only the
 * value that asks for nothing is accepted.
 */
const DEFAULT_ONLY: Readonly<Record<string, Kind<unknown>>> = {
  "ssl.crl": () => only(["false"], NO_REVOCATION),
  "ssl.ocsp": () => only(["false"], NO_REVOCATION),
  "ssl.quorum.crl": () => only(["false"], NO_REVOCATION),
  "ssl.quorum.ocsp": () => only(["false"], NO_REVOCATION),
  oraclePath: () => only([], "nothing but members decides in an ensemble"),
};

/** What a key is to this server. `default`: any value that is accepted changes nothing. */
export type KeyRule =
  | { readonly rule: "served" | "default"; readonly kind: ValueKind<unknown> }
  | { readonly rule: "not served"; readonly kind: ValueKind<unknown>; readonly reason: Reason };

/** The rule of a key, or undefined for one that nobody knows. */
export function keyRule(key: string): KeyRule | undefined {
  if (key.startsWith("superUser.")) return keyRule("superUser");
  if (Object.hasOwn(SERVED, key)) return { rule: "served", kind: SERVED[key as keyof ZooSettings]() };
  if (Object.hasOwn(DEFAULT_ONLY, key)) return { rule: "default", kind: DEFAULT_ONLY[key]!() };
  for (const [reason, kinds] of NOT_SERVED) {
    if (Object.hasOwn(kinds, key)) return { rule: "not served", kind: kinds[key]!(), reason };
  }
  const family = NOT_SERVED_FAMILIES.find(([pattern]) => pattern.test(key));
  return family && { rule: "not served", kind: list("any text"), reason: family[1] };
}

/** The known key that differs from this one only in case, for a hint. */
export function keyLike(key: string): string | undefined {
  const known = [SERVED, DEFAULT_ONLY, ...NOT_SERVED.map(([, kinds]) => kinds)].flatMap(Object.keys);
  return known.find((name) => name.toLowerCase() === key.toLowerCase());
}
