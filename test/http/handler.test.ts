/**
 * The HTTP side of a server: admin commands have the fields of Apache's, health says what an orchestrator needs, and nothing that is asked changes
 * anything or breaks anything.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { type HttpHandler, httpHandler, nodeListener, serveHttp } from "../../adapters/http/mod.ts";
import { memoryStorage } from "../../adapters/storage/mod.ts";
import { tcp } from "../../adapters/tcp/mod.ts";
import { type OpenOptions, open, type Server, type ZooKeeper } from "../../mod.ts";
import { goldenRows } from "../support/golden.ts";
import { Members } from "../support/members.ts";
import { until } from "../support/until.ts";
import { shapeOf } from "./shape.ts";

interface Recorded {
  readonly server: "standalone" | "leader" | "follower" | "observer";
  readonly command: string;
  readonly body: string;
}

const HOST = "http://127.0.0.1:8080";
let server: Server;
let zk: ZooKeeper;
let handle: HttpHandler;

const get = (path: string, init: RequestInit = {}): Promise<Response> => handle(new Request(`${HOST}${path}`, init));
const body = async (path: string): Promise<string> => await (await get(path)).text();

before(async () => {
  server = await open({ storage: memoryStorage() });
  await server.listen(tcp({ port: 0 }));
  handle = httpHandler(server, { authorise: () => true, initialConfiguration: "tickTime=2000\n" });
  zk = await server.connect();
  await zk.create("/a", "x");
  await zk.create("/a/e", "", { mode: "ephemeral" });
  await zk.getData("/a", { watch: () => {} });
  await zk.getChildren("/a", { watch: () => {} });
});
after(() => server.close());

describe("an admin command", () => {
  const rows = goldenRows<Recorded>("admin", "zookeeper-3.8.0.jsonl");

  for (const row of rows.filter((one) => one.server === "standalone"))
    test(`${row.command} has the fields of Apache's`, async () => {
      const response = await get(`/commands/${row.command}`);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("content-type"), "application/json");
      assert.deepEqual(shapeOf(await response.text()), shapeOf(row.body));
    });

  test("of members has the fields of Apache's", async () => {
    const members = await Members.start({});
    try {
      for (const member of members.servers) {
        const handleOf = httpHandler(member);
        for (const row of rows.filter((one) => one.server === member.mode)) {
          const response = await handleOf(new Request(`${HOST}/commands/${row.command}`));
          const [ours, theirs] = [shapeOf(await response.text()), shapeOf(row.body)];
          assert.deepEqual(Object.keys(ours), Object.keys(theirs), `${row.command} of a ${member.mode}`);
        }
      }
      const [first] = members.servers;
      const handleOf = httpHandler(first!);
      const answer = async (path: string): Promise<string> => await (await handleOf(new Request(`${HOST}${path}`))).text();
      assert.match(
        await answer("/commands/leader"),
        /"is_leader" : false,\n {2}"leader_id" : 3,\n {2}"leader_ip" : "127.0.0.1"/,
      );
      assert.equal(await answer("/readyz"), '{"ready":true,"mode":"follower"}\n');
      await Promise.all(members.servers.slice(1).map((server) => server.close()));
      await until(() => first!.mode === null, "the first to be without a leader");
      assert.equal((await handleOf(new Request(`${HOST}/livez`))).status, 200);
      const ready = await handleOf(new Request(`${HOST}/readyz`));
      assert.equal(ready.status, 503);
      assert.match(await ready.text(), /no leader is known/);
      assert.match(await answer("/commands/srvr"), /not currently serving/);
    } finally {
      await members.stop();
    }
  });

  test("is written as Apache's is", async () => {
    assert.equal(await body("/commands/ruok"), '{\n  "command" : "ruok",\n  "error" : null\n}');
    assert.equal(await body("/commands/nonsense"), '{\n  "command" : "nonsense",\n  "error" : "Unknown command: nonsense"\n}');
    assert.match(await body("/commands/server_stats"), /"avg_latency" : \d+\.\d+,/);
    assert.match(await body("/commands/dump"), /: \[ "\/a\/e" \]/);
  });

  test("is listed with its name", async () => {
    const list = await body("/commands");
    assert.match(list, /<a href="\/commands\/configuration">configuration<\/a>\n<br\/>\n/);
    assert.equal(await body("/commands/"), list);
    for (const [, name = ""] of list.matchAll(/">(\w+)<\/a>/g))
      assert.doesNotMatch(await body(`/commands/${name}`), /Unknown command/, name);
  });

  test("that changes something takes an authoriser, and no page of another origin", async () => {
    const strict = httpHandler(server);
    for (const name of ["stat_reset", "srst", "crst", "stmk?traceMask=1", "orst"]) {
      const response = await strict(new Request(`${HOST}/commands/${name}`));
      assert.equal(response.status, 403, name);
    }
    const origin = { headers: { origin: "http://elsewhere.example" } };
    assert.equal((await get("/commands/stat_reset", origin)).status, 403);
    assert.equal((await get("/commands/stat_reset", { headers: { origin: HOST } })).status, 200);
    assert.equal((await server.report()).packetsReceived, 0);
  });

  test("whose authoriser throws is an answer that tells nothing of it", async () => {
    const boom = (): never => {
      throw new Error("hunter2");
    };
    const response = await httpHandler(server, { authorise: boom })(new Request(`${HOST}/commands/stat_reset`));
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /hunter2/);
  });

  test("holds no secret", async () => {
    await using guarded = await open();
    const client = await guarded.connect();
    await client.addAuth("digest", "bob:hunter2");
    await client.create("/secret", "hunter2", { acl: [{ perms: 31, scheme: "auth", id: "" }] });
    const handleOf = httpHandler(guarded);
    const list = await (await handleOf(new Request(`${HOST}/commands`))).text();
    const paths = Array.from(list.matchAll(/">(\w+)<\/a>/g), ([, name]) => `/commands/${name}`);
    for (const path of [...paths, "/metrics"]) {
      const text = await (await handleOf(new Request(`${HOST}${path}`))).text();
      assert.doesNotMatch(text, /hunter2|bob:/, path);
    }
  });
});

describe("snapshot and restore, as in 3.9", () => {
  const openOf = (more: OpenOptions = {}): Promise<Server> => open({ compat: "3.9", ...more });
  const allowed = (of: Server): HttpHandler => httpHandler(of, { authorise: () => true });
  const ask = (of: HttpHandler, name: string, init: RequestInit = {}): Promise<Response> =>
    of(new Request(`${HOST}/commands/${name}`, init));

  test("move all that a server holds to another", async () => {
    await using one = await openOf({ extendedTypes: true });
    await using other = await openOf({ extendedTypes: true });
    const client = await one.connect();
    await client.addAuth("digest", "bob:secret");
    for (let at = 0; at < 300; at++) await client.create(`/n${at}`, "x".repeat(at));
    await client.create("/mine", "y", { acl: [{ perms: 31, scheme: "auth", id: "" }] });
    await client.create("/e", "", { mode: "ephemeral" });
    const taken = await ask(allowed(one), "snapshot");
    assert.equal(taken.headers.get("last_zxid"), `0x${(await one.report()).lastZxid.toString(16)}`);
    await using http = await serveHttp(allowed(other), { port: 0 });
    const bytes = await taken.arrayBuffer();
    const restored = await fetch(`http://127.0.0.1:${http.port}/commands/restore`, { method: "POST", body: bytes });
    assert.equal(restored.status, 200);
    assert.match(await restored.text(), /"last_zxid" : "0x[0-9a-f]+",\n {2}"command" : "restore",\n {2}"error" : null/);
    for (const path of ["/n0", "/n299", "/mine", "/e"]) assert.deepEqual(other.inspect(path), one.inspect(path), path);
    const stranger = await other.connect();
    await assert.rejects(stranger.getData("/mine"), { code: "NoAuth" });
  });

  test("take an authoriser, a version that has them, a whole snapshot, and a server in memory", async () => {
    await using one = await openOf();
    const snapshot = await (await ask(allowed(one), "snap")).arrayBuffer();
    for (const name of ["snapshot", "restore"]) assert.equal((await ask(httpHandler(one), name)).status, 403, name);
    assert.match(await (await ask(handle, "snapshot")).text(), /Unknown command: snapshot/);
    const client = await one.connect();
    await client.create("/kept");
    const broken = await ask(allowed(one), "restore", { method: "POST", body: snapshot.slice(0, -9) });
    assert.equal(broken.status, 400);
    assert.equal((await ask(allowed(one), "restore", { method: "POST", body: "nonsense" })).status, 400);
    assert.equal((await ask(allowed(one), "restore")).status, 405);
    assert.notEqual(one.inspect("/kept"), null);
    await using stored = await openOf({ storage: memoryStorage() });
    const refused = await ask(allowed(stored), "restore", { method: "POST", body: snapshot });
    assert.equal(refused.status, 409);
    assert.match(await refused.text(), /the server has a storage/);
    const list = await (await ask(allowed(one), "")).text();
    assert.match(list, /restore<\/a>[\s\S]*snapshot<\/a>/);
  });
});

describe("health", () => {
  test("is well while the server serves", async () => {
    assert.deepEqual([(await get("/livez")).status, (await get("/readyz")).status], [200, 200]);
    assert.equal(await body("/readyz"), '{"ready":true,"mode":"standalone"}\n');
  });

  test("of a server that starts: alive, and not ready", async () => {
    const handleOf = httpHandler(() => null);
    const answer = async (path: string): Promise<number> => (await handleOf(new Request(`${HOST}${path}`))).status;
    assert.deepEqual([await answer("/livez"), await answer("/readyz")], [200, 503]);
    assert.match(await (await handleOf(new Request(`${HOST}/commands/ruok`))).text(), /not currently serving/);
    assert.equal(await answer("/metrics"), 200);
  });

  test("of a server that has closed: neither", async () => {
    const closed = await open();
    const handleOf = httpHandler(closed);
    await closed.close();
    for (const path of ["/livez", "/readyz"]) assert.equal((await handleOf(new Request(`${HOST}${path}`))).status, 503, path);
  });
});

describe("metrics", () => {
  test("have one type and one text each, and ZooKeeper's names", async () => {
    const response = await get("/metrics");
    assert.match(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split("\n");
    assert.equal(lines.pop(), "");
    const types = lines.filter((line) => line.startsWith("# TYPE ")).map((line) => line.split(" ")[2]);
    assert.equal(new Set(types).size, types.length);
    for (const line of lines)
      assert.match(line, /^(# (HELP|TYPE) [a-z_0-9]+ .+|[a-z_0-9]+(\{[a-z_]+="[^"]*"\})? -?[0-9.e+-]+)$/);
    for (const name of ["znode_count", "watch_count", "readlatency", "process_resident_memory_bytes", "zookernel_ready"])
      assert.ok(types.includes(name), name);
    assert.ok(lines.includes(`znode_count ${(await server.report()).nodeCount}`));
  });
});

describe("whatever is asked", () => {
  test("gets an answer below 500, and changes nothing", async () => {
    const strict = httpHandler(server, { base: "/zk" });
    const report = await server.report();
    const { nodeCount, traceMask } = report;
    const name = fc.oneof(fc.constantFrom("stmk", "ruok", "srst", "%", "%ff", "..", "__proto__", "toString"), fc.string());
    const path = fc.oneof(
      fc.webPath(),
      fc
        .tuple(fc.constantFrom("/zk/commands", "/zk", "/commands"), name, fc.webQueryParameters())
        .map(([a, b, c]) => `${a}/${b}?${c}`),
    );
    const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH");
    await fc.assert(
      fc.asyncProperty(path, method, fc.string(), async (asked, verb, sent) => {
        const withBody = verb === "GET" || verb === "HEAD" ? {} : { body: sent };
        const response = await strict(new Request(new URL(asked.replace(/^\/+/, "/"), HOST), { method: verb, ...withBody }));
        await response.text();
        assert.ok([200, 403, 404, 405, 503].includes(response.status), `${verb} ${asked}: ${response.status}`);
      }),
      { numRuns: 300 },
    );
    assert.deepEqual([report.nodeCount, report.traceMask], [nodeCount, traceMask]);
  });

  test("options that there aren't are named", async () => {
    assert.throws(() => httpHandler(5 as never), /server must be one that open\(\) gives, not 5/);
    assert.throws(() => httpHandler(server, { authorize: () => true } as never), /"authorise" is probably meant/);
    await assert.rejects(serveHttp(handle, { prot: 1 } as never), /"port" is probably meant/);
  });
});

describe("a port", () => {
  test("serves the handler on loopback, and nothing is left of it", async () => {
    const http = await serveHttp(handle, { port: 0 });
    assert.equal(http.host, "127.0.0.1");
    const response = await fetch(`http://127.0.0.1:${http.port}/commands/ruok`);
    assert.deepEqual(await response.json(), { command: "ruok", error: null });
    const head = await fetch(`http://127.0.0.1:${http.port}/metrics`, { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
    const posted = await fetch(`http://127.0.0.1:${http.port}/commands/ruok`, { method: "POST", body: "x".repeat(100_000) });
    assert.equal(posted.status, 405);
    await posted.text();
    await http.close();
    await http.close();
    await until(
      () =>
        fetch(`http://127.0.0.1:${http.port}/livez`).then(
          () => false,
          () => true,
        ),
      "the port to be free",
    );
  });

  test("that is taken is an error", async () => {
    await using http = await serveHttp(handle, { port: 0 });
    await assert.rejects(serveHttp(handle, { port: http.port }), /EADDRINUSE|in use/i);
  });

  test("of one's own takes the handler", async () => {
    const { createServer } = await import("node:http");
    const own = createServer(nodeListener(handle));
    await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
    const { port } = own.address() as { readonly port: number };
    assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
    own.closeAllConnections();
    await new Promise((resolve) => own.close(resolve));
  });
});
