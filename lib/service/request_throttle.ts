/**
 * Requests that wait because too many others are on their way (ZooKeeper: `request_throttle_*`, `throttled_op_wait_time`).
 *
 * Not here: connections that are not read from meanwhile (client_connection.ts). Invariant: requests go on in the order in which
 * they came; those of a client that is gone do not go on at all.
 */
import { Fifo } from "../base/fifo.ts";
import type { Host } from "../member/host.ts";
import type { Op } from "../model/ops.ts";
import type { ConnId } from "../model/types.ts";
import type { ThrottleSettings } from "../options/options.ts";
import { heldBytes } from "../session/held_bytes.ts";

/** Whose requests they are; while many of them are held here, it is not read from. */
export interface Asker {
  readonly conn: ConnId | null;
  /** Requests of it that are held here, and the memory that they take, about. */
  heldRequests: number;
  heldBytes: number;
}

interface Held {
  readonly asker: Asker;
  readonly xid: number;
  readonly op: Op;
  readonly bytes: number;
  readonly since: number;
}

/** Counts for `mntr`, by its names. */
export interface ThrottleCounters {
  throttled_ops: number;
  request_throttle_wait_count: number;
  stale_requests_dropped: number;
}

export class RequestThrottle {
  readonly #host: Host;
  readonly #settings: ThrottleSettings;
  readonly #counters: ThrottleCounters;
  readonly #held: Fifo<Held> = new Fifo<Held>();
  #cancelWake: (() => void) | null = null;

  constructor(host: Host, settings: ThrottleSettings, counters: ThrottleCounters) {
    this.#host = host;
    this.#settings = settings;
    this.#counters = counters;
  }

  submit(asker: Asker, xid: number, op: Op): void {
    if (this.#held.length === 0 && !this.#isFull) return this.#host.submit({ kind: "request", conn: asker.conn!, xid, op });
    const bytes = heldBytes(op);
    asker.heldRequests++;
    asker.heldBytes += bytes;
    this.#held.push({ asker, xid, op, bytes, since: this.#host.clock.now().mono });
    this.#wakeAfter(this.#settings.stallTimeMs);
  }

  /** Something was answered: there may be room again. */
  answered(): void {
    if (this.#held.length === 0 || this.#isFull) return;
    this.#cancelWake?.();
    this.#cancelWake = null;
    this.#wakeAfter(0);
  }

  get #isFull(): boolean {
    const { requestsInProcessMax } = this.#settings;
    return requestsInProcessMax > 0 && this.#host.member.kernel.outstandingCount >= requestsInProcessMax;
  }

  #wakeAfter(delayMs: number): void {
    if (this.#cancelWake !== null) return;
    this.#counters.request_throttle_wait_count++;
    const { clock } = this.#host;
    this.#cancelWake = clock.wakeAt(clock.now().mono + delayMs, () => {
      this.#cancelWake = null;
      this.#host.turn(() => this.#goOn(clock.now().mono));
      if (this.#held.length > 0) this.#wakeAfter(this.#settings.stallTimeMs);
    });
  }

  #goOn(mono: number): void {
    while (!this.#isFull) {
      const held = this.#held.shift();
      if (held === undefined) return;
      const { asker, xid, op, bytes, since } = held;
      const conn = asker.conn!;
      asker.heldRequests--;
      asker.heldBytes -= bytes;
      if (this.#host.member.kernel.connections.has(conn)) {
        this.#host.submit({ kind: "request", conn, xid, op: this.#orThrottled(op, mono - since) });
      } else {
        this.#counters.stale_requests_dropped++;
      }
    }
  }

  /** What has waited for too long is not carried out any more, but for what keeps or ends a session, or proves who it is. */
  #orThrottled(op: Op, waitedMs: number): Op {
    const { opWaitTimeMs } = this.#settings;
    if (opWaitTimeMs === 0 || waitedMs <= opWaitTimeMs || ALWAYS_CARRIED_OUT.has(op.kind)) return op;
    this.#counters.throttled_ops++;
    return { kind: "unreadable", op: op.kind === "unreadable" ? op.op : op.kind, write: false, code: "ThrottledOp" };
  }
}

const ALWAYS_CARRIED_OUT: ReadonlySet<Op["kind"]> = new Set<Op["kind"]>(["ping", "closeSession", "auth", "sasl"]);
