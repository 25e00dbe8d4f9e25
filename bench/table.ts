/**
 * Results as a table for people.
 *
 * It judges nothing and hides nothing: errors, a load generator that was the bottleneck and a server that kept nothing on disk are
 * said beside the figures.
 */

import { ratio, type Verdict } from "./goals.ts";
import type { Metrics, ShownMetric } from "./metrics.ts";
import { judgements, type Result } from "./results.ts";
import { serverName } from "./servers.ts";
import type { Group } from "./workloads.ts";

/** How a metric is headed and written, and whether its ratio to Apache is shown. */
interface Style {
  readonly label: string;
  readonly format: (value: number) => string;
  readonly hasRatio: boolean;
}

const STYLES: Readonly<Record<ShownMetric, Style>> = {
  perSecond: { label: "ops/s", format: whole, hasRatio: true },
  perCpuSecond: { label: "per CPU second", format: whole, hasRatio: false },
  cpuUs: { label: "CPU µs", format: threeDigits, hasRatio: true },
  cpuMs: { label: "CPU ms", format: threeDigits, hasRatio: true },
  wallMs: { label: "ms", format: threeDigits, hasRatio: true },
  firstMs: { label: "first ms", format: threeDigits, hasRatio: false },
  p50Ms: { label: "p50 ms", format: threeDigits, hasRatio: false },
  p99Ms: { label: "p99 ms", format: threeDigits, hasRatio: false },
  maxMs: { label: "longest ms", format: threeDigits, hasRatio: false },
  residentBytes: { label: "memory", format: bytes, hasRatio: true },
  bytesEach: { label: "each", format: bytes, hasRatio: true },
};

const MARKS: Readonly<Record<Verdict | "not durable", string>> = {
  stretch: "✓✓",
  gate: "✓",
  missed: "✗",
  "not durable": "(nothing kept)",
};

/** From this share of a core on, the load generator is taken for the bottleneck. */
const GENERATOR_BOUND = 0.95;

interface Column {
  readonly head: string;
  readonly text: (result: Result, metrics: Metrics) => string;
}

export function table(group: Group, results: readonly Result[]): string {
  const columns = group.columns.flatMap((metric) => columnsOf(metric, results));
  const lines = results.map((result, index) => {
    const shape = results[index - 1]?.row === result.row ? "" : result.row.shape;
    const { outcome } = result;
    const figures =
      "failed" in outcome
        ? columns.map((_, at) => (at === 0 ? "failed" : ""))
        : columns.map(({ text }) => text(result, outcome.median));
    return [shape, serverName(result.kind), ...figures];
  });
  return `${group.title}\n${align([["", "", ...columns.map(({ head }) => head)], ...lines], results.map(remarks))}\n`;
}

function columnsOf(metric: ShownMetric, results: readonly Result[]): Column[] {
  const { label, format, hasRatio } = STYLES[metric];
  const columns: Column[] = [{ head: label, text: (_, metrics) => figure(metrics[metric], format) }];
  if (hasRatio && results.some(({ kind, apache }) => kind !== "apache" && apache !== null)) {
    const text = ({ kind, apache }: Result, metrics: Metrics): string =>
      kind === "apache" ? "" : figure(ratio(metric, metrics, apache), threeDigits);
    columns.push({ head: "×", text });
  }
  if (results.some((result) => judgements(result).some(({ goal }) => goal.metric === metric))) {
    columns.push({ head: "goal", text: (result) => goalText(result, metric) });
  }
  return columns;
}

function goalText(result: Result, metric: ShownMetric): string {
  const judgement = judgements(result).find(({ goal }) => goal.metric === metric);
  if (judgement === undefined) return "";
  const { goal, gate, stretch, verdict } = judgement;
  const format = goal.against === "apache" ? threeDigits : STYLES[metric].format;
  const limits = gate === stretch ? format(gate) : `${format(gate)}→${format(stretch)}`;
  return verdict === null ? limits : `${limits} ${MARKS[verdict]}`;
}

function remarks({ outcome }: Result): string {
  if ("failed" in outcome) return outcome.failed;
  const { errors = 0, loadCpuShare = 0 } = outcome.median;
  const found: string[] = [];
  if (errors > 0) found.push(`${errors} errors`);
  if (loadCpuShare > GENERATOR_BOUND) found.push("bound by the load generator");
  return found.join(", ");
}

function figure(value: number | undefined, format: (value: number) => string): string {
  return value !== undefined && Number.isFinite(value) ? format(value) : "–";
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function threeDigits(value: number): string {
  return value >= 100 ? whole(value) : String(Number(value.toPrecision(value >= 1 ? 3 : 2)));
}

function bytes(value: number): string {
  if (Math.abs(value) >= 1e6) return `${(value / 1e6).toFixed(1)} MB`;
  return Math.abs(value) >= 1e3 ? `${(value / 1e3).toFixed(2)} kB` : `${Math.round(value)} B`;
}

/** The first two columns read from the left, figures from the right. A remark follows its line, whatever its length. */
function align(lines: readonly (readonly string[])[], remarks: readonly string[]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const pad = (cell: string, column: number): string =>
    column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  return lines.map((line, index) => `  ${[...line.map(pad), remarks[index - 1] ?? ""].join("  ").trimEnd()}`).join("\n");
}
