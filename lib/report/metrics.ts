/**
 * The text of `mntr`: one `zk_<key>\t<value>` a line, integers plain and means with decimals.
 *
 * First what every monitor reads, then whatever else was counted and measured. The order within is of no meaning, as in ZooKeeper.
 */

import { decimals } from "./java_text.ts";
import type { LeaderReport, ServerMode, ServerReport, SummaryReport } from "./report.ts";

type Metric = readonly [key: string, value: number | bigint | string];

export function monitorText(server: ServerReport): string {
  return monitorValues(server)
    .map(([key, value]) => `zk_${key}\t${value}\n`)
    .join("");
}

/** All keys, without `zk_`, with their values: what the admin command `monitor` tells, too. */
export function monitorValues(server: ServerReport): Metric[] {
  if (server.compat === "3.4") return values34(server);
  return [
    ["version", server.version],
    ["server_state", server.mode],
    ...coreValues(server),
    ...Object.entries(server.counters),
    ...Object.entries(server.summaries).flatMap(([name, summary]) => summaryValues(name, summary)),
  ];
}

function coreValues(server: ServerReport): Metric[] {
  return [
    ["avg_latency", decimals(server.latency.avgMs)],
    ["max_latency", server.latency.maxMs],
    ["min_latency", server.latency.minMs],
    ["packets_received", server.packetsReceived],
    ["packets_sent", server.packetsSent],
    ["num_alive_connections", server.connections.length],
    ["outstanding_requests", server.outstandingRequests],
    ["znode_count", server.nodeCount],
    ["watch_count", server.watchCount],
    ["ephemerals_count", server.ephemeralCount],
    ["approximate_data_size", server.approximateDataSize],
    ...fileDescriptorValues(server),
    ["uptime", Math.floor(server.uptimeMs)],
    ["global_sessions", server.globalSessionCount],
    ["local_sessions", server.localSessionCount],
    ["connection_drop_probability", decimals(server.dropChance)],
    ["last_client_response_size", server.responseBytes.last],
    ["max_client_response_size", server.responseBytes.max],
    ["min_client_response_size", server.responseBytes.min],
    ...ensembleValues(server),
  ];
}

/** A member that serves is in the last phase of its term. */
const STATES: Readonly<Partial<Record<ServerMode, string>>> = {
  leader: "leading - broadcast",
  follower: "following - broadcast",
  observer: "observing - broadcast",
};

function ensembleValues({ mode, configuration: { ensemble } }: ServerReport): Metric[] {
  if (ensemble === null) return [];
  const state = STATES[mode];
  return [
    ["quorum_size", ensemble.quorumSize],
    ...(state === undefined ? [] : [["peer_state", state] as const]),
    ...(ensemble.leading === null ? [] : leaderValues(ensemble.leading)),
  ];
}

function leaderValues(leading: LeaderReport): Metric[] {
  return [
    ["learners", leading.learners],
    ["synced_followers", leading.syncedFollowers],
    ["synced_non_voting_followers", leading.syncedNonVotingFollowers],
    ["synced_observers", leading.syncedObservers],
    ["pending_syncs", leading.pendingSyncs],
    ["leader_uptime", Math.floor(leading.uptimeMs)],
    ...proposalValues(leading),
  ];
}

function fileDescriptorValues({ fileDescriptors }: ServerReport): Metric[] {
  if (fileDescriptors === null) return [];
  return [
    ["open_file_descriptor_count", fileDescriptors.open],
    ["max_file_descriptor_count", fileDescriptors.max],
  ];
}

function proposalValues({ proposalBytes }: LeaderReport): Metric[] {
  return [
    ["last_proposal_size", proposalBytes.last],
    ["max_proposal_size", proposalBytes.max],
    ["min_proposal_size", proposalBytes.min],
  ];
}

function summaryValues(name: string, { min, max, count, sum, percentiles }: SummaryReport): Metric[] {
  return [
    [`avg_${name}`, decimals(count === 0 ? 0 : sum / count)],
    [`min_${name}`, min],
    [`max_${name}`, max],
    [`cnt_${name}`, count],
    [`sum_${name}`, sum],
    ...Object.entries(percentiles ?? {}).map(([rank, value]): Metric => [`${rank}_${name}`, value]),
  ];
}

/** 3.4 has these keys and no others, in this order. */
function values34(server: ServerReport): Metric[] {
  const { latency, counters } = server;
  return [
    ["version", server.version],
    ["avg_latency", Math.floor(latency.avgMs)],
    ["max_latency", latency.maxMs],
    ["min_latency", latency.minMs],
    ["packets_received", server.packetsReceived],
    ["packets_sent", server.packetsSent],
    ["num_alive_connections", server.connections.length],
    ["outstanding_requests", server.outstandingRequests],
    ["server_state", server.mode],
    ["znode_count", server.nodeCount],
    ["watch_count", server.watchCount],
    ["ephemerals_count", server.ephemeralCount],
    ["approximate_data_size", server.approximateDataSize],
    ...fileDescriptorValues(server),
    ["fsync_threshold_exceed_count", counters.fsync_threshold_exceed_count ?? 0],
    ...leaderValues34(server),
  ];
}

function leaderValues34({ configuration: { ensemble } }: ServerReport): Metric[] {
  const leading = ensemble?.leading ?? null;
  if (leading === null) return [];
  return [
    ["followers", leading.learners],
    ["synced_followers", leading.syncedFollowers],
    ["pending_syncs", leading.pendingSyncs],
    ...proposalValues(leading),
  ];
}
