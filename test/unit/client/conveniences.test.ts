/** What a handle does in several requests: branches, text and JSON, waiting; and how long it waits to begin and to end. In process and over TCP. */
import assert from "node:assert/strict";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { connect, tcp } from "../../../adapters/tcp/mod.ts";
import { InvalidValueError, open, type Server, ZkError, type ZooKeeper } from "../../../mod.ts";

const code = (expected: string) => (error: unknown) => error instanceof ZkError && error.code === expected;

for (const way of ["in process", "over TCP"]) {
  describe(`conveniences ${way}`, { concurrency: 1 }, () => {
    let server: Server;
    let zk: ZooKeeper;
    let handle: (options?: object, chroot?: string) => Promise<ZooKeeper>;

    before(async () => {
      server = await open();
      const { port } = await server.listen(tcp({ host: "127.0.0.1", port: 0 }));
      handle = (options = {}, chroot = "") =>
        way === "in process"
          ? server.connect({ ...options, ...(chroot !== "" && { chroot }) })
          : connect(`127.0.0.1:${port}${chroot}`, options);
      zk = await handle();
    });
    after(async () => {
      await zk.close();
      await server.close();
    });

    test("mkdirp creates what is missing, leaves what is there, and may be called by many at once", async () => {
      await zk.create("/there", "kept");
      assert.equal(await zk.mkdirp("/there/a/b/c", "last", { mode: "container" }), "/there/a/b/c");
      assert.equal(await zk.getText("/there"), "kept");
      assert.equal((await zk.getData("/there/a")).data, null);
      assert.equal(await zk.getText("/there/a/b/c"), "last");
      await zk.mkdirp("/there/a/b/c", "another");
      assert.equal(await zk.getText("/there/a/b/c"), "last");
      await Promise.all(Array.from({ length: 20 }, (_, at) => zk.mkdirp(`/many/x/y/z${at % 3}`)));
      assert.equal((await zk.getChildren("/many/x/y")).children.length, 3);
      assert.equal(await zk.mkdirp("/"), "/");
    });

    test("mkdirp makes the folder of its chroot, too", async () => {
      const below = await handle({}, "/folder");
      await below.mkdirp("/a/b");
      assert.notEqual(await zk.exists("/folder/a/b"), null);
      await below.close();
    });

    test("mkdirp refuses what can't have children, and what is no path", async () => {
      await assert.rejects(zk.mkdirp("/a", null, { mode: "ephemeral" as never }), code("BadArguments"));
      await assert.rejects(zk.mkdirp("/a//b"), code("BadArguments"));
      await assert.rejects(zk.mkdirp(undefined as never), TypeError);
      await assert.rejects(zk.mkdirp("/a", { data: 1 } as never), TypeError);
      await zk.create("/short", null, { mode: "ephemeral" });
      await assert.rejects(zk.mkdirp("/short/a/b"), code("NoChildrenForEphemerals"));
    });

    test("deleteRecursive deletes a branch and says how much that was", async () => {
      for (const path of ["/tree/a/b", "/tree/a/c", "/tree/d"]) await zk.mkdirp(path);
      await Promise.all(Array.from({ length: 600 }, (_, at) => zk.create(`/tree/d/n${at}`)));
      assert.equal(await zk.deleteRecursive("/tree"), 605);
      assert.equal(await zk.exists("/tree"), null);
      await assert.rejects(zk.deleteRecursive("/tree"), code("NoNode"));
      await assert.rejects(zk.deleteRecursive(7 as never), TypeError);
    });

    test("deleteRecursive goes on where others create meanwhile, and leaves what is ZooKeeper's own", async () => {
      await zk.mkdirp("/busy/a");
      let at = 0;
      const other = await handle();
      const busy = (async () => {
        for (; at < 200; at++) await other.create(`/busy/a/n${at}`).catch(() => {});
      })();
      await zk.deleteRecursive("/busy");
      await busy;
      assert.equal(await zk.exists("/busy"), null);
      await other.close();
      const alone = await open();
      const own = await alone.connect();
      await own.mkdirp("/a/b");
      assert.equal(await own.deleteRecursive("/"), 2);
      assert.deepEqual((await own.getChildren("/")).children, ["zookeeper"]);
      await alone.close();
    });

    test("text and JSON", async () => {
      await zk.create("/text", "héllo");
      assert.equal(await zk.getText("/text"), "héllo");
      await zk.create("/nothing", null);
      assert.equal(await zk.getText("/nothing"), "");
      await zk.create("/json", '{"port":80}');
      assert.deepEqual(await zk.getJson<{ port: number }>("/json"), { port: 80 });
      const stat = await zk.setJson("/json", { port: 81 }, { version: 0 });
      assert.equal(stat.version, 1);
      assert.deepEqual((await zk.typed<{ port: number }>("/json").get()).value, { port: 81 });
      await assert.rejects(zk.setJson("/json", 1, { version: 0 }), code("BadVersion"));
      await assert.rejects(
        zk.setJson("/json", () => {}),
        InvalidValueError,
      );
      await assert.rejects(zk.getJson("/text"), InvalidValueError);
      await assert.rejects(zk.getJson("/nothing"), InvalidValueError);
      await zk.setData("/text", Uint8Array.of(0xff));
      await assert.rejects(zk.getText("/text"), InvalidValueError);
      await assert.rejects(zk.getText("/none"), code("NoNode"));
      await assert.rejects(zk.getText("/text", { watch: () => {} } as never), TypeError);
    });

    test("a Stat has a form in JSON, wherever it comes from", async () => {
      const { stat } = await zk.createWithStat("/stat", "12345");
      const text = JSON.stringify({ stat });
      const { stat: read } = JSON.parse(text) as { stat: Record<string, unknown> };
      assert.deepEqual(Object.keys(read), Object.keys(stat));
      assert.equal(BigInt(read.czxid as string), stat.czxid);
      assert.deepEqual([read.dataLength, read.ephemeralOwner, read.mtime], [5, "0", stat.mtime]);
      for (const other of [await zk.exists("/stat"), (await zk.getData("/stat")).stat, (await zk.getChildren("/stat")).stat])
        assert.equal(JSON.stringify({ stat: other }), text);
      assert.equal(JSON.stringify({ stat: server.inspect("/stat")!.stat }), text);
      assert.deepEqual({ ...stat }, { ...(await zk.exists("/stat")) });
    });

    test("waitFor resolves at once, or when the znode comes; a signal and the end of the session give up", async () => {
      await zk.create("/here", "now");
      assert.equal(new TextDecoder().decode((await zk.waitFor("/here")).data!), "now");
      const coming = zk.waitFor("/coming");
      await zk.exists("/coming");
      await zk.create("/coming", "here");
      assert.equal(new TextDecoder().decode((await coming).data!), "here");
      const controller = new AbortController();
      const givenUp = zk.waitFor("/never", { signal: controller.signal });
      controller.abort(new Error("enough"));
      await assert.rejects(givenUp, /enough/);
      await assert.rejects(zk.waitFor("/never", { signal: AbortSignal.abort(new Error("before")) }), /before/);
      const short = await handle();
      const ended = assert.rejects(short.waitFor("/never"), code("SessionExpired"));
      await short.exists("/");
      await short.close();
      await ended;
      await assert.rejects(zk.waitFor("/a//b"), code("BadArguments"));
    });

    test("addAuth and close take a signal, close a time", async () => {
      const short = await handle();
      await assert.rejects(short.addAuth("digest", "a:b", { signal: AbortSignal.abort(new Error("no")) }), /no/);
      await assert.rejects(short.close({ timeoutMs: -1 }), TypeError);
      await assert.rejects(short.close({ timeout: 1 } as never), TypeError);
      await short.close({ timeoutMs: 100, signal: new AbortController().signal });
      await short.close();
      assert.equal(short.state, "closed");
    });
  });
}

describe("a server that says nothing", { concurrency: 1 }, () => {
  let silent: NetServer;
  let port = 0;
  const sockets = new Set<Socket>();

  before(async () => {
    silent = createServer((socket) => sockets.add(socket.on("error", () => {})));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    port = (silent.address() as { port: number }).port;
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test("is given up after connectTimeoutMs", async () => {
    const quiet = { logger: { debug() {}, info() {}, warn() {}, error() {} } };
    await assert.rejects(connect(`127.0.0.1:${port}`, { connectTimeoutMs: 50, ...quiet }), (error: unknown) => {
      assert.ok(error instanceof ZkError);
      assert.equal(error.code, "OperationTimeout");
      assert.match(error.message, /^Cannot connect: OperationTimeout \(not within 50 ms/);
      return true;
    });
    await assert.rejects(connect("127.0.0.1:1", { connectTimeoutMs: 300, ...quiet }), (error: unknown) => {
      assert.ok(error instanceof ZkError);
      assert.match(error.message, /; the last try: .*ECONNREFUSED|; the last try: .*refused/i);
      assert.ok(error.cause instanceof Error);
      return true;
    });
    await assert.rejects(connect("127.0.0.1:1", { connectTimeoutMs: 0 }), TypeError);
  });
});
