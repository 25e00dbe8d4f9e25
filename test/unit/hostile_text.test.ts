/**
 * Parsers of what clients, members and files say, given a million characters that are made to be tried again and again: they answer at once,
 * where a quadratic one would take from minutes to hours.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseProperties } from "../../adapters/cli/properties.ts";
import { parseZooCfg } from "../../adapters/cli/zoo_cfg.ts";
import { readIpBlock } from "../../lib/acl/ip.ts";
import { DEFAULT_ACL_OPTIONS } from "../../lib/acl/options.ts";
import { providerOf } from "../../lib/acl/providers.ts";
import { isDistinguishedName } from "../../lib/acl/x500_name.ts";
import { parseJavaLong } from "../../lib/base/java_long.ts";
import { parseEnsemble } from "../../lib/broadcast/zab/ensemble_text.ts";
import { parseConnectString } from "../../lib/client/connect_string.ts";
import { DigestMd5Client, DigestMd5Server } from "../../lib/sasl/digest_md5.ts";
import { parseJaas } from "../../lib/sasl/jaas.ts";
import { quotaProblem, restoreQuotas } from "../../lib/tree/quota.ts";
import { Tree } from "../../lib/tree/tree.ts";
import { JuteWriter } from "../../lib/wire/jute.ts";
import { PacketReader, packetOfLearner, writePacket } from "../../lib/wire/quorum.ts";

const MANY = 1_000_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const many = (text: string): string => text.repeat(MANY / text.length);

describe("SASL tokens", () => {
  for (const [name, token] of [
    ["spaces before a value", `a=${many(" ")}"`],
    ["spaces behind one", `a=b${many(" ")}c`],
    ["a quotation without end", `a="${many("\\x")}`],
    ["a name without end", many("a-")],
    ["values that are quotations again and again", many('a="b" ')],
    ["tabs and line ends", `username="bob",realm=${many("\t\n ")}"`],
  ] as const) {
    test(`${name}: refused by the server, and by the client`, () => {
      assert.equal(new DigestMd5Server(() => "secret", "nonce").answer(bytes(token)), null);
      assert.equal(new DigestMd5Client({ username: "bob", password: "secret" }, "nonce").answer(bytes(token)), "refused");
    });
  }

  test("a long name is still a name", () => {
    const server = new DigestMd5Server((name) => (name.length === MANY ? "secret" : undefined), "nonce");
    const client = new DigestMd5Client({ username: many('a"'), password: "secret" }, "other");
    const taken = server.answer(client.answer(server.challenge) as Uint8Array);
    assert.equal(taken?.username.length, MANY);
  });
});

describe("statistics of a quota", () => {
  const treeWith = (stats: string): Tree => {
    const tree = new Tree({ extendedTypes: false, digest: true, counterWraps: false, configNode: true });
    const create = (path: string, data: string): void => {
      const parentPath = path.slice(0, path.lastIndexOf("/")) || "/";
      tree.create({ path, parentPath, data: bytes(data), acl: null, owner: 0n, parentCVersion: -1, zxid: 1n, time: 1 });
    };
    create("/a", "");
    create("/zookeeper/quota/a", "");
    create("/zookeeper/quota/a/zookeeper_limits", "count=5,bytes=-1=;byteHardLimit=9;countHardLimit=5");
    create("/zookeeper/quota/a/zookeeper_stats", stats);
    tree.addQuotaPath("/a");
    return tree;
  };
  for (const [name, stats, problem] of [
    ["commas", many(","), "MarshallingError"],
    ["commas between two numbers", `count=1${many(",")}bytes=1`, null],
    ["equals signs", `count=1${many("=")}`, null],
    ["equals signs, then something", `count=1,a${many("=")}x`, null],
    ["a number of a million digits", `count=${many("9")}`, "MarshallingError"],
    ["a number with a million zeros before it", `count=${many("0")}9`, "QuotaExceeded"],
  ] as const) {
    test(`${name}: ${problem ?? "read"}`, () => assert.equal(quotaProblem(treeWith(stats), "/a/b", 1, 0), problem));
  }

  test("are counted anew at a restart, whatever they said", () => {
    const tree = treeWith(many(","));
    restoreQuotas(tree);
    assert.equal(new TextDecoder().decode(tree.get("/zookeeper/quota/a/zookeeper_stats")!.data!), "count=1,bytes=0");
  });
});

describe("Java's longs", () => {
  for (const [text, number] of [
    ["9223372036854775807", 2n ** 63n - 1n],
    ["9223372036854775808", null],
    ["-9223372036854775808", -(2n ** 63n)],
    ["+07", 7n],
    ["-0", 0n],
    ["", null],
    ["+", null],
    [" 1", null],
    ["0x1", null],
    [many("1"), null],
    [`-${many("0")}12`, -12n],
  ] as const) {
    test(`${text.length > 30 ? `${text.length} digits` : JSON.stringify(text)} → ${number}`, () =>
      assert.equal(parseJavaLong(text), number));
  }
});

describe("names in access control lists", () => {
  for (const [name, id, isName] of [
    ["a plain value with what it may not hold", `CN=${many("a")}>`, false],
    ["escaped characters", `CN=${many("\\,")}`, true],
    ["escaped bytes", `CN=${many("\\e4")}`, true],
    ["half an escaped byte", `CN=${many("\\,")}\\e`, false],
    ["hexadecimal, then space", `CN=#${many("ab")}${many(" ")}`, true],
    ["hexadecimal and space, then more", `CN=#${many("ab")}${many(" ")}x`, false],
    ["a quotation without end", `CN="${many("a")}`, false],
    ["a quotation with space behind it", `CN="${many("a")}"${many(" ")}`, true],
    ["numbers of an attribute", `OID.1${many(".1")}x=1`, false],
  ] as const) {
    test(`x509, ${name}: ${isName}`, () => assert.equal(isDistinguishedName(id), isName));
  }

  for (const [scheme, id] of [
    ["digest", `${many("a:")}b`],
    ["digest", `a:b${many(":")}c`],
    ["sasl", `${many("a/")}@b`],
  ] as const) {
    test(`${scheme}, ${id.slice(0, 6)}…`, () => {
      const options = { ...DEFAULT_ACL_OPTIONS, saslRegistered: true };
      assert.equal(providerOf(scheme, options)!.isValidId(id, options), false);
    });
  }

  for (const id of [many(":"), many("1:"), `${many("1")}.`, `1.1.1.1/${many("0")}x`]) {
    test(`ip, ${id.slice(0, 12)}…`, () => assert.equal(readIpBlock(id), null));
  }
});

describe("configurations", () => {
  for (const text of [
    `server.${many("9")}=a:1:2`,
    `group.1=${many("9")}`,
    `group.1=${many("1:")}`,
    `server.1=${many("[")}`,
    `server.1=${many("a:1:2|")}`,
    `weight.1=${many("1")}`,
    `${many(" ")}x`,
  ]) {
    test(`of members: ${text.slice(0, 20)}… is refused`, () => assert.throws(() => parseEnsemble(text), Error));
  }

  test("of servers to connect to", () => {
    for (const text of [many("["), many("a:"), `a:${many("1")}x`])
      assert.throws(() => parseConnectString(text), { code: "BadArguments" });
  });

  test("in properties", () => {
    assert.equal(parseProperties(`a=${many("\\")}x`)[0]!.value.length, MANY / 2 + 1);
    assert.equal(parseProperties(`a=b${many("c\\\n")}`)[0]!.value, `b${"c".repeat(MANY / 3)}`);
    assert.equal(parseProperties(`${many("\\ ")}=1`)[0]!.key, " ".repeat(MANY / 2));
    assert.deepEqual(parseProperties(`${many("\\\n")}#a`), []);
  });

  test("in zoo.cfg", () => {
    assert.throws(() => parseZooCfg(`dataDir=/d\nsnapshotSizeFactor=${many("1")}x`, "zoo.cfg"), /is not accepted/);
    const users = Array.from({ length: 50_000 }, (_, at) => `superUser.${at}=a`);
    const keys = Array.from({ length: 50_000 }, (_, at) => `ssl.x${at}=a`);
    const { settings } = parseZooCfg(["dataDir=/d", ...users, ...keys].join("\n"), "zoo.cfg");
    assert.equal(settings.superUser!.length, 50_000);
  });

  test("in JAAS files", () => {
    for (const text of [many("/* "), `${many(" ")}"`, `${many("//")}\n"`, `"${many("\\\\")}`, many("{ ")])
      assert.throws(() => parseJaas(text), TypeError);
    assert.deepEqual(parseJaas(many("/* */ ")), { users: null, client: null });
  });
});

test("a packet between members that comes byte by byte", () => {
  const out = new JuteWriter();
  const request = {
    session: 1n,
    cxid: 1,
    op: { kind: "setData", path: "/a", data: new Uint8Array(MANY), version: -1 },
    authIds: [],
  } as const;
  writePacket(out, packetOfLearner({ kind: "request", request }));
  writePacket(out, packetOfLearner({ kind: "ack", zxid: 5n }));
  const reader = new PacketReader(2 * MANY);
  const found: bigint[] = [];
  for (const byte of out.copy()) {
    reader.push(Uint8Array.of(byte));
    const packet = reader.next();
    if (packet !== null) found.push(packet.zxid);
  }
  assert.deepEqual(found, [-1n, 5n]);
});
