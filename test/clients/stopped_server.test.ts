/**
 * A server that is stopped for longer than its clients' sessions (SIGSTOP, as by a debugger or a machine that is moved): what they had sent by then
 * is heard before anybody expires, and whoever comes back in time has its session.
 *
 * The clients are outside of its process. Ours would prove nothing: they try again elsewhere, and may be waiting to do so when the server wakes up.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";
import { findKazooHandlers } from "../support/peers.ts";
import { RawClient } from "../support/raw_client.ts";
import { serverName, startServer } from "../support/server_process.ts";
import { until } from "../support/until.ts";

const SESSION_MS = 2000;
const STOPPED_MS = 3500;
const PING_MS = 200;
const EPHEMERAL = 1;
const CONFIG = { tickTime: 200, maxSessionTimeout: 40_000 };
const kazoo = findKazooHandlers();

/** Makes an ephemeral, says so, and when asked tells whether it still has its session. */
const KAZOO_CLIENT = `
import sys
from kazoo.client import KazooClient
from kazoo.retry import KazooRetry
states = []
client = KazooClient(hosts=sys.argv[1], timeout=${SESSION_MS / 1000}, connection_retry=KazooRetry(max_tries=-1, delay=0.05, max_delay=0.2))
client.add_listener(states.append)
client.start()
session = client.client_id[0]
client.create("/kazoo", b"", ephemeral=True)
print("ready", flush=True)
sys.stdin.readline()
exists = client.retry(client.exists, "/kazoo") is not None
print("kept" if exists and client.client_id[0] == session and "LOST" not in states else "lost %s" % states, flush=True)
client.stop()
`;

async function standStill(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, STOPPED_MS));
  process.kill(pid, "SIGCONT");
}

describe(`${serverName()} that was stopped for longer than sessions live`, { concurrency: 1 }, () => {
  test("has the sessions of those who went on to ping", async () => {
    await using server = await startServer({ config: CONFIG });
    const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(server, { timeOut: SESSION_MS })));
    const acl = [{ perms: 31, scheme: "world", id: "anyone" }];
    for (const [at, client] of clients.entries())
      await client.request({ kind: "create", path: `/mine${at}`, data: null, acl, flags: EPHEMERAL, ttl: 0 });
    const pings = setInterval(() => {
      for (const client of clients) client.ping().catch(() => {});
    }, PING_MS);
    await standStill(server.pid);
    const { outcome } = await clients[0]!.request({ kind: "getChildren", path: "/", watch: false });
    clearInterval(pings);
    assert.ok(outcome.kind === "children");
    assert.equal(outcome.children.filter((name) => name.startsWith("mine")).length, 10);
    for (const client of clients) assert.equal((await client.ping()).err, 0);
    for (const client of clients) await client.drop();
  });

  test("has the session of kazoo still", { skip: kazoo.skip }, async () => {
    if (kazoo.skip !== false) return;
    await using server = await startServer({ config: CONFIG });
    const client: ChildProcess = spawn(kazoo.python, ["-c", KAZOO_CLIENT, server.address], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let said = "";
    client.stdout!.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await until(() => said.includes("ready"), "kazoo's session");
    await standStill(server.pid);
    client.stdin!.end("\n");
    await once(client, "close");
    assert.equal(said, "ready\nkept\n");
  });
});
