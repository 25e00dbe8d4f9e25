/** Server.snapshot() and restore(): a server goes back to what it was, and its clients find out as they would after a restart. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStorage } from "../../adapters/storage/mod.ts";
import { tcp } from "../../adapters/tcp/listener.ts";
import { connect } from "../../adapters/tcp/mod.ts";
import { open, type Server, type ZooKeeper } from "../../mod.ts";

const text = (bytes: Uint8Array | null | undefined): string => new TextDecoder().decode(bytes ?? undefined);

/** A server with a port: waiting for a handle that comes back keeps no process alive, and a port does. */
async function served(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = await open();
  const { port } = await server.listen(tcp({ port: 0 }));
  return { server, port };
}

/** Resolves once the handle is connected again, rejects once it is over. */
function back(zk: ZooKeeper): Promise<void> {
  return new Promise((resolve, reject) => {
    let lost = false;
    zk.onState(({ state }) => {
      lost ||= state !== "connected";
      if (state === "expired" || state === "closed") reject(new Error(state));
      else if (lost && state === "connected") resolve();
    });
  });
}

test("a snapshot is put back as often as one likes, and changes with nothing that happens after it", async () => {
  const { server } = await served();
  await using _ = server;
  const zk = await server.connect();
  await zk.create("/a", "one");
  await zk.create("/a/gone");
  const before = server.snapshot();
  for (let round = 0; round < 3; round++) {
    await zk.setData("/a", `round ${round}`);
    await zk.delete("/a/gone");
    const path = await zk.create("/a/n-", null, { mode: "persistent_sequential" });
    assert.equal(path, "/a/n-0000000001", "its counter went back, too");
    const again = back(zk);
    server.restore(before);
    assert.equal(text(server.inspect("/a")?.data), "one");
    assert.deepEqual(server.inspect("/a")?.children, ["gone"]);
    await again;
  }
  assert.equal(before.znodeCount, 6);
});

test("zxids go on, so that no client has seen a later one than its server", async () => {
  const { server } = await served();
  await using _ = server;
  const zk = await server.connect();
  const before = server.snapshot();
  await zk.create("/a");
  const { czxid } = server.inspect("/a")!.stat;
  const again = back(zk);
  server.restore(before);
  await again;
  await zk.create("/a");
  assert.equal(server.inspect("/a")!.stat.czxid, czxid + 1n);
});

test("a session that the snapshot has goes on with its ephemerals and its watches; one that it doesn't have is expired", async () => {
  const { server, port } = await served();
  await using _ = server;
  for (const handle of [server.connect(), connect(`127.0.0.1:${port}`)]) {
    await using zk = await handle;
    await zk.create("/mine", null, { mode: "ephemeral" });
    const before = server.snapshot();
    const late = await server.connect();
    const expired = assert.rejects(back(late), /expired/);
    await zk.delete("/mine");
    await zk.create("/new", null, { mode: "ephemeral" });
    const told = new Promise((resolve) => {
      void zk.exists("/new", { watch: resolve });
    });
    await zk.exists("/new");
    const again = back(zk);
    server.restore(before);
    assert.equal(server.inspect("/new"), null);
    await again;
    assert.equal(((await told) as { type: string }).type, "NodeDeleted");
    assert.equal((await zk.exists("/mine"))?.ephemeralOwner, zk.sessionId);
    await expired;
  }
});

test("a snapshot may be that of another server with the same settings, which may be closed", async () => {
  const one = await open();
  await (await one.connect()).create("/a", "one");
  const snapshot = one.snapshot();
  await one.close();
  await using other = await open();
  other.restore(snapshot);
  const zk = await other.connect();
  assert.equal(text((await zk.getData("/a")).data), "one");
  await using strange = await open({ extendedTypes: false });
  assert.throws(() => strange.restore(snapshot), /other settings \(extendedTypes is true\)/);
});

test("what a storage keeps can't be taken back, and what is closed is not restored; a storage can be told to write a snapshot", async () => {
  await using durable = await open({ storage: memoryStorage() });
  await (await durable.connect()).create("/a");
  const snapshot = durable.snapshot();
  assert.throws(() => durable.restore(snapshot), TypeError);
  assert.equal(await durable.saveSnapshot(), snapshot.zxid);
  const server = await open();
  await assert.rejects(server.saveSnapshot(), TypeError);
  await server.close();
  assert.throws(() => server.restore(snapshot), /closed/);
});
