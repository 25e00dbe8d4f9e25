/**
 * Goals of the benchmark: for each kind of work a gate that must hold and a stretch worth trying for.
 *
 * Most goals are ratios to Apache ZooKeeper in the same interleaved run, since absolute figures tell more about the machine than
 * about the server. CPU time per operation is the steadier of the two; throughput on a busy machine is not.
 */

import type { Metrics, ShownMetric } from "./metrics.ts";
import type { RuntimeName } from "./runtimes.ts";

/** A limit for every runtime, or one by runtime where they differ by nature. */
export type Limit = number | Readonly<Record<RuntimeName, number>>;

export interface Goal {
  readonly metric: ShownMetric;
  /** `apache`: the limits are multiples of Apache's figure. `absolute`: they are figures of the metric itself. */
  readonly against: "apache" | "absolute";
  readonly gate: Limit;
  /** Equal to the gate where nothing more is asked. */
  readonly stretch: Limit;
  /** Counts only once the server writes its log: Apache pays for the disk. */
  readonly durable?: true;
}

export type Verdict = "stretch" | "gate" | "missed";

const HIGHER_IS_BETTER: readonly ShownMetric[] = ["perSecond", "perCpuSecond"];

type GoalName =
  | ("pipelinedGetData" | "pipelinedSmall" | "getChildren" | "unpipelinedReads")
  | ("durableSet100" | "durableSet1000" | "durableSet64Clients" | "durableSetOneClient" | "createDelete")
  | ("mixed90" | "mixed70" | "fanOut" | "connects" | "start" | "idleSession" | "znode")
  | ("recoverLog" | "recoverSnapshot" | "readsBesideSnapshot")
  | ("threeGet" | "threeSet100" | "threeSet1000" | "failOver")
  | ("localGet" | "localSet" | "localCreate" | "open" | "openWithPort");

export const GOALS: Readonly<Record<GoalName, readonly Goal[]>> = {
  pipelinedGetData: throughput([5, 7], [0.18, 0.12]),
  pipelinedSmall: throughput([6, 10], [0.15, 0.08]),
  getChildren: throughput([2.5, 4], [0.35, 0.15]),
  unpipelinedReads: throughput([1.5, 2.2], [0.55, 0.35]),
  durableSet100: durable(throughput([3, 5], [0.3, 0.2])),
  durableSet1000: durable(throughput([2, 3], [0.4, 0.3])),
  durableSet64Clients: durable(throughput([1.2, 1.8], [0.7, 0.5])),
  durableSetOneClient: durable(throughput([1.0, 1.3], [0.7, 0.5])),
  createDelete: durable(throughput([2.5, 4], [0.35, 0.22])),
  mixed90: durable(throughput([3, 3.4], [0.35, 0.25])),
  mixed70: durable(throughput([2.2, 2.6], [0.4, 0.3])),
  fanOut: throughput([1.5, 2], [0.6, 0.4]),
  connects: durable(throughput([1.2, 2], [0.7, 0.4])),
  start: [
    atMost("wallMs", { node: 0.25, deno: 0.2, bun: 0.08 }, { node: 0.25, deno: 0.2, bun: 0.08 }),
    atMost("cpuMs", 0.3, 0.3),
  ],
  idleSession: [
    absolute("bytesEach", { node: 8000, bun: 4000, deno: 8000 }, { node: 8000, bun: 4000, deno: 8000 }),
    atMost("cpuUs", 0.45, 0.45),
  ],
  znode: [atMost("bytesEach", 0.35, 0.2)],
  recoverLog: [atMost("wallMs", 0.4, 0.25), atMost("cpuMs", 0.4, 0.25)],
  recoverSnapshot: [atMost("wallMs", 0.5, 0.3), atMost("cpuMs", 0.5, 0.3), atMost("bytesEach", 0.35, 0.2)],
  readsBesideSnapshot: [absolute("maxMs", 50, 10)],
  threeGet: throughput([5, 8], [0.15, 0.15]),
  threeSet100: durable(throughput([2, 3], [0.4, 0.4])),
  threeSet1000: durable(throughput([1.5, 2.5], [0.55, 0.55])),
  failOver: [atMost("wallMs", 0.5, 0.25)],
  localGet: [absolute("perCpuSecond", 600_000, 1_000_000)],
  localSet: [absolute("perCpuSecond", 250_000, 500_000)],
  localCreate: [absolute("perCpuSecond", 200_000, 300_000)],
  open: [absolute("wallMs", 2, 1)],
  openWithPort: [absolute("wallMs", 3, 3)],
};

/** How the figure stands to the goal; null when there is nothing to compare with. */
export function judge(goal: Goal, runtime: RuntimeName, ours: Metrics, apache: Metrics | null): Verdict | null {
  const value = goal.against === "absolute" ? ours[goal.metric] : ratio(goal.metric, ours, apache);
  if (value === undefined || Number.isNaN(value)) return null;
  const holds = (limit: number): boolean => (HIGHER_IS_BETTER.includes(goal.metric) ? value >= limit : value <= limit);
  if (holds(limitFor(goal.stretch, runtime))) return "stretch";
  return holds(limitFor(goal.gate, runtime)) ? "gate" : "missed";
}

/** Our figure as a multiple of Apache's. */
export function ratio(metric: ShownMetric, ours: Metrics, apache: Metrics | null): number | undefined {
  const [value, theirs] = [ours[metric], apache?.[metric]];
  return value === undefined || theirs === undefined ? undefined : value / theirs;
}

export function limitFor(limit: Limit, runtime: RuntimeName): number {
  return typeof limit === "number" ? limit : limit[runtime];
}

type GateAndStretch = readonly [gate: number, stretch: number];

function throughput([gate, stretch]: GateAndStretch, cpu: GateAndStretch): Goal[] {
  return [{ metric: "perSecond", against: "apache", gate, stretch }, atMost("cpuUs", ...cpu)];
}

function atMost(metric: ShownMetric, gate: Limit, stretch: Limit): Goal {
  return { metric, against: "apache", gate, stretch };
}

function absolute(metric: ShownMetric, gate: Limit, stretch: Limit): Goal {
  return { metric, against: "absolute", gate, stretch };
}

function durable(goals: readonly Goal[]): Goal[] {
  return goals.map((goal) => ({ ...goal, durable: true }));
}
