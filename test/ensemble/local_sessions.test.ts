/**
 * Local sessions in an ensemble: the recorded exchange with Apache ZooKeeper, held again on a follower and on the leader, and what
 * they come to when they expire or go elsewhere.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryStorage } from "../../adapters/storage/mod.ts";
import { consoleLogger } from "../../adapters/system.ts";
import { tcp, tcpPeers } from "../../adapters/tcp/mod.ts";
import { type EnsembleConfig, type OpenOptions, open, type Server } from "../../mod.ts";
import { replay } from "../conformance/exchanges.ts";
import { type ClientRow, goldenRows } from "../support/golden.ts";
import { CLOSE_SESSION, create, exists, Flags, setData, sync } from "../support/ops.ts";
import { RawClient } from "../support/raw_client.ts";
import { fourLetterWord, freePort } from "../support/server_process.ts";
import { until } from "../support/until.ts";

const LOCAL: OpenOptions = { localSessions: true, localSessionsUpgrading: true };

/** Three members, and the ports of their leader and of one that follows. */
class Members {
  readonly #servers: readonly Server[];
  readonly leader: number;
  readonly follower: number;

  private constructor(servers: readonly Server[], leader: number, follower: number) {
    this.#servers = servers;
    this.leader = leader;
    this.follower = follower;
  }

  static async start(options: OpenOptions): Promise<Members> {
    const ids = [1, 2, 3];
    const members = await Promise.all(
      ids.map(async (id) => {
        const addresses = [{ host: "127.0.0.1", quorumPort: await freePort(), electionPort: await freePort() }];
        return { id: BigInt(id), addresses, role: "participant", client: null } as const;
      }),
    );
    const config: EnsembleConfig = { members, hierarchy: null, version: 0n };
    const logger = consoleLogger({ level: "silent" });
    const servers = await Promise.all(
      ids.map((id) => {
        const ensemble = { id, config, peers: tcpPeers() };
        return open({ tickTimeMs: 500, fourLetterWords: ["*"], ...options, logger, storage: memoryStorage(), ensemble });
      }),
    );
    const ports = await Promise.all(servers.map(async (server) => (await server.listen(tcp({ port: 0 }))).port));
    const modes = new Map<number, string>();
    await until(async () => {
      for (const port of ports) modes.set(port, /^Mode: (.*)$/m.exec(await fourLetterWord(port, "srvr"))?.[1] ?? "");
      return [...modes.values()].sort().join(" ") === "follower follower leader";
    }, "the members to be an ensemble");
    const having = (mode: string): number => ports.find((port) => modes.get(port) === mode)!;
    return new Members(servers, having("leader"), having("follower"));
  }

  client(port: number, timeOut = 30_000): Promise<RawClient> {
    return RawClient.connect({ host: "127.0.0.1", port }, { timeOut });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}

async function withMembers(options: OpenOptions, run: (members: Members) => Promise<void>): Promise<void> {
  const members = await Members.start(options);
  try {
    await run(members);
  } finally {
    await members.stop();
  }
}

const errors = async (client: RawClient, ...ops: readonly Parameters<RawClient["request"]>[0][]): Promise<number[]> => {
  const errs: number[] = [];
  for (const op of ops) errs.push((await client.request(op)).err);
  return errs;
};

describe("local sessions in an ensemble", { timeout: 120_000 }, () => {
  for (const where of ["follower", "leader"] as const) {
    test(`the recorded exchange, on the ${where}`, async () => {
      await withMembers(LOCAL, async (members) => {
        const rows = goldenRows<ClientRow>("client", "local-session.jsonl");
        const { same, differences } = await replay(rows, { host: "127.0.0.1", port: members[where] });
        assert.deepEqual(differences, []);
        assert.ok(same > 0);
      });
    });
  }

  test("without upgrading they own no ephemerals, and everything else goes as ever", async () => {
    await withMembers({ localSessions: true }, async (members) => {
      for (const port of [members.follower, members.leader]) {
        const zk = await members.client(port);
        const ops = [create(`/e${port}`, { flags: Flags.ephemeral }), create(`/p${port}`), setData(`/p${port}`), sync("/")];
        assert.deepEqual(await errors(zk, ...ops), [-120, 0, 0, 0]);
        assert.equal((await zk.request(CLOSE_SESSION)).err, 0);
        await zk.ended;
      }
    });
  });

  test("they are known where they began, and nowhere else", async () => {
    await withMembers(LOCAL, async (members) => {
      const zk = await members.client(members.follower);
      const { sessionId, passwd } = zk.welcome;
      await zk.drop();
      const elsewhere = await RawClient.open({ host: "127.0.0.1", port: members.leader });
      assert.equal((await elsewhere.hello({ sessionId, passwd })).timeOut, 0);
      const again = await RawClient.open({ host: "127.0.0.1", port: members.follower });
      assert.equal((await again.hello({ sessionId, passwd })).sessionId, sessionId);
      await again.drop();
    });
  });

  test("they expire where they are, without a txn; upgraded ones expire on the leader", async () => {
    await withMembers({ ...LOCAL, minSessionTimeoutMs: 500 }, async (members) => {
      const watcher = await members.client(members.leader);
      const [silent, upgraded] = [await members.client(members.follower, 500), await members.client(members.follower, 1000)];
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
