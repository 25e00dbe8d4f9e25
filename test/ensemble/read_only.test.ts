/**
 * A member without its quorum: reads go on for clients that are content with them, nothing is changed, and all is as before once the quorum is back.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryStorage } from "../../adapters/storage/mod.ts";
import { consoleLogger } from "../../adapters/system.ts";
import { connect, tcp, tcpPeers } from "../../adapters/tcp/mod.ts";
import { type EnsembleMember, open, type Server, type Storage } from "../../mod.ts";
import { fourLetterWord, freePort } from "../support/server_process.ts";
import { until } from "../support/until.ts";

const logger = consoleLogger({ level: "silent" });

async function place(id: number): Promise<EnsembleMember> {
  const addresses = [{ host: "127.0.0.1", quorumPort: await freePort(), electionPort: await freePort() }];
  return { id: BigInt(id), addresses, role: "participant", client: null };
}

describe("a member without its quorum", { timeout: 60_000 }, () => {
  test("serves reads to those who accept it, and becomes as before when the quorum is back", async () => {
    const members = [await place(1), await place(2)];
    const storages: readonly Storage[] = [memoryStorage(), memoryStorage()];
    const start = (id: number): Promise<Server> =>
      open({
        tickTimeMs: 200,
        readOnlyMode: true,
        storage: storages[id - 1]!,
        logger,
        ensemble: { id, config: { members, hierarchy: null, version: 0n }, peers: tcpPeers({}) },
      });
    const [one, two] = [await start(1), await start(2)];
    try {
      const { port } = await one.listen(tcp({ port: 0 }));
      await until(() => one.mode === "follower", "the first to follow");
      await using before = await connect(`127.0.0.1:${port}`);
      await before.create("/kept", "here");
      await until(() => one.inspect("/kept") !== null, "the first to have it");
      await two.close();
      await until(() => one.mode === "read-only", "the first to be alone");
      assert.equal(await fourLetterWord(port, "isro"), "ro");
      assert.match(await fourLetterWord(port, "srvr"), /^Mode: read-only$/m);

      await using reader = await connect(`127.0.0.1:${port}`, { canBeReadOnly: true });
      assert.equal(reader.state, "connectedReadOnly");
      assert.equal(new TextDecoder().decode((await reader.getData("/kept")).data!), "here");
      await assert.rejects(reader.create("/no", ""), { code: "NotReadOnly" });
      await assert.rejects(reader.sync("/"), { code: "NotReadOnly" });
      await assert.rejects(reader.transaction().delete("/kept").commit(), { code: "NotReadOnly" });
      await assert.rejects(one.connect({ signal: AbortSignal.timeout(300) }), "nobody who wants to write is served");
      await using here = await one.connect({ canBeReadOnly: true });
      assert.notEqual(await here.exists("/kept"), null);

      const again = await start(2);
      try {
        await until(() => one.mode === "follower" || one.mode === "leader", "the quorum to be back");
        assert.equal(await fourLetterWord(port, "isro"), "rw");
        await until(() => reader.state === "connected", "the reader to be a client like others");
        await reader.create("/yes", "");
        assert.notEqual(await before.exists("/yes"), null, "the session of before lives");
      } finally {
        await again.close();
      }
    } finally {
      await one.close();
    }
  });
});
