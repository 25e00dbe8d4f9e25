/**
 * The command line of the benchmark. Bad input ends it with a message that names the option; nothing is guessed.
 */

import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { RUNTIMES, type RuntimeName } from "./runtimes.ts";
import type { Sizes } from "./workloads.ts";

export interface Options extends Sizes {
  readonly help: boolean;
  readonly list: boolean;
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly runtimes: readonly RuntimeName[];
  readonly apache: boolean;
  readonly json: string | null;
  readonly folder: string;
  readonly strict: boolean;
}

export const HELP = `bench: zookernel beside Apache ZooKeeper, on this machine, in one interleaved run

  --only TEXT,TEXT    rows whose id contains one of these (see --list)
  --quick             few shapes, one short round: to see that it works, not what it is worth
  --rounds N          rounds over which the median is taken (default 3; --quick 1)
  --seconds S         measured time per server, row and round (default 1; --quick 0.5)
  --warm-up S         load before each measured time (default 0.5; --quick 0.3)
  --runtimes A,B      of node, bun, deno (default: all that are installed)
  --no-apache         do without Apache ZooKeeper: no ratios, no gates
  --sessions N        idle sessions (default 10000; --quick 1000)
  --znodes N          znodes whose memory is taken (default 100000; --quick 20000)
  --recovered N       znodes that servers recover (default 1000000; --quick 20000)
  --folder DIR        servers keep their data below it (default: the system's temporary folder)
  --json FILE         all figures, every round of them, as JSON too
  --strict            exit with status 1 if a gate is missed, not only if a row failed
  --list              print the ids of all rows
  --help              this text

Servers are processes of their own on free ports of 127.0.0.1; so is the load. Figures are medians over the rounds, ratios (×) are
to Apache in the same run. CPU is that of the server's process alone, all threads, per operation. Goals read gate → stretch; after
them ✓✓ says the stretch is reached, ✓ the gate holds, ✗ it is missed.`;

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      help: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      seconds: { type: "string" },
      "warm-up": { type: "string" },
      runtimes: { type: "string", default: RUNTIMES.join(",") },
      apache: { type: "boolean", default: true },
      sessions: { type: "string" },
      znodes: { type: "string" },
      recovered: { type: "string" },
      folder: { type: "string", default: tmpdir() },
      json: { type: "string" },
      strict: { type: "boolean", default: false },
    },
  });
  const { help, list, quick, apache, folder, strict } = values;
  return {
    ...{ help, list, quick, apache, folder, strict },
    only: values.only.split(",").filter((text) => text !== ""),
    rounds: positive("rounds", values.rounds, quick ? 1 : 3, Number.isInteger),
    seconds: positive("seconds", values.seconds, quick ? 0.5 : 1),
    warmUpSeconds: positive("warm-up", values["warm-up"], quick ? 0.3 : 0.5),
    sessions: positive("sessions", values.sessions, quick ? 1000 : 10_000, Number.isInteger),
    znodes: positive("znodes", values.znodes, quick ? 20_000 : 100_000, Number.isInteger),
    recovered: positive("recovered", values.recovered, quick ? 20_000 : 1_000_000, Number.isInteger),
    runtimes: values.runtimes.split(",").map(runtimeNamed),
    json: values.json ?? null,
  };
}

function positive(name: string, text: string | undefined, otherwise: number, accept = Number.isFinite): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!accept(value) || value <= 0) throw new Error(`--${name} wants a positive number, not "${text}"`);
  return value;
}

function runtimeNamed(text: string): RuntimeName {
  const runtime = RUNTIMES.find((name) => name === text);
  if (runtime === undefined) throw new Error(`--runtimes wants some of ${RUNTIMES.join(",")}, not "${text}"`);
  return runtime;
}
