/**
 * The pump of one member: takes what comes in, steps the member, carries its effects out in order, and keeps its time.
 *
 * Not here: what anything means. It knows connections as sinks, the log as something to append to, and the clock.
 *
 * Invariants: a step runs to its end, and its effects are carried out before the next step begins. No reply goes out before the log has what it
 * stands for. What already waits is stepped before time is: a stalled event loop expires nobody whose ping has arrived.
 */

import { logThrown } from "../base/log_thrown.ts";
import type { ToHost } from "../broadcast/contract.ts";
import type { Effect, Input } from "../kernel/messages.ts";
import type { Proposal } from "../model/txns.ts";
import type { ConnId, Now, SessionId, Zxid } from "../model/types.ts";
import type { Clock, Logger } from "../ports.ts";
import type { Member, MemberEffect, MemberInput } from "./member.ts";
import type { HostTap } from "./tap.ts";

/** What a connection's client says. */
export type ConnInput = Extract<Input, { readonly conn: ConnId }>;
/** What concerns one connection. */
export type ConnEffect = Extract<Effect, { readonly conn: ConnId }>;

/** Where the effects of one connection go, in delivery order; `close` is the last. */
export interface ConnectionSink {
  carryOut(effect: ConnEffect): void;
}

/**
 * Makes proposals durable. A promise resolves once they are; without one they are when the call returns. Calls may overlap, and those whose
 * proposals become durable together may get the same promise.
 */
export type AppendToLog = (proposals: readonly Proposal[]) => Promise<void> | undefined;

export interface HostOptions {
  readonly member: Member;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Carries out what concerns the other members and the disk beside the log; a server that stands alone has nothing of it. */
  readonly carryOut?: (effect: ToHost) => void;
  /** null: memory only; what is proposed counts as durable at once. */
  readonly append: AppendToLog | null;
  /** Numbers connections, where several hosts do it together; default from 1 on. */
  readonly takeConn?: () => ConnId;
  /** Hears what happens; default: nobody does. */
  readonly tap?: HostTap;
  /** Called once if the member can't go on: a broken invariant, or a log that can't be written. */
  readonly failed: (error: unknown) => void;
}

export class Host {
  readonly #options: HostOptions;
  readonly #tap: HostTap | null;
  readonly #sinks = new Map<ConnId, ConnectionSink>();
  readonly #queue: MemberInput[] = [];
  readonly #batch: Proposal[] = [];
  readonly #atTurnEnd: (() => void)[] = [];
  readonly #beforeTick: (() => void)[] = [];
  #now: Now;
  #inTurn = false;
  #stepping = false;
  #nextConn: ConnId = 1;
  /** The last promise of the log that has not resolved, and up to where what it stands for goes. */
  #appending: { readonly durable: Promise<void>; readonly began: number; zxid: Zxid; txns: number } | null = null;
  #stopped = false;
  #wake: { readonly mono: number; readonly cancel: () => void } | null = null;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#tap = options.tap ?? null;
    this.#now = options.clock.now();
    this.#armWake();
  }

  get member(): Member {
    return this.#options.member;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** The time of the turn that is going on, or of the last one. */
  get now(): Now {
    return this.#now;
  }

  /** Registers a connection. What its client says, `connect` first, goes to {@link submit}. */
  attach(sink: ConnectionSink): ConnId {
    const conn = this.#options.takeConn?.() ?? this.#nextConn++;
    this.#sinks.set(conn, sink);
    return conn;
  }

  submit(input: ConnInput): void {
    if (this.#stopped) return;
    if (input.kind === "disconnect" && !this.#sinks.delete(input.conn)) return;
    if (this.#tap !== null && (input.kind !== "request" || this.#tap.hearsRequests)) this.#tap.heard(input);
    if (this.#inTurn) this.#step(input);
    else this.turn(() => this.#step(input));
  }

  /** Hands over what the other members and the disk say. */
  hear(input: Exclude<MemberInput, Input>): void {
    if (this.#inTurn) this.#step(input);
    else this.turn(() => this.#step(input));
  }

  /** Ends a session, as if it had fallen due: its ephemerals go, and its connection is closed. */
  expire(session: SessionId): void {
    this.turn(() => this.#step({ kind: "expire", session }));
  }

  /**
   * Runs what hands over several inputs as one turn: the time is asked for once, and the log and whatever waits for the end of the turn are
   * served once.
   */
  turn(run: () => void): void {
    if (this.#inTurn || this.#stopped) return run();
    this.#inTurn = true;
    this.#now = this.#options.clock.now();
    try {
      run();
    } finally {
      this.#append(); // what a log takes at once is answered in the same turn
      this.#inTurn = false;
      this.#endTurn();
    }
  }

  /** Calls back once at the end of the turn that is going on. */
  atTurnEnd(callback: () => void): void {
    this.#atTurnEnd.push(callback);
    if (!this.#inTurn) this.turn(() => {});
  }

  /** Calls back in a turn before anything falls due in it. */
  beforeTick(callback: () => void): void {
    this.#beforeTick.push(callback);
  }

  /** The server can't go on safely. */
  fail(error: unknown): void {
    this.#fail(error);
  }

  /** Stops for good: cuts all connections, and waits for what the log is writing. */
  async stop(): Promise<void> {
    this.#halt();
    await this.#appending?.durable.catch(() => {});
  }

  /** Steps the member, unless a step is going on: then the input waits for its end. */
  #step(input: MemberInput): void {
    if (this.#stopped) return;
    if (this.#stepping) {
      this.#queue.push(input);
      return;
    }
    this.#stepping = true;
    try {
      for (let next: MemberInput | undefined = input; next !== undefined && !this.#stopped; next = this.#queue.shift()) {
        for (const effect of this.member.step(next, this.#now)) this.#carryOut(effect);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#stepping = false;
    }
  }

  #carryOut(effect: MemberEffect): void {
    if (effect.kind === "append") {
      this.#tap?.logged(effect.proposal);
      if (this.#options.append === null) this.#queue.unshift({ kind: "durable", zxid: effect.proposal.header.zxid });
      else this.#batch.push(effect.proposal);
      return;
    }
    switch (effect.kind) {
      case "reply":
      case "event":
      case "welcome":
      case "close":
        return this.#toSink(effect);
      case "fault":
        return logThrown(this.#options.logger, effect.what, effect.error);
      default:
        this.#options.carryOut?.(effect);
    }
  }

  /** An exception in there is that connection's alone: nothing of the member is touched any more. */
  #toSink(effect: ConnEffect): void {
    const { conn, kind } = effect;
    const tap = this.#tap;
    if (tap !== null && (kind === "welcome" || kind === "close" || tap.hearsRequests)) tap.said(effect);
    const sink = this.#sinks.get(conn);
    if (effect.kind === "close") this.#sinks.delete(conn);
    try {
      sink?.carryOut(effect);
    } catch (error) {
      logThrown(this.#options.logger, `Connection ${conn} ends, since what was said to it can't be delivered`, error);
      if (this.#sinks.delete(conn)) {
        const input = { kind: "disconnect", conn } as const;
        tap?.heard(input);
        this.#queue.push(input);
      }
      if (effect.kind !== "close") sink?.carryOut({ kind: "close", conn });
    }
  }

  #endTurn(): void {
    if (this.#tap?.hearsRequests) this.#tap.turned();
    for (let at = 0; at < this.#atTurnEnd.length; at++) this.#atTurnEnd[at]!();
    this.#atTurnEnd.length = 0;
    this.#armWake();
  }

  /** Hands to the log what the turn has proposed. */
  #append(): void {
    const { append } = this.#options;
    while (append !== null && this.#batch.length > 0 && !this.#stopped) {
      const batch = this.#batch.splice(0);
      const zxid = batch[batch.length - 1]!.header.zxid;
      try {
        const durable = append(batch);
        if (durable === undefined) this.#step({ kind: "durable", zxid });
        else this.#awaitDurable(durable, zxid, batch.length);
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  /** Turns that become durable together are told of together. */
  #awaitDurable(durable: Promise<void>, zxid: Zxid, txns: number): void {
    if (this.#appending?.durable === durable) {
      this.#appending.zxid = zxid;
      this.#appending.txns += txns;
      return;
    }
    const appending = { durable, zxid, txns, began: this.#now.mono };
    this.#appending = appending;
    durable.then(
      () => {
        if (this.#appending === appending) this.#appending = null;
        this.#tap?.synced(appending.txns, this.clock.now().mono - appending.began);
        this.turn(() => this.#step({ kind: "durable", zxid: appending.zxid }));
      },
      (error: unknown) => this.#fail(error),
    );
  }

  // ── time ──

  /** Asks for the next wake-up. An earlier one that has become needless is left alone: it finds nothing due and asks again. */
  #armWake(): void {
    const { deadline } = this.member;
    if (this.#stopped || deadline === null) return;
    if (this.#wake !== null) {
      if (this.#wake.mono <= deadline) return;
      this.#wake.cancel();
    }
    this.#wake = { mono: deadline, cancel: this.clock.wakeAt(deadline, () => this.#woken()) };
  }

  get #isDue(): boolean {
    const { deadline } = this.member;
    return deadline !== null && deadline <= this.#now.mono;
  }

  #woken(): void {
    this.#wake = null;
    this.turn(() => {
      if (!this.#isDue) return;
      for (const callback of this.#beforeTick) callback();
      if (this.#isDue) this.#step({ kind: "tick" });
    });
  }

  // ── ends ──

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.#options.logger.error(
      `The server stops, since it can't go on safely: ${error instanceof Error ? error.message : String(error)}`,
    );
    this.#halt();
    this.#options.failed(error);
  }

  #halt(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#wake?.cancel();
    this.#wake = null;
    this.#queue.length = 0;
    const sinks = [...this.#sinks];
    this.#sinks.clear();
    for (const [conn, sink] of sinks) sink.carryOut({ kind: "close", conn });
  }
}
