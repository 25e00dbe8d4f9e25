/**
 * `/metrics`: the figures of `mntr` in Prometheus' text format, under the names that ZooKeeper gives them, and those of the process.
 *
 * Not here: where figures come from (lib/report/metrics, runtime.ts). Invariant: each metric has one HELP, one TYPE, and stands once.
 */
import type { ServerReport, SummaryReport } from "../../lib/report/report.ts";

export type MetricType = "gauge" | "counter" | "summary";

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly samples: readonly Sample[];
}

interface Sample {
  /** What comes behind the name: `_sum`, or nothing. */
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number | bigint;
}

/** The content type that scrapers want. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export function metricsText(metrics: readonly Metric[]): string {
  return metrics.map(metricText).join("");
}

function metricText({ name, help, type, samples }: Metric): string {
  const head = `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n`;
  return head + samples.map(({ suffix = "", labels, value }) => `${name}${suffix}${labelText(labels)} ${value}\n`).join("");
}

function labelText(labels: Sample["labels"]): string {
  if (labels === undefined) return "";
  const escaped = (value: string): string => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `{${Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)}}`;
}

/** One figure, with no label. */
export function single(name: string, type: MetricType, value: number | bigint, help: string): Metric {
  return { name, help, type, samples: [{ value }] };
}

/** What ZooKeeper itself counts; a name of its own ends in no unit. */
export function serverMetrics(server: ServerReport): readonly Metric[] {
  const { latency, responseBytes, fileDescriptors, configuration } = server;
  const gauge = (name: string, value: number, help: string): Metric => single(name, "gauge", value, help);
  return [
    gauge("avg_latency", latency.avgMs, "Mean time from a request to its answer, milliseconds."),
    gauge("min_latency", latency.minMs, "Least time from a request to its answer, milliseconds."),
    gauge("max_latency", latency.maxMs, "Longest time from a request to its answer, milliseconds."),
    single("packets_received", "counter", server.packetsReceived, "Requests received, pings included."),
    single("packets_sent", "counter", server.packetsSent, "Answers and events sent."),
    gauge("num_alive_connections", server.connections.length, "Open connections of clients."),
    gauge("outstanding_requests", server.outstandingRequests, "Requests taken and not yet answered."),
    gauge("znode_count", server.nodeCount, "Znodes in the tree."),
    gauge("watch_count", server.watchCount, "Watches that are set."),
    gauge("ephemerals_count", server.ephemeralCount, "Ephemeral znodes."),
    gauge("approximate_data_size", server.approximateDataSize, "Bytes of all paths and data."),
    ...(fileDescriptors === null
      ? []
      : [
          gauge("open_file_descriptor_count", fileDescriptors.open, "Open file descriptors of the process."),
          gauge("max_file_descriptor_count", fileDescriptors.max, "File descriptors that the process may have open."),
        ]),
    gauge("uptime", Math.floor(server.uptimeMs), "Time since the server started, milliseconds."),
    gauge("global_sessions", server.globalSessionCount, "Sessions of the ensemble."),
    gauge("local_sessions", server.localSessionCount, "Sessions of this member alone."),
    gauge("connection_drop_probability", server.dropChance, "Chance that a new connection is turned away."),
    gauge("last_client_response_size", responseBytes.last, "Bytes of the last answer; -1 before the first."),
    gauge("min_client_response_size", responseBytes.min, "Bytes of the smallest answer; -1 before the first."),
    gauge("max_client_response_size", responseBytes.max, "Bytes of the largest answer; -1 before the first."),
    ...ensembleMetrics(configuration.ensemble),
    ...Object.entries(server.counters).map(([name, value]) => single(name, "counter", value, `Count of ${spaced(name)}.`)),
    ...Object.entries(server.summaries).map(([name, summary]) => summaryMetric(name, summary)),
  ];
}

function ensembleMetrics(ensemble: ServerReport["configuration"]["ensemble"]): readonly Metric[] {
  if (ensemble === null) return [];
  const gauge = (name: string, value: number, help: string): Metric => single(name, "gauge", value, help);
  const { leading } = ensemble;
  return [
    gauge("quorum_size", ensemble.quorumSize, "Members that vote."),
    ...(leading === null
      ? []
      : [
          gauge("learners", leading.learners, "Members that follow or observe this leader."),
          gauge("synced_followers", leading.syncedFollowers, "Followers that are up to date."),
          gauge(
            "synced_non_voting_followers",
            leading.syncedNonVotingFollowers,
            "Followers without a vote that are up to date.",
          ),
          gauge("synced_observers", leading.syncedObservers, "Observers that are up to date."),
          gauge("pending_syncs", leading.pendingSyncs, "Requests to sync that wait for a commit."),
          gauge("leader_uptime", Math.floor(leading.uptimeMs), "Time since this member began to lead, milliseconds."),
          gauge("last_proposal_size", leading.proposalBytes.last, "Bytes of the last proposal; -1 before the first."),
          gauge("min_proposal_size", leading.proposalBytes.min, "Bytes of the smallest proposal; -1 before the first."),
          gauge("max_proposal_size", leading.proposalBytes.max, "Bytes of the largest proposal; -1 before the first."),
        ]),
  ];
}

const QUANTILES = [
  ["0.5", "p50"],
  ["0.95", "p95"],
  ["0.99", "p99"],
  ["0.999", "p999"],
] as const;

function summaryMetric(name: string, { count, sum, percentiles }: SummaryReport): Metric {
  const ranks = percentiles === null ? [] : QUANTILES;
  return {
    name,
    help: `Distribution of ${spaced(name)}, milliseconds.`,
    type: "summary",
    samples: [
      ...ranks.map(([quantile, rank]) => ({ labels: { quantile }, value: percentiles![rank] })),
      { suffix: "_sum", value: sum },
      { suffix: "_count", value: count },
    ],
  };
}

function spaced(name: string): string {
  return name.replaceAll("_", " ");
}
