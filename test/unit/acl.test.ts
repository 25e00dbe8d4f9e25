/** Access control: recorded cases of real servers (golden), ids as the providers of ZooKeeper 3.8.0 judged them, and the rules between. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { isAllowed, maskDigests, userOf } from "../../lib/acl/check.ts";
import { addHashes } from "../../lib/acl/digest_algorithms.ts";
import { hostAddress } from "../../lib/acl/ip.ts";
import { LONG_DIGESTS } from "../../lib/acl/long_digests.ts";
import { type AclOptions, DEFAULT_ACL_OPTIONS } from "../../lib/acl/options.ts";
import { CREATOR_ALL_ACL, OPEN_ACL_UNSAFE, Perms, READ_ACL_UNSAFE } from "../../lib/acl/perms.ts";
import { providerOf } from "../../lib/acl/providers.ts";
import { authenticate, initialIdentities, normalizeAcl, saslIdentities } from "../../lib/acl/schemes.ts";
import type { Acl, AuthId } from "../../lib/model/types.ts";
import { projectPath } from "../support/root.ts";

const everything: AclOptions = { ...DEFAULT_ACL_OPTIONS, saslRegistered: true, x509Registered: true };
const as38: AclOptions = { ...DEFAULT_ACL_OPTIONS, ipv6Acl: false };
const as34: AclOptions = {
  ...as38,
  ipBits: false,
  nullAclIsMarshallingError: true,
  skipAclSkipsLists: true,
  authGoesLast: true,
};

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const entry = (perms: number, scheme: string, id: string): Acl => ({ perms, scheme, id });
const localhost: AuthId = { scheme: "ip", id: "127.0.0.1" };
const u1: AuthId = { scheme: "digest", id: "u1:fpT/y03U+EjItKZOSLGvjnJlyng=" };
const u2: AuthId = { scheme: "digest", id: "u2:hash" };
const superUser: AuthId = { scheme: "super", id: "" };

/** What is asked of a connection from 127.0.0.1 that has sent one auth packet. */
function login(
  scheme: string,
  auth: string | null,
  options = DEFAULT_ACL_OPTIONS,
  ids: readonly AuthId[] = [localhost],
): AuthId[] | null {
  return authenticate(scheme, auth === null ? null : utf8(auth), "127.0.0.1", ids, options);
}

describe("recorded submissions", () => {
  interface Case {
    readonly id: string;
    readonly group: string;
    readonly setup: readonly { readonly op: string }[];
    readonly op: { readonly op: string; readonly acl: readonly [number, string | null, string | null][] | null };
    readonly result: { readonly err: string };
  }
  for (const [file, options] of [
    ["semantics.jsonl", as38],
    ["semantics-3.4.14.jsonl", as34],
    ["semantics-3.9.5.jsonl", DEFAULT_ACL_OPTIONS],
  ] as const) {
    test(file, () => {
      const lines = readFileSync(projectPath("test", "golden", file), "utf8").split("\n");
      const cases = lines.filter((line) => line.includes('"acl-fix/')).map((line) => JSON.parse(line) as Case);
      assert.ok(cases.length > 0);
      for (const { id, op, result } of cases) {
        const submitted = op.acl?.map(([perms, scheme, text]) => ({ perms, scheme, id: text })) ?? null;
        const normalized = normalizeAcl(submitted, [localhost], options);
        assert.equal(typeof normalized === "string" ? normalized.toUpperCase() : "OK", result.err, id);
      }
    });
  }
});

describe("normalizeAcl", () => {
  test("the open list is shared", () => {
    assert.equal(normalizeAcl([entry(31, "world", "anyone")], [localhost], DEFAULT_ACL_OPTIONS), OPEN_ACL_UNSAFE);
  });

  test("drops exact duplicates, keeps what differs in permissions", () => {
    const once = entry(1, "world", "anyone");
    const other = entry(2, "world", "anyone");
    assert.deepEqual(normalizeAcl([once, other, { ...once }, once], [], DEFAULT_ACL_OPTIONS), [once, other]);
  });

  test("auth stands for what the connection has proved, in its place, or last in 3.4", () => {
    const submitted = [entry(5, "auth", "whatever"), entry(1, "world", "anyone")];
    const ids = [localhost, u1, superUser, u2];
    const expanded = [entry(5, "digest", u1.id), entry(5, "digest", u2.id)];
    assert.deepEqual(normalizeAcl(submitted, ids, DEFAULT_ACL_OPTIONS), [...expanded, submitted[1]]);
    assert.deepEqual(normalizeAcl(submitted, ids, as34), [submitted[1], ...expanded]);
    assert.equal(normalizeAcl(submitted, [localhost, superUser], DEFAULT_ACL_OPTIONS), "InvalidACL");
    assert.deepEqual(normalizeAcl([{ perms: 1, scheme: "auth", id: null }], [u1], DEFAULT_ACL_OPTIONS), [{ perms: 1, ...u1 }]);
    assert.deepEqual(normalizeAcl(CREATOR_ALL_ACL, [u1], DEFAULT_ACL_OPTIONS), [{ perms: 31, ...u1 }]);
  });

  test("missing parts", () => {
    const noScheme = { perms: 31, scheme: null, id: "x" };
    assert.equal(normalizeAcl(null, [], DEFAULT_ACL_OPTIONS), "InvalidACL");
    assert.equal(normalizeAcl(null, [], as34), "MarshallingError");
    assert.equal(normalizeAcl([], [], as34), "InvalidACL");
    assert.equal(normalizeAcl([noScheme], [], DEFAULT_ACL_OPTIONS), "InvalidACL");
    assert.equal(normalizeAcl([noScheme], [], as34), "MarshallingError");
    for (const scheme of ["world", "digest", "ip", "sasl", "x509"]) {
      assert.equal(normalizeAcl([{ perms: 31, scheme, id: null }], [], everything), "MarshallingError", scheme);
    }
    assert.equal(normalizeAcl([{ perms: 31, scheme: "none", id: null }], [], DEFAULT_ACL_OPTIONS), "InvalidACL");
  });

  test("the first bad entry decides", () => {
    const bad = entry(31, "none", "x");
    const noId = { perms: 31, scheme: "world", id: null };
    assert.equal(normalizeAcl([bad, noId], [], DEFAULT_ACL_OPTIONS), "InvalidACL");
    assert.equal(normalizeAcl([noId, bad], [], DEFAULT_ACL_OPTIONS), "MarshallingError");
  });

  test("schemes that are not offered", () => {
    for (const scheme of ["sasl", "x509", "ensemble", "super", "World", ""]) {
      assert.equal(normalizeAcl([entry(31, scheme, "CN=a")], [], DEFAULT_ACL_OPTIONS), "InvalidACL", scheme);
    }
    assert.deepEqual(normalizeAcl([entry(31, "sasl", "bob")], [], everything), [entry(31, "sasl", "bob")]);
    assert.equal(normalizeAcl([entry(31, "digest", "u:x")], [], { ...everything, digestEnabled: false }), "InvalidACL");
  });

  test("with skipAcl, lists are still judged, but not in 3.4", () => {
    const bad = [entry(31, "none", "x"), entry(1, "auth", "")];
    assert.equal(normalizeAcl(bad, [], { ...as38, skipAcl: true }), "InvalidACL");
    assert.deepEqual(normalizeAcl(bad, [], { ...as34, skipAcl: true }), bad);
    assert.equal(normalizeAcl(null, [], { ...as34, skipAcl: true }), OPEN_ACL_UNSAFE);
    assert.equal(normalizeAcl([], [], { ...as34, skipAcl: true }), OPEN_ACL_UNSAFE);
    assert.equal(normalizeAcl([{ perms: 1, scheme: null, id: "x" }], [], { ...as34, skipAcl: true }), "MarshallingError");
  });

  test("a list as long as a request allows takes no time to speak of", () => {
    const long = Array.from({ length: 60_000 }, (_, i) => entry(i, "world", "anyone"));
    assert.deepEqual(normalizeAcl([...long, ...long], [], DEFAULT_ACL_OPTIONS), long);
  });
});

describe("ids that may stand in an ACL", () => {
  const judge = (scheme: string, id: string, options = everything): boolean =>
    providerOf(scheme, options)!.isValidId(id, options);

  test("digest: two parts", () => {
    for (const id of ["u:x", ":p", "u:x:", "u:x::"]) assert.equal(judge("digest", id), true, id);
    for (const id of ["", "u", ":", "::", "u:", "a:b:c", "a::b"]) assert.equal(judge("digest", id), false, id);
  });

  test("ip, version 4", () => {
    for (const id of ["1.2.3.4", "0.0.0.0/0", "1.2.3.4/32", "1.2.3.4/8", "001.2.+3.4/+8"])
      assert.equal(judge("ip", id), true, id);
    const bad = [
      "",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.256",
      "1.2.3.-1",
      "1.2.3.x",
      "1.2.3.",
      "1.2.3.4/33",
      "1.2.3.4/-1",
      "1.2.3.4/",
      "1.2.3.4/8/8",
      "localhost",
    ];
    for (const id of bad) assert.equal(judge("ip", id), false, id);
    assert.equal(judge("ip", "1.2.3.4", as34), true);
    assert.equal(judge("ip", "1.2.3.4/32", as34), false);
  });

  test("ip, version 6", () => {
    const good = ["::", "::1", "1::", "fe80::/10", "1:2:3:4:5:6:7:8", "::2:3:4:5:6:7:8", "2001:DB8::a/128", "::/0"];
    for (const id of good) {
      assert.equal(judge("ip", id), true, id);
      assert.equal(judge("ip", id, as38), false, id);
    }
    const bad = [
      ":",
      ":::",
      "1",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4::5:6:7:8",
      "1::2::3",
      "::g",
      "::12345",
      "::1%eth0",
      "::1.2.3.4",
      "::1/129",
      "1:2:3:4:5:6:7:",
    ];
    for (const id of bad) assert.equal(judge("ip", id), false, id);
  });

  test("sasl: a Kerberos principal, or anything without @", () => {
    for (const id of ["", "bob", "bob/host", "bob/host@REALM", "bob@REALM", "@", "a/b/c"])
      assert.equal(judge("sasl", id), true, id);
    for (const id of ["a@b@c", "a/b/c@R", "a@R/x"]) assert.equal(judge("sasl", id), false, id);
  });

  test("x509: a distinguished name", () => {
    const good = [
      "",
      "CN=foo",
      "cn=foo",
      " CN = foo ",
      "CN=",
      "CN=a,O=b",
      "CN=a;O=b",
      "CN=a+O=b",
      "O=Test\\, Inc.",
      'O="Test, Inc."',
      "CN=\\c3\\a9",
      "CN==",
      "OID.1.2.3=x",
      "1.2.840.113549.1.9.1=#160d63406578616d706c652e6f7267,CN=client one,O=Test\\, Inc.,ST=A State,C=XX",
    ];
    for (const id of good) assert.equal(judge("x509", id), true, id);
    for (const id of [
      "foo",
      "=foo",
      "XX=foo",
      "CN=a,",
      ",CN=a",
      "CN=a,b",
      'CN="a',
      'CN=a"b"',
      "CN=a\\",
      "CN=a\\z",
      "CN=#0",
      "CN=#xy",
      "CN=a<b",
    ])
      assert.equal(judge("x509", id), false, id);
  });

  test("no id takes long to judge", () => {
    const long = `CN=${" ".repeat(200_000)}"`;
    for (const scheme of ["x509", "digest", "sasl", "ip"]) judge(scheme, long);
    assert.equal(judge("digest", `${":".repeat(200_000)}x:`), false);
  });
});

describe("isAllowed", () => {
  const allowed = (acl: readonly Acl[] | null, perms: number, ids: readonly AuthId[], options = everything): boolean =>
    isAllowed(acl, perms, ids, options);

  test("no list, an empty list and the open list allow everything", () => {
    for (const acl of [null, [], OPEN_ACL_UNSAFE]) assert.equal(allowed(acl, Perms.ADMIN, []), true);
  });

  test("any of the wanted permissions is enough", () => {
    assert.equal(allowed(READ_ACL_UNSAFE, Perms.READ, []), true);
    assert.equal(allowed(READ_ACL_UNSAFE, Perms.READ | Perms.ADMIN, []), true);
    assert.equal(allowed(READ_ACL_UNSAFE, Perms.WRITE, []), false);
    assert.equal(allowed([entry(0, "world", "anyone")], Perms.ALL, [localhost, u1]), false);
    assert.equal(allowed([entry(-1, "world", "anyone")], Perms.DELETE, []), true);
  });

  test("skipAcl and super bypass", () => {
    const nobody = [entry(0, "world", "anyone")];
    assert.equal(allowed(nobody, Perms.WRITE, [], { ...everything, skipAcl: true }), true);
    assert.equal(allowed(nobody, Perms.WRITE, [localhost, superUser]), true);
  });

  test("an identity only matches entries of its own scheme", () => {
    const acl = [entry(Perms.READ, "digest", u1.id)];
    assert.equal(allowed(acl, Perms.READ, [localhost, u1]), true);
    assert.equal(allowed(acl, Perms.READ, [u2, { scheme: "sasl", id: u1.id }]), false);
    assert.equal(allowed(acl, Perms.WRITE, [u1]), false);
    assert.equal(allowed(acl, Perms.READ, [u1], { ...everything, digestEnabled: false }), false);
  });

  test("ip", () => {
    for (const [id, address, matches] of [
      ["127.0.0.1", "127.0.0.1", true],
      ["127.0.0.1", "127.0.0.2", false],
      ["127.9.9.9/8", "127.0.0.1", true],
      ["10.0.0.0/8", "127.0.0.1", false],
      ["127.0.0.0/31", "127.0.0.1", true],
      ["127.0.0.2/31", "127.0.0.1", false],
      ["127.0.0.2/32", "127.0.0.1", false],
      ["0.0.0.0/0", "127.0.0.1", true],
      ["::/0", "127.0.0.1", false],
      ["0.0.0.0/0", "::1", false],
      ["fe80::/10", "fe80:0:0:0:1:2:3:4", true],
      ["fe80::/10", "febf:ffff:0:0:1:2:3:4", true],
      ["fe80::/10", "fec0:0:0:0:1:2:3:4", false],
      ["::1", "0:0:0:0:0:0:0:1", true],
      ["0:0:0:0:0:0:0:1", "::1", true],
      ["nonsense", "127.0.0.1", false],
      ["127.0.0.1", "nonsense", false],
    ] as const) {
      const acl = [entry(Perms.READ, "ip", id)];
      const ids = [{ scheme: "ip", id: address }];
      for (const again of [1, 2]) assert.equal(allowed(acl, Perms.READ, ids), matches, `${id} ${address} (${again})`);
      if (id.includes("/")) assert.equal(allowed(acl, Perms.READ, ids, as34), false);
      if (id.includes(":")) assert.equal(allowed(acl, Perms.READ, ids, as38), false);
    }
  });

  test("sasl", () => {
    const acl = [entry(Perms.READ, "sasl", "bob")];
    const is = (id: string, options = everything): boolean => allowed(acl, Perms.READ, [{ scheme: "sasl", id }], options);
    assert.equal(is("bob"), true);
    assert.equal(is("eve"), false);
    assert.equal(is("super"), true);
    assert.equal(is("eve", { ...everything, letAnySaslUserDoX: "bob" }), true);
    assert.equal(is("bob", DEFAULT_ACL_OPTIONS), false);
  });

  test("x509", () => {
    const acl = [entry(Perms.READ, "x509", "CN=bob")];
    const is = (id: string, options = everything): boolean => allowed(acl, Perms.READ, [{ scheme: "x509", id }], options);
    assert.equal(is("CN=bob"), true);
    assert.equal(is("CN=eve"), false);
    assert.equal(is("CN=eve", { ...everything, x509SuperUser: "CN=eve" }), true);
  });
});

describe("authenticate", () => {
  test("digest", () => {
    assert.deepEqual(login("digest", "u1:p1"), [u1]);
    assert.deepEqual(login("digest", "u1:p:q"), [{ scheme: "digest", id: "u1:P6/eAlsRarlYc93RXuHRYHf2dPw=" }]);
    assert.deepEqual(login("digest", "u1"), [{ scheme: "digest", id: "u1:xepxVUx3Ta9/qzIPw0dq/AYX6wA=" }]);
    assert.deepEqual(login("digest", ""), [{ scheme: "digest", id: ":2jmj7l5rSw0yVb/vlWAYkK/YBwk=" }]);
    assert.equal(login("digest", null), null);
    assert.equal(login("digest", "u1:p1", { ...everything, digestEnabled: false }), null);
  });

  test("the superuser's digest is proved beside super", () => {
    const options = { ...DEFAULT_ACL_OPTIONS, superDigest: "super:lK75jTNcA+U9vtVEw5vB51mj/w4=" };
    assert.deepEqual(login("digest", "super:secret", options), [superUser, { scheme: "digest", id: options.superDigest }]);
    assert.equal(
      login("digest", "super:nope", options)?.some((identity) => identity.scheme === "super"),
      false,
    );
  });

  test("digestAlg", () => {
    addHashes(LONG_DIGESTS);
    assert.deepEqual(login("digest", "u1:p1", { ...everything, digestAlg: "SHA-256" }), [
      { scheme: "digest", id: "u1:SpAjriJoIhqdp6zD83WHCWayXlwFQRsNOsofGleBWzc=" },
    ]);
  });

  test("ip ignores the data", () => assert.deepEqual(login("ip", "10.0.0.1"), [localhost]));

  test("what has no packet is refused", () => {
    for (const scheme of ["none", "world", "auth", "super", "sasl", "x509", "ensemble"])
      assert.equal(login(scheme, "x"), null, scheme);
    assert.equal(login("sasl", "x", everything), null);
    assert.equal(authenticate(null, utf8("x"), "127.0.0.1", [], everything), null);
  });

  test("x509 confirms the certificate of the connection", () => {
    const subject = { scheme: "x509", id: "CN=bob" };
    assert.equal(login("x509", "", everything), null);
    assert.deepEqual(login("x509", "", everything, [localhost, subject]), [subject]);
    const options = { ...everything, x509SuperUser: "CN=bob" };
    assert.deepEqual(login("x509", "", options, [subject]), [{ scheme: "super", id: "CN=bob" }, subject]);
    assert.deepEqual(initialIdentities("127.0.0.1", [subject], options), [
      localhost,
      { scheme: "super", id: "CN=bob" },
      subject,
    ]);
  });

  test("ensemble only checks the name", () => {
    const named = { ...everything, ensembleAuthNames: ["a", "b"] };
    assert.deepEqual(login("ensemble", "a", named), []);
    assert.deepEqual(login("ensemble", "", named), []);
    assert.deepEqual(login("ensemble", null, named), []);
    assert.equal(login("ensemble", "c", named), null);
    assert.deepEqual(login("ensemble", "c", { ...everything, ensembleAuthNames: [] }), []);
  });

  test("sasl identities", () => {
    const options = { ...everything, superUsers: ["root"] };
    assert.deepEqual(saslIdentities("bob", options), [{ scheme: "sasl", id: "bob" }]);
    assert.deepEqual(saslIdentities("root", options), [{ scheme: "sasl", id: "root" }, superUser]);
  });
});

test("addresses are written as ZooKeeper writes them", () => {
  for (const [address, written] of [
    ["127.0.0.1", "127.0.0.1"],
    ["::ffff:127.0.0.1", "127.0.0.1"],
    ["::1", "0:0:0:0:0:0:0:1"],
    ["2001:0db8::00A:b", "2001:db8:0:0:0:0:a:b"],
    ["fe80::1%eth0", "fe80:0:0:0:0:0:0:1%eth0"],
    ["local", "local"],
  ] as const) {
    assert.equal(hostAddress(address), written);
  }
});

test("who may not administer sees users, not hashes", () => {
  const acl = [entry(1, "world", "anyone"), entry(31, "digest", u1.id), entry(31, "ip", "10.0.0.0/8")];
  assert.deepEqual(maskDigests(acl), [acl[0], entry(31, "digest", "u1:x"), acl[2]]);
  assert.equal(maskDigests(OPEN_ACL_UNSAFE), OPEN_ACL_UNSAFE);
});

test("whoAmI tells the user's part", () => {
  const ids = [
    u1,
    localhost,
    superUser,
    { scheme: "super", id: "CN=bob" },
    { scheme: "digest", id: ":x" },
    { scheme: "sasl", id: "a:b" },
  ];
  assert.deepEqual(ids.map(userOf), ["u1", "127.0.0.1", "", "", "", "a:b"]);
});
