/**
 * Objects that a handle or a server hands out: whoever changes one changes nothing else, neither what others get nor what is kept.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testServer } from "../../../adapters/testing/mod.ts";
import type { Server, WatchedEvent, ZooKeeper } from "../../../mod.ts";
import { bothWays } from "../../support/both_ways.ts";

/** Spoils an object in every way there is, all the way down. */
function spoil(value: unknown): void {
  if (value instanceof Uint8Array) {
    value.fill(0x7a);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const part of Object.values(value)) spoil(part);
  if (Object.isFrozen(value)) return;
  for (const key of Object.keys(value)) (value as Record<string, unknown>)[key] = "spoilt";
  if (Array.isArray(value)) value.push("spoilt");
}

const DIGEST = [
  { perms: 31, scheme: "digest", id: "bob:hash" },
  { perms: 31, scheme: "world", id: "anyone" },
];

/** All that can be read of a small tree. */
async function everything(zk: ZooKeeper, server: Server): Promise<unknown[]> {
  return [
    await zk.getData("/a"),
    await zk.getData("/a/b"),
    await zk.exists("/a"),
    sorted(await zk.getChildren("/a")),
    await zk.getACL("/a"),
    await zk.getACL("/a/b"),
    (await zk.getEphemerals()).sort(),
    server.inspect("/a"),
    server.inspect("/a/b"),
  ];
}

function sorted<T extends { children: string[] }>(found: T): T {
  found.children.sort();
  return found;
}

async function plant(zk: ZooKeeper): Promise<void> {
  await zk.create("/a", "data of a", { acl: DIGEST });
  await zk.create("/a/b", "x".repeat(3000));
  await zk.create("/a/c", "", { mode: "ephemeral" });
}

bothWays("what is read may be changed by its reader", async ({ zk, other, server }) => {
  await plant(zk);
  const wanted = await everything(zk, server);
  for (const reader of [zk, other, zk]) {
    const mine = await everything(reader, server);
    const identities = await reader.whoAmI();
    spoil(identities);
    spoil(mine);
    assert.notDeepEqual(await reader.whoAmI(), identities);
    assert.deepEqual(await everything(zk, server), wanted);
  }
  await using forked = server.fork();
  spoil([forked.inspect("/a"), forked.inspect("/a/b")]);
  const kept = server.snapshot();
  spoil(kept);
  assert.deepEqual(server.inspect("/a"), wanted[7]);
  assert.deepEqual(forked.inspect("/a/b"), wanted[8]);
});

bothWays("what a change answers may be changed", async ({ zk, server }) => {
  await plant(zk);
  const results = [
    await zk.createWithStat("/d", "d"),
    await zk.setData("/d", "dd"),
    await zk.setACL("/d", DIGEST),
    await zk.transaction().setData("/d", "ddd").create("/e").commit(),
  ];
  const wanted = [await zk.getData("/d"), await zk.getACL("/d"), await zk.exists("/e")];
  spoil(results);
  assert.deepEqual([await zk.getData("/d"), await zk.getACL("/d"), await zk.exists("/e")], wanted);
  assert.deepEqual(server.inspect("/d")!.stat, wanted[2] === null ? null : await zk.exists("/d"));
});

bothWays("each watcher has an event of its own", async ({ zk, other }) => {
  await zk.create("/a");
  const heard: WatchedEvent[] = [];
  const hear = (event: WatchedEvent): void => {
    heard.push({ ...event });
    spoil(event);
  };
  const stream = zk.watch("/a");
  await zk.getData("/a", { watch: (event) => hear(event) });
  await zk.getData("/a", { watch: (event) => hear(event) });
  await zk.addWatch("/a", (event) => hear(event));
  await other.getData("/a", { watch: (event) => hear(event) });
  await zk.setData("/a", "x");
  await Promise.all([zk.sync(), other.sync()]);
  const { value } = await stream.next();
  assert.deepEqual(
    [...heard, { ...value }].map(({ type, path }) => `${type} ${path}`),
    Array(5).fill("NodeDataChanged /a"),
  );
});

bothWays("each listener has a change of state of its own", async ({ connect }) => {
  const zk = await connect();
  const states: string[] = [];
  for (let times = 0; times < 2; times++)
    zk.onState((change) => {
      states.push(change.state);
      spoil(change);
    });
  await zk.close();
  assert.deepEqual(states, ["closed", "closed"]);
});

describe("a world of a test", () => {
  test("keeps its history whatever becomes of what it handed out", async () => {
    await using world = await testServer();
    const zk = await world.connect();
    await plant(zk);
    await zk.getData("/a");
    await zk.getACL("/a");
    await zk.getChildren("/a");
    spoil([await zk.getData("/a"), await zk.getACL("/a"), await zk.getChildren("/a"), await zk.whoAmI()]);
    const told = `${world.history()}`;
    assert.match(told, /getACL/);
    assert.doesNotMatch(told, /spoilt/);
  });

  test("hands out a history in which nothing is shared with the tree, with the past, or with another one", async () => {
    await using world = await testServer();
    const zk = await world.connect();
    await plant(zk);
    await zk.create("/bytes", new Uint8Array(200).fill(1));
    await zk.getData("/bytes");
    const digest = JSON.stringify(world.toJSON());
    const told = `${world.history()}`;
    const { entries } = world.history();
    assert.ok(entries.some((entry) => entry.kind === "txn" && entry.txn.kind === "create"));
    spoil([...entries]);
    (entries as unknown[]).length = 0;
    assert.ok(JSON.stringify(world.toJSON()) === digest, "the tree has changed");
    assert.deepEqual((await zk.getData("/bytes")).data, new Uint8Array(200).fill(1));
    assert.ok(`${world.history()}`.startsWith(told), "the past has changed");
  });
});

bothWays("memory that a reader gets holds nothing that the server keeps", async ({ zk, other, server }) => {
  const paths = ["/a", "/b", "/c"];
  for (const path of paths) await zk.create(path, path);
  for (const reader of [zk, other]) {
    const { data } = await reader.getData("/b");
    new Uint8Array(data!.buffer).fill(0x7a);
    for (const path of paths) assert.deepEqual(server.inspect(path)!.data, new TextEncoder().encode(path));
    structuredClone(data!.buffer, { transfer: [data!.buffer as ArrayBuffer] });
    await other.setData("/b", "/b");
    for (const path of paths) assert.deepEqual((await zk.getData(path)).data, new TextEncoder().encode(path));
  }
});
