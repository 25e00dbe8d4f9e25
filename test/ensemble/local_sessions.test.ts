/**
 * Local sessions in an ensemble: what they come to when they expire or go elsewhere. The recorded exchange with Apache ZooKeeper is
 * held again in test/conformance/golden_exchanges.test.ts.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OpenOptions } from "../../mod.ts";
import type { Address } from "../support/frame_connection.ts";
import { withMembers } from "../support/members.ts";
import { CLOSE_SESSION, create, exists, Flags, setData, sync } from "../support/ops.ts";
import { RawClient } from "../support/raw_client.ts";
import { until } from "../support/until.ts";

const LOCAL: OpenOptions = { localSessions: true, localSessionsUpgrading: true };

const client = (address: Address, timeOut = 30_000): Promise<RawClient> => RawClient.connect(address, { timeOut });

const errors = async (client: RawClient, ...ops: readonly Parameters<RawClient["request"]>[0][]): Promise<number[]> => {
  const errs: number[] = [];
  for (const op of ops) errs.push((await client.request(op)).err);
  return errs;
};

describe("local sessions in an ensemble", { timeout: 120_000 }, () => {
  test("without upgrading they own no ephemerals, and everything else goes as ever", async () => {
    await withMembers({ localSessions: true }, async (members) => {
      for (const address of [members.follower, members.leader]) {
        const { port } = address;
        const zk = await client(address);
        const ops = [create(`/e${port}`, { flags: Flags.ephemeral }), create(`/p${port}`), setData(`/p${port}`), sync("/")];
        assert.deepEqual(await errors(zk, ...ops), [-120, 0, 0, 0]);
        assert.equal((await zk.request(CLOSE_SESSION)).err, 0);
        await zk.ended;
      }
    });
  });

  test("they are known where they began, and nowhere else", async () => {
    await withMembers(LOCAL, async (members) => {
      const zk = await client(members.follower);
      const { sessionId, passwd } = zk.welcome;
      await zk.drop();
      const elsewhere = await RawClient.open(members.leader);
      assert.equal((await elsewhere.hello({ sessionId, passwd })).timeOut, 0);
      const again = await RawClient.open(members.follower);
      assert.equal((await again.hello({ sessionId, passwd })).sessionId, sessionId);
      await again.drop();
    });
  });

  test("nor are the leader's known elsewhere, nor kept alive by others; once upgraded they are", async () => {
    await withMembers({ ...LOCAL, minSessionTimeoutMs: 500 }, async (members) => {
      const zk = await client(members.leader, 1000);
      const { sessionId, passwd } = zk.welcome;
      await zk.drop();
      const elsewhere = await RawClient.open(members.follower);
      assert.equal((await elsewhere.hello({ sessionId, passwd })).timeOut, 0);
      const upgraded = await client(members.leader);
      await upgraded.request(create("/owned", { flags: Flags.ephemeral }));
      await upgraded.drop();
      const moved = await RawClient.open(members.follower);
      const { sessionId: id, passwd: proof } = upgraded.welcome;
      assert.equal((await moved.hello({ sessionId: id, passwd: proof })).sessionId, id);
      await moved.drop();
    });
  });

  test("they expire where they are, without a txn; upgraded ones expire on the leader", async () => {
    await withMembers({ ...LOCAL, minSessionTimeoutMs: 500 }, async (members) => {
      const watcher = await client(members.leader);
      const [silent, upgraded] = [await client(members.follower, 500), await client(members.follower, 1000)];
      await upgraded.request(create("/e", { flags: Flags.ephemeral }));
      await silent.ended;
      await until(async () => (await watcher.request(exists("/e"))).err !== 0, "the ephemeral goes with its session");
      await upgraded.ended;
      const { zxid } = await watcher.request(sync("/"));
      // createSession, create, closeSession: all of the one that was upgraded.
      assert.equal(zxid & 0xffffffffn, 3n);
    });
  });
});
