/**
 * npm's node-zookeeper-client against the server under test: modes, errors, watches, transactions, permissions, sessions.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ServerProcess, serverName, startServer } from "../support/server_process.ts";
import { until } from "../support/until.ts";
import { acl, NodeClient, type NodeEvent, zookeeper } from "./node_client.ts";

const { CreateMode } = zookeeper;
const TIMEOUT = { timeout: 60_000 };

describe(`node-zookeeper-client on ${serverName()}`, { concurrency: 1 }, () => {
  let server: ServerProcess;

  before(async () => {
    server = await startServer({ config: { tickTime: 200, maxSessionTimeout: 40_000 } });
  });
  after(() => server?.stop());

  test("each create mode makes its kind of node", TIMEOUT, async () => {
    await using watcher = await NodeClient.connect(server.address);
    await using client = await NodeClient.connect(server.address);
    await client.create("/modes");
    assert.equal(await client.create("/modes/p", "data"), "/modes/p");
    assert.equal(await client.create("/modes/ps-", null, { mode: CreateMode.PERSISTENT_SEQUENTIAL }), "/modes/ps-0000000001");
    assert.equal(await client.create("/modes/e", null, { mode: CreateMode.EPHEMERAL }), "/modes/e");
    assert.equal(await client.create("/modes/es-", null, { mode: CreateMode.EPHEMERAL_SEQUENTIAL }), "/modes/es-0000000003");
    const owner = client.raw.getSessionId();
    assert.deepEqual((await watcher.exists("/modes/e"))?.ephemeralOwner, owner);
    assert.deepEqual((await watcher.exists("/modes/es-0000000003"))?.ephemeralOwner, owner);
    assert.deepEqual((await watcher.exists("/modes/p"))?.ephemeralOwner, Buffer.alloc(8));
    await client.close();
    const { children, stat } = await watcher.getChildren("/modes");
    assert.deepEqual(children, ["p", "ps-0000000001"]);
    assert.equal(stat.cversion, 6); // four creates and two removals
  });

  test("errors come with their code", TIMEOUT, async () => {
    await using client = await NodeClient.connect(server.address);
    await client.create("/errors");
    await client.create("/errors/e", null, { mode: CreateMode.EPHEMERAL });
    const refused = (call: Promise<unknown>, name: string, code: number): Promise<void> => assert.rejects(call, { name, code });
    await refused(client.getData("/none"), "NO_NODE", -101);
    await refused(client.create("/none/child"), "NO_NODE", -101);
    await refused(client.create("/errors"), "NODE_EXISTS", -110);
    await refused(client.create("/errors/e/child"), "NO_CHILDREN_FOR_EPHEMERALS", -108);
    await refused(client.remove("/errors"), "NOT_EMPTY", -111);
    await refused(client.remove("/errors/e", 7), "BAD_VERSION", -103);
    await refused(client.setData("/errors", "x", 7), "BAD_VERSION", -103);
    await refused(client.setACL("/errors", [acl("ALL", "world", "anyone")], 7), "BAD_VERSION", -103);
    await refused(client.setACL("/errors", [acl("ALL", "nonsense", "x")]), "INVALID_ACL", -114);
    await refused(client.create("/errors/acl", null, { acls: [acl("ALL", "auth", "")] }), "INVALID_ACL", -114);
    assert.equal(await client.exists("/none"), null);
  });

  test("data may be absent, empty or binary", TIMEOUT, async () => {
    await using client = await NodeClient.connect(server.address);
    await client.create("/data");
    assert.equal((await client.getData("/data")).data, null);
    await client.setData("/data", "");
    assert.equal((await client.getData("/data")).stat.dataLength, 0);
    await client.setData("/data", "\u0000\u00ff日本");
    assert.deepEqual(await client.getData("/data").then(({ data, stat }) => [data, stat.version, stat.dataLength]), [
      "\u0000\u00ff日本",
      2,
      9,
    ]);
  });

  test("a watch fires once, and before the reply that shows the change", TIMEOUT, async () => {
    await using other = await NodeClient.connect(server.address);
    await using client = await NodeClient.connect(server.address);
    const heard: string[] = [];
    const watcher = ({ name, path }: NodeEvent): void => void heard.push(`${name} ${path}`);
    await client.exists("/watched", watcher);
    await client.create("/watched");
    assert.deepEqual(heard.splice(0), ["NODE_CREATED /watched"]);
    await client.getData("/watched", watcher);
    await client.getChildren("/watched", watcher);
    await client.setData("/watched", "1");
    assert.deepEqual(heard.splice(0), ["NODE_DATA_CHANGED /watched"]);
    await client.setData("/watched", "2");
    await client.create("/watched/child");
    assert.deepEqual(heard.splice(0), ["NODE_CHILDREN_CHANGED /watched"]);
    await client.remove("/watched/child");
    await client.getData("/watched", watcher);
    await other.remove("/watched");
    await until(() => heard.length > 0, "the deletion by another session");
    assert.deepEqual(heard, ["NODE_DELETED /watched"]);
  });

  test("a transaction is all or nothing", TIMEOUT, async () => {
    await using client = await NodeClient.connect(server.address);
    const done = await client.transaction((transaction) =>
      transaction
        .create("/txn", Buffer.from("1"))
        .create("/txn/n-", Buffer.alloc(0), CreateMode.EPHEMERAL_SEQUENTIAL)
        .check("/txn")
        .setData("/txn", Buffer.from("2"))
        .remove("/txn/n-0000000000"),
    );
    assert.equal(done.error, null);
    assert.deepEqual(
      done.results.map(({ type, path }) => [type, path]),
      [
        [1, "/txn"],
        [1, "/txn/n-0000000000"],
        [13, undefined],
        [5, undefined],
        [2, undefined],
      ],
    );
    const refused = await client.transaction((transaction) =>
      transaction.setData("/txn", Buffer.from("3")).check("/txn", 9).remove("/txn"),
    );
    assert.equal(refused.error?.name, "BAD_VERSION");
    assert.deepEqual(
      refused.results.map(({ type, err }) => [type, err]),
      [
        [-1, 0],
        [-1, -103],
        [-1, -2],
      ],
    );
    assert.equal((await client.getData("/txn")).data, "2");
  });

  test("an ACL lets in who is named, and the digest of a password is not what it lets in", TIMEOUT, async () => {
    await using owner = await NodeClient.connect(server.address);
    await using stranger = await NodeClient.connect(server.address);
    owner.raw.addAuthInfo("digest", Buffer.from("ada:secret"));
    await owner.create("/private", "mine", { acls: [acl("ALL", "auth", "")] });
    const { acls } = await owner.getACL("/private");
    assert.deepEqual(
      acls.map(({ permission, id }) => [permission, id.scheme, id.id]),
      [[31, "digest", "ada:VTFFY3p38X0IKhZgzUit6nGpbgY="]],
    );
    await assert.rejects(stranger.getData("/private"), { name: "NO_AUTH" });
    stranger.raw.addAuthInfo("digest", Buffer.from("ada:VTFFY3p38X0IKhZgzUit6nGpbgY="));
    await assert.rejects(stranger.getData("/private"), { name: "NO_AUTH" });
    stranger.raw.addAuthInfo("digest", Buffer.from("ada:secret"));
    assert.equal((await stranger.getData("/private")).data, "mine");
    assert.equal((await owner.setACL("/private", [acl("READ", "ip", "127.0.0.1")], 0)).aversion, 1);
    await assert.rejects(owner.setData("/private", "x"), { name: "NO_AUTH" });
  });

  test("an unknown scheme of authentication ends the connection", TIMEOUT, async () => {
    await using client = await NodeClient.connect(server.address);
    const failed = client.next("authenticationFailed");
    client.raw.addAuthInfo("nonsense", Buffer.from("x"));
    await failed;
  });

  test("a lost connection is made again: same session, same ephemerals, watches set again", TIMEOUT, async () => {
    await using other = await NodeClient.connect(server.address);
    await using client = await NodeClient.connect(server.address, { spinDelay: 10 });
    const session = client.raw.getSessionId();
    await client.create("/kept", null, { mode: CreateMode.EPHEMERAL });
    await other.create("/missed");
    await other.create("/later");
    const heard: string[] = [];
    const watcher = ({ name, path }: NodeEvent): void => void heard.push(`${name} ${path}`);
    await client.getData("/missed", watcher);
    await client.getData("/later", watcher);
    const connected = client.next("connected");
    client.raw.connectionManager.socket.destroy();
    await other.setData("/missed", "while it was away");
    await connected;
    await until(() => heard.includes("NODE_DATA_CHANGED /missed"), "the change it missed");
    await other.setData("/later", "now that it is back");
    await until(() => heard.includes("NODE_DATA_CHANGED /later"), "the change after");
    assert.deepEqual(client.raw.getSessionId(), session);
    assert.deepEqual((await client.exists("/kept"))?.ephemeralOwner, session);
    assert.equal(heard.length, 2);
  });

  test("a session goes on in another client that has its id and password", TIMEOUT, async () => {
    await using watcher = await NodeClient.connect(server.address);
    await using first = await NodeClient.connect(server.address);
    await first.create("/handed-on", null, { mode: CreateMode.EPHEMERAL });
    const sessionId = first.raw.getSessionId();
    first.fallSilent();
    const second = await NodeClient.connect(server.address, { sessionId, sessionPassword: first.raw.getSessionPassword() });
    assert.deepEqual(second.raw.getSessionId(), sessionId);
    assert.deepEqual((await watcher.exists("/handed-on"))?.ephemeralOwner, sessionId);
    await second.close();
    assert.equal(await watcher.exists("/handed-on"), null);
  });

  test("a wrong password gets nothing, and the session's owner keeps it", TIMEOUT, async () => {
    await using owner = await NodeClient.connect(server.address, { spinDelay: 10 });
    await owner.create("/owned", null, { mode: CreateMode.EPHEMERAL });
    const sessionId = owner.raw.getSessionId();
    await using impostor = new NodeClient(server.address, { sessionId, sessionPassword: Buffer.alloc(16, 1) });
    const expired = impostor.next("expired");
    impostor.raw.connect();
    await expired;
    // Apache cuts the owner's connection before it looks at the password: what it asks first may be lost.
    const stat = await owner.exists("/owned").catch(() => owner.exists("/owned"));
    assert.deepEqual(stat?.ephemeralOwner, sessionId);
    assert.deepEqual(owner.raw.getSessionId(), sessionId);
  });

  test("the session's timeout is what the server grants", TIMEOUT, async () => {
    for (const [asked, granted] of [
      [1, 400],
      [5_000, 5_000],
      [100_000, 40_000],
    ] as const) {
      await using client = await NodeClient.connect(server.address, { sessionTimeout: asked });
      assert.equal(client.raw.getSessionTimeout(), granted);
    }
  });

  test("a chroot is the client's own root", TIMEOUT, async () => {
    await using outside = await NodeClient.connect(server.address);
    await outside.create("/root");
    await using inside = await NodeClient.connect(`${server.address}/root`);
    const heard: NodeEvent[] = [];
    await inside.getChildren("/", (event) => heard.push(event));
    assert.equal(await inside.create("/child"), "/child");
    assert.equal(heard[0]?.path, "/");
    await inside.mkdirp("/a/b");
    assert.deepEqual((await outside.getChildren("/root/a")).children, ["b"]);
    await inside.removeRecursive("/a"); // the library lists two levels and no more
    assert.deepEqual((await outside.getChildren("/root")).children, ["child"]);
  });

  test("a thousand requests at once are answered in order", TIMEOUT, async () => {
    await using client = await NodeClient.connect(server.address);
    await client.create("/many");
    const asked = Array.from({ length: 1000 }, () =>
      client.create("/many/n-", null, { mode: CreateMode.PERSISTENT_SEQUENTIAL }),
    );
    const expected = Array.from({ length: 1000 }, (_, number) => `/many/n-${String(number).padStart(10, "0")}`);
    assert.deepEqual(await Promise.all(asked), expected);
    assert.equal((await client.getChildren("/many")).children.length, 1000);
  });

  test("pings keep an idle session", TIMEOUT, async () => {
    await using client = await NodeClient.connect(server.address, { sessionTimeout: 600 });
    await client.create("/idle", null, { mode: CreateMode.EPHEMERAL });
    await using other = await NodeClient.connect(server.address, { sessionTimeout: 600 });
    // Another session that falls silent shows that more than a timeout has passed.
    await using silent = await NodeClient.connect(server.address, { sessionTimeout: 600 });
    await silent.create("/silent", null, { mode: CreateMode.EPHEMERAL });
    const gone: NodeEvent[] = [];
    await other.exists("/silent", (event) => gone.push(event));
    silent.fallSilent();
    await until(() => gone.length > 0, "the silent session to expire");
    assert.equal(gone[0]?.name, "NODE_DELETED");
    assert.notEqual(await other.exists("/idle"), null);
  });
});
