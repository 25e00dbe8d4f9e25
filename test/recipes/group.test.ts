/** Groups: who is there, by one name each, and back where somebody deleted it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testServer } from "../../adapters/testing/mod.ts";
import { group, type Members } from "../../lib/recipes/mod.ts";

const shown = (members: Members): string =>
  [...members].map(([name, data]) => `${name}=${data === null ? "" : new TextDecoder().decode(data)}`).join();

test("members are listed while their sessions live, with their data", async () => {
  await using zk = await testServer();
  const [one, two, eye] = [await zk.connect(), await zk.connect(), await zk.connect()];
  const seen: string[] = [];
  const watching = (async () => {
    for await (const members of group(eye, "/workers").watch()) seen.push(shown(members));
  })();
  assert.equal(shown(await group(eye, "/workers").members()), "");
  const first = await group(one, "/workers").join("a", "1");
  await group(two, "/workers").join("b");
  await zk.clock.advance(0);
  await first.update("2");
  await zk.clock.advance(0);
  assert.equal(shown(await group(eye, "/workers").members()), "a=2,b=");
  zk.expire(two);
  await zk.clock.advance(0);
  await first.leave();
  await first.leave();
  await zk.clock.advance(0);
  assert.equal(shown(await group(eye, "/workers").members()), "");
  await eye.close();
  await assert.rejects(watching, { code: "SessionExpired" });
  assert.ok(seen.includes("a=2,b="), seen.join(" | "));
  assert.equal(seen.at(-1), "");
});

test("a member whose znode is deleted makes another, until it has left", async () => {
  await using zk = await testServer();
  const [one, other] = [await zk.connect(), await zk.connect()];
  const member = await group(one, "/workers").join("a", "1");
  await member.update("2");
  await other.delete(member.path);
  await zk.clock.advance("1s");
  assert.equal(shown(await group(other, "/workers").members()), "a=2");
  await member.leave();
  await zk.clock.advance("1s");
  assert.equal(shown(await group(other, "/workers").members()), "");
});

test("a name is one session's: the next waits until the former one is gone, or gives up", async () => {
  await using zk = await testServer();
  const [one, two] = [await zk.connect(), await zk.connect()];
  await group(one, "/workers").join("a", "old");
  const late = assert.rejects(group(two, "/workers").join("a", "x", { timeoutMs: 100 }), { code: "OperationTimeout" });
  await zk.clock.advance("1s");
  await late;
  const waiting = group(two, "/workers").join("a", "new");
  await zk.clock.advance("1s");
  assert.equal(shown(await group(two, "/workers").members()), "a=old");
  zk.expire(one);
  await waiting;
  assert.equal(shown(await group(two, "/workers").members()), "a=new");
  await assert.rejects(async () => group(two, "/workers").join(5 as never), TypeError);
});

test("whoever leaves the stream, or has a signal that aborts, leaves no watcher waiting", async () => {
  await using zk = await testServer();
  const client = await zk.connect();
  for await (const members of group(client, "/g").watch()) {
    assert.equal(members.size, 0);
    break;
  }
  const stop = new AbortController();
  const stream = group(client, "/g").watch({ signal: stop.signal });
  assert.equal((await stream.next()).done, false);
  stop.abort();
  assert.equal((await stream.next()).done, true);
});
