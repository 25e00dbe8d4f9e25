/** Explanations name the txn, the watch and the ACL that a puzzled reader looks for. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { History, testServer } from "../../adapters/testing/mod.ts";
import { type Acl, Perms, type ZkError } from "../../mod.ts";

const UTF8 = new TextEncoder();

async function refused(promise: Promise<unknown>): Promise<ZkError> {
  try {
    await promise;
  } catch (error) {
    return error as ZkError;
  }
  return assert.fail("it was not refused");
}

describe("explain", () => {
  test("a txn: who asked, what it did, which watches it fired, what was answered", async () => {
    await using zk = await testServer();
    const [writer, watcher] = [await zk.connect(), await zk.connect()];
    await writer.create("/a");
    await watcher.getData("/a", { watch: () => {} });
    await writer.setData("/a", "x");
    const [w, r] = [writer, watcher].map(({ sessionId }) => `0x${sessionId.toString(16)}`);
    assert.equal(
      zk.explain(writer.lastZxid),
      [
        'zxid 4: set /a to "x", version 1',
        `  asked for by session ${w}: setData /a "x"`,
        `  fired NodeDataChanged /a to ${r}`,
        "  answered version 1, cversion 0, children 0",
      ].join("\n"),
    );
  });

  test("what the server does by itself", async () => {
    await using zk = await testServer();
    const client = await zk.connect({ sessionTimeoutMs: 10_000 });
    await client.create("/lock", null, { mode: "ephemeral" });
    await client.create("/short", null, { mode: "persistent_with_ttl", ttlMs: 1 });
    await zk.clock.advance("2m");
    zk.expire(client);
    const id = `0x${client.sessionId.toString(16)}`;
    assert.match(zk.explain(1n), /open the session for 10000 ms\n {2}asked for by session 0x[0-9a-f]+, which connected/);
    assert.match(zk.explain(4n), /delete \/short, which was empty or had expired\n {2}asked for by the server/);
    assert.match(zk.explain(5n), new RegExp(`end the session; delete its ephemeral /lock\n.*since session ${id} had expired`));
    assert.equal(zk.explain(99n), "zxid 99 is not in the history");
  });

  test("an ACL that refused: what it says, what was needed, who asked", async () => {
    await using zk = await testServer();
    const owner = await zk.connect();
    const stranger = await zk.connect();
    await owner.addAuth("digest", "bob:right");
    await stranger.addAuth("digest", "bob:wrong");
    const acl: Acl[] = [{ perms: Perms.READ | Perms.WRITE, scheme: "auth", id: "" }];
    await owner.create("/a", "secret", { acl });
    assert.equal(
      zk.explain(await refused(stranger.create("/a/b"))),
      [
        `create /a/b null, asked by session 0x${stranger.sessionId.toString(16)}, was answered NoAuth`,
        "  CREATE on /a is needed",
        "  its ACL is digest:bob:rw",
        "  the client has proved to be ip:127.0.0.1, digest:bob (with another password)",
      ].join("\n"),
    );
    const wanted: readonly [() => Promise<unknown>, RegExp][] = [
      [() => stranger.getData("/a"), /READ on \/a/],
      [() => stranger.setData("/a", "x"), /WRITE on \/a/],
      [() => stranger.setACL("/a", acl), /ADMIN on \/a/],
      [() => stranger.getACL("/a"), /READ or ADMIN on \/a/],
      [() => stranger.transaction().create("/c").setData("/a", "x").commit(), /WRITE on \/a/],
    ];
    for (const [ask, says] of wanted) assert.match(zk.explain(await refused(ask())), says);
    assert.doesNotMatch(String(zk.history()), /right|wrong|secret:/);
  });

  test("a fault that the test asked for, and what only the client said", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    zk.faults.on({ op: "create", path: "/a" }).once().loseReply();
    assert.match(
      zk.explain(await refused(client.create("/a"))),
      /create \/a null met with a fault .*: create \/a, once: loseReply/,
    );
    await client.close();
    assert.match(zk.explain(await refused(client.create("/b"))), /the client said so itself/);
  });
});

describe("whyNot", () => {
  test("it was never set, or the read that was to set it failed", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    assert.match(zk.whyNot({ session: client, path: "/a" }), /has set no watch on \/a$/);
    await refused(client.getData("/a", { watch: () => {} }));
    assert.match(
      zk.whyNot({ session: client, path: "/a" }),
      /"getData \/a with a watch" was answered NoNode, and so left none/,
    );
    await client.exists("/a", { watch: () => {} });
    assert.match(zk.whyNot({ session: client, path: "/a" }), /Nothing has happened to \/a since/);
  });

  test("it did fire, or is used up", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    await client.exists("/a", { watch: () => {} });
    await client.create("/a");
    await client.delete("/a");
    assert.match(zk.whyNot({ session: client, path: "/a" }), /it did fire: NodeCreated \/a came of zxid 2/);
    assert.match(
      zk.whyNot({ session: client, path: "/a", type: "NodeDeleted" }),
      /used up: NodeCreated \/a came of zxid 2. It has not been set again since/,
    );
  });

  test("what happened is none of its business", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    await client.create("/a");
    await client.getChildren("/a", { watch: () => {} });
    await client.setData("/a", "x");
    assert.match(
      zk.whyNot({ session: client, path: "/a" }),
      /a child is created or deleted, .*Since then there was only zxid 3 \(set \/a to "x", version 1\), which is none of that/,
    );
    await client.getData("/a", { watch: () => {} });
    await client.create("/a/b");
    assert.match(zk.whyNot({ session: client, path: "/a", type: "NodeDataChanged" }), /only zxid 4 \(create \/a\/b null\)/);
  });

  test("it went with its connection", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    await client.create("/a");
    await client.getData("/a", { watch: () => {} });
    zk.faults.on({ op: "sync" }).once().disconnect();
    await refused(client.sync());
    assert.match(zk.whyNot({ session: client, path: "/a" }), /went with its connection, which a fault broke/);
    await zk.clock.advance("1s");
    assert.match(zk.whyNot({ session: client, path: "/a" }), /with "setWatches".*Nothing has happened/);
  });

  test("the session may not read what changed", async () => {
    await using zk = await testServer();
    const [owner, watcher] = [await zk.connect(), await zk.connect()];
    await watcher.exists("/a", { watch: () => {} });
    await owner.addAuth("digest", UTF8.encode("me:secret"));
    await owner.create("/a", null, { acl: [{ perms: Perms.ALL, scheme: "auth", id: "" }] });
    zk.expectEvents(watcher, []);
    assert.match(
      zk.whyNot({ session: watcher, path: "/a" }),
      /zxid 3 \(create \/a null\) would have fired it, but the session may not read/,
    );
  });

  test("a persistent recursive one hears of what is below", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    await client.addWatch("/a", () => {}, { mode: "persistent_recursive" });
    await client.create("/a");
    assert.match(
      zk.whyNot({ session: client, path: "/a/b" }),
      /a persistent recursive watch on \/a with .*Nothing has happened to \/a\/b/,
    );
    await client.create("/a/b");
    assert.match(zk.whyNot({ session: client, path: "/a/b" }), /it did fire: NodeCreated \/a\/b/);
  });
});

describe("a history", () => {
  test("tells everything in order, without pings, and without credentials when printed", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    await client.addAuth("digest", "me:secret");
    await client.create("/a", "x");
    await zk.clock.advance("1h");
    await client.close();
    const id = `0x${client.sessionId.toString(16)}`;
    assert.deepEqual(
      String(zk.history())
        .split("\n")
        .map((line) => line.trimEnd()),
      [
        "+0ms       connection 1: connect",
        "+0ms       zxid 1: open the session for 30000 ms",
        `+0ms       connection 1: welcome, session ${id}`,
        `+0ms       ${id} asks -4: addAuth digest`,
        `+0ms       ${id} is answered -4: ok`,
        `+0ms       ${id} asks 1: create /a "x"`,
        '+0ms       zxid 2: create /a "x"',
        `+0ms       ${id} is answered 1: /a`,
        `+1h        ${id} asks 2: closeSession`,
        "+1h        zxid 3: end the session",
        `+1h        ${id} is answered 2: ok`,
        "+1h        connection 1: closed by the server",
      ],
    );
  });

  test("is saved and loaded as it is", async () => {
    await using zk = await testServer();
    const client = await zk.connect();
    await client.create("/a", new Uint8Array([0, 255]));
    const history = zk.history();
    const loaded = History.load(history.save());
    assert.equal(String(loaded), String(history));
    assert.equal(loaded.isComplete, true);
    assert.throws(() => History.load(zk.dump()), /"zookernel dump 1", not "zookernel history 1"/);
  });

  test("forgets its beginning where it grows too long", async () => {
    await using zk = await testServer({ historyEntriesMax: 5000 });
    const client = await zk.connect();
    for (let i = 0; i < 6000; i++) await client.exists("/");
    const history = zk.history();
    assert.equal(history.isComplete, false);
    assert.ok(history.entries.length >= 5000 && history.entries.length < 10_000, `${history.entries.length}`);
  });
});
