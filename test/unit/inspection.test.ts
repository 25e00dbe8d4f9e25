/** What `console.log` shows of servers and handles: where they stand, and nothing of their inside. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { tcp } from "../../adapters/tcp/mod.ts";
import { open } from "../../mod.ts";

/** By both symbols: each runtime asks by its own. */
function shown(value: object): string {
  const text = inspect(value);
  const byDeno = (value as Record<symbol, () => string>)[Symbol.for("Deno.customInspect")]!;
  assert.equal(byDeno.call(value), text);
  return text;
}

test("a handle shows its state and its session, a server what it holds and where it listens", async () => {
  const server = await open();
  const empty = /^Server \{ standalone, (\d+) znodes, 0 sessions, no port \}$/.exec(shown(server));
  assert.ok(empty !== null, shown(server));
  const { port } = await server.listen(tcp({ port: 0 }));
  const zk = await server.connect({ chroot: "/app" });
  const id = zk.sessionId.toString(16);
  assert.equal(shown(zk), `ZooKeeper { connected, session 0x${id}, timeout 30000 ms, chroot /app }`);
  assert.equal(shown(server), `Server { standalone, ${empty[1]} znodes, 1 sessions, on 127.0.0.1:${port} }`);
  await server.close();
  assert.match(shown(zk), /^ZooKeeper \{ closed, /);
  assert.match(shown(server), /^Server \{ closed, /);
});
