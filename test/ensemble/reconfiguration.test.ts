/**
 * Ensembles in one process whose members come, go, and change their roles and places while they run.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryStorage } from "../../adapters/storage/mod.ts";
import { consoleLogger } from "../../adapters/system.ts";
import { tcpPeers } from "../../adapters/tcp/mod.ts";
import { type EnsembleMember, open, type Server, type Storage, type ZkError, type ZooKeeper } from "../../mod.ts";
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
  /** Where clients were said to find a member from then on. */
  readonly clientPorts = new Map<number, number>();
  readonly #mayVoteAlone: boolean;

  constructor(mayVoteAlone = false) {
    this.#mayVoteAlone = mayVoteAlone;
  }

  /** Starts a member with what it knows of the ensemble. */
  async start(me: EnsembleMember, ...others: readonly EnsembleMember[]): Promise<void> {
    await this.startOn(memoryStorage(), me, ...others);
  }

  async startOn(storage: Storage, me: EnsembleMember, ...others: readonly EnsembleMember[]): Promise<void> {
    const id = Number(me.id);
    const config = { members: [me, ...others.filter((other) => other.id !== me.id)], hierarchy: null, version: 0n };
    const ensemble = { id, config, peers: tcpPeers({}), mayVoteAlone: this.#mayVoteAlone };
    const clientAddressChanged = ({ port }: { port: number }): void => void this.clientPorts.set(id, port);
    const settings = { tickTimeMs: 200, reconfigEnabled: true, acl: { skip: true } };
    this.servers.set(id, await open({ ...settings, storage, logger, ensemble: { ...ensemble, clientAddressChanged } }));
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

  test("begins with a server that stood alone, and what it had", async () => {
    const storage = memoryStorage();
    const alone = await open({ storage, logger });
    const its = await alone.connect();
    await its.create("/old", "kept");
    await alone.close();
    const [one, two] = [await place(1), await place(2)];
    await using ensemble = new Changing(true);
    await ensemble.startOn(storage, one);
    const zk = await ensemble.client(1);
    await zk.create("/new", "");
    await ensemble.start({ ...two, role: "observer" }, one);
    await ensemble.client(2);
    await zk.reconfig({ joining: [line(two)] });
    const other = await ensemble.client(2);
    await other.sync();
    assert.equal(new TextDecoder().decode((await other.getData("/old")).data!), "kept");
    assert.notEqual(await other.exists("/new"), null);
  });

  test("moves, member by member, and finds its leader where it is then", async () => {
    const all = [await place(1), await place(2), await place(3)];
    await using ensemble = new Changing();
    for (const member of all) await ensemble.start(member, ...all);
    const elsewhere = [await place(1), await place(2), await place(3)];
    for (const [at, member] of elsewhere.entries()) {
      const zk = await ensemble.client(at === 0 ? 3 : 1);
      // Its own leader may go while it is asked: then the answer is lost, and what was asked for is not.
      await zk.reconfig({ joining: [line(member)] }).catch((error: ZkError) => assert.equal(error.code, "ConnectionLoss"));
      await zk.close();
      const now = [...elsewhere.slice(0, at + 1), ...all.slice(at + 1)].map((one) => line(one)).join("\n");
      await ensemble.agree(now, 1, 2, 3);
    }
    assert.deepEqual(
      [...ensemble.clientPorts].sort(),
      elsewhere.map(({ id, client }) => [Number(id), client!.port]),
    );
    await until(() => [...ensemble.servers.values()].some(({ mode }) => mode === "leader"), "a leader");
    const leader = leaderOf(ensemble);
    await ensemble.servers.get(leader)!.close();
    const zk = await ensemble.client(leader === 1 ? 2 : 1);
    await zk.create("/after", "");
  });

  test("loses its leader to a reconfiguration, and goes on under another", async () => {
    const all = [await place(1), await place(2), await place(3)];
    await using ensemble = new Changing();
    for (const member of all) await ensemble.start(member, ...all);
    const zks = [await ensemble.client(1), await ensemble.client(2), await ensemble.client(3)];
    const leader = leaderOf(ensemble);
    const asker = zks[leader === 1 ? 1 : 0]!;
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
