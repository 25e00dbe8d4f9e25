/**
 * Counts of what a member did, for the four-letter words and the admin commands. Nothing decides by them.
 */
import type { OpKind } from "../model/ops.ts";
import type { Zxid } from "../model/types.ts";
import type { Connection } from "../session/connection.ts";
import type { Tree } from "../tree/tree.ts";
import { isUpdate } from "./classify.ts";
import { Latencies } from "./latencies.ts";

/** A digest is kept for each zxid that is a multiple of this, as in ZooKeeper. */
const DIGEST_EVERY = 128n;
const DIGESTS_MAX = 1024;

export class ServerStats {
  packetsReceived = 0;
  packetsSent = 0;
  authFailures = 0;
  /** Infinity before the first answer. */
  minLatencyMs: number = Number.POSITIVE_INFINITY;
  maxLatencyMs = 0;
  #totalLatencyMs = 0;
  #answers = 0;
  /** Of requests that were answered without a txn, and of those that became one. */
  readonly reads: Latencies = new Latencies();
  readonly updates: Latencies = new Latencies();
  /** The last digests, oldest first. */
  readonly digests: { readonly zxid: Zxid; readonly digest: bigint }[] = [];

  /** Mean milliseconds from receiving a request to answering it. */
  get avgLatencyMs(): number {
    return this.#answers === 0 ? 0 : this.#totalLatencyMs / this.#answers;
  }

  received(connection: Connection): void {
    this.packetsReceived++;
    connection.stats.received++;
  }

  answered(connection: Connection, op: OpKind | "SESS", cxid: number, zxid: Zxid, receivedMono: number, mono: number): void {
    const latencyMs = Math.floor(mono - receivedMono);
    const { stats } = connection;
    this.packetsSent++;
    this.#answers++;
    this.#totalLatencyMs += latencyMs;
    if (latencyMs > this.maxLatencyMs) this.maxLatencyMs = latencyMs;
    if (latencyMs < this.minLatencyMs) this.minLatencyMs = latencyMs;
    (op === "SESS" || isUpdate(op) ? this.updates : this.reads).add(latencyMs);
    stats.sent++;
    stats.lastOp = op;
    // Pings and the like have numbers below zero: the last one that the client counted is kept.
    if (cxid >= 0) stats.lastCxid = cxid;
    stats.lastZxid = zxid;
    stats.lastResponseMono = mono;
    stats.lastLatencyMs = latencyMs;
    stats.totalLatencyMs += latencyMs;
    if (latencyMs > stats.maxLatencyMs) stats.maxLatencyMs = latencyMs;
    if (latencyMs < stats.minLatencyMs) stats.minLatencyMs = latencyMs;
  }

  sentEvent(connection: Connection): void {
    this.packetsSent++;
    connection.stats.sent++;
  }

  applied(zxid: Zxid, tree: Tree): void {
    if (!tree.options.digest || zxid % DIGEST_EVERY !== 0n) return;
    this.digests.push({ zxid, digest: tree.digest });
    if (this.digests.length > DIGESTS_MAX) this.digests.shift();
  }

  /** What `srst` does. */
  reset(): void {
    this.packetsReceived = 0;
    this.packetsSent = 0;
    this.minLatencyMs = Number.POSITIVE_INFINITY;
    this.maxLatencyMs = 0;
    this.#totalLatencyMs = 0;
    this.#answers = 0;
    this.authFailures = 0;
    this.reads.reset();
    this.updates.reset();
  }
}
