/** The test kit refuses what makes no sense, so that no check holds for a slip of whoever wrote it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runInNewContext } from "node:vm";
import {
  ExpectationError,
  eachSeed,
  History,
  replay,
  type TestEnsemble,
  type TestServer,
  testEnsemble,
  testServer,
} from "../../adapters/testing/mod.ts";
import { msgpack } from "../../lib/client/msgpack.ts";
import { bytes, Perms, utf8, type ZooKeeper } from "../../mod.ts";

/** What a caller without types may write. */
// biome-ignore lint/suspicious/noExplicitAny: that is the point
type Any = any;

const WRONG: readonly (readonly [what: string, run: (zk: TestServer & Any, client: ZooKeeper) => unknown, says: RegExp])[] = [
  [
    "a fault of an operation that there isn't",
    (zk) => zk.faults.on({ op: "put" }),
    /op must be one of addWatch, .*, not "put"/,
  ],
  [
    "a misspelt operation",
    (zk) => zk.faults.on({ op: ["create", "getdata"] }),
    /op\[1\] must be .*"getData" is probably meant/,
  ],
  ["an operation's variant", (zk) => zk.faults.on({ op: "create2" }), /op "create2" goes by "create"/],
  ["an inherited operation", (zk) => zk.faults.on({ op: "toString" }), /op must be one of/],
  ["no operations", (zk) => zk.faults.on({ op: [] }), /op is empty: no request could match it/],
  ["a fault's key", (zk) => zk.faults.on({ paths: "/a" }), /options have no "paths"; "path" is probably meant/],
  ["a fault's path that none is", (zk) => zk.faults.on({ path: "/locks/" }), /path "\/locks\/": Path must not end/],
  [
    "a fault of nobody",
    (zk) => zk.faults.on({ session: {} }),
    /named by its handle, or by its id such as 0x1n, not by an object/,
  ],
  [
    "a fault of somebody to come",
    (zk) => zk.faults.on({ session: zk.connect() }),
    /not by a Promise \(is an await missing\?\)/,
  ],
  ["a fault that strikes never", (zk) => zk.faults.on().times(0), /times must be a whole number from 1/],
  ["a fault that passes half", (zk) => zk.faults.on().skip(0.5), /skip must be a whole number from 0/],
  ["an error that there isn't", (zk) => zk.faults.on().error("NoNod"), /code must be one of .*"NoNode" is probably meant/],
  ["an inherited error", (zk) => zk.faults.on().error("valueOf"), /code must be one of/],
  ["a delay in no unit", (zk) => zk.faults.on().delay("1x"), /"1x" is no duration/],
  ["a partition of nobody", (zk) => zk.faults.partition(null), /named by its handle, or by its id/],
  ["time in no unit", (zk) => zk.clock.advance("1x"), /"1x" is no duration/],
  ["time that goes back", (zk) => zk.clock.advance(-1), /-1 is no duration/],
  ["time without end", (zk) => zk.clock.advance(1e300), /1e\+300 is too long: nothing lasts longer than 12725d/],
  ["sleep in words", (zk) => zk.clock.sleep({}), /an object is no duration/],
  ["waiting for no promise", (zk) => zk.clock.runUntil(5), /it must be a promise, not 5/],
  ["waking at no time", (zk) => zk.clock.wakeAt(Number.NaN, () => {}), /mono must be a number/],
  ["waking nobody", (zk) => zk.clock.wakeAt(5), /run must be a function/],
  ["the end of nobody", (zk) => zk.expire(undefined), /named by its handle/],
  ["another client's session as text", (zk) => zk.expire("0x1"), /not by "0x1"/],
  ["to go on as nobody", (zk) => zk.resume({ lastZxid: 0n }), /a handle of it is needed, not an object/],
  ["a picture of no path", (zk) => zk.picture("config"), /path "config": Path must start/],
  ["a look at no path", (zk) => zk.inspect("config/"), /path "config\/": Path must start/],
  [
    "an expected tree that is none",
    (zk) => zk.expectTree(null),
    /expected must be an object such as \{ "\/config": "v1" \}, not null/,
  ],
  [
    "an expected tree in a Map",
    (zk) => zk.expectTree(new Map([["/config", "v2"]])),
    /expected must be an object .*, not a Map/,
  ],
  ["an expected tree that is a handle", (zk, client) => zk.expectTree(client), /not an instance of a class/],
  ["an expected path that is none", (zk) => zk.expectTree({ config: "v1" }), /expected can't have "config": Path must start/],
  [
    "an expected znode's key",
    (zk) => zk.expectTree({ "/config": { datas: "v1" } }),
    /\/config have no "datas"; "data" is probably meant/,
  ],
  [
    "an expected mode",
    (zk) => zk.expectTree({ "/config": { mode: "container" } }),
    /no "mode"; there are data, kind, version, owner, acl/,
  ],
  [
    "expected data that is a number",
    (zk) => zk.expectTree({ "/config": 5 }),
    /\/config must be an object such as \{ data: "v1" \}, not 5/,
  ],
  [
    "expected data in an array",
    (zk) => zk.expectTree({ "/config": { data: [1] } }),
    /\/config\.data must be bytes .*, not an Array/,
  ],
  ["an expected kind", (zk) => zk.expectTree({ "/config": { kind: "persistant" } }), /"persistent" is probably meant/],
  ["an expected version in text", (zk) => zk.expectTree({ "/config": { version: "0" } }), /version must be a whole number/],
  ["an expected owner that is none", (zk) => zk.expectTree({ "/config": { owner: "me" } }), /named by its handle/],
  ["an expected ACL in text", (zk) => zk.expectTree({ "/config": { acl: "world:anyone" } }), /acl must be an array/],
  ["where to expect it", (zk) => zk.expectTree({}, "config"), /path "config"/],
  ["events of nobody", (zk) => zk.expectEvents(undefined, []), /named by its handle/],
  ["events of a session that never was", (zk) => zk.expectEvents(0x123n, []), /there has been no session 0x123/],
  ["events that are one text", (zk, client) => zk.expectEvents(client, "NodeDeleted /a"), /expected must be an array/],
  ["an event that there isn't", (zk, client) => zk.expectEvents(client, ["NodeDeletd /a"]), /"NodeDeleted" is probably meant/],
  ["an event without a path", (zk, client) => zk.expectEvents(client, ["NodeDeleted"]), /expected\[0\]'s path/],
  ["an explanation of nothing", (zk) => zk.explain(5), /it must be a zxid such as 5n or a ZkError, not 5/],
  ["why of nothing", (zk) => zk.whyNot(), /options must be an object such as \{ session: client/],
  ["why without a path", (zk, client) => zk.whyNot({ session: client }), /path is missing/],
  [
    "why not an event that there isn't",
    (zk, client) => zk.whyNot({ session: client, path: "/a", type: "Deleted" }),
    /type must be one of/,
  ],
  ["a fixture that is a list", (zk) => zk.fixture(["/a"]), /fixture must be an object such as/],
  ["a fixture's path", (zk) => zk.fixture({ a: null }), /fixture can't have "a": Path must start/],
  ["a fixture's key", (zk) => zk.fixture({ "/a": { modes: "container" } }), /\/a have no "modes"; "mode" is probably meant/],
  ["a fixture's data", (zk) => zk.fixture({ "/a": 5 }), /\/a must be an object such as \{ data: "v1" \}, not 5/],
  [
    "a fixture's ephemeral",
    (zk) => zk.fixture({ "/a": { mode: "ephemeral" } }),
    /mode must be one of persistent, container, persistent_with_ttl/,
  ],
  [
    "a fixture's time to live",
    (zk) => zk.fixture({ "/a": { mode: "persistent_with_ttl", ttlMs: 0.5 } }),
    /ttlMs must be a whole number/,
  ],
  [
    "a fixture's perms in text",
    (zk) => zk.fixture({ "/a": { acl: [{ perms: "rw", scheme: "world", id: "anyone" }] } }),
    /acl\[0\]\.perms must be a whole number/,
  ],
  ["a fixture's data twice", (zk) => zk.fixture({ "/a": { data: "x", base64: "AAE=" } }), /it has data and base64/],
  ["a dump that is text", async () => (await testServer()).load("dump" as Any), /it must be bytes, not "dump"/],
  [
    "a dump that is none",
    async (zk) => (await testServer()).load(zk.history().save()),
    /"zookernel history 1", not "zookernel dump 1"/,
  ],
  [
    "a dump of something else",
    async () => (await testServer()).load(msgpack.encode(["zookernel dump 1", { znodes: [{}] }])!),
    /the bytes hold something else/,
  ],
  [
    "a history of something else",
    () => History.load(msgpack.encode(["zookernel history 1", { entries: [5] }])!),
    /the bytes hold something else/,
  ],
  ["a history of nothing", () => new History(undefined as Any, true), /entries must be an array/],
  ["a play of nothing", (zk) => replay([] as Any, zk), /it must be one that history\(\) gives/],
  ["a play for nobody", (zk) => replay(zk.history(), {} as Any), /it needs a test server or an address/],
  ["a key of the server", () => testServer({ sede: 3 } as Any), /there is no "sede"; "seed" is probably meant/],
  ["a logger of the server", () => testServer({ logger: 1 } as Any), /logger must be an object with debug/],
  ["a setting of the server", () => testServer({ tickTimeMs: "1" } as Any), /tickTimeMs/],
  ["no options of the server", () => testServer(null as Any), /options must be an object such as/],
  ["a seed in words", () => testServer({ seed: "1" } as Any), /seed must be a whole number/],
  ["a history of no entries", () => testServer({ historyEntriesMax: 0 }), /historyEntriesMax must be a whole number from 1/],
  ["a key of the ensemble", () => testEnsemble({ member: 3 } as Any), /there is no "member"; "members" is probably meant/],
  ["members in words", () => testEnsemble({ members: "3" } as Any), /members must be a number, not "3"/],
  [
    "too many members for the TTL znodes of 3.5.3",
    () => testEnsemble({ members: 100, observers: 28, extendedTypes: "3.5.3" }),
    /128 is above 127/,
  ],
  ["no seeds", () => eachSeed(0, async () => {}), /count must be a whole number from 1/],
  ["no test", () => eachSeed(1, undefined as Any), /run must be a function/],
  ["text that is none", () => utf8.encode(5 as Any), /it must be a string, not 5/],
  ["bytes that are none", () => bytes.encode("x" as Any), /it must be bytes or null, not "x"/],
  ["MessagePack that is none", () => msgpack.decode("x" as Any), /it must be bytes, not "x"/],
  ["MessagePack of a function", () => msgpack.encode(() => {}), /no form for function/],
];

describe("refused:", () => {
  for (const [what, run, says] of WRONG) {
    test(what, async () => {
      const zk = await testServer();
      zk.fixture({ "/config": "v1" });
      const client = await zk.connect();
      await assert.rejects(
        async () => await run(zk, client),
        (error: Error) => {
          assert.ok(error instanceof TypeError, String(error));
          assert.match(error.message, says);
          return true;
        },
      );
      await zk.close();
    });
  }

  test("what promises is rejected, and nothing thrown", async () => {
    await using zk: Any = await testServer();
    const calls = [
      () => testServer(5 as Any),
      () => testEnsemble(5 as Any),
      () => zk.clock.advance("1x"),
      () => zk.clock.sleep("1x"),
      () => zk.clock.runUntil(5),
      () => zk.connect(5),
      () => zk.resume(5),
      () => eachSeed(0, async () => {}),
    ];
    for (const call of calls) await assert.rejects(call(), TypeError);
  });

  test("of an ensemble: members that there aren't, by any verb", async () => {
    await using zk: TestEnsemble & Any = await testEnsemble({ members: 2 });
    for (const id of ["1", 0, 3, 1.5, undefined]) {
      assert.throws(() => zk.member(id), /There is no member .*: they are 1 to 2/);
      await assert.rejects(zk.crash(id), TypeError);
      await assert.rejects(zk.restart(id), TypeError);
      if (id !== undefined) await assert.rejects(zk.connect({ member: id }), TypeError);
    }
    assert.throws(() => zk.partition(1), /group\[0\] must be an array such as \[1\], not 1/);
    assert.throws(() => zk.partition([1], ["2"]), /group\[1\]\[0\] must be a number/);
    assert.throws(() => zk.partition([3]), /There is no member 3/);
    assert.throws(() => zk.memberOf("me"), TypeError);
    await assert.rejects(zk.connect({ membr: 1 }), /"membr"; "member" is probably meant/);
    await assert.rejects(zk.untilLeader("1x"), /"1x" is no duration/);
    await assert.rejects(zk.fixture({ "/a": 5 }), TypeError);
    assert.throws(() => zk.member(1).picture("a"), TypeError);
    assert.throws(() => zk.member(1).expectTree({ "/a": { mode: 1 } }), TypeError);
  });
});

describe("bytes", () => {
  const forms: readonly (readonly [string, Any])[] = [
    ["a Uint8Array of another realm", runInNewContext("new Uint8Array([7, 8])")],
    ["an ArrayBuffer", new Uint8Array([7, 8]).buffer],
    ["a DataView", new DataView(new Uint8Array([6, 7, 8, 9]).buffer, 1, 2)],
    ["a Uint16Array", new Uint16Array(new Uint8Array([7, 8]).buffer)],
    ["a Buffer", Buffer.from([7, 8])],
  ];
  for (const [what, form] of forms) {
    test(`in ${what} are bytes, in fixtures and expectations`, async () => {
      await using zk = await testServer();
      zk.fixture({ "/alone": form, "/inside": { data: form } });
      zk.expectTree({ "/alone": new Uint8Array([7, 8]), "/inside": new Uint8Array([7, 8]) });
      zk.expectTree({ "/alone": form, "/inside": { data: form } });
      zk.fixture({ "/other": "x" });
      assert.throws(() => zk.expectTree({ "/alone": {}, "/inside": {}, "/other": form }), ExpectationError);
    });
  }

  test("and lists of a fixture are copied: what is changed afterwards changes nothing", async () => {
    await using zk = await testServer();
    await using members = await testEnsemble({ members: 1 });
    const data = new Uint8Array([1]);
    const acl = [{ perms: Perms.READ, scheme: "world", id: "anyone" }];
    zk.fixture({ "/a": { data, acl } });
    const created = members.fixture({ "/a": { data, acl } });
    data[0] = 2;
    Object.assign(acl[0]!, { perms: Perms.ALL });
    await created;
    for (const world of [zk, members]) {
      world.expectTree({ "/a": { data: new Uint8Array([1]), acl: [{ perms: Perms.READ, scheme: "world", id: "anyone" }] } });
    }
  });
});

describe("what is meant", () => {
  test("a path without a value is not there, in fixtures and expectations", async () => {
    await using zk = await testServer();
    zk.fixture({ "/a": "x", "/b": undefined } as Any);
    zk.expectTree({ "/a": { data: "x", kind: undefined }, "/b": undefined } as Any);
    assert.throws(() => zk.expectTree({ "/a": undefined } as Any), /\/a is there, and should not be/);
  });

  test("events of a session that has ended are compared", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    const id = client.sessionId;
    await client.close();
    zk.expectEvents(id, []);
    assert.throws(() => zk.expectEvents(id, ["NodeDeleted /a b"]), ExpectationError);
  });

  test("the time that the clock tells can't be moved by changing it, and its date is whole", async () => {
    await using zk = await testServer();
    assert.throws(() => Object.assign(zk.clock.now(), { mono: 5 }), TypeError);
    await zk.clock.advance(0.5);
    await zk.clock.advance(0.75);
    assert.deepEqual(zk.clock.now(), { mono: 1.25, wall: 1_767_225_600_001 });
    await using client = await zk.connect();
    await client.create("/a");
    assert.equal(zk.inspect("/a")!.stat.ctime, 1_767_225_600_001);
  });
});
