/** Shared value: changes of many, and CURATOR-688, whose versions overflow. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testServer } from "../../adapters/testing/mod.ts";
import { counter, sharedValue } from "../../lib/recipes/mod.ts";
import type { ZooKeeper } from "../../mod.ts";

const text = (data: Uint8Array | null): string => new TextDecoder().decode(data ?? new Uint8Array(0));

/** A handle to whose znodes `writes` more writes seem to have been made, as far as their versions tell. */
function aged(zk: ZooKeeper, writes: number): ZooKeeper {
  const condition = ({ version = -1 } = {}): { version?: number } =>
    version === -1 ? {} : { version: (version - writes) | 0 };
  const handle = {
    create: (path: string, data: string) => zk.create(path, data),
    getData: async (path: string) => {
      const { data, stat } = await zk.getData(path);
      return { data, stat: { ...stat, mzxid: stat.mzxid, version: (stat.version + writes) | 0 } };
    },
    setData: (path: string, data: string, options?: { version?: number }) => zk.setData(path, data, condition(options)),
    transaction: () => {
      const both = zk.transaction();
      const setData = (path: string, data: string, options?: { version?: number }) => {
        both.setData(path, data, condition(options));
        return { setData, commit: () => both.commit() };
      };
      return { setData };
    },
  };
  return handle as unknown as ZooKeeper;
}

test("many change it, and no change is lost", async () => {
  await using server = await testServer();
  const clients = [await server.connect(), await server.connect(), await server.connect()];
  const add = (read: { data: Uint8Array | null } | null): string => `${read === null ? "" : text(read.data)}x`;
  await server.clock.runUntil(Promise.all([...clients, ...clients].map((zk) => sharedValue(zk, "/values/a").update(add))));
  const value = sharedValue(clients[0]!, "/values/a");
  const read = await value.get();
  assert.equal(text(read!.data), "xxxxxx");
  assert.equal(await value.trySet("y", { ...read!, version: read!.version - 1 }), false);
  assert.equal(await value.trySet("y", null), false);
  assert.equal(await value.trySet("y", read), true);
  assert.ok((await value.get())!.mzxid > read!.mzxid);
  assert.equal(await sharedValue(clients[0]!, "/none").get(), null);
});

describe("CURATOR-688: a shared value at the overflow of versions", () => {
  test("control: the version that was read, whatever it is", async () => {
    await using server = await testServer();
    const zk = await server.connect();
    await zk.create("/a", "0");
    const old = aged(zk, -1);
    const { stat } = await old.getData("/a");
    await zk.setData("/a", "somebody was faster");
    await old.setData("/a", "1", { version: stat.version });
    assert.equal(text((await zk.getData("/a")).data), "1", "the faster one's change is lost");
  });

  for (const writes of [-4, 2_147_483_645]) {
    test(`ours, ${writes} writes on`, async () => {
      await using server = await testServer();
      const zk = await server.connect();
      await zk.create("/a", "0");
      await zk.create("/count", new Uint8Array(8));
      const value = sharedValue(aged(zk, writes), "/a");
      for (let i = 1; i <= 6; i++) {
        const read = await value.get();
        assert.notEqual(read!.version, -1);
        await value.update((now) => String(Number(text(now!.data)) + 1));
        assert.equal(await value.trySet("lost", read), false);
        assert.equal(text((await zk.getData("/a")).data), String(i));
        assert.equal(await counter(aged(zk, writes), "/count").add(1), BigInt(i));
        assert.notEqual((await aged(zk, writes).getData("/count")).stat.version, -1);
      }
    });
  }
});
