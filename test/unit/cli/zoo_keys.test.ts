/**
 * Every key that ZooKeeper's administrators may find in a zoo.cfg, from 3.4 to 3.9, is known here: served, or named in the log as not served with
 * the reason. That what is served has an effect is for open_settings.test.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseZooCfg } from "../../../adapters/cli/zoo_cfg.ts";
import { keyRule } from "../../../adapters/cli/zoo_keys.ts";

const KEYS = `
  dataDir dataLogDir clientPort clientPortAddress secureClientPort secureClientPortAddress tickTime minSessionTimeout
  maxSessionTimeout maxClientCnxns maxCnxns clientPortListenBacklog initLimit syncLimit connectToLearnerMasterLimit
  electionAlg peerType syncEnabled autopurge.snapRetainCount autopurge.purgeInterval standaloneEnabled reconfigEnabled
  dynamicConfigFile quorumListenOnAllIPs observerMasterPort localSessionsEnabled localSessionsUpgradingEnabled sslQuorum
  portUnification sslQuorumReloadCertFiles multiAddress.enabled multiAddress.reachabilityCheckEnabled
  multiAddress.reachabilityCheckTimeoutMs quorum.auth.enableSasl quorum.auth.serverRequireSasl
  quorum.auth.learnerRequireSasl quorum.cnxn.threads.size metricsProvider.className metricsProvider.httpPort
  jvm.pause.monitor jvm.pause.sleep.time.ms jvm.pause.warn-threshold.ms jvm.pause.info-threshold.ms oraclePath snapCount
  snapSizeLimitInKb txnLogSizeLimitInKb preAllocSize commitLogCount fsync.warningthresholdms forceSync
  globalOutstandingLimit maxResponseCacheSize maxGetChildrenResponseCacheSize extendedTypesEnabled emulate353TTLNodes
  enforceQuota skipACL enableEagerACLCheck digest.enabled closeSessionTxn.enabled serializeLastProcessedZxid.enabled
  flushDelay maxWriteQueuePollTime maxBatchSize request_throttle_max_requests request_throttle_stall_time
  request_throttle_drop_stale throttled_op_wait_time largeRequestThreshold largeRequestMaxBytes
  connection_throttle_tokens connection_throttle_fill_time connection_throttle_fill_count
  connection_throttle_freeze_time connection_throttle_drop_increase connection_throttle_drop_decrease
  connection_throttle_decrease_ratio connection_throttle_weight_enabled connection_throttle_global_session_weight
  connection_throttle_local_session_weight connection_throttle_renew_session_weight leaderServes cnxTimeout tcpKeepAlive
  clientTcpKeepAlive electionPortBindRetry fastleader.minNotificationInterval fastleader.maxNotificationInterval
  serverCnxnFactory nio.sessionlessCnxnTimeout nio.numSelectorThreads nio.numWorkerThreads watchManagerName
  4lw.commands.whitelist admin.enableServer admin.serverPort admin.serverAddress admin.idleTimeout admin.commandURL
  admin.httpVersion admin.portUnification admin.forceHttps admin.needClientAuth admin.rateLimiterIntervalInMS
  admin.snapshot.enabled admin.restore.enabled authProvider.1 DigestAuthenticationProvider.superDigest
  DigestAuthenticationProvider.enabled DigestAuthenticationProvider.digestAlg X509AuthenticationProvider.superUser
  superUser superUser.1 ensembleAuthName letAnySaslUserDoX allowSaslFailedClients sessionRequireClientSASLAuth
  enforce.auth.enabled enforce.auth.schemes ssl.protocol ssl.enabledProtocols ssl.ciphersuites ssl.keyStore.location
  ssl.keyStore.password ssl.keyStore.passwordPath ssl.keyStore.type ssl.trustStore.location ssl.trustStore.password
  ssl.trustStore.passwordPath ssl.trustStore.type ssl.clientAuth ssl.hostnameVerification ssl.clientHostnameVerification
  ssl.crl ssl.ocsp ssl.context.supplier.class ssl.handshakeDetectionTimeoutMillis ssl.authProvider ssl.sslProvider
  fips-mode ssl.quorum.keyStore.location audit.enable client.portUnification jute.maxbuffer jute.maxbuffer.extrasize
  readonlymode.enabled znode.container.checkIntervalMs znode.container.maxPerMinute
  znode.container.maxNeverUsedIntervalMs java.security.auth.login.config snapshot.trust.empty
  snapshot.compression.method datadir.autocreate db.autocreate
`
  .trim()
  .split(/\s+/);

/** A value of each kind; one of them is accepted. */
const VALUES = ["1", "true", "3", "yes", "*", "PEM", "SHA1", "gz", "need", "observer", "false", ""];

test("every key of zoo.cfg is served, or named in the log with the reason why not", (t) => {
  const counts = new Map<string, number>();
  for (const key of KEYS) {
    const rule = keyRule(key);
    assert.ok(rule, `${key} is unknown`);
    counts.set(rule.rule, (counts.get(rule.rule) ?? 0) + 1);
    if (rule.rule !== "not served") continue;
    const value = VALUES.find((one) => rule.kind.schema.safeParse(one).success);
    assert.ok(value !== undefined, `no value of ${key} is accepted`);
    const { notices } = parseZooCfg(`dataDir=/d\nclientPort=1\n${key}=${value}\n`, "zoo.cfg");
    const told = notices.map(({ message }) => message).filter((message) => message.includes(key));
    assert.equal(told.length, 1, `${key}=${value}: ${told.join("; ")}`);
    assert.match(told[0]!, /^not served, as .+: /);
  }
  t.diagnostic([...counts].map(([rule, count]) => `${count} ${rule}`).join(", "));
});
