/**
 * Takes the figures of one row in interleaved rounds: every server in turn, then all of them again.
 *
 * Neighbouring measurements share whatever else the machine is doing, so their ratio is worth more than either figure.
 */

import { Directories } from "./directories.ts";
import { startEnsemble } from "./ensembles.ts";
import { Fleet } from "./fleet.ts";
import type { Target } from "./load/job.ts";
import { type Metrics, medians } from "./metrics.ts";
import type { Options } from "./options.ts";
import { runLoad, runLocal } from "./programs.ts";
import type { RuntimeName } from "./runtimes.ts";
import { type Server, type ServerKind, startServer } from "./servers.ts";
import type { Measurement, Recovery, Row } from "./workloads.ts";

/** What was seen of one server in one row. */
export interface Measured {
  readonly rounds: readonly Metrics[];
  readonly median: Metrics;
  /** Whether the server kept what was written: it has a transaction log. */
  readonly durable: boolean;
}

/** A server that failed has its reason instead of figures. */
export type Outcome = Measured | { readonly failed: string };

export class Bench {
  readonly #options: Options;
  readonly #folder: string;
  readonly #fleet: Fleet;
  readonly #directories: Directories;
  /** Memory of servers that have just started on nothing. */
  readonly #emptyBytes: Map<ServerKind, number> = new Map();

  /**
   * @param folder for the servers' data
   * @param maker the kind of server that writes what others recover
   */
  constructor(options: Options, folder: string, maker: ServerKind) {
    this.#options = options;
    this.#folder = folder;
    this.#fleet = new Fleet(folder, options.quick);
    this.#directories = new Directories(folder, maker, options.recovered);
  }

  async row(row: Row, present: readonly ServerKind[]): Promise<Map<ServerKind, Outcome>> {
    const kinds = row.measurement.kind === "local" ? present.filter((kind) => kind !== "apache") : present;
    // A server under test alone is not to share the processors with idle ones.
    if (row.measurement.kind !== "load") await this.#fleet.stop();
    const rounds = new Map(kinds.map((kind): [ServerKind, Metrics[]] => [kind, []]));
    const failures = new Map<ServerKind, string>();
    const durable = new Set<ServerKind>();
    for (let round = 0; round < this.#options.rounds; round++) {
      for (const kind of kinds.filter((kind) => !failures.has(kind))) {
        try {
          const { metrics, isDurable } = await this.#measure(row.measurement, kind);
          rounds.get(kind)!.push(metrics);
          if (isDurable) durable.add(kind);
        } catch (error) {
          failures.set(kind, (error as Error).message);
          await this.#fleet.discard(kind);
        }
      }
    }
    const outcome = (kind: ServerKind, metrics: Metrics[]): Outcome =>
      failures.has(kind)
        ? { failed: failures.get(kind)! }
        : { rounds: metrics, median: medians(metrics), durable: durable.has(kind) };
    return new Map([...rounds].map(([kind, metrics]) => [kind, outcome(kind, metrics)]));
  }

  stop(): Promise<void> {
    return this.#fleet.stop();
  }

  async #measure(measurement: Measurement, kind: ServerKind): Promise<{ metrics: Metrics; isDurable: boolean }> {
    if (measurement.kind === "load") {
      const server = await this.#fleet.server(kind, measurement.members ?? 1);
      return { metrics: await runLoad(measurement.job, this.#target(server)), isDurable: server.isDurable() };
    }
    if (measurement.kind === "local") {
      return { metrics: await runLocal(measurement.work, kind as RuntimeName, this.#options), isDurable: false };
    }
    if (measurement.kind === "recovery") return await this.#recover(measurement, kind);
    const members = measurement.kind === "freshLoad" ? (measurement.members ?? 1) : 1;
    const server = await (members === 1 ? startServer : startEnsemble)(kind, this.#folder);
    try {
      const metrics = measurement.kind === "start" ? server.start : await runLoad(measurement.job, this.#target(server));
      return { metrics, isDurable: server.isDurable() };
    } finally {
      await server.stop();
    }
  }

  /** A start on a directory that holds much already, and work after it. */
  async #recover({ content, snapCount, job }: Recovery, kind: ServerKind): Promise<{ metrics: Metrics; isDurable: boolean }> {
    const data = await this.#directories.of(content);
    const emptyBytes = await this.#bytesWhenEmpty(kind);
    const server = await startServer(kind, this.#folder, { data, config: { snapCount } });
    try {
      const { residentBytes = Number.NaN } = server.start;
      const started = { ...server.start, bytesEach: (residentBytes - emptyBytes) / this.#options.recovered };
      if (job === null) return { metrics: started, isDurable: true };
      const before = server.snapshotCount();
      const metrics = await runLoad(job, this.#target(server));
      if (server.snapshotCount() === before) throw new Error("no snapshot was written during the load");
      return { metrics, isDurable: true };
    } finally {
      await server.stop();
    }
  }

  async #bytesWhenEmpty(kind: ServerKind): Promise<number> {
    const known = this.#emptyBytes.get(kind);
    if (known !== undefined) return known;
    const server = await startServer(kind, this.#folder);
    await server.stop();
    const { residentBytes = Number.NaN } = server.start;
    this.#emptyBytes.set(kind, residentBytes);
    return residentBytes;
  }

  #target({ port, ports, pids }: Server): Target {
    const { warmUpSeconds, seconds } = this.#options;
    return { port, ports, pids, warmUpSeconds, seconds };
  }
}
