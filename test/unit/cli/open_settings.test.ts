import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { listenOptions, openSettings } from "../../../adapters/cli/open_settings.ts";
import { parseZooCfg } from "../../../adapters/cli/zoo_cfg.ts";
import { SERVED_KEYS } from "../../../adapters/cli/zoo_keys.ts";

/** Key → a line, where it goes, and the value there. Not listed: dataDir (nothing is kept yet), standaloneEnabled (judged at once). */
const EFFECTS: readonly (readonly [line: string, place: string, value: unknown])[] = [
  ["clientPort=2182", "listen.port", 2182],
  ["clientPortAddress=0.0.0.0", "listen.host", "0.0.0.0"],
  ["clientPortListenBacklog=50", "listen.backlog", 50],
  ["clientTcpKeepAlive=true", "listen.keepAlive", true],
  ["tickTime=500", "open.tickTimeMs", 500],
  ["minSessionTimeout=700", "open.minSessionTimeoutMs", 700],
  ["maxSessionTimeout=70000", "open.maxSessionTimeoutMs", 70_000],
  ["maxClientCnxns=7", "open.limits.connectionsPerAddressMax", 7],
  ["maxCnxns=8", "open.limits.connectionsMax", 8],
  ["nio.sessionlessCnxnTimeout=9", "open.limits.handshakeTimeoutMs", 9],
  ["jute.maxbuffer=0x800", "open.limits.frameBytesMax", 2048],
  ["globalOutstandingLimit=10", "open.limits.outstandingRequestsMax", 10],
  ["4lw.commands.whitelist=*", "open.fourLetterWords", ["*"]],
  ["readonlymode.enabled=true", "open.fourLetterWords", ["isro"]],
  ["reconfigEnabled=true", "open.reconfigEnabled", true],
  ["extendedTypesEnabled=true", "open.extendedTypes", true],
  ["enforceQuota=true", "open.enforceQuota", true],
  ["localSessionsEnabled=true", "open.localSessions", true],
  ["localSessionsUpgradingEnabled=true", "open.localSessionsUpgrading", true],
  ["digest.enabled=false", "open.digest", false],
  ["closeSessionTxn.enabled=false", "open.closeSessionPaths", false],
  ["skipACL=yes", "open.acl.skip", true],
  ["DigestAuthenticationProvider.superDigest=super:x", "open.acl.superDigest", "super:x"],
  ["DigestAuthenticationProvider.enabled=false", "open.acl.digestEnabled", false],
  ["DigestAuthenticationProvider.digestAlg=SHA-256", "open.acl.digestAlg", "SHA-256"],
  ["enforce.auth.enabled=true\nenforce.auth.schemes=digest,sasl", "open.requiredAuthSchemes", ["digest", "sasl"]],
  ["znode.container.checkIntervalMs=11", "open.reaper.intervalMs", 11],
  ["znode.container.maxPerMinute=12", "open.reaper.perMinuteMax", 12],
  ["znode.container.maxNeverUsedIntervalMs=13", "open.reaper.neverUsedMs", 13],
];

function planOf(more: string): unknown {
  const { settings } = parseZooCfg(`dataDir=/d\nclientPort=2181\n${more}\n`, "zoo.cfg");
  return { open: openSettings(settings), listen: listenOptions(settings) };
}

function at(plan: unknown, place: string): unknown {
  return place.split(".").reduce((part, name) => (part as Record<string, unknown> | undefined)?.[name], plan);
}

describe("zoo.cfg becomes settings of open() and tcp()", () => {
  for (const [line, place, value] of EFFECTS) {
    test(line.replaceAll("\n", " ⏎ "), () => {
      assert.notDeepEqual(at(planOf(""), place), value);
      assert.deepEqual(at(planOf(line), place), value);
    });
  }

  test("each key that is served has an effect", () => {
    const keys = EFFECTS.flatMap(([line]) => line.split("\n").map((one) => one.slice(0, one.indexOf("="))));
    assert.deepEqual([...keys, "dataDir", "standaloneEnabled"].sort(), [...SERVED_KEYS].sort());
  });

  test("what zoo.cfg does not say is as ZooKeeper has it there", () => {
    assert.deepEqual(planOf(""), {
      open: { tickTimeMs: 3000, extendedTypes: false, requiredAuthSchemes: [], acl: {}, limits: {}, reaper: {} },
      listen: { port: 2181 },
    });
  });

  test("-1 is how ZooKeeper says default", () => {
    const plan = planOf("minSessionTimeout=-1\nmaxSessionTimeout=-1\nclientPortListenBacklog=-1");
    assert.deepEqual(plan, planOf(""));
  });

  test("no port, nothing to listen on", () => {
    assert.equal(listenOptions(parseZooCfg("dataDir=/d", "zoo.cfg").settings), null);
    assert.equal(listenOptions(parseZooCfg("dataDir=/d\nclientPort=0", "zoo.cfg").settings), null);
  });
});
