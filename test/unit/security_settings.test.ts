/** Who may do what, by configuration: what is asked for is done, or the server doesn't start; and nobody is told a secret. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { openSettings } from "../../adapters/cli/open_settings.ts";
import { peerOptions, saslOptions } from "../../adapters/cli/security.ts";
import { parseZooCfg } from "../../adapters/cli/zoo_cfg.ts";
import { fileStorage } from "../../adapters/storage/mod.ts";
import { parseJaas } from "../../lib/sasl/jaas.ts";
import { open } from "../../mod.ts";
import { member } from "../support/zab_rig.ts";

const cfg = (...lines: readonly string[]) =>
  parseZooCfg(["dataDir=/d", "clientPort=2181", ...lines].join("\n"), "zoo.cfg").settings;

describe("enforce.auth", () => {
  for (const list of ["", ",", " , ,"]) {
    test(`with the list ${JSON.stringify(list)} is refused`, () =>
      assert.throws(
        () => cfg("enforce.auth.enabled=true", `enforce.auth.schemes=${list}`),
        /enforce.auth.schemes names no scheme/,
      ));
  }

  test("and sessionRequireClientSASLAuth: one doesn't undo the other", () => {
    const schemes = (...lines: readonly string[]) =>
      openSettings(cfg("sessionRequireClientSASLAuth=true", ...lines), false).requiredAuthSchemes;
    assert.deepEqual(schemes("enforce.auth.enabled=true", "enforce.auth.schemes="), ["sasl"]);
    assert.deepEqual(schemes("enforce.auth.enabled=true"), ["sasl"]);
    assert.deepEqual(schemes("enforce.auth.enabled=false", "enforce.auth.schemes=digest"), ["sasl"]);
    assert.deepEqual(schemes("enforce.auth.enabled=true", "enforce.auth.schemes=digest,sasl"), ["digest", "sasl"]);
  });

  for (const [settings, scheme] of [
    [{ requiredAuthSchemes: ["nope"] }, "nope"],
    [{ requiredAuthSchemes: ["sasl"] }, "sasl"],
    [{ requiredAuthSchemes: ["digest", "x509"] }, "x509"],
    [{ requiredAuthSchemes: ["digest"], acl: { digestEnabled: false } }, "digest"],
    [{ requiredAuthSchemes: ["toString"] }, "toString"],
  ] as const) {
    test(`by ${scheme}, which nobody can prove anything by, starts no server`, () =>
      assert.rejects(open(settings), (error: Error) => error instanceof TypeError && error.message.includes(`by "${scheme}"`)));
  }
});

describe("certificates", () => {
  for (const key of ["ssl.crl", "ssl.ocsp", "ssl.quorum.crl", "ssl.quorum.ocsp"]) {
    test(`${key}=true is refused, as revocation is not asked for; false asks for nothing`, () => {
      assert.throws(() => cfg(`${key}=true`), /revoked is not asked here/);
      cfg(`${key}=false`);
    });
  }

  test("of members matter where members use TLS", () => {
    const none = cfg("ssl.quorum.clientAuth=none", "ssl.quorum.hostnameVerification=false");
    assert.deepEqual(
      peerOptions(none, { ...member(1), addresses: [] }, () => ""),
      { allowUnauthenticated: false },
    );
    const read = () => "-----BEGIN CERTIFICATE-----";
    const keys = ["ssl.quorum.keyStore.location=/k", "ssl.quorum.trustStore.location=/t", "sslQuorum=true"];
    const judge = (line: string) => () => peerOptions(cfg(...keys, line), member(1), read);
    assert.throws(judge("ssl.quorum.clientAuth=want"), /ssl.quorum.clientAuth: allowed: need/);
    assert.throws(judge("ssl.quorum.hostnameVerification=false"), /ssl.quorum.hostnameVerification: allowed: true/);
    judge("ssl.quorum.clientAuth=need")();
  });
});

describe("CVE-2014-0085: passwords are never printed", () => {
  const SECRET = "hunter2";
  for (const text of [
    `Server { "${SECRET}" required user_a="x"; };`,
    `Server { ${SECRET} required user_a="x"; };`,
    `Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_a="${SECRET}" ${SECRET} };`,
    `Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_a="${SECRET}`,
    `Client { org.apache.zookeeper.server.auth.DigestLoginModule required password="${SECRET}"; };`,
    `Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_a = = "${SECRET}"; };`,
  ]) {
    test(`by what is wrong with ${text.replaceAll(SECRET, "…").slice(0, 40)}`, () => {
      const told = (error: Error): boolean => error.message !== "" && !`${error.message}${error.stack}`.includes(SECRET);
      assert.throws(() => parseJaas(text), told);
      const zoo = { "java.security.auth.login.config": "/jaas" };
      assert.throws(() => saslOptions(zoo, () => text.replace("Client {", "Server {").replace("password=", "= ")), told);
    });
  }

  for (const line of ["ssl.keyStore.password=", "DigestAuthenticationProvider.superDigest="]) {
    test(`by what is wrong with ${line}`, () => {
      assert.throws(
        () => cfg(`${line}${SECRET}`, `clientPort=${line}`),
        (error: Error) => !error.message.includes(SECRET),
      );
    });
  }
});

test("files are their owner's alone, and so are the folders made for them", {
  skip: process.platform === "win32",
}, async () => {
  const top = mkdtempSync(join(tmpdir(), "zookernel-modes-"));
  try {
    const folder = join(top, "made", "data");
    {
      await using server = await open({ storage: fileStorage(folder) });
      await using zk = await server.connect();
      await zk.create("/a");
    }
    const modes = readdirSync(top, { recursive: true, encoding: "utf8" }).map((name) => {
      const found = statSync(join(top, name));
      return [name, found.isDirectory() ? 0o700 : 0o600, found.mode & 0o777] as const;
    });
    assert.ok(modes.length >= 4);
    for (const [name, wanted, mode] of modes) assert.equal(mode, wanted, name);
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
});
