/**
 * The line between one client and the server: what is said on it arrives in order, and may be held up, lost, or cut off with it.
 *
 * It stands between the connection (a local link, or a stream's server connection) and the host, and looks like each to the other. Faults and
 * partitions take effect here, for every kind of client alike.
 *
 * Invariants: a client is answered in the order of its requests, also where the server never saw one of them. After a cut neither side hears
 * anything more of the other.
 */
import { Fifo } from "../base/fifo.ts";
import type { ConnEffect, ConnectionSink, ConnInput } from "../member/host.ts";
import type { Outcome } from "../model/ops.ts";
import type { ConnId, SessionId } from "../model/types.ts";
import type { Fault, Faults } from "./faults.ts";

/** What a line needs of the host behind it. */
export interface LineEnd {
  readonly faults: Faults;
  /** Hands over what has arrived. */
  arrive(input: ConnInput): void;
  /** Calls back after so much time; the returned function cancels. */
  after(ms: number, run: () => void): () => void;
  /** An error reply that the server might have sent. */
  errorReply(conn: ConnId, xid: number, outcome: Outcome): ConnEffect;
  /** A fault has struck a request. */
  struck(fault: Fault, input: ConnInput): void;
  /** The line is of no more use. */
  gone(conn: ConnId): void;
}

/** Answered at once, in an order of its own. */
const AUTH_XID = -4;
const REFUSED_WELCOME = { timeOut: 0, sessionId: 0n, passwd: new Uint8Array(16), readOnly: false };

/** An answer that the client waits for: the server's, or one of a fault's that must wait for its turn. */
interface Due {
  readonly lose: boolean;
  readonly reply: ConnEffect | null;
}

export class Line implements ConnectionSink {
  readonly #end: LineEnd;
  readonly #client: ConnectionSink;
  /** Set by whoever makes the line, once it is known. */
  conn: ConnId = 0;
  /** `0n` until the server, or the client on its return, has said it. */
  session: SessionId = 0n;
  /** Said and not arrived yet, each way. */
  readonly #inbound = new Fifo<ConnInput>();
  readonly #outbound = new Fifo<ConnEffect>();
  readonly #due = new Fifo<Due>();
  readonly #authDue = new Fifo<Due>();
  /** A delayed request, which goes before all that waits. */
  #delayed: ConnInput | null = null;
  #isDelaying = false;
  #cancelDelay: () => void = () => {};
  #losesWelcome = false;
  #isDead = false;
  #isCut = false;

  constructor(end: LineEnd, client: ConnectionSink) {
    this.#end = end;
    this.#client = client;
  }

  /** Whether nothing that the client says arrives any more. */
  get isDead(): boolean {
    return this.#isDead;
  }

  // ── from the client ──

  submit(input: ConnInput): void {
    if (this.#isCut || this.#isDead) return;
    if (input.kind === "connect") this.session = input.hello.sessionId;
    if (this.#delayed !== null || this.#inbound.length > 0 || this.#isHeld()) this.#inbound.push(input);
    else this.#receive(input);
  }

  #isHeld(): boolean {
    return this.#isDelaying || this.#isCut || this.#isDead || this.#end.faults.isPartitioned(this.session);
  }

  /** Lets arrive what no longer has to wait, in both directions. */
  release(): void {
    while (this.#outbound.length > 0 && !this.#end.faults.isPartitioned(this.session)) this.#tell(this.#outbound.shift()!);
    if (this.#delayed !== null && !this.#isHeld()) {
      const input = this.#delayed;
      this.#delayed = null;
      this.#pass(input, false);
    }
    while (this.#inbound.length > 0 && !this.#isHeld()) this.#receive(this.#inbound.shift()!);
  }

  #receive(input: ConnInput): void {
    const fault = this.#end.faults.strike(input, this.session);
    if (fault === null) return this.#pass(input, false);
    this.#end.struck(fault, input);
    const { action } = fault;
    switch (action.kind) {
      case "error":
        return this.#refuse(input, { kind: "error", code: action.code });
      case "delay":
        this.#delayed = input;
        this.#isDelaying = true;
        this.#cancelDelay = this.#end.after(action.ms, () => this.endDelay());
        return;
      case "disconnect":
        return this.cut();
      case "loseReply":
        return this.#pass(input, true);
      case "dropRequest":
        this.#isDead = true;
        return;
    }
  }

  /** What was delayed arrives now. */
  endDelay(): void {
    this.#cancelDelay();
    this.#isDelaying = false;
    this.release();
  }

  #pass(input: ConnInput, lose: boolean): void {
    if (input.kind === "request") this.#dueTo(input.xid).push({ lose, reply: null });
    if (input.kind === "connect") this.#losesWelcome = lose;
    if (input.kind === "disconnect") this.#forget();
    this.#end.arrive(input);
  }

  #refuse(input: ConnInput, outcome: Outcome): void {
    if (input.kind === "connect") {
      this.#tell({ kind: "welcome", conn: this.conn, welcome: REFUSED_WELCOME });
      return this.cut();
    }
    if (input.kind !== "request") return;
    const reply = this.#end.errorReply(this.conn, input.xid, outcome);
    if (input.xid === AUTH_XID) {
      this.#deliver(reply);
      return this.cut(); // as a server does that refuses credentials
    }
    const due = this.#dueTo(input.xid);
    if (due.length === 0) this.#deliver(reply);
    else due.push({ lose: false, reply });
  }

  #dueTo(xid: number): Fifo<Due> {
    return xid === AUTH_XID ? this.#authDue : this.#due;
  }

  // ── from the server ──

  carryOut(effect: ConnEffect): void {
    if (this.#isCut) return;
    if (effect.kind === "welcome") {
      this.session = effect.welcome.sessionId;
      if (this.#losesWelcome) return this.cut();
    }
    if (effect.kind === "reply") this.#answer(effect, this.#dueTo(effect.xid));
    else this.#deliver(effect);
  }

  #answer(effect: ConnEffect, due: Fifo<Due>): void {
    if (due.shift()?.lose) return this.cut();
    this.#deliver(effect);
    for (let next = due.first; next !== undefined && next.reply !== null; next = due.first) {
      due.shift();
      this.#deliver(next.reply);
    }
  }

  #deliver(effect: ConnEffect): void {
    if (this.#outbound.length > 0 || this.#end.faults.isPartitioned(this.session)) this.#outbound.push(effect);
    else this.#tell(effect);
  }

  #tell(effect: ConnEffect): void {
    if (this.#isCut) return;
    if (effect.kind === "close") this.#forget();
    this.#client.carryOut(effect);
  }

  // ── ends ──

  /** Breaks the connection for both sides. */
  cut(): void {
    if (this.#isCut) return;
    this.#end.arrive({ kind: "disconnect", conn: this.conn });
    this.#tell({ kind: "close", conn: this.conn });
  }

  #forget(): void {
    this.#isCut = true;
    this.#cancelDelay();
    this.#end.gone(this.conn);
  }
}
