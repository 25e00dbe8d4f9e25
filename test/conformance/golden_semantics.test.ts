/**
 * All recorded rows of `golden/semantics*.jsonl`, each on a fresh server of ours that answers like the version it was recorded
 * with. The real server passes the same runner, see semantics_run.ts.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Compat } from "../../mod.ts";
import { describeFailures, type GoldenVersion, rowsOf, runRows } from "./rows.ts";
import { startOurs } from "./servers.ts";

/** Rows that are meant to come out differently, and why. */
const DIFFERENT_ON_PURPOSE: Readonly<Record<string, { readonly in: readonly GoldenVersion[]; readonly why: string }>> = {
  "setWatches/no-acl-check": {
    in: ["3.9.5"],
    why: "who may not read a znode is not told by setWatches what exists would not tell",
  },
  "path-sync/emoji-utf8": {
    in: ["3.8.0", "3.9.5", "3.4.14"],
    why: "characters beyond the basic plane are written in standard UTF-8, not as Java's surrogate pairs",
  },
  "order/check-op-outside-multi": {
    in: ["3.8.0", "3.4.14"],
    why: "a check outside a multi that holds is refused, as since 3.8.5, rather than left without an answer for ever",
  },
};

const VERSIONS: readonly (readonly [GoldenVersion, Compat])[] = [
  ["3.8.0", "3.8"],
  ["3.9.5", "3.9"],
  ["3.4.14", "3.4"],
];
const ROWS_AT_ONCE = 8;

describe("recorded rows", () => {
  for (const [version, compat] of VERSIONS) {
    test(`as ${version} answers them`, { timeout: 120_000 }, async (t) => {
      const { rows, notRun } = rowsOf(version);
      const purpose = (id: string): string | undefined => {
        const entry = DIFFERENT_ON_PURPOSE[id];
        return entry?.in.includes(version) ? entry.why : undefined;
      };
      const failures = await runRows(rows, startOurs(compat), ROWS_AT_ONCE);
      const unexpected = failures.filter(({ id }) => purpose(id) === undefined);
      const asExpected = failures.filter(({ id }) => purpose(id) !== undefined);
      const same = rows.length - failures.length;
      t.diagnostic(`${version}: ${same} of ${rows.length} rows as recorded`);
      for (const { id } of asExpected) t.diagnostic(`${version}: different on purpose: ${id}: ${purpose(id)}`);
      for (const [reason, count] of notRun) t.diagnostic(`${version}: ${count} rows not run: ${reason}`);
      assert.equal(unexpected.length, 0, `${unexpected.length} rows are not as recorded:\n${describeFailures(unexpected)}`);
      const stale = Object.keys(DIFFERENT_ON_PURPOSE).filter((id) => purpose(id) && !failures.some((one) => one.id === id));
      assert.deepEqual(stale, [], "rows that are as recorded by now need no exception");
    });
  }
});
