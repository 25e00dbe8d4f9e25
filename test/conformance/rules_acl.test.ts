/** ACLs and identities: who may do what, what a submitted list becomes, and what is shown of it. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe } from "node:test";
import { digestId } from "../../lib/acl/providers.ts";
import {
  acl,
  auth,
  CLOSE_SESSION,
  create,
  exists,
  Flags,
  getAcl,
  getChildren,
  getData,
  OPEN,
  PING,
  remove,
  setAcl,
  setData,
  WHO_AM_I,
} from "../support/ops.ts";
import { type RuleClient, rule } from "./rules.ts";

const U1 = "u1:fpT/y03U+EjItKZOSLGvjnJlyng=";
const SUPER = digestId("super:test", { digestAlg: "SHA1" });

async function whoAmI(zk: RuleClient): Promise<readonly string[]> {
  const outcome = await zk.ok(WHO_AM_I);
  return outcome.kind === "clientInfo"
    ? outcome.clientInfo.map(({ scheme, id }) => `${scheme}:${id}`).toSorted()
    : assert.fail();
}

const ENSEMBLE = {
  "authProvider.1": "org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider",
  ensembleAuthName: "one,two",
};

describe("permissions", () => {
  rule("each operation needs its own", async (server) => {
    const zk = await server.client();
    const needs = [
      ["READ", 1, (path: string) => getData(path)],
      ["READ", 1, (path: string) => getChildren(path)],
      ["WRITE", 2, (path: string) => setData(path)],
      ["CREATE", 4, (path: string) => create(`${path}/x`)],
      ["DELETE", 8, (path: string) => remove(`${path}/child`)],
      ["ADMIN", 16, (path: string) => setAcl(path)],
    ] as const;
    for (const [index, [name, perm, op]] of needs.entries()) {
      for (const [path, perms] of [
        [`/without${index}`, 31 & ~perm],
        [`/with${index}`, perm],
      ] as const) {
        await zk.results(create(path), create(`${path}/child`), setAcl(path, [acl(perms, "world", "anyone")]));
      }
      assert.equal(await zk.results(op(`/without${index}`), op(`/with${index}`)), "NoAuth Ok", name);
    }
  });

  rule("delete asks the parent, not the znode", async (server) => {
    const zk = await server.client();
    await zk.results(create("/a"), create("/a/b", { acl: [acl(1, "digest", "nobody:x")] }));
    assert.equal(await zk.result(remove("/a/b")), "Ok");
  });

  rule("getACL needs READ or ADMIN, and nothing is inherited from parents", async (server) => {
    const zk = await server.client();
    await zk.results(create("/a"), create("/a/b"), setAcl("/a", [acl(2, "world", "anyone")]));
    assert.equal(await zk.results(getAcl("/a"), getAcl("/a/b")), "NoAuth Ok");
    await zk.results(create("/r", { acl: [acl(1, "world", "anyone")] }), create("/w", { acl: [acl(16, "world", "anyone")] }));
    assert.equal(await zk.results(getAcl("/r"), getAcl("/w")), "Ok Ok");
  });

  rule("sessions' ends ask for none", async (server) => {
    const [zk, other] = [await server.client(), await server.client()];
    await zk.ok(create("/a"));
    await other.ok(create("/a/e", { flags: Flags.ephemeral }));
    await zk.ok(setAcl("/a", [acl(1, "world", "anyone")]));
    await other.ok(CLOSE_SESSION);
    assert.equal(await zk.result(exists("/a/e")), "NoNode");
  });

  rule(
    "skipACL=yes allows everything, and still judges the lists",
    async (server) => {
      const zk = await server.client();
      await zk.ok(create("/a", { acl: [acl(0, "world", "anyone")] }));
      assert.equal(await zk.results(setData("/a"), getData("/a"), create("/b", { acl: [] })), "Ok Ok InvalidACL");
    },
    { config: { skipACL: "yes" } },
  );
});

describe("lists as they are submitted", () => {
  rule("no list, an empty one, an unknown scheme, and any world but anyone are invalid", async (server) => {
    const zk = await server.client();
    const bad = [
      null,
      [],
      [acl(31, "none", "x")],
      [acl(31, "super", "")],
      [acl(31, "World", "anyone")],
      [acl(31, "world", "all")],
      [acl(31, null, "x")],
    ];
    for (const list of bad) assert.equal(await zk.result(create("/a", { acl: list })), "InvalidACL", JSON.stringify(list));
  });

  rule("an entry without an id is no ACL at all", async (server) => {
    const zk = await server.client();
    for (const scheme of ["world", "digest", "ip"])
      assert.equal(await zk.result(create("/a", { acl: [acl(31, scheme, null)] })), "MarshallingError");
  });

  rule(
    "in 3.4 no list and no scheme are no ACL at all",
    async (server) => {
      const zk = await server.client();
      const list = [acl(31, null, "x")];
      assert.equal(
        await zk.results(create("/a", { acl: null }), create("/a", { acl: list })),
        "MarshallingError MarshallingError",
      );
    },
    { compat: "3.4" },
  );
  rule(
    "in 3.4 with skipACL any list is taken",
    async (server) => {
      const zk = await server.client();
      assert.equal(await zk.results(create("/a", { acl: [] }), create("/b", { acl: [acl(31, "none", "x")] })), "Ok Ok");
    },
    { compat: "3.4", config: { skipACL: "yes" } },
  );

  rule(
    "sasl ids are like principals of Kerberos, if there is SASL",
    async (server) => {
      const zk = await server.client();
      const judge = (id: string): Promise<string> => zk.result(setAcl("/", [acl(31, "sasl", id), ...OPEN]));
      assert.deepEqual(await Promise.all(["bob", "bob/host@REALM", "", "a@b@c"].map(judge)), ["Ok", "Ok", "Ok", "InvalidACL"]);
    },
    { config: { "authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider" } },
  );

  rule("duplicates are dropped, entries that differ in permissions stay", async (server) => {
    const zk = await server.client();
    await zk.ok(
      create("/a", {
        acl: [acl(31, "world", "anyone"), acl(1, "ip", "127.0.0.1"), acl(31, "world", "anyone"), acl(2, "ip", "127.0.0.1")],
      }),
    );
    assert.deepEqual(await zk.acl("/a"), ["31:world:anyone", "1:ip:127.0.0.1", "2:ip:127.0.0.1"]);
  });

  rule("permissions are kept as they are, whatever bits they have", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a", { acl: [acl(-1, "world", "anyone"), acl(0, "ip", "127.0.0.1"), acl(32, "ip", "127.0.0.1")] }));
    assert.deepEqual(await zk.acl("/a"), ["-1:world:anyone", "0:ip:127.0.0.1", "32:ip:127.0.0.1"]);
  });

  rule("auth stands for the identities that were proved, in its place; without one it is invalid", async (server) => {
    const zk = await server.client();
    const list = [acl(1, "world", "anyone"), acl(31, "auth", "whatever"), acl(2, "ip", "127.0.0.1")];
    assert.equal(await zk.result(create("/a", { acl: list })), "InvalidACL");
    await zk.ok(auth("u1:p1"));
    await zk.ok(create("/a", { acl: list }));
    assert.deepEqual(await zk.acl("/a"), ["1:world:anyone", `31:digest:${U1}`, "2:ip:127.0.0.1"]);
  });

  rule(
    "in 3.4 what auth stands for goes to the end",
    async (server) => {
      const zk = await server.client();
      await zk.ok(auth("u1:p1"));
      await zk.ok(create("/a", { acl: [acl(31, "auth", ""), acl(1, "world", "anyone")] }));
      assert.deepEqual(await zk.acl("/a"), ["1:world:anyone", `31:digest:${U1}`]);
    },
    { compat: "3.4" },
  );

  rule("digest ids are a user and a hash", async (server) => {
    const zk = await server.client();
    const judge = async (id: string): Promise<string> => await zk.result(setAcl("/", [acl(31, "digest", id), ...OPEN]));
    assert.deepEqual(await Promise.all(["u:p", ":p", "u:", ":", "a:b:c", "", "u"].map(judge)), [
      "Ok",
      "Ok",
      "InvalidACL",
      "InvalidACL",
      "InvalidACL",
      "InvalidACL",
      "InvalidACL",
    ]);
  });

  rule("ip ids are IPv4, with up to 32 bits", async (server) => {
    const zk = await server.client();
    const judge = async (id: string): Promise<string> => await zk.result(setAcl("/", [acl(31, "ip", id), ...OPEN]));
    const good = ["127.0.0.1", "10.0.0.0/8", "10.1.2.3/0", "1.2.3.4/32"];
    const bad = ["1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4/33", "1.2.3.4/-1", "::1", "", "localhost"];
    assert.deepEqual(
      await Promise.all(good.map(judge)),
      good.map(() => "Ok"),
    );
    assert.deepEqual(
      await Promise.all(bad.map(judge)),
      bad.map(() => "InvalidACL"),
    );
  });

  rule(
    "since 3.9.4 ip ids may be IPv6",
    async (server) => {
      const zk = await server.client();
      const judge = async (id: string): Promise<string> => await zk.result(setAcl("/", [acl(31, "ip", id), ...OPEN]));
      assert.deepEqual(await Promise.all(["::1", "2001:db8::/32", "::1/129"].map(judge)), ["Ok", "Ok", "InvalidACL"]);
    },
    { compat: "3.9" },
  );

  rule(
    "in 3.4 ip ids have no bits",
    async (server) => {
      const zk = await server.client();
      assert.equal(await zk.result(create("/a", { acl: [acl(31, "ip", "10.0.0.0/8")] })), "InvalidACL");
    },
    { compat: "3.4" },
  );
});

describe("identities", () => {
  rule("the address is one from the beginning", async (server) => {
    const zk = await server.client();
    assert.deepEqual(await whoAmI(zk), ["ip:127.0.0.1"]);
    await zk.results(
      create("/in", { acl: [acl(31, "ip", "127.99.0.0/8")] }),
      create("/out", { acl: [acl(31, "ip", "10.0.0.1")] }),
    );
    assert.equal(await zk.results(getData("/in"), getData("/out")), "Ok NoAuth");
  });

  rule("auth packets add to the connection; the same twice counts once; whoAmI shows the user alone", async (server) => {
    const zk = await server.client();
    await zk.results(auth("u1:p1"), auth("u1:p1"), auth("u2:p2"));
    assert.deepEqual(await whoAmI(zk), ["digest:u1", "digest:u2", "ip:127.0.0.1"]);
  });

  rule("a digest is of the whole text, also without a colon or any text", async (server) => {
    const zk = await server.client();
    await zk.results(auth("plain"), auth(""));
    await zk.ok(create("/a", { acl: [acl(31, "auth", "")] }));
    const digests = ["plain", ""].map((text) => `31:digest:${digestId(text, { digestAlg: "SHA1" })}`);
    assert.deepEqual(new Set(await zk.acl("/a")), new Set(digests));
    assert.equal(await zk.results(getData("/a"), setData("/a")), "Ok Ok");
  });

  rule("a scheme nobody offers is refused, and the connection ends; the session lives on", async (server) => {
    for (const scheme of ["none", "world", "sasl", "x509", "auth", "super", ""]) {
      const zk = await server.client();
      const { err, zxid } = await zk.ask(auth("x", scheme));
      assert.deepEqual([err, zxid], [-115, 0n], scheme);
      await zk.raw.ended;
      assert.equal((await server.attach(zk.session)).session.sessionId, zk.session.sessionId);
    }
  });

  rule(
    "scheme ensemble proves nobody: no name and the right one are accepted, with another one the connection ends",
    async (server) => {
      const zk = await server.client();
      assert.equal(await zk.results(auth("", "ensemble"), auth("one", "ensemble"), auth("two", "ensemble")), "Ok Ok Ok");
      assert.deepEqual(await whoAmI(zk), ["ip:127.0.0.1"]);
      assert.equal(await zk.result(create("/a", { acl: [acl(31, "auth", "")] })), "InvalidACL");
      await zk.result(auth("three", "ensemble"));
      await zk.raw.ended;
    },
    { config: ENSEMBLE },
  );

  rule("they belong to the connection, not to the session", async (server) => {
    const zk = await server.client();
    await zk.results(auth("u1:p1"), create("/a", { acl: [acl(31, "auth", "")] }));
    await zk.raw.drop();
    const again = await server.attach(zk.session);
    assert.equal(await again.results(getData("/a"), auth("u1:p1"), getData("/a")), "NoAuth Ok Ok");
  });

  rule("those count that a connection had when the request came in", async (server) => {
    const zk = await server.client();
    await zk.results(auth("u1:p1"), create("/a", { acl: [acl(31, "auth", "")] }));
    const other = await server.client();
    const [refused, proved, allowed] = await Promise.all([
      other.result(getData("/a")),
      other.result(auth("u1:p1")),
      other.result(getData("/a")),
    ]);
    assert.deepEqual([refused, proved, allowed], ["NoAuth", "Ok", "Ok"]);
  });

  rule(
    "the super user may do everything, and auth stands for the digest",
    async (server) => {
      const zk = await server.client();
      await zk.results(create("/a", { acl: [acl(1, "digest", "nobody:x")] }));
      assert.equal(
        await zk.results(setData("/a"), auth("super:test"), setData("/a"), setAcl("/a", [acl(31, "auth", "")])),
        "NoAuth Ok Ok Ok",
      );
      assert.deepEqual(await zk.acl("/a"), [`31:digest:${SUPER}`]);
      assert.deepEqual(await whoAmI(zk), ["digest:super", "ip:127.0.0.1", "super:"]);
    },
    { config: { "DigestAuthenticationProvider.superDigest": SUPER } },
  );

  rule("without ADMIN a digest's hash is not shown", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a", { acl: [acl(31, "digest", U1), acl(1, "world", "anyone"), acl(1, "ip", "10.0.0.1")] }));
    assert.deepEqual(await zk.acl("/a"), ["31:digest:u1:x", "1:world:anyone", "1:ip:10.0.0.1"]);
    await zk.ok(auth("u1:p1"));
    assert.deepEqual(await zk.acl("/a"), [`31:digest:${U1}`, "1:world:anyone", "1:ip:10.0.0.1"]);
  });

  for (const [algorithm, hash] of [
    ["SHA-256", "sha256"],
    ["SHA3-512", "sha3-512"],
    ["MD5", "md5"],
  ] as const) {
    rule(
      `digests may be made otherwise: ${algorithm}`,
      async (server) => {
        const zk = await server.client();
        await zk.results(auth("u1:p1"), create("/a", { acl: [acl(31, "auth", "")] }));
        assert.deepEqual(await zk.acl("/a"), [`31:digest:u1:${createHash(hash).update("u1:p1").digest("base64")}`]);
      },
      { config: { "DigestAuthenticationProvider.digestAlg": algorithm } },
    );
  }

  rule(
    "scheme digest can be switched off",
    async (server) => {
      const zk = await server.client();
      assert.equal(await zk.results(create("/a", { acl: [acl(31, "digest", U1)] }), auth("u1:p1")), "InvalidACL AuthFailed");
    },
    { config: { "DigestAuthenticationProvider.enabled": "false" } },
  );

  rule(
    "where an identity is demanded, nothing is answered without it, pings neither",
    async (server) => {
      const zk = await server.client();
      const { err, zxid } = await zk.ask(PING);
      assert.deepEqual([err, zxid], [-124, 0n]);
      await zk.raw.ended;
      const other = await server.client();
      assert.equal((await other.ask(getData("/"))).err, -124);
      await other.raw.ended;
      const third = await server.client();
      assert.equal(await third.results(auth("u:p"), getData("/")), "Ok Ok");
    },
    { config: { "enforce.auth.enabled": "true", "enforce.auth.schemes": "digest" } },
  );
});
