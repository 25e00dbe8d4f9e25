/** What a client and a log are told: which txn an event comes of, and why a connection ended that asked too much. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect, tcp } from "../../adapters/tcp/mod.ts";
import { type OpenOptions, open, type WatchedEvent, type ZooKeeper, type Zxid } from "../../mod.ts";

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The zxid that an event tells, and that of the change. */
async function eventOf(zk: ZooKeeper): Promise<{ readonly told: Zxid; readonly happened: Zxid }> {
  await zk.create("/watched");
  const event = new Promise<WatchedEvent>((resolve) => void zk.exists("/watched", { watch: resolve }));
  const { mzxid } = await zk.setData("/watched", "x");
  return { told: (await event).zxid, happened: mzxid };
}

describe("an event's zxid", () => {
  for (const compat of ["3.4", "3.8", "3.9"] as const) {
    test(`is told in process always, as ${compat}`, async () => {
      await using server = await open({ compat });
      await using zk = await server.connect();
      const { told, happened } = await eventOf(zk);
      assert.equal(told, happened);
    });

    test(`is told over TCP since 3.9: as ${compat}`, async () => {
      await using server = await open({ compat });
      const { port } = await server.listen(tcp({ port: 0 }));
      await using zk = await connect(`127.0.0.1:${port}`);
      const { told, happened } = await eventOf(zk);
      assert.equal(told, compat === "3.9" ? happened : -1n);
    });
  }
});

describe("a request that is too long", () => {
  for (const [frameBytesMax, dataBytes] of [
    [1_000, 1_001],
    [0xfffff, 2_000_000],
  ] as const) {
    test(`${dataBytes} bytes of data where ${frameBytesMax} are taken: the log says how long it is, and what is taken`, async () => {
      const warnings: string[] = [];
      const options: OpenOptions = { limits: { frameBytesMax }, logger: { ...SILENT, warn: (line) => warnings.push(line) } };
      await using server = await open(options);
      const { port } = await server.listen(tcp({ port: 0 }));
      await using zk = await connect(`127.0.0.1:${port}`, { logger: SILENT });
      await assert.rejects(zk.create("/long", new Uint8Array(dataBytes)), { code: "ConnectionLoss", applied: "unknown" });
      assert.equal(warnings.length, 1);
      const [, bytes] = /ends: its request has (\d+) bytes, and the server takes (?:\d+) \(limits\.frameBytesMax/.exec(
        warnings[0]!,
      )!;
      assert.ok(Number(bytes) > dataBytes && Number(bytes) < dataBytes + 100);
    });
  }
});
