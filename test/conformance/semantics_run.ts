/**
 * Runs recorded rows by hand, to see whether the runner itself is right, or to look at one group:
 *
 *     bun test/conformance/semantics_run.ts apache 60        60 rows, spread over all groups, on Apache ZooKeeper
 *     bun test/conformance/semantics_run.ts ours 3.9.5       all rows as 3.9.5 answers them, on ours
 *     bun test/conformance/semantics_run.ts ours multi/      the rows whose id starts so
 */

import type { Compat } from "../../mod.ts";
import { describeFailures, type GoldenVersion, rowsOf, runRows } from "./rows.ts";
import type { SemanticsRow } from "./semantics.ts";
import { startApache, startOurs } from "./servers.ts";

const COMPAT: Readonly<Record<GoldenVersion, Compat>> = { "3.8.0": "3.8", "3.9.5": "3.9", "3.4.14": "3.4" };

const [kind = "ours", ...which] = process.argv.slice(2);
const version = which.find((word): word is GoldenVersion => word in COMPAT) ?? "3.8.0";
const sample = Number(which.find((word) => /^\d+$/.test(word)) ?? Number.POSITIVE_INFINITY);
const prefixes = which.filter((word) => word.includes("/"));

const all = rowsOf(version).rows.filter(({ id }) => prefixes.length === 0 || prefixes.some((prefix) => id.startsWith(prefix)));
const rows = spread(all, sample);
const failures = await runRows(rows, kind === "apache" ? startApache : startOurs(COMPAT[version]), kind === "apache" ? 2 : 8);
if (failures.length > 0) console.log(describeFailures(failures));
console.log(
  `${rows.length} rows of ${version} on ${kind}: ${rows.length - failures.length} as recorded, ${failures.length} not`,
);
process.exitCode = failures.length === 0 ? 0 : 1;

/** Some of the rows: of each group in turn, at equal distances, until there are enough. */
function spread(from: readonly SemanticsRow[], most: number): readonly SemanticsRow[] {
  const groups = [...new Set(from.map(({ group }) => group))].map((name) => from.filter(({ group }) => group === name));
  const each = Math.ceil(most / groups.length);
  const chosen = groups.flatMap((rows) => {
    const step = Math.max(1, rows.length / each);
    return rows.filter((_, at) => Math.floor(at % step) === 0);
  });
  return chosen.slice(0, most);
}
