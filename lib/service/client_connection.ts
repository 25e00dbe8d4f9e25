/**
 * Connection of one client: its byte stream joined to its server connection, and that to the host; and how much it may hold.
 *
 * Work is done in slices: so many requests in a row, for so long, with so many bytes of replies. What is left goes on when its next turn comes. Where
 * the client doesn't take what is sent, or too many of its requests wait, it is not read from, and its session lives on meanwhile.
 *
 * Not here: bytes and their meaning (wire/server_conn), sessions (kernel), who may come and whose turn it is (client_service.ts).
 *
 * Invariants: requests are handed on in the order in which they came, and none while an earlier one is put off. A stream is ended only after
 * everything that was said to it. An exception here ends this connection and nothing else.
 */

import { logThrown } from "../base/log_thrown.ts";
import type { Hello, Peer } from "../kernel/messages.ts";
import type { ConnEffect, ConnectionSink } from "../member/host.ts";
import type { Op } from "../model/ops.ts";
import type { ConnId, Zxid } from "../model/types.ts";
import type { Duplex, DuplexHandler } from "../ports.ts";
import type { SaslExchange } from "../sasl/exchange.ts";
import type { Connection } from "../session/connection.ts";
import { ServerConn, type ServerConnOwner } from "../wire/server_conn.ts";
import type { ClientService } from "./client_service.ts";
import type { Asker } from "./request_throttle.ts";

/** So many requests are taken between two looks at the time and at what waits: to look costs as much as to answer a small read. */
const REQUESTS_PER_LOOK = 8;
/** Where more bytes arrive at once, there may be requests among them that take long. */
const SHORT_BYTES = 32 * 1024;
/** A turn of so many milliseconds is a long one: the next of its client is shared with others like it. */
const LONG_MS = 10;
/** Reads whose cost nothing bounds but the tree: they come alone, and not in a row behind a write. */
const LONG_READS: ReadonlySet<Op["kind"]> = new Set<Op["kind"]>(["getAllChildrenNumber", "getEphemerals"]);

/** In place of an event's zxid, before 3.9. */
const NOT_TOLD: Zxid = -1n;

export class ClientConnection implements DuplexHandler, ServerConnOwner, ConnectionSink, Asker {
  readonly peer: Peer;
  heldRequests = 0;
  heldBytes = 0;
  readonly #all: ClientService;
  readonly #duplex: Duplex;
  readonly #server: ServerConn;
  #conn: ConnId | null = null;
  #connection: Connection | undefined;
  #sasl: SaslExchange | null = null;
  #asked = false;
  #ending = false;
  #paused = false;
  /** Has not taken what was sent: it is not read from until it has. */
  #slow = false;
  /** Requests of the slice that is going on, how many of them may still be taken before the next look, and when the slice ends. */
  #inRow = 0;
  #untilLook = 0;
  #rowEndMono = 0;
  /** Whether others come first: what has arrived is read in a turn of the circle. */
  #isPutBack = false;
  #isLong = false;
  /** Whether its requests may be such that a turn of them is long. */
  #asksMuch = false;
  /** A long read that waits until nothing of its client does. */
  #putOff: { readonly xid: number; readonly op: Op } | null = null;
  #writtenBytes = 0;
  /** How much the client had taken when it was looked last, and when that was more than before. */
  #takenBytes = 0;
  #takenMono = 0;

  constructor(all: ClientService, duplex: Duplex) {
    this.#all = all;
    this.#duplex = duplex;
    this.peer = { address: duplex.remoteAddress, label: labelOf(duplex), authIds: duplex.authIds };
    const { frameBytesMax, outputBytesPause } = all.limits;
    this.#server = new ServerConn(this, frameBytesMax, all.replySizes, outputBytesPause);
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

  /** Whether its last turn was a long one. */
  get isLong(): boolean {
    return this.#isLong;
  }

  /** Whether its next turn may be a long one, as the last was, or as much has arrived. */
  get asksMuch(): boolean {
    return this.#asksMuch;
  }

  /** Whether it is being read from. */
  get isReading(): boolean {
    return !this.#paused && !this.#asked;
  }

  // ── from the stream ──

  data(bytes: Uint8Array): void {
    this.#all.counters.bytes_received_count += bytes.length;
    this.#isPutBack = !this.#all.takesTurn(this);
    this.#all.host.turn(() => this.#slice(bytes));
  }

  drained(): void {
    this.#slow = false;
    this.#server.release();
    this.regulate();
  }

  closed(): void {
    this.#all.remove(this);
    this.#ending = true;
    this.#all.host.turn(() => this.#server.gone());
  }

  // ── slices ──

  /** Its next turn has come. */
  goOn(): void {
    this.#isPutBack = false;
    if (!this.#ending) this.#all.host.turn(() => this.#slice(null));
  }

  #slice(bytes: Uint8Array | null): void {
    const { host, limits } = this.#all;
    const { mono } = host.now;
    this.#inRow = 0;
    this.#untilLook = 0;
    this.#rowEndMono = mono + limits.requestsInRowMs;
    this.#asksMuch = this.#isLong || (bytes !== null && bytes.length > SHORT_BYTES);
    try {
      if (bytes === null) this.#goOn();
      else this.#server.receive(bytes);
      if (!this.#isPutBack) this.#spend(host.clock.now().mono - mono);
      this.regulate();
    } catch (error) {
      this.#fail(error);
    }
  }

  #spend(ms: number): void {
    this.#isLong = ms >= LONG_MS;
    this.#all.spent(ms);
  }

  #goOn(): void {
    if (this.#slow) return;
    const putOff = this.#putOff;
    if (putOff !== null && !this.#isWaiting) {
      this.#putOff = null;
      this.request(putOff.xid, putOff.op);
    }
    this.#server.goOn();
  }

  takesMore(): boolean {
    if (this.#untilLook === 0) return this.#look();
    this.#untilLook--;
    return true;
  }

  /** Whether the slice goes on, and if so, for how many requests. */
  #look(): boolean {
    const left = Math.min(this.#all.limits.requestsInRowMax - this.#inRow, this.#room);
    if (this.#isPutBack || left <= 0 || this.#server.isFull || this.#putOff !== null) return false;
    if (this.#inRow > 0 && this.#all.host.clock.now().mono >= this.#rowEndMono) return false;
    const taken = Math.min(left, this.#asksMuch ? 1 : REQUESTS_PER_LOOK);
    this.#inRow += taken;
    this.#untilLook = taken - 1;
    return true;
  }

  /** How many more requests of it may wait: for the log, for others, or for their places among the requests in process. */
  get #room(): number {
    const { waitingRequestsMax, waitingBytesMax } = this.#all.limits;
    const connection = this.#kernelConnection;
    if (this.heldBytes + (connection?.waitingBytes ?? 0) >= waitingBytesMax) return 0;
    return waitingRequestsMax - this.heldRequests - (connection?.waiting.length ?? 0);
  }

  /** Whether any request of it waits. */
  get #isWaiting(): boolean {
    return this.heldRequests > 0 || (this.#kernelConnection?.waiting.length ?? 0) > 0;
  }

  get #kernelConnection(): Connection | undefined {
    if (this.#connection === undefined && this.#conn !== null)
      this.#connection = this.#all.host.member.kernel.connections.get(this.#conn);
    return this.#connection;
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
    } else if (LONG_READS.has(op.kind)) {
      this.#longRead(xid, op);
    } else {
      this.#all.requests.submit(this, xid, op);
    }
  }

  /** The slice looks at the time behind it. */
  #longRead(xid: number, op: Op): void {
    this.#untilLook = 0;
    if (this.#isWaiting) {
      this.#putOff = { xid, op };
      return;
    }
    this.#all.requests.submit(this, xid, op);
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
    try {
      this.#hear(effect);
    } catch (error) {
      this.#fail(error);
    }
  }

  #hear(effect: ConnEffect): void {
    switch (effect.kind) {
      case "reply":
        return this.#server.reply(effect.xid, effect.zxid, effect.outcome);
      case "event":
        this.#server.event(this.#all.tellsEventZxids ? effect.event : { ...effect.event, zxid: NOT_TOLD });
        if (this.#server.eventBytes > this.#all.limits.outputBytesMax)
          this.#cutOff(`events of ${this.#server.eventBytes} bytes wait for it to take what was sent to it`);
        return;
      case "welcome":
        return this.#server.welcome(effect.welcome);
      case "close":
        return this.#server.close();
    }
  }

  // ── to the stream ──

  flush(): void {
    for (let bytes = this.#server.take(); bytes !== null; bytes = this.#server.take()) {
      if (this.#ending) continue;
      this.#writtenBytes += bytes.length;
      this.#duplex.write(bytes);
    }
    if (this.#ending) return;
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
    if (unsent <= this.#all.limits.outputBytesPause) return;
    this.#server.hold();
    if (this.#slow) return;
    this.#slow = true;
    this.#takenBytes = this.#writtenBytes - unsent;
    this.#takenMono = this.#all.host.now.mono;
  }

  /** Reads on or not, as things stand. */
  regulate(): void {
    if (this.#ending) return;
    const isBusy = this.#conn !== null && this.#all.isBusy && this.#isWaiting;
    if (isBusy) this.#all.throttle(this);
    const isPutOff = this.#putOff !== null;
    const mustWait = this.#slow || this.#server.holding || isBusy || this.#room <= 0 || (isPutOff && this.#isWaiting);
    const hasRequests = this.#server.hasRequests || isPutOff;
    if (!this.#slow && (this.#server.hasReplies || (hasRequests && !mustWait))) this.#all.goesOn(this);
    this.#pause(mustWait || hasRequests || this.#server.hasReplies);
  }

  #pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (this.#conn !== null) this.#all.keepAlive(this, !paused);
    if (paused) this.#duplex.pause();
    else this.#duplex.resume();
  }

  /** It is not read from, which is not its client's doing unless it takes nothing of what was sent. */
  renew(): void {
    if (this.#slow && !this.#isTaking) return;
    this.#all.host.submit({ kind: "renew", conn: this.#conn! });
  }

  /** Whether its client has taken something not long ago; if not, it is cut off. */
  get #isTaking(): boolean {
    const { mono } = this.#all.host.now;
    const { outputStallMs } = this.#all.limits;
    const taken = this.#writtenBytes - this.#duplex.bufferedBytes();
    if (taken > this.#takenBytes) {
      this.#takenBytes = taken;
      this.#takenMono = mono;
    }
    if (mono - this.#takenMono < outputStallMs) return true;
    this.#cutOff(`it has taken nothing for ${outputStallMs} ms of ${this.#duplex.bufferedBytes()} bytes sent to it`);
    return false;
  }

  // ── ends ──

  #cutOff(reason: string): void {
    this.#all.logger.warn(`A connection from ${this.peer.label} is cut off: ${reason}`);
    this.cut();
  }

  tooLong(bytes: number): void {
    const { frameBytesMax } = this.#all.limits;
    const most = `${frameBytesMax} (limits.frameBytesMax, jute.maxbuffer)`;
    this.#all.logger.warn(
      `A connection from ${this.peer.label} ends: its request has ${bytes} bytes, and the server takes ${most}`,
    );
  }

  /** A fault in serving it is this connection's alone. */
  #fail(error: unknown): void {
    logThrown(this.#all.logger, `A connection from ${this.peer.label} is cut off`, error);
    this.cut();
  }

  /** Without another word. */
  cut(): void {
    this.#ending = true;
    this.#duplex.destroy();
  }
}

/** As Java prints a socket's address. */
function labelOf({ remoteAddress, remotePort }: Duplex): string {
  return remoteAddress.includes(":") ? `/[${remoteAddress}]:${remotePort}` : `/${remoteAddress}:${remotePort}`;
}
