/**
 * The servers that live through many rows, one of each kind: started when first asked for, and warmed up.
 *
 * Warming up matters most to Apache: a JVM's compilers need seconds of load, and measured cold it would lose by far more.
 */

import { startEnsemble } from "./ensembles.ts";
import type { Job } from "./load/job.ts";
import { runLoad } from "./programs.ts";
import { type Server, type ServerKind, startServer } from "./servers.ts";

const WARM_UP_SECONDS = { quick: 1, full: 4 };

const WARM_UP: readonly Job[] = [
  { kind: "requests", connections: 32, outstanding: 16, mix: { getData: 0.4, exists: 0.3, getChildren: 0.3 }, dataBytes: 1000 },
  { kind: "requests", connections: 32, outstanding: 16, mix: { setData: 0.6, createDelete: 0.4 }, dataBytes: 100 },
  { kind: "fanOut", nodes: 10, watchers: 20 },
  { kind: "connects", concurrent: 8 },
];

export class Fleet {
  readonly #folder: string;
  readonly #quick: boolean;
  #members: 1 | 3 = 1;
  readonly #servers: Map<ServerKind, Server> = new Map();

  constructor(folder: string, quick: boolean) {
    this.#folder = folder;
    this.#quick = quick;
  }

  /** @param members how many servers it is to be; those of another number end */
  async server(kind: ServerKind, members: 1 | 3): Promise<Server> {
    if (members !== this.#members) await this.stop();
    this.#members = members;
    const known = this.#servers.get(kind);
    if (known !== undefined) return known;
    const server = await (members === 1 ? startServer : startEnsemble)(kind, this.#folder);
    this.#servers.set(kind, server);
    const { port, ports, pids } = server;
    const seconds = (this.#quick ? WARM_UP_SECONDS.quick : WARM_UP_SECONDS.full) / WARM_UP.length;
    for (const job of WARM_UP) await runLoad(job, { port, ports, pids, warmUpSeconds: 0, seconds });
    return server;
  }

  /** Ends a server that failed at something; the next row gets a new one. */
  async discard(kind: ServerKind): Promise<void> {
    await this.#servers.get(kind)?.stop();
    this.#servers.delete(kind);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.stop()));
    this.#servers.clear();
  }
}
