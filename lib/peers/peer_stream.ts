/**
 * One stream between a leader and a learner: packets in, packets out, and now and then a whole database between two of them.
 *
 * Not here: who dials whom, and what packets mean. Invariants: packets leave and arrive in their order, a database in its place among them.
 * Bytes that make no sense end this stream and nothing else.
 */
import type { Image, LeaderPacket, LearnerPacket } from "../broadcast/zab/messages.ts";
import type { Zxid } from "../model/types.ts";
import type { Duplex, DuplexHandler } from "../ports.ts";
import { JuteError, JuteWriter } from "../wire/jute.ts";
import {
  isSnap,
  leaderPacketOf,
  learnerPacketOf,
  PacketReader,
  packetOfLeader,
  packetOfLearner,
  QuorumError,
  type QuorumPacket,
  writePacket,
} from "../wire/quorum.ts";
import { ByteQueue } from "./byte_queue.ts";

type Packet = LearnerPacket | LeaderPacket;

export interface PeerStreamOwner {
  packet(packet: Packet): void;
  /** Part of a database has come, or has been taken. */
  alive(): void;
  /** It is about to be given up, because of what it said or does not take. Comes once at most, before {@link ended}. */
  letsGo(reason: string): void;
  /** It is gone, or was given up. Comes once. */
  ended(reason: string): void;
  /** Calls back once when the turn that is going on has ended, or later: when what waits with it has had its turn, too. */
  atTurnEnd(run: () => void): void;
  /** Calls back after other work had its turn. */
  soon(run: () => void): void;
  /** Builds a database from bytes, and says what stood behind it. */
  readDatabase(zxid: Zxid, chunks: AsyncIterable<Uint8Array>): Promise<{ readonly image: Image; readonly rest: Uint8Array }>;
}

/** A database that is being sent: pieces, and what to do when they are not needed any more. */
export interface Sending {
  readonly chunks: Iterator<Uint8Array, void>;
  readonly release: () => void;
}

/** More than this is not handed to a stream at a time. */
const BUFFERED_BYTES = 1 << 20;
/** A peer that leaves so much waiting is given up, or four packets where these may be longer. */
const WAITING_BYTES_MAX = 256 << 20;
/**
 * A leader's packets are taken however long they are: they may hold txns that were logged when more was allowed, and who refuses one asks for it
 * again and again.
 */
const ANY_LENGTH = 2 ** 31 - 1;
/** Pieces of a database between two turns. */
const CHUNKS_PER_TURN = 4;

export class PeerStream implements DuplexHandler {
  readonly #owner: PeerStreamOwner;
  readonly #duplex: Duplex;
  /** Which side this is. */
  readonly #side: "leader" | "learner";
  readonly #reader: PacketReader;
  readonly #waitingBytesMax: number;
  /** A database that is arriving. */
  #arriving: ByteQueue | null = null;
  #out = new JuteWriter(4096);
  /** What has to wait for a database to be sent. */
  #behind: (Uint8Array | Sending)[] = [];
  #behindBytes = 0;
  #sending: Sending | null = null;
  #flushing = false;
  #hasEnded = false;

  /** @param packetBytesMax longest data of a learner's packet that is taken */
  constructor(owner: PeerStreamOwner, duplex: Duplex, side: "leader" | "learner", packetBytesMax: number) {
    this.#owner = owner;
    this.#duplex = duplex;
    this.#side = side;
    this.#reader = new PacketReader(side === "leader" ? packetBytesMax : ANY_LENGTH);
    this.#waitingBytesMax = Math.max(WAITING_BYTES_MAX, 4 * packetBytesMax);
  }

  // ── in ──

  data(bytes: Uint8Array): void {
    if (this.#arriving !== null) {
      this.#arriving.push(bytes);
      return this.#owner.alive();
    }
    this.#reader.push(bytes);
    this.#read();
  }

  #read(): void {
    try {
      for (let next = this.#reader.next(); next !== null && !this.#hasEnded; next = this.#reader.next()) {
        if (this.#side === "learner" && isSnap(next)) return this.#readDatabase(next);
        const packet = this.#side === "leader" ? learnerPacketOf(next) : leaderPacketOf(next, null);
        if (packet !== null) this.#owner.packet(packet);
      }
    } catch (error) {
      if (!(error instanceof QuorumError || error instanceof JuteError)) throw error;
      this.#letGo(error.message);
    }
  }

  #readDatabase(snap: QuorumPacket): void {
    const arriving = new ByteQueue(this.#duplex);
    this.#arriving = arriving;
    arriving.push(this.#reader.takeRest());
    this.#owner.readDatabase(snap.zxid, arriving).then(
      ({ image, rest }) => {
        if (this.#hasEnded) return;
        this.#arriving = null;
        this.#owner.packet({ kind: "snap", zxid: snap.zxid, image });
        this.#reader.push(rest);
        for (const bytes of arriving.takeRest()) this.#reader.push(bytes);
        this.#read();
      },
      (error: Error) => this.#letGo(`the database can't be read: ${error.message}`),
    );
  }

  drained(): void {
    if (this.#sending !== null) this.#owner.alive();
    this.#sendOn();
  }

  closed(): void {
    this.#end("the stream has ended");
  }

  #end(reason: string): void {
    if (this.#hasEnded) return;
    this.#stop();
    this.#owner.ended(reason);
  }

  /** Ends it for something that an operator should look into. */
  #letGo(reason: string): void {
    if (!this.#hasEnded) this.#owner.letsGo(reason);
    this.#end(reason);
  }

  #stop(): void {
    this.#hasEnded = true;
    this.#arriving?.end();
    this.#sending?.release();
    for (const waiting of this.#behind) if ("release" in waiting) waiting.release();
    this.#behind = [];
    this.#behindBytes = 0;
    this.#sending = null;
    this.#duplex.destroy();
  }

  /** Behind what was said in the turn that is going on, and without telling the owner. */
  cut(): void {
    if (this.#hasEnded) return;
    if (this.#out.length > 0 && this.#sending === null) this.#duplex.write(this.#out.copy());
    this.#stop();
  }

  // ── out ──

  send(packet: Packet): void {
    if (this.#hasEnded) return;
    const raw = this.#side === "leader" ? packetOfLeader(packet as LeaderPacket) : packetOfLearner(packet as LearnerPacket);
    writePacket(this.#out, raw);
    if (this.#flushing) return;
    this.#flushing = true;
    this.#owner.atTurnEnd(() => this.#flush());
  }

  /** Sends SNAP and the database behind it. */
  sendDatabase(zxid: Zxid, database: Sending): void {
    if (this.#hasEnded) return database.release();
    writePacket(this.#out, { type: SNAP_TYPE, zxid, data: null, authIds: null });
    this.#flush();
    if (this.#sending === null) this.#sending = database;
    else this.#behind.push(database);
    this.#owner.soon(() => this.#sendOn());
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#out.length === 0 || this.#hasEnded) return;
    const bytes = this.#out.copy();
    this.#out.clear();
    if (this.#sending !== null) {
      this.#behind.push(bytes);
      this.#behindBytes += bytes.length;
    } else this.#duplex.write(bytes);
    const waiting = this.#behindBytes + this.#duplex.bufferedBytes();
    if (waiting > this.#waitingBytesMax) this.#letGo(`it does not take what is sent to it: ${waiting} bytes wait`);
  }

  /** The next pieces of the database, as fast as they are taken; then what had to wait behind it. */
  #sendOn(): void {
    for (let left = CHUNKS_PER_TURN; this.#sending !== null && !this.#hasEnded; left--) {
      if (this.#duplex.bufferedBytes() > BUFFERED_BYTES) return; // until it has drained
      if (left === 0) return this.#owner.soon(() => this.#sendOn());
      const { value, done } = this.#sending.chunks.next();
      if (done) this.#sentDatabase(this.#sending);
      else if (value.length > 0) this.#duplex.write(value.slice());
    }
  }

  #sentDatabase(database: Sending): void {
    database.release();
    this.#sending = null;
    this.#owner.alive();
    for (let next = this.#behind.shift(); next !== undefined; next = this.#behind.shift()) {
      if ("release" in next) {
        this.#sending = next;
        return;
      }
      this.#behindBytes -= next.length;
      this.#duplex.write(next);
    }
  }
}

const SNAP_TYPE = 15;
