/**
 * `npm run bench`: measures the project's server beside Apache ZooKeeper in one interleaved run, and prints how they compare.
 *
 * It runs on Node (built), Bun and Deno; on which of them makes no difference to the servers, which are processes of their own.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine, type Machine } from "./machine.ts";
import { Bench } from "./measure.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { failures, misses, type Result, tally, toJson, toResults } from "./results.ts";
import { type ServerKind, serverName, whyNot } from "./servers.ts";
import { table } from "./table.ts";
import { type Group, groups } from "./workloads.ts";

async function main(options: Options): Promise<number> {
  const chosen = choose(options);
  if (chosen.length === 0) throw new Error("--only matches no row: --list names them all");
  if (options.list) return print(chosen.flatMap((group) => group.rows.map((row) => row.id)).join("\n"));
  const folder = mkdtempSync(join(options.folder, "zookernel-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const machine = describeMachine(folder);
  print(`${headlines(machine)}\n`);
  const kinds = present(options);
  if (kinds.length === 0) throw new Error("there is no server to measure");
  const bench = new Bench(options, folder, kinds[0]!);
  const results: Result[] = [];
  try {
    for (const group of chosen) {
      const measured = await measureGroup(bench, group, kinds);
      print(table(group, measured));
      results.push(...measured);
    }
  } finally {
    await bench.stop();
  }
  if (options.json !== null)
    writeFileSync(options.json, `${JSON.stringify({ machine, options, results: toJson(results) }, null, 1)}\n`);
  return conclude(results, options.strict);
}

function choose(options: Options): Group[] {
  const isChosen = (id: string, quick: boolean): boolean =>
    (quick || !options.quick) && (options.only.length === 0 || options.only.some((text) => id.includes(text)));
  return groups(options)
    .map((group) => ({ ...group, rows: group.rows.filter((row) => isChosen(row.id, row.quick)) }))
    .filter((group) => group.rows.length > 0);
}

/** The servers that can be started here; says why the others cannot. */
function present(options: Options): ServerKind[] {
  const wanted: ServerKind[] = [...(options.apache ? (["apache"] as const) : []), ...options.runtimes];
  return wanted.filter((kind) => {
    const reason = whyNot(kind);
    if (reason !== null) print(`without ${serverName(kind)}: ${reason}\n`);
    return reason === null;
  });
}

async function measureGroup(bench: Bench, group: Group, kinds: readonly ServerKind[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const row of group.rows) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${row.id} …`);
    results.push(...toResults(row, await bench.row(row, kinds)));
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  return results;
}

function headlines(machine: Machine): string {
  return Object.entries(machine)
    .map(([name, fact]) => `${name.padEnd(16)}${fact}`)
    .join("\n");
}

function conclude(results: readonly Result[], strict: boolean): number {
  const [failed, missed] = [failures(results), misses(results)];
  print([...failed, ...missed, tally(results)].join("\n"));
  return failed.length > 0 || (strict && missed.length > 0) ? 1 : 0;
}

function print(text: string): 0 {
  console.log(text);
  return 0;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1)); // servers end with us
try {
  const options = parseOptions(process.argv.slice(2));
  process.exit(options.help ? print(HELP) : await main(options));
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exit(2);
}
