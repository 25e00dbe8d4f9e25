/**
 * The clients that come through listeners, all together: who may come, and whose turn it is.
 *
 * Not here: one client's stream (client_connection.ts), sessions (kernel), sockets (adapters).
 *
 * Invariants: what a turn has to say to a client goes to its stream when the turn ends. Connections with more to do than one turn's worth have their
 * turns in a circle, and between two rounds what has arrived from others is read. Who asks for little waits behind one long turn, not behind all
 * that are wanted.
 */

import { Refusals } from "../base/refusals.ts";
import type { Hello } from "../kernel/messages.ts";
import type { Host } from "../member/host.ts";
import { behaviourOf } from "../model/compat.ts";
import type { Settings } from "../options/options.ts";
import type { Duplex, DuplexHandler, Logger, Reserve } from "../ports.ts";
import { SaslExchange } from "../sasl/exchange.ts";
import { ReplySizes } from "../wire/reply_sizes.ts";
import { ClientConnection } from "./client_connection.ts";
import { ConnectionThrottle } from "./connection_throttle.ts";
import { RequestThrottle } from "./request_throttle.ts";

/** How much clients may hold; `open()` has the defaults. */
export type ClientLimits = Settings["limits"];

/** What it needs of the world. */
export interface ClientWorld {
  readonly logger: Logger;
  /** A random number in [0, 1). */
  readonly random: () => number;
  /** Texts that nobody can guess and that never come twice. */
  readonly nonce?: () => string;
  /** Calls back in a turn of the event loop that comes after what has arrived meanwhile. */
  readonly soon: (run: () => void) => void;
}

/** Which four-letter words are carried out, and what is said to each. */
export interface Words {
  readonly enabled: ReadonlySet<string>;
  answer(word: string, mask: bigint | null): string;
}

export class ClientService {
  readonly host: Host;
  readonly limits: ClientLimits;
  readonly logger: Logger;
  /** Counts for `mntr`, by its names. */
  readonly counters = {
    connection_request_count: 0,
    connection_rejected: 0,
    sessionless_connections_expired: 0,
    bytes_received_count: 0,
    throttled_ops: 0,
    request_throttle_wait_count: 0,
    stale_requests_dropped: 0,
  };
  /** Bytes of what clients are told. */
  readonly replySizes: ReplySizes = new ReplySizes();
  /** Where requests go. */
  readonly requests: RequestThrottle;
  readonly #settings: Settings;
  readonly #handshakes: ConnectionThrottle;
  readonly #words: Words;
  readonly #open = new Set<ClientConnection>();
  readonly #perAddress = new Map<string, number>();
  /** Connections whose streams are not ready yet. */
  #reserved = 0;
  readonly #refusals: Refusals;
  /** By when each must have shaken hands, or be gone. All get the same time, so the first in it is the first to be due. */
  readonly #deadlines = new Map<ClientConnection, number>();
  #cancelWake: (() => void) | null = null;
  /** Those that have something to send when the turn ends. */
  #speaking: ClientConnection[] = [];
  /** Those not read from because too many requests are on their way. */
  readonly #throttled = new Set<ClientConnection>();
  /** Those that have more to do than one turn's worth, in the order of their next turns, and those among them whose turns may be long. */
  readonly #unfinished = new Set<ClientConnection>();
  readonly #long = new Set<ClientConnection>();
  /** How long turns took of which each was noticeable, milliseconds, since what has arrived was last read. */
  #spentMs = 0;
  #isGoingOn = false;
  readonly #soon: (run: () => void) => void;
  /** Those not read from, whose sessions are kept alive. */
  readonly #notRead = new Set<ClientConnection>();
  #cancelRenewal: (() => void) | null = null;

  constructor(host: Host, settings: Settings, world: ClientWorld, words: Words) {
    const { sasl } = settings;
    const { nonce } = world;
    this.host = host;
    this.limits = settings.limits;
    this.logger = world.logger;
    this.#refusals = new Refusals(host.clock, world.logger);
    this.#settings = settings;
    this.requests = new RequestThrottle(host, settings.throttle, this.counters);
    this.#handshakes = new ConnectionThrottle(settings.throttle, world.random, host.clock.now().mono);
    this.#words = words;
    this.#soon = world.soon;
    this.tellsEventZxids = behaviourOf(settings.compat).eventZxids;
    // What a client has sent may still wait where it is not read from.
    host.beforeTick(() => this.#renew());
    if (nonce !== undefined && Object.keys(sasl.users).length > 0) this.beginSasl = () => new SaslExchange(sasl, nonce());
  }

  /** Whether events tell clients of which txn they come, as since 3.9. */
  readonly tellsEventZxids: boolean;

  /** Begins a connection's SASL exchange; null where there is nobody to prove to be. */
  readonly beginSasl: (() => SaslExchange) | null = null;

  /** For {@link Listener.start}. */
  readonly accept = (duplex: Duplex): DuplexHandler => {
    if (this.#isFull(duplex.remoteAddress)) {
      duplex.destroy();
      return REFUSED;
    }
    const connection = new ClientConnection(this, duplex);
    this.#open.add(connection);
    this.#count(duplex.remoteAddress, 1);
    this.setDeadline(connection);
    return connection;
  };

  /** For {@link Listener.start}. */
  readonly reserve: Reserve = (address) => {
    if (this.#isFull(address)) return null;
    this.#reserved++;
    this.#count(address, 1);
    return () => {
      this.#reserved--;
      this.#count(address, -1);
    };
  };

  /** Every open stream, in order of arrival. */
  get connections(): ReadonlySet<ClientConnection> {
    return this.#open;
  }

  /** When those that have not shaken hands are cut off, in monotonic milliseconds. */
  get deadlines(): ReadonlyMap<ClientConnection, number> {
    return this.#deadlines;
  }

  /** The limit that a further connection from this address would break. */
  #reachedLimit(address: string): string | null {
    const { connectionsMax, connectionsPerAddressMax } = this.limits;
    if (connectionsMax > 0 && this.#open.size + this.#reserved >= connectionsMax) return `maxCnxns ${connectionsMax}`;
    const fromThere = this.#perAddress.get(address) ?? 0;
    if (connectionsPerAddressMax === 0 || fromThere < connectionsPerAddressMax) return null;
    return `maxClientCnxns ${connectionsPerAddressMax} from ${address}`;
  }

  /** Whether a further connection from this address is one too many, or the server has stopped. */
  #isFull(address: string): boolean {
    const limit = this.#reachedLimit(address);
    if (limit === null && !this.host.isStopped) return false;
    this.counters.connection_rejected++;
    if (limit !== null) this.#refusals.add(limit, address);
    return true;
  }

  #count(address: string, more: 1 | -1): void {
    const count = (this.#perAddress.get(address) ?? 0) + more;
    if (count > 0) this.#perAddress.set(address, count);
    else this.#perAddress.delete(address);
  }

  /** The stream of a connection is gone. */
  remove(connection: ClientConnection): void {
    this.#count(connection.peer.address, -1);
    this.#open.delete(connection);
    this.#throttled.delete(connection);
    this.#unfinished.delete(connection);
    this.#long.delete(connection);
    this.#notRead.delete(connection);
    if (this.#notRead.size === 0) this.#cancelRenewal?.();
    if (this.#notRead.size === 0) this.#cancelRenewal = null;
    this.clearDeadline(connection);
  }

  /** Whether a handshake may go on. */
  admits({ sessionId }: Hello): boolean {
    const kind = sessionId !== 0n ? "renew" : this.#settings.localSessions ? "local" : "global";
    return this.#handshakes.admits(kind, this.host.clock.now().mono);
  }

  /** The chance that a handshake is turned away. */
  get dropChance(): number {
    return this.#handshakes.dropChance;
  }

  /** Counts anew. */
  resetStats(): void {
    for (const name of Object.keys(this.counters) as (keyof typeof this.counters)[]) this.counters[name] = 0;
    this.replySizes.reset();
  }

  answersWord(word: string): boolean {
    return this.#words.enabled.has(word);
  }

  answerWord(word: string, mask: bigint | null): string {
    const { stats } = this.host.member.kernel;
    stats.packetsReceived++;
    const text = this.#words.answer(word, mask);
    stats.packetsSent++;
    return text;
  }

  // ── the end of a turn ──

  /** The connection is to be flushed when the turn ends. */
  speaks(connection: ClientConnection): void {
    this.#speaking.push(connection);
    if (this.#speaking.length === 1) this.host.atTurnEnd(this.#flush);
  }

  readonly #flush = (): void => {
    const speaking = this.#speaking;
    this.#speaking = [];
    for (const connection of speaking) connection.flush();
    this.requests.answered();
    if (this.#throttled.size > 0 && !this.isBusy) this.#unthrottle();
  };

  /** Whether so much is on its way that clients who wait for answers should wait with questions, too. */
  get isBusy(): boolean {
    return this.host.member.kernel.outstandingCount > this.limits.outstandingRequestsMax;
  }

  throttle(connection: ClientConnection): void {
    this.#throttled.add(connection);
  }

  #unthrottle(): void {
    const throttled = [...this.#throttled];
    this.#throttled.clear();
    for (const connection of throttled) connection.regulate();
  }

  // ── turns ──

  /** Whether the connection may have a turn now that something of it has arrived; otherwise it {@link goesOn}. */
  takesTurn(connection: ClientConnection): boolean {
    return !connection.isLong && this.#spentMs < ROUND_MS;
  }

  /** A turn took so long. What others have to wait for in a row is bounded by it. */
  spent(ms: number): void {
    if (ms < NOTICEABLE_MS) return;
    if (this.#spentMs === 0)
      this.#soon(() => {
        this.#spentMs = 0;
      });
    this.#spentMs += ms;
  }

  /** The connection has more to do, and goes on when its next turn comes. */
  goesOn(connection: ClientConnection): void {
    (connection.asksMuch ? this.#long : this.#unfinished).add(connection);
    if (this.#isGoingOn) return;
    this.#isGoingOn = true;
    this.#soon(this.#goOn);
  }

  /** A round: each has one turn, as far as the time goes; then comes one of those whose turns may be long. */
  readonly #goOn = (): void => {
    const { clock } = this.host;
    const end = clock.now().mono + ROUND_MS;
    for (let left = this.#unfinished.size; left > 0; left--) {
      this.#goOnFirst(this.#unfinished);
      if (clock.now().mono >= end) break;
    }
    if (this.#long.size > 0) this.#goOnFirst(this.#long);
    this.#isGoingOn = this.#unfinished.size + this.#long.size > 0;
    if (this.#isGoingOn) this.#soon(this.#goOn);
  };

  #goOnFirst(waiting: Set<ClientConnection>): void {
    const [connection] = waiting;
    waiting.delete(connection!);
    connection!.goOn();
  }

  // ── sessions of those who are not read from ──

  /** Keeps the connection's session alive for as long as it is not read from. */
  keepAlive(connection: ClientConnection, isRead: boolean): void {
    if (isRead) this.#notRead.delete(connection);
    else this.#notRead.add(connection);
    if (!isRead && this.#cancelRenewal === null) this.#renewLater();
  }

  #renewLater(): void {
    const { clock } = this.host;
    this.#cancelRenewal = clock.wakeAt(clock.now().mono + this.#settings.tickTimeMs / 2, () => {
      this.#cancelRenewal = null;
      this.host.turn(() => this.#renew());
      if (this.#notRead.size > 0 && !this.host.isStopped) this.#renewLater();
    });
  }

  #renew(): void {
    for (const connection of [...this.#notRead]) connection.renew();
  }

  // ── deadlines ──

  setDeadline(connection: ClientConnection): void {
    const mono = this.host.clock.now().mono + this.limits.handshakeTimeoutMs;
    this.#deadlines.delete(connection); // so that it goes to the end
    this.#deadlines.set(connection, mono);
    if (this.#cancelWake === null) this.#wakeAt(mono);
  }

  clearDeadline(connection: ClientConnection): void {
    this.#deadlines.delete(connection);
    if (this.#deadlines.size > 0 || this.#cancelWake === null) return;
    this.#cancelWake();
    this.#cancelWake = null;
  }

  #wakeAt(mono: number): void {
    this.#cancelWake = this.host.clock.wakeAt(mono, () => {
      this.#cancelWake = null;
      const { mono: now } = this.host.clock.now();
      for (const [connection, deadline] of this.#deadlines) {
        if (deadline > now) {
          this.#wakeAt(deadline);
          return;
        }
        this.#deadlines.delete(connection);
        if (!connection.isEnding) this.counters.sessionless_connections_expired++;
        connection.cut();
      }
    });
  }
}

/** How long a round of turns may take, milliseconds, before what has arrived meanwhile is read. */
const ROUND_MS = 10;
/** Shorter turns are not added up: a thousand of them are a round's worth of work that nobody has to wait for behind one client. */
const NOTICEABLE_MS = 1;

/** Hears nothing: the stream was destroyed before it was used. */
const REFUSED: DuplexHandler = { data() {}, drained() {}, closed() {} };
