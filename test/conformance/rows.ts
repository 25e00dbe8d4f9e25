/**
 * The rows of `golden/semantics*.jsonl` by version, and a pool that runs many of them at once, each on a server of its own.
 */

import { goldenRows } from "../support/golden.ts";
import { type Difference, runRow, type SemanticsRow } from "./semantics.ts";
import type { StartServer } from "./servers.ts";

export type GoldenVersion = "3.8.0" | "3.9.5" | "3.4.14";

interface Remark {
  readonly version: GoldenVersion;
  readonly comment: string;
}

/** Rows to run, and how many there are beside them that can't be, by reason. */
export interface Rows {
  readonly rows: readonly SemanticsRow[];
  readonly notRun: ReadonlyMap<string, number>;
}

/** What 3.4 knows: all other opcodes it answers with UNIMPLEMENTED, which was not recorded row by row. */
const OPS_OF_3_4 = new Set(
  "create delete exists getData setData getACL setACL getChildren getChildren2 sync ping check multi auth setWatches closeSession raw sleep drop reattach connect".split(
    " ",
  ),
);
/** This one ended the process of 3.4.14 instead of being answered. */
const ENDED_3_4 = "quota/garbage-limits";

/** The rows as one version answers them: a version's file has only those that differ from 3.8.0. */
export function rowsOf(version: GoldenVersion): Rows {
  const base = goldenRows<SemanticsRow>("semantics.jsonl");
  if (version === "3.8.0") return { rows: base, notRun: new Map() };
  const others = goldenRows<SemanticsRow | Remark>(`semantics-${version}.jsonl`).filter((row) => "id" in row);
  const byId = new Map(others.map((row) => [row.id, row]));
  const rows = base.map((row) => byId.get(row.id) ?? row);
  if (version === "3.9.5") return { rows, notRun: new Map() };
  const known = rows.filter((row) => byId.has(row.id) || (row.id !== ENDED_3_4 && usesOnly34(row)));
  return { rows: known, notRun: new Map([["not recorded with 3.4", rows.length - known.length]]) };
}

function usesOnly34({ setup, op, probe = [] }: SemanticsRow): boolean {
  const all = [...setup, op, ...probe.map((one) => one.op)];
  return all.every((one) => OPS_OF_3_4.has(one.op) && (one.ops ?? []).every(([kind]) => OPS_OF_3_4.has(kind)));
}

/** Rows that came out differently, in the order of the rows. */
export interface Failure {
  readonly id: string;
  readonly differences: readonly Difference[];
}

/** Runs rows, some at the same time, each on a fresh server. */
export async function runRows(rows: readonly SemanticsRow[], start: StartServer, atOnce: number): Promise<Failure[]> {
  const failures = new Map<string, Failure>();
  const queue = rows.values();
  const worker = async (): Promise<void> => {
    for (const row of queue) {
      const differences = await runOnFresh(row, start);
      if (differences.length > 0) failures.set(row.id, { id: row.id, differences });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return rows.flatMap(({ id }) => failures.get(id) ?? []);
}

async function runOnFresh(row: SemanticsRow, start: StartServer): Promise<readonly Difference[]> {
  const server = await start(row.config ?? {});
  try {
    return await runRow(row, server);
  } catch (error) {
    return [{ where: "the run itself", expected: "to end", actual: error instanceof Error ? error.stack : String(error) }];
  } finally {
    await server.stop();
  }
}

/** Failures as text, short enough to read. */
export function describeFailures(failures: readonly Failure[]): string {
  const lines = failures.flatMap(({ id, differences }) =>
    differences.map(
      ({ where, expected, actual }) =>
        `${id}: ${where}\n  expected ${JSON.stringify(expected)}\n  actual   ${JSON.stringify(actual)}`,
    ),
  );
  return lines.join("\n");
}
