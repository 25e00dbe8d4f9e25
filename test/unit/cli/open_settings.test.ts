import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { ensembleOptions, httpPlan, listenOptions, openSettings, storageOptions } from "../../../adapters/cli/open_settings.ts";
import { peerOptions, saslOptions, tlsOptions } from "../../../adapters/cli/security.ts";
import { parseZooCfg } from "../../../adapters/cli/zoo_cfg.ts";
import { SERVED_KEYS } from "../../../adapters/cli/zoo_keys.ts";
import { projectPath } from "../../support/root.ts";

const TLS = "ssl.keyStore.location=/k.pem\nssl.trustStore.location=/ca.pem";

/** Key → a line, where it goes, and the value there. */
const THREE_SERVERS = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2";
const ENSEMBLE = `${THREE_SERVERS}\ninitLimit=7\nsyncLimit=3`;
const PEER_TLS = `${ENSEMBLE}\nssl.quorum.keyStore.location=/k.pem\nssl.quorum.trustStore.location=/ca.pem`;
const SSL_QUORUM = `${PEER_TLS}\nsslQuorum=true`;
const SASL_OPTIONAL = `${ENSEMBLE}\nquorum.allowUnauthenticatedPeers=true\nquorum.auth.enableSasl=true\njava.security.auth.login.config=/jaas`;
const SASL_REQUIRED = `${SASL_OPTIONAL}\nquorum.auth.learnerRequireSasl=true\nquorum.auth.serverRequireSasl=true`;
const WEIGHTS = "connection_throttle_weight_enabled=true\n";

const ADMIN = "admin.enableServer=true";
const METRICS = "metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";

const EFFECTS: readonly (readonly [line: string, place: string, value: unknown])[] = [
  ["dataDir=/e", "keep.dataDir", "/e"],
  ["dataLogDir=/l", "keep.dataLogDir", "/l"],
  ["forceSync=no", "keep.forceSync", false],
  ["preAllocSize=16", "keep.preAllocBytes", 16_384],
  ["txnLogSizeLimitInKb=100", "keep.logFileBytesMax", 102_400],
  ["fsync.warningthresholdms=20", "keep.syncWarnMs", 20],
  ["datadir.autocreate=false", "keep.autocreate", false],
  ["snapshot.compression.method=gz", "keep.compression", "gzip"],
  ["autopurge.purgeInterval=1", "keep.snapshotsKept", 3],
  ["autopurge.purgeInterval=1\nautopurge.snapRetainCount=5", "keep.snapshotsKept", 5],
  ["snapCount=50", "open.snapshots.everyTxns", 50],
  ["snapSizeLimitInKb=7", "open.snapshots.everyBytes", 7168],
  ["snapshot.trust.empty=true", "open.snapshots.trustEmpty", true],
  ["serializeLastProcessedZxid.enabled=true", "open.snapshots.lastZxid", true],
  ["clientPort=2182", "listen.port", 2182],
  ["clientPortAddress=0.0.0.0", "listen.host", "0.0.0.0"],
  ["clientPortListenBacklog=50", "listen.backlog", 50],
  ["clientTcpKeepAlive=true", "listen.keepAlive", true],
  ["sessionSecret=correct horse battery", "open.sessionSecret", "correct horse battery"],
  ["tickTime=500", "open.tickTimeMs", 500],
  ["minSessionTimeout=700", "open.minSessionTimeoutMs", 700],
  ["maxSessionTimeout=70000", "open.maxSessionTimeoutMs", 70_000],
  ["maxClientCnxns=7", "open.limits.connectionsPerAddressMax", 7],
  ["maxCnxns=8", "open.limits.connectionsMax", 8],
  ["nio.sessionlessCnxnTimeout=9", "open.limits.handshakeTimeoutMs", 9],
  ["jute.maxbuffer=0x800", "open.limits.frameBytesMax", 2048],
  ["jute.maxbuffer=100", "open.limits.frameBytesMax", 100],
  ["jute.maxbuffer.extrasize=4096", "open.limits.frameBytesExtra", 4096],
  ["jute.maxbuffer.extrasize=0", "open.limits.frameBytesExtra", 1024],
  ["ephemeralNodes.total.byte.limit=5000", "open.limits.ephemeralBytesMax", 5000],
  ["globalOutstandingLimit=10", "open.limits.outstandingRequestsMax", 10],
  ["4lw.commands.whitelist=*", "open.fourLetterWords", ["*"]],
  ["readonlymode.enabled=true", "open.readOnlyMode", true],
  ["reconfigEnabled=true", "open.reconfigEnabled", true],
  ["extendedTypesEnabled=true", "open.extendedTypes", true],
  ["extendedTypesEnabled=true\nemulate353TTLNodes=true", "open.extendedTypes", "3.5.3"],
  ["enforceQuota=true", "open.enforceQuota", true],
  [`localSessionsEnabled=true\n${ENSEMBLE}`, "open.localSessions", true],
  [`localSessionsUpgradingEnabled=true\n${ENSEMBLE}`, "open.localSessionsUpgrading", true],
  ["request_throttle_max_requests=5", "open.throttle.requestsInProcessMax", 5],
  ["request_throttle_stall_time=6", "open.throttle.stallTimeMs", 6],
  ["throttled_op_wait_time=7", "open.throttle.opWaitTimeMs", 7],
  ["connection_throttle_tokens=8", "open.throttle.connectionTokens", 8],
  ["connection_throttle_fill_time=9", "open.throttle.connectionFillTimeMs", 9],
  ["connection_throttle_fill_count=10", "open.throttle.connectionFillCount", 10],
  ["connection_throttle_freeze_time=11", "open.throttle.connectionFreezeTimeMs", 11],
  ["connection_throttle_drop_increase=0.12", "open.throttle.connectionDropIncrease", 0.12],
  ["connection_throttle_drop_decrease=0.13", "open.throttle.connectionDropDecrease", 0.13],
  ["connection_throttle_decrease_ratio=0.14", "open.throttle.connectionDecreaseRatio", 0.14],
  ["connection_throttle_weight_enabled=true", "open.throttle.connectionWeights", { global: 3, local: 1, renew: 2 }],
  [`${WEIGHTS}connection_throttle_global_session_weight=4`, "open.throttle.connectionWeights.global", 4],
  [`${WEIGHTS}connection_throttle_local_session_weight=5`, "open.throttle.connectionWeights.local", 5],
  [`${WEIGHTS}connection_throttle_renew_session_weight=6`, "open.throttle.connectionWeights.renew", 6],
  ["digest.enabled=false", "open.digest", false],
  ["closeSessionTxn.enabled=false", "open.closeSessionPaths", false],
  ["skipACL=yes", "open.acl.skip", true],
  ["DigestAuthenticationProvider.superDigest=super:x", "open.acl.superDigest", "super:x"],
  ["DigestAuthenticationProvider.enabled=false", "open.acl.digestEnabled", false],
  ["DigestAuthenticationProvider.digestAlg=SHA-256", "open.acl.digestAlg", "SHA-256"],
  [`secureClientPort=2281\n${TLS}`, "secure.port", 2281],
  [`secureClientPort=2281\nsecureClientPortAddress=::\n${TLS}`, "secure.host", "::"],
  [`client.portUnification=true\n${TLS}`, "listen.tls.unified", true],
  [`secureClientPort=2281\n${TLS}`, "secure.tls.key", "-----BEGIN PRIVATE KEY-----"],
  [`secureClientPort=2281\n${TLS}`, "secure.tls.ca", "-----BEGIN CERTIFICATE-----"],
  [`secureClientPort=2281\n${TLS}\nssl.clientAuth=want`, "secure.tls.clientAuth", "want"],
  [`secureClientPort=2281\n${TLS}\nssl.keyStore.password=p`, "secure.tls.passphrase", "p"],
  [`secureClientPort=2281\n${TLS}\nssl.keyStore.passwordPath=/password`, "secure.tls.passphrase", "fromFile"],
  [`secureClientPort=2281\n${TLS}\nssl.keyStore.type=PEM\nssl.trustStore.type=PEM`, "secure.port", 2281],
  [`secureClientPort=2281\n${TLS}`, "open.acl.x509Registered", true],
  ["X509AuthenticationProvider.superUser=CN=root", "open.acl.x509SuperUser", "CN=root"],
  ["java.security.auth.login.config=/jaas", "open.sasl.users", { bob: "secret" }],
  ["java.security.auth.login.config=/jaas\nallowSaslFailedClients=true", "open.sasl.allowFailedClients", true],
  ["java.security.auth.login.config=/jaas\nsessionRequireClientSASLAuth=true", "open.requiredAuthSchemes", ["sasl"]],
  ["superUser=bob", "open.acl.superUsers", ["bob"]],
  [
    "ensembleAuthName=one, two\nauthProvider.1=org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider",
    "open.acl.ensembleAuthNames",
    ["one", "two"],
  ],
  ["letAnySaslUserDoX=any", "open.acl.letAnySaslUserDoX", "any"],
  ["enforce.auth.enabled=true\nenforce.auth.schemes=digest,sasl", "open.requiredAuthSchemes", ["digest", "sasl"]],
  ["znode.container.checkIntervalMs=11", "open.reaper.intervalMs", 11],
  ["znode.container.maxPerMinute=12", "open.reaper.perMinuteMax", 12],
  ["znode.container.maxNeverUsedIntervalMs=13", "open.reaper.neverUsedMs", 13],
  ["dataDir=/e", "keep.dataDir", "/e"],
  ["dataLogDir=/l", "keep.dataLogDir", "/l"],
  ["forceSync=no", "keep.forceSync", false],
  ["preAllocSize=64", "keep.preAllocBytes", 65_536],
  ["txnLogSizeLimitInKb=14", "keep.logFileBytesMax", 14_336],
  ["fsync.warningthresholdms=15", "keep.syncWarnMs", 15],
  ["datadir.autocreate=false", "keep.autocreate", false],
  ["snapshot.compression.method=gz", "keep.compression", "gzip"],
  ["autopurge.purgeInterval=1\nautopurge.snapRetainCount=5", "keep.snapshotsKept", 5],
  ["snapCount=1", "open.snapshots.everyTxns", 2],
  ["snapSizeLimitInKb=16", "open.snapshots.everyBytes", 16_384],
  ["snapshot.trust.empty=true", "open.snapshots.trustEmpty", true],
  ["serializeLastProcessedZxid.enabled=false", "open.snapshots.lastZxid", false],
  [`${THREE_SERVERS}\ninitLimit=7\nsyncLimit=3`, "ensemble.initLimit", 7],
  [`${THREE_SERVERS}\ninitLimit=7\nsyncLimit=3`, "ensemble.syncLimit", 3],
  [`${THREE_SERVERS}\ninitLimit=7\nsyncLimit=3\nsnapshotSizeFactor=0.5`, "ensemble.snapshotSizeFactor", 0.5],
  [`${THREE_SERVERS}\ninitLimit=7\nsyncLimit=3\nquorumListenOnAllIPs=true`, "ensemble.listenOnAllInterfaces", true],
  [`${ENSEMBLE}\nstandaloneEnabled=false`, "ensemble.mayVoteAlone", true],
  [SSL_QUORUM, "peers.tls.clear", "refused"],
  [SSL_QUORUM, "peers.tls.key", "-----BEGIN PRIVATE KEY-----"],
  [SSL_QUORUM, "peers.tls.ca", "-----BEGIN CERTIFICATE-----"],
  [`${SSL_QUORUM}\nssl.quorum.keyStore.type=PEM\nssl.quorum.trustStore.type=PEM`, "peers.tls.clear", "refused"],
  [`${SSL_QUORUM}\nssl.quorum.keyStore.password=p`, "peers.tls.passphrase", "p"],
  [`${SSL_QUORUM}\nssl.quorum.keyStore.passwordPath=/password`, "peers.tls.passphrase", "fromFile"],
  [`${SSL_QUORUM}\nportUnification=true\nquorum.allowUnauthenticatedPeers=true`, "peers.tls.clear", "accepted"],
  [`${PEER_TLS}\nportUnification=true\nquorum.allowUnauthenticatedPeers=true`, "peers.tls.clear", "dialled"],
  [`${ENSEMBLE}\nquorum.allowUnauthenticatedPeers=true`, "peers.allowUnauthenticated", true],
  [`${ADMIN}\nadmin.serverPort=8081`, "http.admin.port.port", 8081],
  [`${ADMIN}\nadmin.serverAddress=10.0.0.1`, "http.admin.port.host", "10.0.0.1"],
  [`${ADMIN}\nadmin.idleTimeout=500`, "http.admin.port.idleTimeoutMs", 500],
  [`${ADMIN}\nadmin.commandURL=/zk`, "http.admin.commandUrl", "/zk"],
  [`${METRICS}\nmetricsProvider.httpPort=7001`, "http.metrics.port", 7001],
  [`${METRICS}\nmetricsProvider.httpHost=10.0.0.1`, "http.metrics.host", "10.0.0.1"],
  [SASL_OPTIONAL, "peers.sasl", { credentials: null, users: { member: "shared" }, required: false }],
  [SASL_REQUIRED, "peers.sasl.required", true],
  [`${SASL_OPTIONAL}\nquorum.auth.learnerRequireSasl=true`, "peers.sasl.credentials.username", "member"],
  [`${SASL_REQUIRED}\nquorum.auth.learner.saslLoginContext=Other`, "peers.sasl.credentials.username", "other"],
  [`${SASL_OPTIONAL}\nquorum.auth.server.saslLoginContext=Server`, "peers.sasl.users", { bob: "secret" }],
];

const DIGEST = "org.apache.zookeeper.server.auth.DigestLoginModule required";

/** The files that zoo.cfg may name. */
const FILES: Readonly<Record<string, string>> = {
  "/k.pem": "-----BEGIN PRIVATE KEY-----",
  "/ca.pem": "-----BEGIN CERTIFICATE-----",
  "/password": "fromFile\n",
  "/jaas": `Server { ${DIGEST} user_bob="secret"; };
    QuorumServer { ${DIGEST} user_member="shared"; };
    QuorumLearner { ${DIGEST} username="member" password="shared"; };
    Other { ${DIGEST} username="other" password="shared"; };`,
  "/jaas-of-clients": `Server { ${DIGEST} user_bob="secret"; };`,
  "/store.jks": "\xfe\xed\xfe\xed",
};
const readText = (file: string): string => {
  const text = FILES[file];
  if (text === undefined) throw new Error("no such file");
  return text;
};

function planOf(more: string): unknown {
  const { settings, ensemble } = parseZooCfg(`dataDir=/d\nclientPort=2181\n${more}\n`, "zoo.cfg");
  const ports = listenOptions(settings, tlsOptions(settings, readText));
  const plan = {
    open: { ...openSettings(settings, ensemble !== null), ...saslOptions(settings, readText) },
    ...{ listen: ports[0], secure: ports[1], keep: storageOptions(settings), http: httpPlan(settings) },
  };
  if (ensemble === null) return plan;
  const me = ensemble.members[0]!;
  return {
    ...{ ...plan, ensemble: ensembleOptions(settings, ensemble, me) },
    get peers() {
      return peerOptions(settings, me, readText);
    },
  };
}

function at(plan: unknown, place: string): unknown {
  return place.split(".").reduce((part, name) => (part as Record<string, unknown> | undefined)?.[name], plan);
}

describe("zoo.cfg becomes settings of open(), tcp() and fileStorage()", () => {
  for (const [line, place, value] of EFFECTS) {
    test(line.replaceAll("\n", " ⏎ "), () => {
      assert.notDeepEqual(at(planOf(""), place), value);
      assert.deepEqual(at(planOf(line), place), value);
    });
  }

  test("each key that is served has an effect", () => {
    const keys = new Set(EFFECTS.flatMap(([line]) => line.split("\n").map((one) => one.slice(0, one.indexOf("=")))));
    const named = [...keys].filter((key) => !/^(server|authProvider)\./.test(key));
    // The first is the command's own; the others are judged with the servers' lines, and for members with TLS.
    const judged = [
      "audit.enable",
      "peerType",
      "dynamicConfigFile",
      "ssl.quorum.clientAuth",
      "ssl.quorum.hostnameVerification",
    ];
    assert.deepEqual([...named, ...judged].sort(), [...SERVED_KEYS].sort());
  });

  test("what zoo.cfg does not say is as ZooKeeper has it there", () => {
    assert.deepEqual(planOf(""), {
      open: {
        tickTimeMs: 3000,
        extendedTypes: false,
        requiredAuthSchemes: [],
        acl: {},
        limits: {},
        throttle: {},
        reaper: {},
        snapshots: {},
      },
      ...{ listen: { port: 2181 }, secure: undefined },
      http: null,
      keep: { dataDir: "/d", snapshotsKept: 0 },
    });
  });

  test("each superUser.NAME is one more", () => {
    assert.deepEqual(at(planOf("superUser=bob\nsuperUser.1=eve"), "open.acl.superUsers"), ["bob", "eve"]);
  });

  test("the scheme ensemble needs its provider, and then no names", () => {
    const provider = "authProvider.2=org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider";
    assert.deepEqual(at(planOf(provider), "open.acl.ensembleAuthNames"), []);
    assert.equal(at(planOf("ensembleAuthName=one"), "open.acl.ensembleAuthNames"), undefined);
    const { notices } = parseZooCfg("dataDir=/d\nensembleAuthName=one", "zoo.cfg");
    assert.match(notices[0]!.message, /^zoo\.cfg:2: ensembleAuthName has no effect without authProvider\.1=/);
  });

  test("-1 is how ZooKeeper says default", () => {
    const plan = planOf("minSessionTimeout=-1\nmaxSessionTimeout=-1\nclientPortListenBacklog=-1");
    assert.deepEqual(plan, planOf(""));
  });

  test("fewer than three snapshots are never kept, as in ZooKeeper", () => {
    assert.equal(at(planOf("autopurge.purgeInterval=1\nautopurge.snapRetainCount=1"), "keep.snapshotsKept"), 3);
  });

  test("no port, nothing to listen on", () => {
    assert.deepEqual(listenOptions(parseZooCfg("dataDir=/d", "zoo.cfg").settings, null), []);
    assert.deepEqual(listenOptions(parseZooCfg("dataDir=/d\nclientPort=0\nsecureClientPort=0", "zoo.cfg").settings, null), []);
  });

  test("TLS without a key, without somebody to trust, or from a Java key store is refused with what to do", () => {
    for (const [lines, problem] of [
      ["secureClientPort=1", /^ssl\.keyStore\.location is not set: there is no TLS without a key$/],
      [
        "secureClientPort=1\nssl.keyStore.location=/k.pem",
        /^ssl\.trustStore\.location is not set: no certificate could be judged/,
      ],
      [
        "secureClientPort=1\nssl.keyStore.location=/none\nssl.clientAuth=none",
        /^ssl\.keyStore\.location: cannot read \/none: no such file$/,
      ],
      [
        "secureClientPort=1\nssl.keyStore.location=/store.jks\nssl.clientAuth=none",
        /^ssl\.keyStore\.location: \/store\.jks is not in PEM; JKS.*keytool/,
      ],
      [
        "sessionRequireClientSASLAuth=true",
        /^sessionRequireClientSASLAuth is set, but no JAAS file .* no client could be let in$/,
      ],
      ["java.security.auth.login.config=/ca.pem", /^\/ca\.pem: JAAS file, line 1: /],
    ] as const) {
      assert.throws(
        () => planOf(lines),
        (error: Error) => {
          assert.match(error.message, problem);
          return true;
        },
      );
    }
  });
});

describe("members that prove who they are", () => {
  test("what is missing, or would let anybody in, is refused with what to do", () => {
    const sasl = `${ENSEMBLE}\nquorum.auth.enableSasl=true`;
    for (const [lines, problem] of [
      [
        ENSEMBLE,
        /^server\.1 would let other members in at a without proof.*sslQuorum=true.*serverRequireSasl=true.*quorum\.allowUnauthenticatedPeers=true$/,
      ],
      [`${ENSEMBLE.replaceAll("=a:", "=127.0.0.1:")}\nquorumListenOnAllIPs=true`, /let other members in at every interface/],
      [`${SSL_QUORUM}\nportUnification=true`, /without proof/],
      [`${ENSEMBLE}\nsslQuorum=true`, /^ssl\.quorum\.keyStore\.location is not set/],
      [
        `${ENSEMBLE}\nsslQuorum=true\nssl.quorum.keyStore.location=/k.pem`,
        /^ssl\.quorum\.trustStore\.location is not set.*set it$/,
      ],
      [`${ENSEMBLE}\nquorum.auth.serverRequireSasl=true`, /need quorum\.auth\.enableSasl=true$/],
      [`${sasl}\nquorum.auth.serverRequireSasl=true`, /needs quorum\.auth\.learnerRequireSasl=true/],
      [sasl, /needs a JAAS file/],
      [`${sasl}\njava.security.auth.login.config=/jaas-of-clients`, /has no section QuorumServer/],
      [`${SASL_REQUIRED}\nquorum.auth.learner.saslLoginContext=Nobody`, /has no section Nobody/],
    ] as const) {
      assert.throws(() => at(planOf(lines), "peers"), { name: "ZooCfgError", message: problem });
    }
  });

  test("on this machine alone nothing is asked", () => {
    const lines = ENSEMBLE.replaceAll(/=[abc]:/g, "=127.0.0.1:");
    assert.deepEqual(at(planOf(lines), "peers"), { allowUnauthenticated: false });
  });
});

test("the manual names every key that is served", () => {
  const manual = readFileSync(projectPath("adapters/cli/README.md"), "utf8");
  const [, table = ""] = /\| key \| default \|([\s\S]*?)\n\n/.exec(manual) ?? [];
  const named = Array.from(table.matchAll(/`([^`]+)`/g), ([, name = ""]) => name);
  // `.maxPerMinute` continues the key before it.
  const family = (key: string): string => `.${key.split(".").at(-1)}`;
  const missing = SERVED_KEYS.filter((key) => !named.includes(key) && !named.includes(family(key)));
  assert.deepEqual(missing, []);
});
