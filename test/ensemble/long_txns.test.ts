/** Requests that become long txns, in an ensemble: each is committed or refused, and the leader goes on leading. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../../adapters/tcp/mod.ts";
import type { ZooKeeper } from "../../mod.ts";
import type { Address } from "../support/frame_connection.ts";
import { withMembers } from "../support/members.ts";
import { fourLetterWord } from "../support/server_process.ts";

const JUTE_8M = { limits: { frameBytesMax: 8_388_608 } };

/** The epoch of the last txn that it has. */
async function epochAt({ port }: Address): Promise<number> {
  return Number.parseInt(/^Zxid: 0x(.*)........$/m.exec(await fourLetterWord(port, "srvr"))![1]!, 16);
}

const handle = ({ port }: Address): Promise<ZooKeeper> => connect(`127.0.0.1:${port}`, { sessionTimeoutMs: 10_000 });

describe("an ensemble elects nobody", { timeout: 120_000 }, () => {
  test("because a session ends that has 2,300 ephemerals of 950 bytes", async () => {
    await withMembers({}, async ({ leader, follower }) => {
      const epoch = await epochAt(leader);
      const zk = await handle(follower);
      const names = Array.from({ length: 2300 }, (_, at) => `/${`${at}`.padStart(950, "e")}`);
      await Promise.all(names.map((path) => zk.create(path, null, { mode: "ephemeral" })));
      await zk.close();
      await using other = await handle(follower);
      await other.sync("/");
      assert.deepEqual((await other.getChildren("/")).children, ["zookeeper"]);
      assert.equal(await epochAt(leader), epoch);
    });
  });

  test("because a client with three identities of 1 MB creates with `auth`, by a follower", async () => {
    await withMembers({}, async ({ leader, follower }) => {
      const epoch = await epochAt(leader);
      await using zk = await handle(follower);
      for (const name of ["a", "b", "c"]) await zk.addAuth("digest", `${name.repeat(1_000_000)}:password`);
      const acl = [{ perms: 31, scheme: "auth", id: "" }];
      await assert.rejects(zk.create("/a", null, { acl }), { code: "MarshallingError" });
      await zk.create("/a");
      assert.equal(await epochAt(leader), epoch);
    });
  });

  test("because of 3 MB where jute.maxbuffer is 8388608", async () => {
    await withMembers(JUTE_8M, async ({ leader, follower }) => {
      const epoch = await epochAt(leader);
      await using zk = await handle(follower);
      await zk.create("/long", new Uint8Array(3_000_000));
      assert.equal((await zk.exists("/long"))!.dataLength, 3_000_000);
      assert.equal(await epochAt(leader), epoch);
    });
  });
});
