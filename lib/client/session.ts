/**
 * A client's session over changing connections: it connects, numbers and orders requests, keeps the session alive with pings, comes back after a
 * lost connection, and says where it stands.
 *
 * The same for a server in this process and for one at the end of a socket: only the {@link Connector} differs.
 *
 * Not here: verbs and results (zookeeper.ts), which server is next (the connector), bytes (wire/).
 *
 * Invariants: every request is settled exactly once. A terminal state (expired, authFailed, closed) is never left. Events of a connection come
 * before the replies that follow them.
 */

import { Fifo } from "../base/fifo.ts";
import type { Welcome } from "../kernel/messages.ts";
import type { Applied, ErrorCode } from "../model/errors.ts";
import type { AuthOp, Op, Outcome, SetWatchesOp } from "../model/ops.ts";
import type { SessionId, WatchedEvent, Zxid } from "../model/types.ts";
import type { Clock } from "../ports.ts";
import type { SaslClient } from "../sasl/digest_md5.ts";
import { Lease } from "./lease.ts";
import type { Connector, Link, LinkHandlers } from "./link.ts";
import { ReadWriteSearch } from "./read_write_search.ts";

/**
 * Where a handle stands.
 *
 * - `connecting`: not connected yet; requests wait;
 * - `connected`: served;
 * - `connectedReadOnly`: served by a server that is cut off from the others: it may be behind, and takes no writes (`NotReadOnly`);
 * - `suspended`: the connection is lost. The session may live on; ephemerals and watches too. Don't act on what they guard;
 * - `expired`: the session is over and its ephemerals are gone, or will be as soon as there is a server to remove them. Final: open a new one;
 * - `authFailed`: the server refused credentials. Final: mend them and open a new one;
 * - `closed`: closed by its owner. Final: requests fail with `SessionExpired`, as in ZooKeeper's clients, so that nobody tries them again for ever.
 */
export type ConnectionState =
  | "connecting"
  | "connected"
  | "connectedReadOnly"
  | "suspended"
  | "expired"
  | "authFailed"
  | "closed";

/** Whether a state is never left again. */
export function isTerminal(state: ConnectionState): boolean {
  return state === "expired" || state === "authFailed" || state === "closed";
}

export interface ClientSessionOptions {
  readonly connector: Connector;
  readonly clock: Clock;
  /** Milliseconds to ask for; the server may change it. */
  readonly sessionTimeoutMs: number;
  readonly canBeReadOnly: boolean;
  /** A number in [0, 1), for the jitter of reconnects. */
  readonly random: () => number;
  /** Begins to prove a SASL identity, on each connection before anything else; null for none. */
  readonly sasl: (() => SaslClient) | null;
  /** The session to go on with, as another client has left it; none: a new one. */
  readonly goOnWith?: SessionState;
}

export interface ClientSessionListener {
  stateChanged(state: ConnectionState, reason: string): void;
  event(event: WatchedEvent): void;
  /** What to register again on a new connection of the same session. */
  watchesToSet(relativeZxid: Zxid): SetWatchesOp[];
  /** The server doesn't know the kind of watch that was to be registered again, and hangs up. */
  watchesRefused(): void;
}

/** What it takes to go on with a session. */
export interface SessionState {
  readonly id: SessionId;
  readonly passwd: Uint8Array;
  readonly timeoutMs: number;
  readonly lastZxid: Zxid;
  readonly credentials: readonly AuthOp[];
}

/** How a request ended. `applied` says for an error whether the change may have happened, and `reason` what the code does not tell. */
export type Settle = (outcome: Outcome, applied: Applied, reason?: string) => void;

/** A request, and who hears how it ended. */
export interface Asked {
  readonly op: Op;
  settle(outcome: Outcome, applied: Applied, reason?: string): void;
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
const NO_TOKEN: Uint8Array = new Uint8Array(0);
/** Longest pause before the next attempt, milliseconds: doubled each time from the first to the last; how much of it is waited is random. */
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 2000;
/** Nor is it ever longer than this part of the session's timeout: several attempts must fit into that. */
const PAUSE_OF_TIMEOUT_MAX = 1 / 8;
/** What a server gets at least to answer, milliseconds, however short the timeout and long the list. */
const PATIENCE_MS_MIN = 1000;
/** A session's timeout has so many ticks. After a third of it without a word from us a ping goes out; two thirds without one from the server and the
 * connection counts as lost. */
const TICKS = 12;
const PING_AFTER_TICKS = 3;
const LOST_AFTER_TICKS = 8;
/** After so many of its timeouts in silence, a session is over even if no server can be asked. */
const EXPIRED_AFTER_TIMEOUTS = 4 / 3;
const PING: Op = { kind: "ping" };
/** How long a handle that is being closed waits for the server to confirm it, milliseconds. A session that nobody could end expires by itself. */
const CLOSE_MS_MAX = 3000;

export class ClientSession {
  readonly lease: Lease;
  readonly #options: ClientSessionOptions;
  readonly #listener: ClientSessionListener;
  readonly #unsent: Fifo<Asked> = new Fifo<Asked>();
  readonly #sent: Fifo<Asked> = new Fifo<Asked>();
  readonly #credentials: Credential[] = [];
  /** Credentials sent on this connection and not answered yet. */
  readonly #proving: Fifo<Credential> = new Fifo<Credential>();
  #lastReason: string | null = null;
  #state: ConnectionState = "connecting";
  #link: Link | null = null;
  /** Whether requests may be sent: welcomed, and known by its SASL identity if it has one. */
  #ready = false;
  #xid = 0;
  #sessionId: SessionId = 0n;
  #passwd: Uint8Array = NO_PASSWORD;
  #timeoutMs: number;
  #lastZxid: Zxid = 0n;
  /** A session that a read-only server gave is worth nothing to the others. */
  #isReadOnlySession = false;
  #readWriteSearch: ReadWriteSearch | null = null;
  #pauses = 0;
  #welcomedMono: number | null = null;
  /** Since the last tick. */
  #heard = false;
  /** Messages posted on this connection, as of the last tick. */
  #postedBefore = 0;
  /** Ticks in a row in which nothing was heard, and in which nothing was sent. */
  #silentTicks = 0;
  #idleTicks = 0;
  /** When the last tick was over. */
  #tickedMono = 0;
  /** When something was heard last, to a tick. */
  #heardMono = 0;
  #cancelTimer: () => void = () => {};
  #cancelExpiry: () => void = () => {};

  constructor(options: ClientSessionOptions, listener: ClientSessionListener) {
    this.#options = options;
    this.lease = new Lease(options.clock);
    this.#listener = listener;
    this.#timeoutMs = options.sessionTimeoutMs;
    if (options.goOnWith !== undefined) this.#goOnWith(options.goOnWith);
  }

  #goOnWith({ id, passwd, timeoutMs, lastZxid, credentials }: SessionState): void {
    this.#sessionId = id;
    this.#passwd = passwd;
    this.#timeoutMs = timeoutMs;
    this.#lastZxid = lastZxid;
    for (const op of credentials) this.#credentials.push({ op, settle: null });
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

  /** What another client needs to go on with the session. */
  get leftBehind(): SessionState {
    const credentials = this.#credentials.map(({ op }) => op);
    return { id: this.#sessionId, passwd: this.passwd, timeoutMs: this.#timeoutMs, lastZxid: this.#lastZxid, credentials };
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

  request(asked: Asked): void {
    if (isTerminal(this.#state)) return asked.settle({ kind: "error", code: this.#terminalCode() }, false);
    const refusal = this.#options.connector.refusal(asked.op);
    if (refusal !== null) return asked.settle({ kind: "error", code: "ConnectionLoss" }, false, refusal);
    if (this.#ready) this.#send(asked);
    else this.#unsent.push(asked);
  }

  /** Proves an identity now and again on every later connection. */
  addAuth(scheme: string, auth: Uint8Array, settle: Settle): void {
    if (isTerminal(this.#state)) return settle({ kind: "error", code: this.#terminalCode() }, false);
    const credential: Credential = { op: { kind: "auth", scheme, auth }, settle };
    const refusal = this.#options.connector.refusal(credential.op);
    if (refusal !== null) return settle({ kind: "error", code: "ConnectionLoss" }, false, refusal);
    this.#credentials.push(credential);
    if (this.#ready) this.#prove(credential);
  }

  /** Replaces the list of servers, and goes to another one if the load is to be balanced so. */
  updateServers(servers: string): void {
    if (this.#options.connector.update(servers) && this.#link !== null) this.#lost("the list of servers has changed");
  }

  /** Ends the session on the server, if it can be reached and answers in time, and the handle in any case. The returned function waits no longer. */
  close(done: () => void, msMax: number = CLOSE_MS_MAX): () => void {
    let cancel = (): void => {};
    const end = (): void => this.#end("closed", "closed by its owner");
    const finish = () => {
      cancel();
      end();
      done();
    };
    if (isTerminal(this.#state)) done();
    else if (!this.#ready) finish();
    else {
      const { clock } = this.#options;
      cancel = clock.wakeAt(clock.now().mono + msMax, end);
      this.#send({ op: { kind: "closeSession" }, settle: finish });
    }
    return end;
  }

  /** Why a server could not be reached, or was lost, last. */
  get lastReason(): string | null {
    return this.#lastReason;
  }

  // ── connecting ──

  #connect(): void {
    const { connector, sessionTimeoutMs, canBeReadOnly } = this.#options;
    const handlers: LinkHandlers = {
      welcome: (welcome) => link === this.#link && this.#welcome(welcome),
      reply: (xid, zxid, outcome) => link === this.#link && this.#reply(xid, zxid, outcome),
      event: (event) => link === this.#link && this.#event(event),
      closed: (reason) => link === this.#link && this.#lost(reason),
    };
    const hello = {
      lastZxidSeen: this.#lastZxid,
      timeOut: sessionTimeoutMs,
      sessionId: this.#isReadOnlySession ? 0n : this.#sessionId,
      passwd: this.#isReadOnlySession ? NO_PASSWORD : this.#passwd,
      readOnly: canBeReadOnly,
    };
    const link: Link = connector.link(hello, handlers);
    this.#link = link;
    this.#postedBefore = 0;
    this.lease.opened();
    const patienceMs = Math.max(this.#timeoutMs / connector.serverCount, PATIENCE_MS_MIN);
    this.#wakeAfter(patienceMs, () => this.#lost("no server answered in time"));
    link.open();
  }

  #welcome(welcome: Welcome): void {
    if (welcome.timeOut <= 0) return this.#end("expired", "the server no longer knows the session");
    this.#options.connector.succeeded();
    this.#cancelExpiry();
    this.#isReadOnlySession = welcome.readOnly && (this.#isReadOnlySession || this.#sessionId === 0n);
    this.#sessionId = welcome.sessionId;
    this.#passwd = welcome.passwd.slice();
    this.#timeoutMs = welcome.timeOut;
    this.lease.welcomed(welcome.timeOut, welcome.readOnly);
    this.#silentTicks = 0;
    this.#idleTicks = 0;
    this.#heard = true;
    this.#welcomedMono = this.#options.clock.now().mono;
    this.#tickedMono = this.#welcomedMono;
    this.#wakeAfter(this.#timeoutMs / TICKS, () => this.#tick());
    const { sasl } = this.#options;
    if (sasl === null) this.#begin(welcome.readOnly);
    else this.#authenticate(sasl(), NO_TOKEN, welcome.readOnly);
  }

  /** One exchange of tokens after the other, and nothing else meanwhile. */
  #authenticate(client: SaslClient, token: Uint8Array, readOnly: boolean): void {
    const settle: Settle = (outcome) => {
      if (outcome.kind !== "sasl") return; // the connection was lost
      const next = outcome.code === "Ok" && outcome.token !== null ? client.answer(outcome.token) : "refused";
      if (next === "refused")
        this.#end("authFailed", "the server refused the SASL credentials, or could not prove that it knows them");
      else if (next === "done") this.#begin(readOnly);
      else this.#authenticate(client, next, readOnly);
    };
    this.#send({ op: { kind: "sasl", token }, settle });
  }

  #begin(readOnly: boolean): void {
    this.#ready = true;
    for (const credential of [...this.#credentials].reverse()) this.#prove(credential);
    for (const op of this.#listener.watchesToSet(this.#lastZxid)) this.#post(WATCHES_XID, op);
    if (readOnly) this.#searchReadWrite();
    this.#become(readOnly ? "connectedReadOnly" : "connected", "connected");
    while (this.#ready) {
      const asked = this.#unsent.shift();
      if (asked === undefined) return;
      this.#send(asked);
    }
  }

  #searchReadWrite(): void {
    const { connector, clock } = this.#options;
    this.#readWriteSearch = new ReadWriteSearch(connector, clock, () =>
      this.#lost("there is a server that takes writes", true),
    );
  }

  #lost(reason: string, urgent = false): void {
    this.#lastReason = reason;
    const welcomedMono = this.#welcomedMono;
    this.#welcomedMono = null;
    this.#dropLink();
    if (isTerminal(this.#state)) return;
    if (welcomedMono !== null) this.#armExpiry();
    if (this.#state !== "connecting") this.#become("suspended", reason);
    this.#settleAll("ConnectionLoss");
    if (!isTerminal(this.#state)) this.#wakeAfter(urgent ? 0 : this.#pauseMs(welcomedMono), () => this.#connect());
  }

  /**
   * None before the next server of a round. After the round, and after the loss of a connection so that the clients of a server that died don't
   * all arrive at the next one in the same moment, a random time up to a limit that doubles until a connection has lasted.
   */
  #pauseMs(welcomedMono: number | null): number {
    const { connector, clock, random } = this.#options;
    if (welcomedMono === null && !connector.isRoundDone) return 0;
    const mostMs = Math.min(PAUSE_MS_MAX, this.#timeoutMs * PAUSE_OF_TIMEOUT_MAX);
    if (welcomedMono !== null && clock.now().mono - welcomedMono > mostMs) this.#pauses = 0;
    return random() * Math.min(PAUSE_MS_MIN * 2 ** this.#pauses++, mostMs);
  }

  /** A server that can be reached says whether the session lives. Where there is none, the time says it. */
  #armExpiry(): void {
    if (this.#isReadOnlySession) return;
    const { clock } = this.#options;
    const heardMono = this.#heard ? clock.now().mono : this.#heardMono;
    this.#cancelExpiry = clock.wakeAt(heardMono + this.#timeoutMs * EXPIRED_AFTER_TIMEOUTS, () =>
      this.#end("expired", "no server could be reached before the session timed out"),
    );
  }

  #dropLink(): void {
    const link = this.#link;
    this.#link = null;
    this.#ready = false;
    this.#readWriteSearch?.stop();
    this.#readWriteSearch = null;
    while (this.#proving.shift() !== undefined);
    link?.cut();
  }

  // ── traffic ──

  #send(asked: Asked): void {
    this.#sent.push(asked);
    this.#xid = this.#xid === XID_MAX ? 1 : this.#xid + 1;
    try {
      this.#post(this.#xid, asked.op);
    } catch {
      // Such as one for which there is no memory. It must not stand where the answer to another one is due.
      if (this.#sent.takeBack(asked)) asked.settle({ kind: "error", code: "MarshallingError" }, false);
    }
  }

  #prove(credential: Credential): void {
    this.#proving.push(credential);
    this.#post(AUTH_XID, credential.op);
  }

  #post(xid: number, op: Op): void {
    this.lease.post();
    this.#link?.request(xid, op);
  }

  #reply(xid: number, zxid: Zxid, outcome: Outcome): void {
    this.#heard = true;
    if (this.lease.isGuarded) this.lease.check();
    this.lease.answer();
    if (xid < 0) {
      this.#ownReply(xid, outcome);
    } else {
      if (zxid > this.#lastZxid) this.#lastZxid = zxid;
      this.#sent.shift()?.settle(outcome, false);
    }
    if (outcome.kind === "error" && outcome.code === "SessionClosedRequireSaslAuth")
      this.#end("authFailed", "the server serves nobody without an identity that this client has not proved");
  }

  #ownReply(xid: number, outcome: Outcome): void {
    if (xid === AUTH_XID) this.#authReply(outcome);
    else if (xid === WATCHES_XID && outcome.kind === "error") this.#listener.watchesRefused();
  }

  #authReply(outcome: Outcome): void {
    const credential = this.#proving.shift();
    credential?.settle?.(outcome, false);
    if (credential !== undefined) credential.settle = null;
    if (outcome.kind === "error") this.#end("authFailed", "the server refused the credentials");
  }

  #event(event: WatchedEvent): void {
    this.#heard = true;
    if (this.lease.isGuarded) this.lease.check();
    this.#listener.event(event);
  }

  // ── time ──

  /** A tick of the session's timeout is over. Counting ticks is coarser than looking at the clock whenever something comes, and costs nothing. */
  #tick(): void {
    const { mono } = this.#options.clock.now();
    // After a stall of this process we have been silent for as long as it took. Whether the server was is not known.
    const ticks = Math.max(1, Math.floor((mono - this.#tickedMono) / (this.#timeoutMs / TICKS)));
    this.#tickedMono = mono;
    if (this.#heard) this.#heardMono = mono;
    this.#silentTicks = this.#heard ? 0 : this.#silentTicks + 1;
    this.#idleTicks = this.lease.posted !== this.#postedBefore && ticks === 1 ? 0 : this.#idleTicks + ticks;
    this.#heard = false;
    this.#postedBefore = this.lease.posted;
    this.lease.tick(mono);
    if (this.#silentTicks >= LOST_AFTER_TICKS) return this.#lost("the server is silent");
    if (this.#idleTicks >= PING_AFTER_TICKS) this.#post(PING_XID, PING);
    this.#wakeAfter(this.#timeoutMs / TICKS, () => this.#tick());
  }

  #wakeAfter(ms: number, wake: () => void): void {
    const { clock } = this.#options;
    this.#cancelTimer();
    this.#cancelTimer = clock.wakeAt(clock.now().mono + ms, wake);
  }

  // ── ends ──

  #end(state: "expired" | "authFailed" | "closed", reason: string): void {
    if (isTerminal(this.#state)) return;
    this.#cancelTimer();
    this.#cancelExpiry();
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
    // Before anybody who could act on what is no longer held.
    if (isTerminal(state)) this.lease.ended(reason);
    else if (state === "suspended") this.lease.suspended(reason);
    this.#listener.stateChanged(state, reason);
  }

  #terminalCode(): ErrorCode {
    return this.#state === "authFailed" ? "AuthFailed" : "SessionExpired";
  }
}
