/** Server.fork(): a second world with the same znodes and sessions, that goes its own way. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { open, type Server } from "../../mod.ts";
import { ManualClock } from "../support/manual_clock.ts";

async function withTree(clock: ManualClock): Promise<Server> {
  const server = await open({ clock, tickTimeMs: 1000 });
  const zk = await server.connect({ sessionTimeoutMs: 10_000 });
  await zk.create("/a", "one");
  await zk.create("/a/lock", null, { mode: "ephemeral" });
  return server;
}

test("a fork has the znodes, and neither world sees what happens in the other", async () => {
  await using base = await withTree(new ManualClock());
  await using fork = base.fork();
  const zk = await fork.connect();
  await zk.setData("/a", "two");
  await zk.create("/b");
  assert.deepEqual(new TextDecoder().decode(base.inspect("/a")?.data ?? undefined), "one");
  assert.equal(base.inspect("/b"), null);
  assert.equal(new TextDecoder().decode(fork.inspect("/a")?.data ?? undefined), "two");
  assert.deepEqual(fork.inspect("/a")?.children, ["lock"]);
});

test("a session in a fork has the time left that it had, and takes its ephemerals along when it ends", async () => {
  const clock = new ManualClock();
  await using base = await withTree(clock);
  clock.advance(2500); // the client has not pinged since
  await using fork = base.fork();
  clock.advance(7500);
  assert.notEqual(fork.inspect("/a/lock"), null);
  clock.advance(1000);
  assert.equal(fork.inspect("/a/lock"), null);
  assert.notEqual(base.inspect("/a/lock"), null, "in the first world the client has gone on pinging");
});

test("new sessions of a fork have ids that none of its sessions has", async () => {
  await using base = await withTree(new ManualClock());
  await using fork = base.fork();
  const [one, other] = [await base.connect(), await fork.connect()];
  assert.equal(one.sessionId, other.sessionId, "two worlds, the same next id");
  assert.notEqual(fork.inspect("/a/lock")?.stat.ephemeralOwner, other.sessionId);
});

test("a fork outlives the server it came from", async () => {
  const base = await withTree(new ManualClock());
  await using fork = base.fork();
  await base.close();
  const zk = await fork.connect();
  assert.equal(await zk.create("/a/more"), "/a/more");
});
