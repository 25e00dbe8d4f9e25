/**
 * Takes the figures of one row in interleaved rounds: every server in turn, then all of them again.
 *
 * Neighbouring measurements share whatever else the machine is doing, so their ratio is worth more than either figure.
 */

import { Fleet } from "./fleet.ts";
import type { Target } from "./load/job.ts";
import { type Metrics, medians } from "./metrics.ts";
import type { Options } from "./options.ts";
import { runLoad, runLocal } from "./programs.ts";
import type { RuntimeName } from "./runtimes.ts";
import { type Server, type ServerKind, startServer } from "./servers.ts";
import type { Measurement, Row } from "./workloads.ts";

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

  /** @param folder for the servers' data. */
  constructor(options: Options, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#fleet = new Fleet(folder, options.quick);
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
      const server = await this.#fleet.server(kind);
      return { metrics: await runLoad(measurement.job, this.#target(server)), isDurable: server.isDurable() };
    }
    if (measurement.kind === "local") {
      return { metrics: await runLocal(measurement.work, kind as RuntimeName, this.#options), isDurable: false };
    }
    const server = await startServer(kind, this.#folder);
    try {
      const metrics = measurement.kind === "start" ? server.start : await runLoad(measurement.job, this.#target(server));
      return { metrics, isDurable: server.isDurable() };
    } finally {
      await server.stop();
    }
  }

  #target({ port, pids }: Server): Target {
    const { warmUpSeconds, seconds } = this.#options;
    return { port, pids, warmUpSeconds, seconds };
  }
}
