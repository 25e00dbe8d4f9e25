/** An ensemble of three in this process, in memory, with a port for clients each. */

import { memoryStorage } from "../../adapters/storage/mod.ts";
import { consoleLogger } from "../../adapters/system.ts";
import { tcp, tcpPeers } from "../../adapters/tcp/mod.ts";
import { type EnsembleConfig, type EnsembleMember, type OpenOptions, open, type Server } from "../../mod.ts";
import type { Address } from "./frame_connection.ts";
import { fourLetterWord, freePort } from "./server_process.ts";
import { until } from "./until.ts";

/** Three members, and where the third, which leads, and the first, which follows, serve. */
export class Members {
  /** The one that follows, the one that leads, and the other. */
  readonly servers: readonly Server[];
  readonly config: EnsembleConfig;
  readonly leader: Address;
  readonly follower: Address;

  private constructor(servers: readonly Server[], config: EnsembleConfig, leader: Address, follower: Address) {
    this.servers = servers;
    this.config = config;
    this.leader = leader;
    this.follower = follower;
  }

  static async start(options: OpenOptions): Promise<Members> {
    const members = await Promise.all([1n, 2n, 3n].map(memberOf));
    const config: EnsembleConfig = { members, hierarchy: null, version: 0n };
    const logger = consoleLogger({ level: "silent" });
    const start = async ({ id, client }: EnsembleMember): Promise<Server> => {
      const ensemble = { id: Number(id), config, peers: tcpPeers() };
      const settings = { tickTimeMs: 500, fourLetterWords: ["*"], ...options, logger, storage: memoryStorage(), ensemble };
      const server = await open(settings);
      await server.listen(tcp({ port: client!.port }));
      return server;
    };
    const [first, second, third] = members as [EnsembleMember, EnsembleMember, EnsembleMember];
    // The greatest number leads, if it is there in time.
    const servers = [...(await Promise.all([first, third].map(start))), await start(second)];
    const [follower, other, leader] = members.map(({ client }) => client!) as [Address, Address, Address];
    const modes = (): Promise<(string | undefined)[]> => Promise.all([follower, other, leader].map(modeOf));
    await until(async () => (await modes()).join(" ") === "follower follower leader", "the third to lead");
    return new Members(servers, config, leader, follower);
  }

  /** Leaves the one that follows alone, and waits until it serves without the others. */
  async isolateFollower(): Promise<void> {
    const [, ...others] = this.servers;
    await Promise.all(others.map((server) => server.close()));
    await until(async () => (await modeOf(this.follower)) === "read-only", "the first to be alone");
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
  }
}

async function modeOf({ port }: Address): Promise<string | undefined> {
  return /^Mode: (.*)$/m.exec(await fourLetterWord(port, "srvr"))?.[1];
}

async function memberOf(id: bigint): Promise<EnsembleMember> {
  const host = "127.0.0.1";
  const addresses = [{ host, quorumPort: await freePort(), electionPort: await freePort() }];
  return { id, addresses, role: "participant", client: { host, port: await freePort() } };
}

/** Runs with members that are stopped afterwards. */
export async function withMembers(options: OpenOptions, run: (members: Members) => Promise<void>): Promise<void> {
  const members = await Members.start(options);
  try {
    await run(members);
  } finally {
    await members.stop();
  }
}
