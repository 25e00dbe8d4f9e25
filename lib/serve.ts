/**
 * The clients that come through listeners: each byte stream joined to its server connection, and that to the host.
 *
 * Not here: bytes and their meaning (wire/server_conn), sessions (kernel), sockets (adapters). What it adds is who may come and how much one
 * client may hold: connections per address and in total, time for the handshake, bytes that a slow reader lets pile up.
 *
 * Invariant: what a turn has to say to a client goes to its stream in one piece when the turn ends, and a stream is ended only after
 * everything that was said to it.
 */
import { ConnectionThrottle } from "./connection_throttle.ts";
import type { ConnEffect, ConnectionSink, Host } from "./host.ts";
import type { Hello, Peer } from "./kernel/messages.ts";
import type { Op } from "./ops.ts";
import type { Settings } from "./options.ts";
import type { Duplex, DuplexHandler, Logger } from "./ports.ts";
import { RequestThrottle } from "./request_throttle.ts";
import { SaslExchange } from "./sasl/exchange.ts";
import type { ConnId } from "./types.ts";
import { ReplySizes } from "./wire/reply_sizes.ts";
import { ServerConn, type ServerConnOwner } from "./wire/server_conn.ts";

/** How much clients may hold; `open()` has the defaults. */
export type ClientLimits = Settings["limits"];

/** What it needs of the world. */
export interface ClientWorld {
  readonly logger: Logger;
  /** A random number in [0, 1). */
  readonly random: () => number;
  /** Texts that nobody can guess and that never come twice. */
  readonly nonce?: () => string;
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
  /** Limits that were logged as reached since a connection was last closed: a flood of clients is no flood of lines. */
  readonly #told = new Set<string>();
  /** By when each must have shaken hands, or be gone. All get the same time, so the first in it is the first to be due. */
  readonly #deadlines = new Map<ClientConnection, number>();
  #cancelWake: (() => void) | null = null;
  /** Those that have something to send when the turn ends. */
  #speaking: ClientConnection[] = [];
  /** Those not read from because too many requests are on their way. */
  readonly #throttled = new Set<ClientConnection>();

  constructor(host: Host, settings: Settings, world: ClientWorld, words: Words) {
    const { sasl } = settings;
    const { nonce } = world;
    this.host = host;
    this.limits = settings.limits;
    this.logger = world.logger;
    this.#settings = settings;
    this.requests = new RequestThrottle(host, settings.throttle, this.counters);
    this.#handshakes = new ConnectionThrottle(settings.throttle, world.random, host.clock.now().mono);
    this.#words = words;
    if (nonce !== undefined && Object.keys(sasl.users).length > 0) this.beginSasl = () => new SaslExchange(sasl, nonce());
  }

  /** Begins a connection's SASL exchange; null where there is nobody to prove to be. */
  readonly beginSasl: (() => SaslExchange) | null = null;

  /** For {@link Listener.start}. */
  readonly accept = (duplex: Duplex): DuplexHandler => {
    const full = this.#reachedLimit(duplex.remoteAddress);
    if (full === null && !this.host.isStopped) return this.#admit(duplex);
    this.counters.connection_rejected++;
    if (full !== null && !this.#told.has(full)) {
      this.#told.add(full);
      this.logger.warn(`Too many connections: ${full}; another one from ${duplex.remoteAddress} was refused`);
    }
    duplex.destroy();
    return REFUSED;
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
    if (connectionsMax > 0 && this.#open.size >= connectionsMax) return `maxCnxns ${connectionsMax}`;
    const fromThere = this.#perAddress.get(address) ?? 0;
    if (connectionsPerAddressMax === 0 || fromThere < connectionsPerAddressMax) return null;
    return `maxClientCnxns ${connectionsPerAddressMax} from ${address}`;
  }

  #admit(duplex: Duplex): DuplexHandler {
    const connection = new ClientConnection(this, duplex);
    const address = duplex.remoteAddress;
    this.#open.add(connection);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    this.setDeadline(connection);
    return connection;
  }

  /** The stream of a connection is gone. */
  remove(connection: ClientConnection): void {
    const address = connection.peer.address;
    const left = (this.#perAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
    this.#told.clear();
    this.#open.delete(connection);
    this.#throttled.delete(connection);
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

/** One stream. */
export class ClientConnection implements DuplexHandler, ServerConnOwner, ConnectionSink {
  readonly peer: Peer;
  readonly #all: ClientService;
  readonly #duplex: Duplex;
  readonly #server: ServerConn;
  #conn: ConnId | null = null;
  #sasl: SaslExchange | null = null;
  #asked = false;
  #ending = false;
  #paused = false;
  /** Has not taken what was sent: it is not read from until it has. */
  #slow = false;

  constructor(all: ClientService, duplex: Duplex) {
    this.#all = all;
    this.#duplex = duplex;
    this.peer = { address: duplex.remoteAddress, label: labelOf(duplex), authIds: duplex.authIds };
    this.#server = new ServerConn(this, all.limits.frameBytesMax, all.replySizes);
  }

  /** What the host knows it by, once its client has begun to shake hands. */
  get conn(): ConnId | null {
    return this.#conn;
  }

  /** Whether its client asked a four-letter word. */
  get isAsked(): boolean {
    return this.#asked;
  }

  /** Whether all has been said to it, and it has only to take it. */
  get isEnding(): boolean {
    return this.#ending;
  }

  /** Whether it is being read from. */
  get isReading(): boolean {
    return !this.#paused && !this.#asked;
  }

  // ── from the stream ──

  data(bytes: Uint8Array): void {
    this.#all.counters.bytes_received_count += bytes.length;
    this.#all.host.turn(() => this.#receive(bytes));
  }

  /** A fault in reading is this connection's alone. */
  #receive(bytes: Uint8Array): void {
    try {
      this.#server.receive(bytes);
      this.regulate();
    } catch (error) {
      this.#all.logger.error(`A connection from ${this.peer.label} is cut off: ${String(error)}`);
      this.cut();
    }
  }

  drained(): void {
    this.#slow = false;
    this.regulate();
  }

  closed(): void {
    this.#all.remove(this);
    this.#ending = true;
    this.#all.host.turn(() => this.#server.gone());
  }

  // ── from the server connection ──

  connect(hello: Hello): void {
    this.#all.clearDeadline(this);
    if (!this.#all.admits(hello)) {
      this.#all.counters.connection_rejected++;
      this.cut();
      return;
    }
    this.#all.counters.connection_request_count++;
    this.#conn = this.#all.host.attach(this);
    this.#all.host.submit({ kind: "connect", conn: this.#conn, hello, peer: this.peer });
  }

  request(xid: number, op: Op): void {
    if (op.kind === "sasl" && op.token !== null && this.#all.beginSasl !== null) {
      this.#sasl ??= this.#all.beginSasl();
      this.#all.host.submit({ kind: "sasl", conn: this.#conn!, xid, answer: this.#sasl.answer(op.token) });
    } else {
      this.#all.requests.submit(this.#conn!, xid, op);
    }
  }

  disconnect(): void {
    if (this.#conn !== null) this.#all.host.submit({ kind: "disconnect", conn: this.#conn });
  }

  answersWord(word: string): boolean {
    return this.#all.answersWord(word);
  }

  word(word: string, mask: bigint | null): void {
    this.#asked = true;
    this.#server.answer(this.#all.answerWord(word, mask));
  }

  somethingToSend(): void {
    this.#all.speaks(this);
  }

  // ── from the host ──

  carryOut(effect: ConnEffect): void {
    switch (effect.kind) {
      case "reply":
        this.#server.reply(effect.xid, effect.zxid, effect.outcome);
        return;
      case "event":
        this.#server.event(effect.event);
        return;
      case "welcome":
        this.#server.welcome(effect.welcome);
        return;
      case "close":
        this.#server.close();
        return;
    }
  }

  // ── to the stream ──

  flush(): void {
    const bytes = this.#server.take();
    if (this.#ending) return;
    if (bytes !== null) this.#duplex.write(bytes);
    if (this.#server.ended) {
      this.#ending = true;
      this.#all.setDeadline(this);
      this.#duplex.end();
    } else {
      this.#watchBacklog();
      this.regulate();
    }
  }

  #watchBacklog(): void {
    const unsent = this.#duplex.bufferedBytes();
    if (unsent > this.#all.limits.outputBytesPause) this.#slow = true;
    if (unsent <= this.#all.limits.outputBytesMax) return;
    this.#all.logger.warn(`A connection from ${this.peer.label} is cut off: it has not taken ${unsent} bytes sent to it`);
    this.cut();
  }

  /** Reads on or not, as things stand. */
  regulate(): void {
    const waits = this.#conn !== null && this.#all.isBusy && this.#queued() > 0;
    if (waits) this.#all.throttle(this);
    const paused = this.#slow || this.#server.holding || waits;
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) this.#duplex.pause();
    else this.#duplex.resume();
  }

  /** Without another word. */
  cut(): void {
    this.#ending = true;
    this.#duplex.destroy();
  }

  #queued(): number {
    return this.#all.host.member.kernel.connections.get(this.#conn!)?.waiting.length ?? 0;
  }
}

/** Hears nothing: the stream was destroyed before it was used. */
const REFUSED: DuplexHandler = { data() {}, drained() {}, closed() {} };

/** As Java prints a socket's address. */
function labelOf({ remoteAddress, remotePort }: Duplex): string {
  return remoteAddress.includes(":") ? `/[${remoteAddress}]:${remotePort}` : `/${remoteAddress}:${remotePort}`;
}
