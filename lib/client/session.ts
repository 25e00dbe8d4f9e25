/**
 * A client's session over changing connections: it connects, numbers and orders requests, keeps the session alive with pings, comes back after a
 * lost connection, and says where it stands.
 *
 * The same for a server in this process and for one at the end of a socket: only the {@link Connector} differs.
 *
 * Not here: verbs and results (zookeeper.ts), bytes (wire/).
 *
 * Invariants: every request is settled exactly once. A terminal state (expired, authFailed, closed) is never left. Events of a connection come
 * before the replies that follow them.
 */
import type { Applied, ErrorCode } from "../errors.ts";
import { Fifo } from "../fifo.ts";
import type { Welcome } from "../kernel/messages.ts";
import type { AuthOp, Op, Outcome, SetWatchesOp } from "../ops.ts";
import type { Clock } from "../ports.ts";
import type { SessionId, WatchedEvent, Zxid } from "../types.ts";
import type { Connector, Link, LinkHandlers } from "./link.ts";

/**
 * Where a handle stands.
 *
 * - `connecting`: not connected yet; requests wait;
 * - `connected`, `connectedReadOnly`: served;
 * - `suspended`: the connection is lost. The session may live on; ephemerals and watches too. Don't act on what they guard;
 * - `expired`: the session is over and its ephemerals are gone. Open a new one;
 * - `authFailed`: the server refused credentials. Final;
 * - `closed`: closed by its owner. Final.
 */
export type ConnectionState =
  | "connecting"
  | "connected"
  | "connectedReadOnly"
  | "suspended"
  | "expired"
  | "authFailed"
  | "closed";

export interface ClientSessionOptions {
  readonly connector: Connector;
  readonly clock: Clock;
  /** Milliseconds to ask for; the server may change it. */
  readonly sessionTimeoutMs: number;
  readonly canBeReadOnly: boolean;
  /** A number in [0, 1), for the jitter of reconnects. */
  readonly random: () => number;
}

export interface ClientSessionListener {
  stateChanged(state: ConnectionState, reason: string): void;
  event(event: WatchedEvent): void;
  /** What to register again on a new connection of the same session. */
  watchesToSet(relativeZxid: Zxid): SetWatchesOp[];
}

/** How a request ended. `applied` says for an error whether the change may have happened. */
export type Settle = (outcome: Outcome, applied: Applied) => void;

interface Asked {
  readonly op: Op;
  readonly settle: Settle;
}

/** An identity to prove on every connection; somebody may wait to hear whether the server takes it. */
interface Credential {
  readonly op: AuthOp;
  settle: Settle | null;
}

const AUTH_XID = -4;
const WATCHES_XID = -8;
const PING_XID = -2;
const XID_MAX = 2 ** 31 - 1;
const NO_PASSWORD: Uint8Array = new Uint8Array(16);
/** After a round of all servers without success, and at most this much more at random, milliseconds. */
const RECONNECT_DELAY_MS = 1000;
const PING: Op = { kind: "ping" };

export class ClientSession {
  readonly #options: ClientSessionOptions;
  readonly #listener: ClientSessionListener;
  readonly #unsent: Fifo<Asked> = new Fifo<Asked>();
  readonly #sent: Fifo<Asked> = new Fifo<Asked>();
  readonly #credentials: Credential[] = [];
  /** Credentials sent on this connection and not answered yet. */
  readonly #proving: Fifo<Credential> = new Fifo<Credential>();
  #state: ConnectionState = "connecting";
  #link: Link | null = null;
  #welcomed = false;
  #xid = 0;
  #sessionId: SessionId = 0n;
  #passwd: Uint8Array = NO_PASSWORD;
  #timeoutMs: number;
  #lastZxid: Zxid = 0n;
  #heard = false;
  #sentAny = false;
  #silentThirds = 0;
  #attempts = 0;
  #cancelTimer: () => void = () => {};

  constructor(options: ClientSessionOptions, listener: ClientSessionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#timeoutMs = options.sessionTimeoutMs;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** `0n` until the first connection. */
  get id(): SessionId {
    return this.#sessionId;
  }

  get passwd(): Uint8Array {
    return this.#passwd.slice();
  }

  /** As negotiated, milliseconds. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** The highest zxid seen in a reply. */
  get lastZxid(): Zxid {
    return this.#lastZxid;
  }

  start(): void {
    this.#connect();
  }

  request(op: Op, settle: Settle): void {
    if (this.#isTerminal()) return settle({ kind: "error", code: this.#terminalCode() }, false);
    if (this.#welcomed) this.#send({ op, settle });
    else this.#unsent.push({ op, settle });
  }

  /** Proves an identity now and again on every later connection. */
  addAuth(scheme: string, auth: Uint8Array, settle: Settle): void {
    if (this.#isTerminal()) return settle({ kind: "error", code: this.#terminalCode() }, false);
    const credential: Credential = { op: { kind: "auth", scheme, auth }, settle };
    this.#credentials.push(credential);
    if (this.#welcomed) this.#prove(credential);
  }

  /** Ends the session on the server, if it can be reached, and the handle in any case. */
  close(done: () => void): void {
    if (this.#isTerminal()) return done();
    const finish = () => {
      this.#end("closed", "closed by its owner");
      done();
    };
    if (this.#welcomed) this.#send({ op: { kind: "closeSession" }, settle: finish });
    else finish();
  }

  // ── connecting ──

  #connect(): void {
    this.#attempts++;
    const handlers: LinkHandlers = {
      welcome: (welcome) => link === this.#link && this.#welcome(welcome),
      reply: (xid, zxid, outcome) => link === this.#link && this.#reply(xid, zxid, outcome),
      event: (event) => link === this.#link && this.#event(event),
      closed: (reason) => link === this.#link && this.#lost(reason),
    };
    const hello = {
      lastZxidSeen: this.#lastZxid,
      timeOut: this.#options.sessionTimeoutMs,
      sessionId: this.#sessionId,
      passwd: this.#passwd,
      readOnly: this.#options.canBeReadOnly,
    };
    const link: Link = this.#options.connector.link(hello, handlers);
    this.#link = link;
    this.#wakeAfter(this.#timeoutMs / this.#options.connector.serverCount, () => this.#lost("no server answered in time"));
    link.open();
  }

  #welcome(welcome: Welcome): void {
    if (welcome.timeOut <= 0) return this.#end("expired", "the server no longer knows the session");
    const again = this.#sessionId !== 0n;
    this.#attempts = 0;
    this.#sessionId = welcome.sessionId;
    this.#passwd = welcome.passwd.slice();
    this.#timeoutMs = welcome.timeOut;
    this.#welcomed = true;
    this.#silentThirds = 0;
    this.#wakeAfter(this.#timeoutMs / 3, () => this.#thirdPassed());
    for (const credential of [...this.#credentials].reverse()) this.#prove(credential);
    if (again) for (const op of this.#listener.watchesToSet(this.#lastZxid)) this.#post(WATCHES_XID, op);
    this.#become(welcome.readOnly ? "connectedReadOnly" : "connected", "connected");
    for (let asked = this.#welcomed ? this.#unsent.shift() : undefined; asked !== undefined; ) {
      this.#send(asked);
      asked = this.#welcomed ? this.#unsent.shift() : undefined;
    }
  }

  #lost(reason: string): void {
    this.#dropLink();
    if (this.#isTerminal()) return;
    if (this.#state !== "connecting") this.#become("suspended", reason);
    this.#settleAll("ConnectionLoss");
    if (this.#isTerminal()) return;
    const { connector, random } = this.#options;
    const roundDone = this.#attempts > 0 && this.#attempts % connector.serverCount === 0;
    const delayMs = this.#attempts === 0 ? 0 : Math.floor(random() * RECONNECT_DELAY_MS) + (roundDone ? RECONNECT_DELAY_MS : 0);
    this.#wakeAfter(delayMs, () => this.#connect());
  }

  #dropLink(): void {
    const link = this.#link;
    this.#link = null;
    this.#welcomed = false;
    while (this.#proving.shift() !== undefined);
    link?.cut();
  }

  // ── traffic ──

  #send(asked: Asked): void {
    this.#sent.push(asked);
    this.#xid = this.#xid === XID_MAX ? 1 : this.#xid + 1;
    this.#post(this.#xid, asked.op);
  }

  #prove(credential: Credential): void {
    this.#proving.push(credential);
    this.#post(AUTH_XID, credential.op);
  }

  #post(xid: number, op: Op): void {
    this.#sentAny = true;
    this.#link?.request(xid, op);
  }

  #reply(xid: number, zxid: Zxid, outcome: Outcome): void {
    this.#heard = true;
    if (xid === PING_XID || xid === WATCHES_XID) return;
    if (xid === AUTH_XID) return this.#authReply(outcome);
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
    this.#sent.shift()?.settle(outcome, false);
  }

  #authReply(outcome: Outcome): void {
    const credential = this.#proving.shift();
    credential?.settle?.(outcome, false);
    if (credential !== undefined) credential.settle = null;
    if (outcome.kind === "error") this.#end("authFailed", "the server refused the credentials");
  }

  #event(event: WatchedEvent): void {
    this.#heard = true;
    this.#listener.event(event);
  }

  // ── time ──

  /**
   * A third of the timeout is over. Without anything sent in it a ping goes out, so that the server hears of us at least every two thirds; two
   * thirds without anything heard and the connection counts as lost.
   */
  #thirdPassed(): void {
    this.#silentThirds = this.#heard ? 0 : this.#silentThirds + 1;
    if (this.#silentThirds >= 2) return this.#lost("the server is silent");
    this.#heard = false;
    if (!this.#sentAny) this.#post(PING_XID, PING);
    this.#sentAny = false;
    this.#wakeAfter(this.#timeoutMs / 3, () => this.#thirdPassed());
  }

  #wakeAfter(ms: number, wake: () => void): void {
    const { clock } = this.#options;
    this.#cancelTimer();
    this.#cancelTimer = clock.wakeAt(clock.now().mono + ms, wake);
  }

  // ── ends ──

  #end(state: "expired" | "authFailed" | "closed", reason: string): void {
    if (this.#isTerminal()) return;
    this.#cancelTimer();
    this.#dropLink();
    this.#become(state, reason);
    const code = this.#terminalCode();
    for (const credential of this.#credentials) credential.settle?.({ kind: "error", code }, false);
    this.#settleAll(code);
  }

  /** What was sent may have happened; what was not, has not. */
  #settleAll(code: ErrorCode): void {
    const outcome: Outcome = { kind: "error", code };
    for (let asked = this.#sent.shift(); asked !== undefined; asked = this.#sent.shift()) asked.settle(outcome, "unknown");
    for (let asked = this.#unsent.shift(); asked !== undefined; asked = this.#unsent.shift()) asked.settle(outcome, false);
  }

  #become(state: ConnectionState, reason: string): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#listener.stateChanged(state, reason);
  }

  #isTerminal(): boolean {
    return this.#state === "expired" || this.#state === "authFailed" || this.#state === "closed";
  }

  #terminalCode(): ErrorCode {
    return this.#state === "authFailed" ? "AuthFailed" : this.#state === "expired" ? "SessionExpired" : "ConnectionLoss";
  }
}
