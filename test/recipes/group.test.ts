/** Groups: who is there, by one name each, and back where somebody deleted it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testServer } from "../../adapters/testing/mod.ts";
import { discovery, group, type Members } from "../../lib/recipes/mod.ts";

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
  await assert.rejects(group(two, "/workers").join(5 as never), TypeError);
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

test("instances of a service are picked while they live", async () => {
  await using zk = await testServer();
  const [one, two, eye] = [await zk.connect(), await zk.connect(), await zk.connect()];
  const at = (client: typeof one) => discovery(client, "/services");
  const empty = await at(eye).provider("none");
  assert.equal(empty.pick(), null);
  const first = await at(one).register("web", { id: "a", address: "10.0.0.1", port: 80, payload: { zone: 1 } });
  await at(two).register("web", { id: "b", address: "10.0.0.2" });
  await eye.create("/services/web/strange", "no JSON");
  assert.deepEqual(await at(eye).instances("web"), [
    { id: "a", address: "10.0.0.1", port: 80, payload: { zone: 1 } },
    { id: "b", address: "10.0.0.2", port: null, payload: null },
  ]);
  const [turns, sticky, random] = [
    await at(eye).provider("web"),
    await at(eye).provider("web", { strategy: "sticky" }),
    await at(eye).provider("web", { strategy: "random" }),
  ];
  assert.deepEqual([turns.pick()?.id, turns.pick()?.id, turns.pick()?.id], ["a", "b", "a"]);
  const stuck = sticky.pick()!.id;
  for (let time = 0; time < 10; time++) assert.equal(sticky.pick()!.id, stuck);
  assert.ok(["a", "b"].includes(random.pick()!.id));
  zk.expire(two);
  await zk.clock.advance("1s");
  for (const provider of [turns, sticky, random]) assert.equal(provider.pick()?.id, "a");
  await first.leave();
  await zk.clock.advance("1s");
  assert.equal(turns.pick(), null);
  for (const provider of [empty, turns, sticky, random]) await provider.close();
  await assert.rejects(at(one).register("web", { address: "h", port: 70_000 }), TypeError);
  await assert.rejects(at(one).register("web", { adress: "h" } as never), TypeError);
  await assert.rejects(at(one).provider("web", { strategy: "best" as never }), TypeError);
});

test("Curator reads what is registered, by its JSON", async () => {
  await using zk = await testServer();
  const client = await zk.connect();
  await discovery(client, "/services").register("web", { id: "a", address: "10.0.0.1", port: 80 });
  const instance = await client.getJson<Record<string, unknown>>("/services/web/a");
  assert.deepEqual(Object.keys(instance).sort(), [
    ...["address", "enabled", "id", "name", "payload", "port"],
    ...["registrationTimeUTC", "serviceType", "sslPort", "uriSpec"],
  ]);
  assert.deepEqual([instance.name, instance.serviceType], ["web", "DYNAMIC"]);
});
