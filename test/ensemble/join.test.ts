/**
 * A server that stands alone becomes a member of an ensemble while its clients are there: what it holds, its sessions and its ports go on.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryStorage } from "../../adapters/storage/mod.ts";
import { consoleLogger } from "../../adapters/system.ts";
import { connect, tcp, tcpPeers } from "../../adapters/tcp/mod.ts";
import { type EnsembleConfig, ensembleConfig, open, type Server } from "../../mod.ts";
import { freePort } from "../support/server_process.ts";
import { until } from "../support/until.ts";

const logger = consoleLogger({ level: "silent" });
const USUAL = { tickTimeMs: 500, logger };

async function three(): Promise<EnsembleConfig> {
  const line = async (id: number): Promise<string> => `server.${id}=127.0.0.1:${await freePort()}:${await freePort()}`;
  return ensembleConfig([await line(1), await line(2), await line(3)]);
}

function member(config: EnsembleConfig, id: number): Promise<Server> {
  return open({ ...USUAL, storage: memoryStorage(), ensemble: { id, config, peers: tcpPeers() } });
}

describe("a server that joins an ensemble", { timeout: 60_000 }, () => {
  for (const { title, keeps } of [
    { title: "from memory alone, into a storage", keeps: false },
    { title: "with the storage it has", keeps: true },
  ]) {
    test(`keeps its znodes, sessions, ephemerals, watches and ports: ${title}`, async () => {
      const config = await three();
      await using server = await open(keeps ? { ...USUAL, storage: memoryStorage() } : USUAL);
      const { port } = await server.listen(tcp({ port: 0 }));
      const [here, afar] = [await server.connect(), await connect(`127.0.0.1:${port}`, { logger })];
      await here.create("/before", "kept");
      await here.create("/here", "", { mode: "ephemeral" });
      await afar.create("/afar", "", { mode: "ephemeral" });
      const fired: string[] = [];
      await afar.exists("/after", { watch: ({ type, path }) => fired.push(`${type} ${path}`) });
      const sessions = [here.sessionId, afar.sessionId];
      assert.equal(server.mode, "standalone");

      const others = [member(config, 2), member(config, 3)];
      await server.join({ id: 1, config, peers: tcpPeers() }, ...(keeps ? [] : [memoryStorage()]));
      const [, third] = await Promise.all(others);
      // It has what the others lack: it leads.
      await until(() => server.mode === "leader" && third!.mode === "follower", "the ensemble to serve");
      await until(() => here.state === "connected" && afar.state === "connected", "the clients to be back");
      assert.deepEqual([here.sessionId, afar.sessionId], sessions);
      await here.create("/after", "");
      await until(() => fired.length > 0, "the watch to fire");
      assert.deepEqual(fired, ["NodeCreated /after"]);

      await using elsewhere = await third!.connect();
      await elsewhere.sync();
      const { children } = await elsewhere.getChildren("/");
      assert.deepEqual([...children].sort(), ["afar", "after", "before", "here", "zookeeper"]);
      const seen = await elsewhere.getData("/before");
      assert.deepEqual(seen, await here.getData("/before"));
      await here.close();
      await until(() => third!.inspect("/here") === null, "the ephemeral to go with its session, everywhere");
      await afar.close();
      for (const other of await Promise.all(others)) await other.close();
    });
  }

  test("is told what is wrong, and goes on as it was", async () => {
    const config = await three();
    const peers = tcpPeers();
    await using server = await open(USUAL);
    await using zk = await server.connect();
    await assert.rejects(server.join({ id: 1, config, peers }), /TypeError: .* needs a storage/);
    await assert.rejects(server.join({ id: 7, config, peers }, memoryStorage()), /id: 7 is not among the members 1, 2, 3/);
    const full = memoryStorage();
    await (await open({ ...USUAL, storage: full })).close();
    await assert.rejects(server.join({ id: 1, config, peers }, full), /is not empty/);
    await zk.create("/still", "here");
    assert.equal(server.mode, "standalone");
    await using kept = await open({ ...USUAL, storage: memoryStorage() });
    await assert.rejects(kept.join({ id: 1, config, peers }, memoryStorage()), /the server has a storage/);
  });

  test("joins once, and is closed where it can't be a member", async () => {
    const config = await three();
    await using server = await open(USUAL);
    const joined = server.join({ id: 1, config, peers: tcpPeers() }, memoryStorage());
    await assert.rejects(server.join({ id: 1, config, peers: tcpPeers() }, memoryStorage()), /is a member of one/);
    await joined;
    await using other = await open(USUAL);
    // Both would listen on the same ports.
    const closed = other.closed;
    await assert.rejects(other.join({ id: 1, config, peers: tcpPeers() }, memoryStorage()), { code: "EADDRINUSE" });
    assert.notEqual(await closed, null);
    await assert.rejects(other.connect(), { code: "ConnectionLoss" });
  });
});
