/** What many simulations did together. */
import type { SimulationResult } from "./simulation.ts";

type Counted = Exclude<keyof SimulationResult, "fingerprint" | "faultCounts">;
const COUNTED: readonly Counted[] = [
  "simulatedMs",
  "faults",
  "terms",
  "messages",
  "commits",
  "acknowledged",
  "answered",
  "events",
  "expired",
];

export type Totals = Record<Counted, number> & { seeds: number };

export function noTotals(): Totals {
  return { ...Object.fromEntries(COUNTED.map((what) => [what, 0])), seeds: 0 } as Totals;
}

export function add(totals: Totals, result: Omit<Totals, "seeds"> & { readonly seeds?: number }): void {
  totals.seeds += result.seeds ?? 1;
  for (const what of COUNTED) totals[what] += result[what];
}

export function totalsText(totals: Totals): string {
  const { seeds, simulatedMs, faults, terms, messages, commits, acknowledged, answered, events, expired } = totals;
  return [
    `${seeds} ensembles`,
    `${Math.floor(simulatedMs / 1000)} simulated seconds`,
    `${faults} faults`,
    `${terms} leaders`,
    `${messages} messages`,
    `${commits} txns`,
    `${acknowledged} writes acknowledged`,
    `${answered} answers and ${events} events judged`,
    `${expired} sessions expired`,
  ].join(", ");
}
