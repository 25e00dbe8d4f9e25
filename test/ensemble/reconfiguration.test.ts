/**
 * Ensembles in one process whose members come, go, and change their roles and places while they run.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryStorage } from "../../adapters/storage/mod.ts";
import { consoleLogger } from "../../adapters/system.ts";
import { tcpPeers } from "../../adapters/tcp/mod.ts";
import { type EnsembleMember, open, type Server, type ZooKeeper } from "../../mod.ts";
import { freePort } from "../support/server_process.ts";
import { until } from "../support/until.ts";

const logger = consoleLogger({ level: "silent" });

async function place(id: number, role: EnsembleMember["role"] = "participant"): Promise<EnsembleMember> {
  const addresses = [{ host: "127.0.0.1", quorumPort: await freePort(), electionPort: await freePort() }];
  return { id: BigInt(id), addresses, role, client: { host: "127.0.0.1", port: await freePort() } };
}

function line({ id, addresses, role, client }: EnsembleMember, as: EnsembleMember["role"] = role): string {
  const { host, quorumPort, electionPort } = addresses[0]!;
  return `server.${id}=${host}:${quorumPort}:${electionPort}:${as};${client!.host}:${client!.port}`;
}

/** An ensemble that may be changed. */
class Changing implements AsyncDisposable {
  readonly servers = new Map<number, Server>();
  readonly #mayVoteAlone: boolean;

  constructor(mayVoteAlone = false) {
    this.#mayVoteAlone = mayVoteAlone;
  }

  /** Starts a member with what it knows of the ensemble. */
  async start(me: EnsembleMember, ...others: readonly EnsembleMember[]): Promise<void> {
    const id = Number(me.id);
    const config = { members: [me, ...others.filter((other) => other.id !== me.id)], hierarchy: null, version: 0n };
    const ensemble = { id, config, peers: tcpPeers({}), mayVoteAlone: this.#mayVoteAlone };
    const settings = { tickTimeMs: 200, reconfigEnabled: true, acl: { skip: true } };
    this.servers.set(id, await open({ ...settings, storage: memoryStorage(), logger, ensemble }));
  }

  async client(id: number): Promise<ZooKeeper> {
    let zk: ZooKeeper | null = null;
    const server = this.servers.get(id)!;
    await until(async () => {
      zk = await server.connect({ signal: AbortSignal.timeout(500) }).catch(() => null);
      return zk !== null;
    }, `member ${id} to serve`);
    return zk!;
  }

  /** The configuration as a member has it, the version left out. */
  configOf(id: number): string {
    const data = this.servers.get(id)?.inspect("/zookeeper/config")?.data ?? new Uint8Array();
    return new TextDecoder().decode(data).replace(/\nversion=.*/, "");
  }

  async agree(expected: string, ...ids: readonly number[]): Promise<void> {
    await until(() => ids.every((id) => this.configOf(id) === expected), `members ${ids.join()} to know ${expected}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.servers.values()].map((server) => server.close()));
  }
}

describe("an ensemble that changes while it runs", { timeout: 60_000 }, () => {
  test("grows from one: joiners catch up, and vote once they are told to", async () => {
    const [one, two, three] = [await place(1), await place(2), await place(3)];
    await using ensemble = new Changing(true);
    await ensemble.start(one);
    const zk = await ensemble.client(1);
    await zk.create("/before", "kept");
    await ensemble.start({ ...two, role: "observer" }, one);
    await ensemble.client(2);
    const { data } = await zk.reconfig({ joining: [line(two)] });
    assert.match(new TextDecoder().decode(data!), /server.2=.*participant/);
    await ensemble.start({ ...three, role: "observer" }, one);
    await ensemble.client(3);
    await zk.reconfig({ joining: [line(three)] });
    await ensemble.agree([one, two, three].map((member) => line(member)).join("\n"), 1, 2, 3);
    // It is one of them: without it the other two go on.
    await zk.close();
    await ensemble.servers.get(1)!.close();
    const other = await ensemble.client(2);
    assert.equal(new TextDecoder().decode((await other.getData("/before")).data!), "kept");
    await other.create("/after", "");
    await other.close();
  });

  test("loses its leader to a reconfiguration, and goes on under another", async () => {
    const all = [await place(1), await place(2), await place(3)];
    await using ensemble = new Changing();
    for (const member of all) await ensemble.start(member, ...all);
    await ensemble.client(3);
    const zk = await ensemble.client(1);
    const leader = leaderOf(ensemble);
    const asker = leader === 1 ? await ensemble.client(2) : zk;
    await asker.reconfig({ leaving: [leader] });
    const left = all.filter(({ id }) => id !== BigInt(leader));
    await ensemble.agree(left.map((member) => line(member)).join("\n"), 1, 2, 3);
    const again = await ensemble.client(Number(left[0]!.id));
    await again.create("/after", "");
    const gone = await ensemble.client(leader);
    await gone.sync();
    assert.notEqual(await gone.exists("/after"), null, "it follows without a vote");
  });
});

function leaderOf(ensemble: Changing): number {
  return [...ensemble.servers].find(([, { mode }]) => mode === "leader")![0];
}
