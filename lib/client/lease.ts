/**
 * Lease of a session as its client can be sure of it: until when the server keeps the session at least, and guards that are called before that is over.
 *
 * Messages are counted rather than timed: a server answers each once, so the n-th answer proves that the n-th message has arrived, and that the
 * session was renewed no earlier than it was sent. Not here: connections and their loss (session.ts).
 *
 * Invariant: a guard is called once at the most, and before a request of the handle settles whose answer came when the lease was over.
 */
import { ZkError } from "../model/errors.ts";
import type { Clock } from "../ports.ts";

/**
 * When ownership that hangs on a session counts as lost, by the rule that its owner has chosen.
 *
 * - `suspended`: as soon as the connection is lost, since nobody can tell how long the session goes on;
 * - `leaseEnd`: when the server may end the session: a short interruption does no harm.
 */
export type LossRule = "suspended" | "leaseEnd";

export const LOSS_RULES: readonly LossRule[] = ["suspended", "leaseEnd"];

interface Guard {
  readonly rule: LossRule;
  readonly lost: (reason: ZkError) => void;
}

/** What two clocks may differ by while one timeout passes. */
const CLOCK_DRIFT = 1 / 50;

export class Lease {
  readonly #clock: Clock;
  readonly #guards = new Set<Guard>();
  #timeoutMs = 0;
  /** The server has heard from the session at this time, or later. */
  #renewedMono = Number.NEGATIVE_INFINITY;
  /** Messages of this connection, and answers to them. */
  #posted = 0;
  #answered = 0;
  /** How many had been posted at a time; null while none is remembered. */
  #mark: { posted: number; mono: number } | null = null;
  #openedMono = 0;
  #connected = false;
  #cancelWake: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Monotonic time before which the server doesn't end the session. */
  get untilMono(): number {
    return this.#renewedMono + this.#timeoutMs * (1 - CLOCK_DRIFT);
  }

  /** Whether anybody wants to know. */
  get isGuarded(): boolean {
    return this.#guards.size > 0;
  }

  /** How many messages have been posted on this connection. */
  get posted(): number {
    return this.#posted;
  }

  /** A connection is opened, and the session claimed on it. */
  opened(): void {
    this.#openedMono = this.#clock.now().mono;
    this.#posted = 0;
    this.#answered = 0;
    this.#mark = null;
  }

  /** The server knows the session. One that is read-only renews nothing: it has nobody to tell. */
  welcomed(timeoutMs: number, readOnly: boolean): void {
    this.#timeoutMs = timeoutMs;
    if (readOnly) return;
    this.#renewedMono = this.#openedMono;
    this.#connected = true;
  }

  post(): void {
    this.#posted++;
  }

  answer(): void {
    this.#answered++;
    if (this.#mark === null || this.#answered <= this.#mark.posted) return;
    this.#renewedMono = this.#mark.mono;
    this.#mark = null;
  }

  /** Now and then: what is posted from here on is later than this. */
  tick(mono: number): void {
    if (!this.#connected) return;
    if (this.#mark === null) this.#mark = { posted: this.#posted, mono };
    else if (this.#mark.posted === this.#posted) this.#mark.mono = mono;
  }

  /** Calls the guards whose rule the time has broken. Cheap; only called while there are any. */
  check(): void {
    if (this.#clock.now().mono >= this.untilMono) this.#call(ALL, "SessionExpired", "the server may have ended the session");
  }

  /** The connection is lost. */
  suspended(reason: string): void {
    this.#connected = false;
    this.#call(({ rule }) => rule === "suspended", "ConnectionLoss", reason);
  }

  /** The session is over, or given up. */
  ended(reason: string): void {
    this.#connected = false;
    this.#renewedMono = Number.NEGATIVE_INFINITY;
    this.#call(ALL, "SessionExpired", reason);
  }

  /** Calls `lost` once, as the rule says, or at once if it is broken already. The returned function ends that. */
  guard(rule: LossRule, lost: (reason: ZkError) => void): () => void {
    const guard: Guard = { rule, lost };
    this.#guards.add(guard);
    if (rule === "suspended" && !this.#connected)
      this.#call((one) => one === guard, "ConnectionLoss", "there is no connection");
    else this.#watchTime();
    return () => {
      this.#guards.delete(guard);
      if (!this.isGuarded) this.#cancelWake();
    };
  }

  #watchTime(): void {
    this.#cancelWake();
    this.#cancelWake = this.#clock.wakeAt(this.untilMono, () => {
      this.check();
      if (this.isGuarded) this.#watchTime();
    });
  }

  #call(which: (guard: Guard) => boolean, code: "ConnectionLoss" | "SessionExpired", reason: string): void {
    for (const guard of [...this.#guards].filter(which)) {
      this.#guards.delete(guard);
      guard.lost(new ZkError(code, { operation: "keep the session", reason }));
    }
    if (!this.isGuarded) this.#cancelWake();
  }
}

const ALL = (): boolean => true;
