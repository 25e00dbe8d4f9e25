/**
 * Which of the keys that ZooKeeper's `mntr` had when it was recorded ours has, and why it has not the others.
 *
 * Monitors ask for keys by name, so a key that goes missing must be a decision that somebody wrote down.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { tcp } from "../../adapters/tcp/mod.ts";
import { open } from "../../mod.ts";
import { projectPath } from "../support/root.ts";
import { fourLetterWord } from "../support/server_process.ts";

const STATISTIC = /^(avg|min|max|cnt|sum|p50|p95|p99|p999)_/;

/** Keys, without `zk_` and without the statistic's name, and why they are missing. */
const MISSING: readonly (readonly [reason: string, keys: RegExp])[] = [
  [
    "stages and queues of ZooKeeper's threads: here a request runs through in one step",
    /^(prep_|sync_process|sync_processor_|commit_process_time$|commit_commit_proc|(read|write)_(commit|final_proc|batch)|request_commit_queued|requests?_(throttle|not_forwarded|in_session)|reads_|session_queues|pending_session|concurrent_request|time_waiting|(local|server)_write_committed|outstanding_changes_|skip_learner|close_session_prep|stale_|throttled_ops|socket_closing)/,
  ],
  [
    "of the messages between an ensemble's members, which are not measured",
    /^(proposal|learner_|looking_count|diff_count|(re|connection_re)validate_count|quit_leading|commit_count|election_time|(follower|observer)_sync|inflight_|leader_unavailable|unavailable_time|om_|quorum_ack|commit_propagation|propagation_latency)/,
  ],
  [
    "of the disk: the log tells of each snapshot, of how a start went, and of syncs that took long",
    /^(snap_count|fsynctime|snapshottime|startup_|dbinittime)/,
  ],
  [
    "of TLS handshakes, of connections by how they are secured, of names by which clients call the ensemble: nobody counts",
    /mtls|tls_handshake|ensemble_auth|unsuccessful_handshake|insecure_admin/,
  ],
  ["of a Java machine or of a Java library", /^(jvm_|netty_)/],
  ["of caches and cleaners that there is no need for", /response_packet_|dead_watcher/],
  [
    "of streams that end, of tokens that lack, and of a budget for large requests: nobody counts",
    /^(connection_drop_count|connection_token_deficit|large_requests_rejected)/,
  ],
  ["a sum over all watched paths that nobody has missed", /^watch_bytes$/],
  ["not measured: bytes by the first name of a path, watchers by event", /_per_namespace$|^node_\w+_watch_count$/],
  [
    "the server ends, or never began, where ZooKeeper counts",
    /^(unrecoverable_error_count|cnxn_closed_without_zk_server_running|digest_mismatches_count)$/,
  ],
];

test("mntr has the keys of ZooKeeper 3.8.0, but for those that are listed with a reason", async () => {
  const theirs = keysOf(recordedAnswer());
  const ours = keysOf(await ourAnswer());
  const missing = new Map<string, string[]>();
  for (const key of theirs) {
    if (ours.has(key) || (process.platform !== "linux" && key.includes("file_descriptor"))) continue;
    const name = key.replace(STATISTIC, "");
    const reason = MISSING.find(([, keys]) => keys.test(name))?.[0];
    assert.ok(reason, `${key} is missing, and nobody said why`);
    missing.set(reason, [...(missing.get(reason) ?? []), key]);
  }
  for (const key of ours) assert.ok(theirs.has(key), `${key} is none of ZooKeeper's`);
  console.log(`mntr: ${ours.size} of ${theirs.size} keys`);
  for (const [reason, keys] of missing) console.log(`  ${keys.length} are ${reason}`);
  for (const [reason] of MISSING) assert.ok(missing.has(reason), `no key is missing any more because it is ${reason}`);
});

function keysOf(answer: string): Set<string> {
  return new Set(
    answer
      .trimEnd()
      .split("\n")
      .map((line) => line.slice("zk_".length, line.indexOf("\t"))),
  );
}

function recordedAnswer(): string {
  const rows = readFileSync(projectPath("test/golden/client/four-letter-words.jsonl"), "utf8").trim().split("\n");
  const frames = rows.map((row) => JSON.parse(row) as { dir: string; conn: number; hex: string });
  const asked = frames.find(({ dir, hex }) => dir === "c2s" && hex === Buffer.from("mntr").toString("hex"));
  const answer = frames.filter(({ dir, conn }) => dir === "s2c" && conn === asked?.conn).map(({ hex }) => hex);
  return Buffer.from(answer.join(""), "hex").toString();
}

async function ourAnswer(): Promise<string> {
  await using server = await open({ fourLetterWords: ["mntr"] });
  const { port } = await server.listen(tcp({ port: 0 }));
  return await fourLetterWord(port, "mntr");
}
