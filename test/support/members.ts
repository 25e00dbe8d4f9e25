/** An ensemble of three in this process, in memory, with a port for clients each. */

import { memoryStorage } from "../../adapters/storage/mod.ts";
import { consoleLogger } from "../../adapters/system.ts";
import { tcp, tcpPeers } from "../../adapters/tcp/mod.ts";
import { type EnsembleConfig, type OpenOptions, open, type Server } from "../../mod.ts";
import type { Address } from "./frame_connection.ts";
import { fourLetterWord, freePort } from "./server_process.ts";
import { until } from "./until.ts";

/** Three members, and where their leader and one that follows serve. */
export class Members {
  readonly #servers: readonly Server[];
  readonly leader: Address;
  readonly follower: Address;

  private constructor(servers: readonly Server[], leader: Address, follower: Address) {
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
    const having = (mode: string): Address => ({ host: "127.0.0.1", port: ports.find((port) => modes.get(port) === mode)! });
    return new Members(servers, having("leader"), having("follower"));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }
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
