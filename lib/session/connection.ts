/**
 * One connection of this member, local or remote: whose it is, what identities it has proved, and what it still waits for.
 *
 * Requests of a connection are answered in the order in which they came. So whatever comes while a write is on its way waits behind it.
 *
 * Invariant: the head of `waiting` is a write on its way, or `waiting` is empty.
 */
import { copyOf, provedOf } from "../acl/proved.ts";
import { Fifo } from "../base/fifo.ts";
import type { Peer } from "../kernel/messages.ts";
import type { Op } from "../model/ops.ts";
import type { AuthId, ConnId, Zxid } from "../model/types.ts";
import type { Session } from "./sessions.ts";

/** The zxid of what was passed on to the leader. */
export const NOT_KNOWN: Zxid = -1n;

/** So much memory may the identities of a connection take, bytes: they stay as long as it does. ZooKeeper has no limit. */
const AUTH_BYTES_MAX = 16 << 20;
/** What an identity takes beside its text, about. */
const IDENTITY_BYTES = 100;

/** A request that has not been answered. */
export interface Waiting {
  readonly xid: number;
  readonly op: Op;
  /** The identities when it was received: later ones don't count for it. */
  readonly authIds: readonly AuthId[];
  /** Of the txn it became; {@link NOT_KNOWN} where that is the leader's to say; null for what is answered once its turn comes. */
  readonly zxid: Zxid | null;
  /** When it was received, for the latency figures. */
  readonly receivedMono: number;
  /** Memory that it takes, about. */
  readonly heldBytes: number;
}

/** What `stat` and `cons` tell of a connection. */
export interface ConnectionStats {
  received: number;
  sent: number;
  readonly establishedWall: number;
  lastOp: string;
  lastCxid: number;
  lastZxid: Zxid;
  lastResponseMono: number;
  lastLatencyMs: number;
  /** Infinity before the first answer. */
  minLatencyMs: number;
  maxLatencyMs: number;
  totalLatencyMs: number;
}

export class Connection {
  readonly id: ConnId;
  readonly peer: Peer;
  /** null while the handshake is on its way. */
  session: Session | null = null;
  #authIds: readonly AuthId[];
  /** Memory that those take which it has added, about. */
  #authBytes = 0;
  /** Whether a request has them that may wait still. */
  #isHeld = false;
  readonly waiting: Fifo<Waiting> = new Fifo<Waiting>();
  /** Memory that what waits takes, about. */
  waitingBytes = 0;
  readonly stats: ConnectionStats;

  constructor(id: ConnId, peer: Peer, authIds: readonly AuthId[], wall: number) {
    this.id = id;
    this.peer = peer;
    this.#authIds = authIds;
    this.stats = freshStats(wall);
  }

  wait(request: Waiting): void {
    this.#isHeld = true;
    this.waiting.push(request);
    this.waitingBytes += request.heldBytes;
  }

  /** Takes what has waited longest, as its turn has come. */
  nextWaiting(): Waiting | undefined {
    const next = this.waiting.shift();
    if (next !== undefined) this.waitingBytes -= next.heldBytes;
    return next;
  }

  /** Adds identities; those that are known already stay as they are. False, and nothing is added, where there would be too many. */
  prove(proved: readonly AuthId[]): boolean {
    const known = provedOf(this.#authIds);
    const fresh = proved.filter(({ scheme, id }) => known.get(scheme)?.has(id) !== true);
    if (fresh.length === 0) return true;
    const bytes = fresh.reduce((sum, { scheme, id }) => sum + IDENTITY_BYTES + scheme.length + id.length, this.#authBytes);
    if (bytes > AUTH_BYTES_MAX) return false;
    this.#authBytes = bytes;
    // A request that waits keeps the identities of its time.
    if (this.#isHeld) this.#authIds = copyOf(this.#authIds);
    this.#isHeld = false;
    for (const id of fresh) (this.#authIds as AuthId[]).push(id);
    return true;
  }

  /** What it has proved, for a request that is being taken: it grows while none waits. */
  get authIds(): readonly AuthId[] {
    return this.#authIds;
  }

  /** Of one of these schemes, if there are any. */
  hasProvedAnyOf(schemes: readonly string[]): boolean {
    return schemes.length === 0 || this.authIds.some((id) => schemes.includes(id.scheme));
  }

  /** What `crst` does. */
  resetStats(): void {
    Object.assign(this.stats, freshStats(this.stats.establishedWall));
  }
}

function freshStats(establishedWall: number): ConnectionStats {
  return {
    received: 0,
    sent: 0,
    establishedWall,
    lastOp: "NA",
    lastCxid: -1,
    lastZxid: 0n,
    lastResponseMono: 0,
    lastLatencyMs: 0,
    minLatencyMs: Number.POSITIVE_INFINITY,
    maxLatencyMs: 0,
    totalLatencyMs: 0,
  };
}
