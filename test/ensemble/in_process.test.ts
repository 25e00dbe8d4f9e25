/**
 * Three members in one process, as a library has them: they elect a leader, serve their own handles, and leave nothing behind.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { memoryStorage } from "../../adapters/storage/mod.ts";
import { consoleLogger } from "../../adapters/system.ts";
import { type PeerTlsOptions, type TcpPeersOptions, tcp, tcpPeers } from "../../adapters/tcp/mod.ts";
import { type EnsembleConfig, open, type Server } from "../../mod.ts";
import { projectPath } from "../support/root.ts";
import { fourLetterWord, freePort } from "../support/server_process.ts";
import { until } from "../support/until.ts";

const logger = consoleLogger({ level: "silent" });

async function configOf(count: number): Promise<EnsembleConfig> {
  const ids = Array.from({ length: count }, (_, at) => BigInt(at + 1));
  const members = await Promise.all(
    ids.map(async (id) => {
      const addresses = [{ host: "127.0.0.1", quorumPort: await freePort(), electionPort: await freePort() }];
      return { id, addresses, role: "participant", client: null } as const;
    }),
  );
  return { members, hierarchy: null, version: 0n };
}

function member(config: EnsembleConfig, id: number, security: TcpPeersOptions = {}): Promise<Server> {
  const storage = memoryStorage();
  const peers = tcpPeers(security);
  return open({ tickTimeMs: 500, storage, logger, fourLetterWords: ["*"], ensemble: { id, config, peers } });
}

/** The certificate of that name with its key, and the authority that is trusted. */
function tlsOf(name: string): PeerTlsOptions {
  const pem = (file: string): string => readFileSync(projectPath("test", "support", "tls", `${file}.pem`), "utf8");
  return { cert: pem(name), key: pem(name), ca: pem("ca") };
}

describe("members in one process", { timeout: 60_000 }, () => {
  test("serve handles and ports, and see one another's changes", async () => {
    const config = await configOf(3);
    const servers = await Promise.all([1, 2, 3].map((id) => member(config, id)));
    try {
      const ports = await Promise.all(servers.map(async (server) => (await server.listen(tcp({ port: 0 }))).port));
      const modes = async (): Promise<string[]> => {
        const answers = await Promise.all(ports.map((port) => fourLetterWord(port, "srvr")));
        return answers.map((answer) => /^Mode: (.*)$/m.exec(answer)?.[1] ?? "");
      };
      await until(async () => (await modes()).every((mode) => mode !== ""), "all to serve");
      assert.deepEqual((await modes()).sort(), ["follower", "follower", "leader"]);
      const [one, other] = await Promise.all([servers[0]!.connect(), servers[2]!.connect()]);
      const { stat } = await one.getData(await one.create("/seen", "by all"));
      await other.sync("/");
      const seen = await other.getData("/seen");
      assert.deepEqual(seen.stat, stat);
      await until(() => servers[1]!.inspect("/seen")?.stat.czxid === stat.czxid, "the third to have it");
    } finally {
      await Promise.all(servers.map((server) => server.close()));
    }
  });

  const alike = { credentials: { username: "zk", password: "secret" }, users: { zk: "secret" } };
  for (const { title, good, bad } of [
    {
      title: "speak TLS, and let nobody in whom their authority has not signed",
      good: { tls: tlsOf("server") },
      bad: { tls: tlsOf("forged") },
    },
    {
      title: "speak TLS, and let nobody in with a certificate that their authority has signed for somebody else",
      good: { tls: tlsOf("server") },
      bad: { tls: tlsOf("client") },
    },
    { title: "speak TLS, and let nobody in who does not", good: { tls: tlsOf("server") }, bad: {} },
    {
      title: "prove who they are by SASL, and let nobody in who doesn't know the password",
      good: { sasl: alike },
      bad: { sasl: { ...alike, credentials: { username: "zk", password: "wrong" } } },
    },
    { title: "prove who they are by SASL, and let nobody in who doesn't", good: { sasl: alike }, bad: {} },
  ]) {
    test(title, async () => {
      const config = await configOf(3);
      // With the greatest number the third would lead, if it were heard.
      const servers = await Promise.all([member(config, 1, good), member(config, 2, good), member(config, 3, bad)]);
      try {
        const [one, , stranger] = await Promise.all(
          servers.map(async (server) => (await server.listen(tcp({ port: 0 }))).port),
        );
        const mode = async (port: number): Promise<string | undefined> =>
          /^Mode: (.*)$/m.exec(await fourLetterWord(port, "srvr"))?.[1];
        await until(async () => (await mode(one!)) === "follower", "the two to be an ensemble");
        await using zk = await servers[0]!.connect();
        await zk.create("/among-friends", "");
        assert.equal(await mode(stranger!), undefined);
      } finally {
        await Promise.all(servers.map((server) => server.close()));
      }
    });
  }

  for (const { title, ofEach } of [
    {
      title: "go over to TLS one by one: some dial in the clear, some through TLS, and all accept both",
      ofEach: (["dialled", "accepted", "dialled"] as const).map((clear) => ({ tls: { ...tlsOf("server"), clear } })),
    },
    {
      title: "go over to SASL one by one: who doesn't prove anything is let in while that is optional",
      ofEach: [alike.credentials, null, alike.credentials].map((credentials) => ({
        sasl: { ...alike, credentials, required: false },
      })),
    },
  ]) {
    test(title, async () => {
      const config = await configOf(3);
      const servers = await Promise.all(ofEach.map((security, at) => member(config, at + 1, security)));
      try {
        const handles = await Promise.all(servers.map((server) => server.connect()));
        const path = await handles[0]!.create("/of-all", "");
        for (const zk of handles) {
          await zk.sync(path);
          assert.notEqual(await zk.exists(path), null);
        }
      } finally {
        await Promise.all(servers.map((server) => server.close()));
      }
    });
  }

  test("that others than this machine could reach prove who they are, or are told to do without", async () => {
    const [config, ofThisMachine] = [await configOf(1), await configOf(1)];
    const [{ addresses, ...rest }] = config.members as [EnsembleConfig["members"][number]];
    const members = [{ ...rest, addresses: addresses.map((address) => ({ ...address, host: "0.0.0.0" })) }];
    const everywhere = { ...config, members };
    await assert.rejects(
      member(everywhere, 1),
      /^Error: Members would be let in at 0\.0\.0\.0 without proof of who they are.*allowUnauthenticated/,
    );
    await assert.rejects(member(everywhere, 1, { tls: { ...tlsOf("server"), clear: "accepted" } }), /without proof/);
    await assert.rejects(member(everywhere, 1, { sasl: { ...alike, required: false } }), /without proof/);
    for (const security of [{ tls: tlsOf("server") }, { sasl: alike }, { allowUnauthenticated: true }]) {
      await (await member(everywhere, 1, security)).close();
    }
    await (await member(ofThisMachine, 1)).close();
  });

  test("of one are an ensemble, too", async () => {
    await using server = await member(await configOf(1), 1);
    await using zk = await server.connect();
    const { stat } = await zk.getData(await zk.create("/first", ""));
    assert.equal(stat.czxid >> 32n, 1n, "the first epoch");
  });

  test("that can't be an ensemble are refused, with all that is wrong", async () => {
    const config = await configOf(3);
    await assert.rejects(member(config, 4), { name: "TypeError", message: /id: 4 is not among the members 1, 2, 3/ });
    await assert.rejects(member(config, 300), /id must be a whole number from 0 to 255, not 300/);
    const none = { ...config, members: config.members.map((one) => ({ ...one, role: "observer" as const })) };
    await assert.rejects(member(none, 1), /none of them votes/);
    await assert.rejects(open({ ensemble: { id: 1, config, peers: tcpPeers() } }), /needs a storage/);
  });
});
