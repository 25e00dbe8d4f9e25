/**
 * Results of a run, one entry per row and server, and how each stands to its goals. Printing is table.ts's.
 */

import { type Goal, judge, limitFor, type Verdict } from "./goals.ts";
import type { Outcome } from "./measure.ts";
import type { Metrics } from "./metrics.ts";
import type { RuntimeName } from "./runtimes.ts";
import { type ServerKind, serverName } from "./servers.ts";
import type { Row } from "./workloads.ts";

/** One server in one row, and what Apache did there in the same run. */
export interface Result {
  readonly row: Row;
  readonly kind: ServerKind;
  readonly outcome: Outcome;
  readonly apache: Metrics | null;
}

export function toResults(row: Row, outcomes: ReadonlyMap<ServerKind, Outcome>): Result[] {
  const reference = outcomes.get("apache");
  const apache = reference === undefined || "failed" in reference ? null : reference.median;
  return [...outcomes].map(([kind, outcome]) => ({ row, kind, outcome, apache }));
}

/** A goal as it applies to one result. */
export interface Judgement {
  readonly goal: Goal;
  readonly gate: number;
  readonly stretch: number;
  /** Null when there is nothing to compare with; a goal that asks for durable writes says nothing of a server that keeps none. */
  readonly verdict: Verdict | "not durable" | null;
}

export function judgements({ row, kind, outcome, apache }: Result): Judgement[] {
  if (kind === "apache" || "failed" in outcome) return [];
  return row.goals.map((goal) => ({
    goal,
    gate: limitFor(goal.gate, kind),
    stretch: limitFor(goal.stretch, kind),
    verdict: goal.durable && !outcome.durable ? "not durable" : judge(goal, kind as RuntimeName, outcome.median, apache),
  }));
}

/** Rows that are worth nothing, because a server failed or answered wrongly; as sentences. */
export function failures(results: readonly Result[]): string[] {
  return results.flatMap(({ row, kind, outcome }) => {
    const where = `${row.id} on ${serverName(kind)}`;
    if ("failed" in outcome) return [`${where} failed: ${outcome.failed}`];
    return (outcome.median.errors ?? 0) > 0 ? [`${where} had errors`] : [];
  });
}

/** Gates that do not hold, as sentences. */
export function misses(results: readonly Result[]): string[] {
  return results.flatMap((result) =>
    judgements(result)
      .filter(({ verdict }) => verdict === "missed")
      .map(({ goal }) => `${result.row.id} on ${serverName(result.kind)} misses its gate for ${goal.metric}`),
  );
}

/** How many gates hold, how many are missed, and how many could not be judged. */
export function tally(results: readonly Result[]): string {
  const verdicts = results.flatMap((result) => judgements(result).map(({ verdict }) => verdict));
  const count = (...wanted: readonly unknown[]): number => verdicts.filter((verdict) => wanted.includes(verdict)).length;
  const held = `${count("gate", "stretch")} gates hold (${count("stretch")} of them reach the stretch), ${count("missed")} missed`;
  const open = count(null, "not durable");
  return open === 0 ? held : `${held}, ${open} without something to compare`;
}

/** All that was measured, every round of it. */
export function toJson(results: readonly Result[]): unknown {
  return results.map((result) => ({
    row: result.row.id,
    server: result.kind,
    ...result.outcome,
    goals: judgements(result).map(({ goal: { metric, against }, gate, stretch, verdict }) => {
      return { metric, against, gate, stretch, verdict };
    }),
  }));
}
