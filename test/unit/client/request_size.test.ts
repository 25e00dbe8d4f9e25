/** A request of a handle in the server's process is as long at most as over TCP; one that is longer is refused by itself, at the call. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect, tcp } from "../../../adapters/tcp/mod.ts";
import { OPEN_ACL_UNSAFE } from "../../../lib/acl/perms.ts";
import { excessLength } from "../../../lib/client/request_size.ts";
import { open, type ZooKeeper } from "../../../mod.ts";

const LIMITS = { limits: { frameBytesMax: 1000 } };
/** A digest of 160 characters, for lists that no client would send. */
const LONG_ID = `user:${"x".repeat(160)}`;

/** What a caller may ask that is too long, by every verb that can be. */
const TOO_LONG: Readonly<Record<string, (zk: ZooKeeper) => Promise<unknown>>> = {
  "create with much data": (zk) => zk.create("/long", new Uint8Array(2000)),
  "create with a long path": (zk) => zk.create(`/${"p".repeat(1000)}`),
  "create with a path of few characters": (zk) => zk.create(`/${"ℵ".repeat(400)}`),
  "create with a long list": (zk) =>
    zk.create("/long", null, { acl: Array.from({ length: 6 }, () => ({ perms: 31, scheme: "digest", id: LONG_ID })) }),
  setData: (zk) => zk.setData("/a", "x".repeat(1000)),
  setACL: (zk) =>
    zk.setACL(
      "/a",
      Array.from({ length: 6 }, () => ({ perms: 31, scheme: "digest", id: LONG_ID })),
    ),
  getData: (zk) => zk.getData(`/${"p".repeat(1000)}`),
  exists: (zk) => zk.exists(`/${"p".repeat(1000)}`),
  transaction: (zk) => zk.transaction().create("/long", "x".repeat(600)).setData("/a", "x".repeat(600)).commit(),
  addAuth: (zk) => zk.addAuth("digest", `user:${"x".repeat(1000)}`),
};

describe("a request that is too long", () => {
  for (const [what, ask] of Object.entries(TOO_LONG)) {
    test(`${what}: is refused with ConnectionLoss and the limit, and nothing else suffers`, async () => {
      await using server = await open(LIMITS);
      await using zk = await server.connect();
      await zk.create("/a");
      await zk.create("/mine", null, { mode: "ephemeral" });
      await assert.rejects(ask(zk), (error: Error & { code: string; applied: unknown }) => {
        assert.deepEqual([error.code, error.applied], ["ConnectionLoss", false]);
        assert.match(error.message, /the request has \d+ bytes, and the server takes 1000 \(limits\.frameBytesMax/);
        return true;
      });
      assert.equal(zk.state, "connected");
      assert.equal(server.inspect("/long"), null);
      assert.equal(server.inspect("/a")!.stat.version, 0);
      assert.ok(await zk.exists("/mine"));
    });
  }

  test("is what a client over TCP loses its connection by", async () => {
    await using server = await open(LIMITS);
    const { port } = await server.listen(tcp({ port: 0 }));
    await using near = await server.connect();
    await using far = await connect(`127.0.0.1:${port}`);
    const { length } = frameOf("/a", 0);
    for (const [bytes, code] of [
      [1000 - length, null],
      [1001 - length, "ConnectionLoss"],
    ] as const) {
      for (const zk of [near, far]) {
        const asked = zk.create("/a", new Uint8Array(bytes)).then(
          () => null,
          (error: { code: string }) => error.code,
        );
        assert.equal(await asked, code, `${bytes} bytes`);
        if (code === null) await zk.delete("/a");
      }
    }
  });

  test("100 bytes are enough for a session and small things (jute.maxbuffer=100)", async () => {
    await using server = await open({ limits: { frameBytesMax: 100 } });
    const { port } = await server.listen(tcp({ port: 0 }));
    for (const zk of [await server.connect(), await connect(`127.0.0.1:${port}`)]) {
      await zk.create("/a", "data");
      await zk.delete("/a");
      await assert.rejects(zk.create("/a", new Uint8Array(100)), { code: "ConnectionLoss" });
      await zk.close();
    }
  });
});

/** The frame of a create with so much data. */
function frameOf(path: string, bytes: number): { readonly length: number } {
  const op = { kind: "create", path, data: new Uint8Array(bytes), acl: OPEN_ACL_UNSAFE, flags: 0, ttl: 0 } as const;
  return { length: excessLength(op, 0)! };
}
