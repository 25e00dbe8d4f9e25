/**
 * What callers hand to a handle: wrong types are refused by the call alone, bytes are taken in any form, and all of it at the call.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { bytes, CREATOR_ALL_ACL, json, OPEN_ACL_UNSAFE, open, Perms, ZkError, type ZooKeeper } from "../../../mod.ts";
import { bothWays, type Ends } from "../../support/both_ways.ts";
import { until } from "../../support/until.ts";

// biome-ignore lint/suspicious/noExplicitAny: callers without types are what this is about
type Untyped = any;

const text = (data: Uint8Array | null): string => new TextDecoder().decode(data!);
const isBadArguments = { name: "ZkError", code: "BadArguments" };

/** Rejected, not thrown, with a TypeError whose message matches; and what was done before is there, and more can be done. */
async function refuses({ zk, other }: Ends, call: (zk: Untyped) => Promise<unknown>, error: object | RegExp): Promise<void> {
  const promise = call(zk);
  assert.ok(promise instanceof Promise);
  await assert.rejects(promise, error instanceof RegExp ? { name: "TypeError", message: error } : error);
  await zk.getData("/n");
  await other.setData("/n", "still there");
  assert.equal(text((await other.getData("/n")).data), "still there");
}

const NO_DATA = [
  5,
  0,
  Number.NaN,
  true,
  7n,
  Symbol("x"),
  () => {},
  {},
  [1, 2],
  Object("boxed"),
  new Date(0),
  Promise.resolve("x"),
];

bothWays("data of another type spoils its own call alone", async (ends) => {
  await ends.zk.create("/n");
  for (const data of NO_DATA) {
    await refuses(
      ends,
      (zk) => zk.create("/x", data),
      /^Cannot create: data must be bytes such as a Uint8Array, a string, or null/,
    );
    await refuses(ends, (zk) => zk.setData("/n", data), /^Cannot setData: data must be bytes/);
    assert.throws(() => ends.zk.transaction().setData("/n", data as Untyped), {
      name: "TypeError",
      message: /data must be bytes/,
    });
  }
  await refuses(ends, (zk) => zk.setData("/n"), /data must be bytes .*, not undefined/);
  const liar = new Uint8Array(3);
  Object.defineProperty(liar, "length", { value: Number.NaN });
  await refuses(ends, (zk) => zk.setData("/n", liar), { name: "RangeError" });
  assert.equal(await ends.zk.exists("/x"), null);
});

bothWays("versions that don't fit the wire are no versions", async (ends) => {
  await ends.zk.create("/n");
  for (const version of [Number.NaN, 0.5, 2 ** 32, 2 ** 31, -(2 ** 31) - 1, Infinity, "0", 0n, null, {}, Object(0)]) {
    const wanted = /^Cannot \w+: version must be a whole number from -2147483648 to 2147483647, not /;
    await refuses(ends, (zk) => zk.setData("/n", "x", { version }), wanted);
    await refuses(ends, (zk) => zk.delete("/n", { version }), wanted);
    await refuses(ends, (zk) => zk.setACL("/n", OPEN_ACL_UNSAFE, { version }), wanted);
    assert.throws(() => ends.zk.transaction().check("/n", { version: version as Untyped }), {
      name: "TypeError",
      message: wanted,
    });
  }
  // Those that do fit are ZooKeeper's to compare.
  await refuses(ends, (zk) => zk.delete("/n", { version: -2 }), { code: "BadVersion" });
  await ends.zk.delete("/n", { version: undefined });
});

bothWays("a time to live is a whole number", async (ends) => {
  await ends.zk.create("/n");
  const create = (zk: ZooKeeper, ttlMs: unknown) => zk.create("/t", "", { mode: "persistent_with_ttl", ttlMs } as Untyped);
  for (const ttlMs of [0.1 * 3 * 1000, Number.NaN, Infinity, 2 ** 60, "300", 300n, null, {}])
    await refuses(ends, (zk) => create(zk, ttlMs), /^Cannot create: ttlMs must be a whole number of milliseconds from 1/);
  for (const ttlMs of [0, -1, 2 ** 40, undefined]) await refuses(ends, (zk) => create(zk, ttlMs), isBadArguments);
  await refuses(ends, (zk) => zk.create("/t", "", { ttlMs: 5 }), isBadArguments);
  await create(ends.zk, 2 ** 40 - 1);
});

bothWays("options that are none are shown the right form, and do nothing", async (ends) => {
  await ends.zk.create("/n");
  const versions = /^Cannot \w+: options must be an object such as \{ version: 7 \}, not /;
  for (const options of [7, "7", null, true, [7], () => {}, new Map([["version", 7]]), Promise.resolve({ version: 7 })]) {
    await refuses(ends, (zk) => zk.delete("/n", options), versions);
    await refuses(ends, (zk) => zk.setData("/n", "", options), versions);
    assert.throws(() => (ends.zk.transaction() as Untyped).delete("/n", options), { name: "TypeError", message: versions });
  }
  await refuses(ends, (zk) => zk.exists("/n", () => {}), /options must be an object such as \{ watch: \(event\)/);
  await refuses(ends, (zk) => zk.create("/x", "", "ephemeral"), /options must be an object such as \{ mode: "ephemeral" \}/);
  await refuses(
    ends,
    (zk) => zk.getACL("/n", new AbortController().signal),
    /options must be an object such as \{ signal \}, not an AbortSignal/,
  );
  await refuses(ends, (zk) => zk.delete("/n", { vesrion: 3 }), /options have no "vesrion"; "version" is probably meant/);
  await refuses(ends, (zk) => zk.getData("/n", { watcher() {} }), /options have no "watcher"; "watch" is probably meant/);
  await refuses(ends, (zk) => zk.getChildren("/n", { watch: true }), /watch must be a function such as/);
  await refuses(
    ends,
    (zk) => zk.sync("/n", { signal: new AbortController() }),
    /signal must be an AbortSignal, not an AbortController/,
  );
  await refuses(ends, (zk) => zk.transaction().commit({ version: 7 }), /options have no "version"/);
  assert.throws(
    () => ends.zk.transaction().create("/x", "", { signal: AbortSignal.abort() } as Untyped),
    /options have no "signal"/,
  );
  await ends.zk.getData("/n", { watch: undefined, signal: undefined, wach: undefined } as Untyped);
});

bothWays("modes are the names there are", async (ends) => {
  await ends.zk.create("/n");
  for (const mode of ["toString", "constructor", "__proto__", "", "EPHEMERAL", "Persistent", "ephemeral "])
    await refuses(ends, (zk) => zk.create("/x", "", { mode }), isBadArguments);
  await refuses(ends, (zk) => zk.create("/x", "", { mode: "ephemral" }), {
    message: /there is no mode "ephemral"; "ephemeral" is/,
  });
  for (const mode of [null, 1, Symbol("x"), ["ephemeral"], Object("ephemeral"), { toString: () => "ephemeral" }]) {
    await refuses(ends, (zk) => zk.create("/x", "", { mode }), /^Cannot create: mode must be a string such as "persistent"/);
    await refuses(ends, (zk) => zk.addWatch("/n", () => {}, { mode }), /^Cannot addWatch: mode must be a string/);
  }
  await refuses(ends, (zk) => zk.addWatch("/n", () => {}, { mode: "recursive" }), isBadArguments);
  await refuses(ends, (zk) => zk.removeWatch("/n", () => {}, { mode: "toString" }), isBadArguments);
  await refuses(ends, (zk) => zk.removeWatches("/n", { local: 1 }), /local must be /);
  for (const kind of [null, 2, "child", "toString"])
    await refuses(ends, (zk) => zk.removeWatches("/n", { kind }), /kind must be "data" or "children" or .* or "any", not /);
});

bothWays("paths are strings", async (ends) => {
  await ends.zk.create("/n");
  for (const path of [undefined, null, 7, Symbol("/n"), ["/n"], Object("/n"), { toString: () => "/n" }, new URL("file:///n")]) {
    const calls: ((zk: Untyped) => Promise<unknown>)[] = [
      (zk) => zk.create(path),
      (zk) => zk.create(path, "", { mode: "ephemral" }),
      (zk) => zk.createWithStat(path),
      (zk) => zk.delete(path),
      (zk) => zk.setData(path, ""),
      (zk) => zk.setACL(path, OPEN_ACL_UNSAFE),
      (zk) => zk.getData(path),
      (zk) => zk.exists(path),
      (zk) => zk.getChildren(path),
      (zk) => zk.getACL(path),
      (zk) => zk.getAllChildrenNumber(path),
      (zk) => zk.addWatch(path, () => {}),
      (zk) => zk.removeWatch(path, () => {}),
      (zk) => zk.removeWatches(path),
    ];
    for (const call of calls) await refuses(ends, call, /^Cannot \w+: path must be a string such as "\/a", not /);
    for (const call of [(zk: Untyped) => zk.watch(path), (zk: Untyped) => zk.typed(path, { codec: json })])
      assert.throws(() => call(ends.zk), { name: "TypeError", message: /path must be a string/ });
    assert.throws(() => ends.server.inspect(path as Untyped), { name: "TypeError", message: /path must be a string/ });
  }
  for (const path of [null, 7, Symbol("/")]) await refuses(ends, (zk) => zk.getEphemerals(path), /prefix must be a string/);
  for (const path of ["", "n", "/n/", "/\ud800", "/n//m"]) await refuses(ends, (zk) => zk.getData(path), isBadArguments);
});

bothWays("access control lists are arrays of entries", async (ends) => {
  await ends.zk.create("/n");
  const entry = { perms: 31, scheme: "world", id: "anyone" };
  const wrong: [unknown, RegExp][] = [
    ["world:anyone:cdrwa", /acl must be an array such as \[\{ perms: Perms.ALL, .*, not "world:anyone:cdrwa"/],
    [null, /acl must be an array/],
    [new Set([entry]), /acl must be an array .*, not a Set/],
    [{ 0: entry, length: 1 }, /acl must be an array/],
    [["world:anyone:cdrwa"], /acl\[0\] must be an object such as/],
    [[entry, null], /acl\[1\] must be an object such as .*, not null/],
    // biome-ignore lint/suspicious/noSparseArray: the hole is meant
    [[entry, , entry], /acl\[1\] must be an object such as .*, not undefined/],
    [new Array(2 ** 32 - 1), /acl\[0\] must be an object/],
    [[{ ...entry, perms: "cdrwa" }], /acl\[0\].perms must be a number such as Perms.READ \| Perms.WRITE, not "cdrwa"/],
    [[{ ...entry, perms: 0.5 }], /acl\[0\].perms must be a number/],
    [[{ ...entry, perms: 2 ** 31 }], /acl\[0\].perms must be a number/],
    [[{ perm: 31, scheme: "world", id: "anyone" }], /acl\[0\].perms must be a number .*, not undefined/],
    [[{ ...entry, scheme: null }], /acl\[0\].scheme must be a string/],
    [[{ ...entry, id: 7 }], /acl\[0\].id must be a string/],
  ];
  for (const [acl, error] of wrong) {
    await refuses(ends, (zk) => zk.setACL("/n", acl), error);
    await refuses(ends, (zk) => zk.create("/x", "", { acl }), error);
    assert.throws(() => ends.zk.transaction().create("/x", "", { acl: acl as Untyped }), { name: "TypeError", message: error });
  }
  const refused = [
    [],
    [{ ...entry, scheme: "nobody" }],
    [{ ...entry, id: "x" }],
    [{ ...entry, scheme: "digest", id: "a:\ud800" }],
  ];
  for (const acl of refused) await refuses(ends, (zk) => zk.setACL("/n", acl), { name: "ZkError", code: "InvalidACL" });
});

bothWays("what is left: watchers, identities, members, names of servers", async (ends) => {
  await ends.zk.create("/n");
  for (const watcher of [undefined, null, {}, "x"]) {
    await refuses(ends, (zk) => zk.addWatch("/n", watcher), /watcher must be a function such as \(event\)/);
    await refuses(ends, (zk) => zk.removeWatch("/n", watcher), /watcher must be a function/);
  }
  await refuses(ends, (zk) => zk.addAuth(undefined, "a:b"), /scheme must be a string such as "digest"/);
  // It could be a secret.
  await refuses(ends, (zk) => zk.addAuth("digest", 12345), /^(?!.*12345).*auth must be a string such as "user:password"/);
  await refuses(ends, (zk) => zk.reconfig(), /changes must be an object such as \{ joining: \[/);
  await refuses(ends, (zk) => zk.reconfig({ joining: "server.4=h:1:2;3" }), /joining must be an array such as/);
  await refuses(ends, (zk) => zk.reconfig({ joining: [4] }), /but joining\[0\] is 4/);
  await refuses(ends, (zk) => zk.reconfig({ leaving: [1, 0.5] }), /but leaving\[1\] is 0.5/);
  await refuses(ends, (zk) => zk.reconfig({ join: [] }), /changes have no "join"; "joining" is probably meant/);
  await refuses(ends, (zk) => zk.reconfig({ members: [], fromConfig: 2n ** 63n }), /fromConfig must be a bigint of 64 bits/);
  const zk = ends.zk as Untyped;
  const thrown: [() => unknown, RegExp][] = [
    [() => zk.onState({}), /listener must be a function/],
    [() => zk.states(() => {}), /options must be an object such as \{ signal \}/],
    [() => zk.updateServers(["a:2181"]), /servers must be a string such as "zk1:2181,zk2:2181"/],
    [() => zk.watch("/n", { capacity: 0.5 }), /capacity must be a whole number from 1/],
    [() => zk.watch("/n", { overflow: "toString" }), /overflow must be "dropOldest" or "fail"/],
    [() => zk.watch("/n", "persistent"), /options must be an object/],
    [() => zk.typed("/n", null), /options must be an object such as \{ codec: json \}/],
    [() => zk.typed("/n", { codec: JSON }), /codec must be one such as json, with encode and decode/],
    [() => zk.typed("/n", { schema: {} }), /schema must be a Standard Schema/],
    [() => zk.typed("/n", { codecs: json }), /options have no "codecs"; "codec" is probably meant/],
    [() => zk.guardSession("x"), /lost must be a function/],
    [() => zk.guardSession(() => {}, "never"), /rule must be "suspended" or "leaseEnd"/],
  ];
  for (const [call, message] of thrown) assert.throws(call, { name: "TypeError", message });
  const node = zk.typed("/n", { codec: json });
  await refuses(ends, () => node.update(5), /change must be a function/);
  await refuses(ends, () => node.update(() => 1, { attemptsMax: 0 }), /attemptsMax must be a whole number from 1/);
  await refuses(ends, () => node.set(1, 7), /options must be an object such as \{ version: 7 \}/);
  await refuses(ends, () => node.create(1, { mode: 5 }), /mode must be a string/);
});

bothWays("options are looked at once, and what throws there rejects", async (ends) => {
  await ends.zk.create("/n");
  let reads = 0;
  const options = {
    get version() {
      return reads++ === 0 ? 0 : Number.NaN;
    },
  };
  await ends.zk.setData("/n", "", options);
  assert.equal(reads, 1);
  const boom = new Error("boom");
  const hostile = {
    get version() {
      throw boom;
    },
  };
  await refuses(ends, (zk) => zk.setData("/n", "", hostile), boom);
  const trap = new Proxy(
    {},
    {
      get: () => {
        throw boom;
      },
      ownKeys: () => {
        throw boom;
      },
    },
  );
  await refuses(ends, (zk) => zk.create("/x", "", trap), boom);
  await refuses(ends, (zk) => zk.setACL("/n", [trap]), boom);
  // An engine's own signal may look through its proxy or refuse it.
  await ends.zk.getData("/n", { signal: new Proxy(new AbortController().signal, {}) }).catch(() => {});
  const deaf = { aborted: false, addEventListener: () => {}, removeEventListener: trap, reason: 1 };
  await refuses(
    ends,
    (zk) => zk.getData("/n", { signal: { ...deaf, addEventListener: () => assert.fail("mine") } }),
    /signal must/,
  );
  const bad = { aborted: false, addEventListener() {}, removeEventListener: () => assert.fail("not heard of") };
  await ends.zk.getData("/n", { signal: bad as Untyped });
});

// ── bytes ──

const elsewhere = createContext({});
const BYTES: Record<string, () => unknown> = {
  "a Uint8Array": () => Uint8Array.of(1, 2, 3),
  "a view of a part": () => Uint8Array.of(0, 1, 2, 3, 4).subarray(1, 4),
  "an ArrayBuffer": () => Uint8Array.of(1, 2, 3).buffer,
  "a SharedArrayBuffer": () => {
    const shared = new SharedArrayBuffer(3);
    new Uint8Array(shared).set([1, 2, 3]);
    return shared;
  },
  "a DataView": () => new DataView(Uint8Array.of(0, 1, 2, 3, 4).buffer, 1, 3),
  "an Int8Array": () => Int8Array.of(1, 2, 3),
  "a Uint8ClampedArray": () => Uint8ClampedArray.of(1, 2, 3),
  "Node's Buffer": () => Buffer.from([1, 2, 3]),
  "a Uint8Array of another realm": () => runInContext("Uint8Array.of(1, 2, 3)", elsewhere),
  "an ArrayBuffer of another realm": () => runInContext("Uint8Array.of(1, 2, 3).buffer", elsewhere),
  "a DataView of another realm": () => runInContext("new DataView(Uint8Array.of(1, 2, 3).buffer)", elsewhere),
};

bothWays("bytes are taken in every form", async ({ zk, other }) => {
  const wanted = Uint8Array.of(1, 2, 3);
  const read = async () => (await other.getData("/n")).data;
  await zk.create("/n");
  for (const [name, make] of Object.entries(BYTES)) {
    const data = make() as Uint8Array;
    await zk.setData("/n", data);
    assert.deepEqual(await read(), wanted, name);
    await zk.transaction().delete("/n").create("/n", data).commit();
    assert.deepEqual(await read(), wanted, name);
    await zk.transaction().setData("/n", null).setData("/n", data).commit();
    assert.deepEqual(await read(), wanted, name);
    await zk.typed("/n", { codec: bytes }).set(data);
    assert.deepEqual(await read(), wanted, name);
  }
  const floats = Float64Array.of(1, -1);
  await zk.setData("/n", floats);
  assert.deepEqual(await read(), new Uint8Array(floats.buffer));
  const gone = Uint8Array.of(1, 2, 3);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  await assert.rejects(zk.setData("/n", gone), TypeError);
  await assert.rejects(zk.setData("/n", gone.buffer), TypeError);
  const pretended = Object.create(Uint8Array.prototype, { [Symbol.toStringTag]: { value: "ArrayBuffer" } });
  await assert.rejects(zk.setData("/n", pretended), { name: "TypeError", message: /data must be bytes/ });
});

bothWays("what is handed in is taken at the call", async ({ zk, other }) => {
  for (const length of [3, 100, 3000, 20_000]) {
    for (const data of [new Uint8Array(length).fill(1), Buffer.alloc(length, 1)]) {
      const entry = { perms: Perms.ALL as number, scheme: "world", id: "anyone" };
      const acl = [entry];
      const making = [
        zk.create("/a", data, { acl }),
        zk.typed("/b", { codec: bytes }).create(data, { acl }),
        zk.transaction().create("/c", data, { acl }).create("/d").setData("/d", data).commit(),
        other.create("/w", data),
      ];
      const transaction = zk.transaction().create("/e", data, { acl });
      data.fill(2);
      entry.perms = 1;
      acl.length = 0;
      await Promise.all(making);
      await transaction.commit();
      for (const path of ["/a", "/b", "/c", "/d", "/w", "/e"]) {
        data.fill(3);
        assert.deepEqual((await other.getData(path)).data, new Uint8Array(length).fill(1), `${path} of ${length}`);
        assert.deepEqual((await other.getACL(path)).acl, OPEN_ACL_UNSAFE, path);
        await other.delete(path);
      }
    }
  }
});

bothWays("a typed value is taken at the call, whatever its schema waits for", async ({ zk, other }) => {
  await zk.create("/n");
  const slow = { version: 1, vendor: "own", validate: async (value: unknown) => ({ value }) } as const;
  const node = zk.typed("/n", { schema: { "~standard": slow }, codec: json });
  const [value, options] = [{ port: 80 }, { version: 0 }];
  const setting = node.set(value, options);
  value.port = 81;
  options.version = 7;
  await setting;
  assert.equal(text((await other.getData("/n")).data), '{"port":80}');
});

bothWays("a transaction that is committed takes no more", async ({ zk, other }) => {
  const transaction = zk.transaction().create("/a");
  const committing = transaction.commit();
  transaction.create("/b");
  assert.equal((await committing).length, 1);
  assert.equal(await other.exists("/b"), null);
});

describe("a request that waits for its connection", () => {
  test("is the one that was made", async () => {
    await using server = await open();
    const zk = await server.connect();
    await zk.create("/n");
    const before = server.snapshot();
    server.restore(before); // the handle has to come back first
    const data = Uint8Array.of(1);
    const setting = zk.setData("/n", data);
    data[0] = 2;
    let isDone = false;
    setting.finally(() => {
      isDone = true;
    });
    await until(() => isDone, "the write"); // a server alone keeps no process alive
    assert.deepEqual(server.inspect("/n")!.data, Uint8Array.of(1));
  });
});

test("constants are everybody's, and nobody's to change", () => {
  for (const constant of [Perms, OPEN_ACL_UNSAFE, OPEN_ACL_UNSAFE[0], CREATOR_ALL_ACL]) assert.ok(Object.isFrozen(constant));
  assert.ok(ZkError.prototype instanceof Error);
});
