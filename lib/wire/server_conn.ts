/**
 * The server's side of one connection, without a socket: bytes in become what the host is asked, what the host says becomes bytes.
 *
 * How the glue that has the socket uses it:
 * - what arrives goes to `receive`, the end of the stream to `gone`;
 * - what the host says to this connection goes to `welcome`, `reply`, `event` and `close`, a word's answer to `answer`;
 * - after a call of `somethingToSend`, at the end of the turn, `take` gives it piece by piece; then `ended` tells whether the stream is to
 *   be ended behind it. While `holding`, nothing more should be read from the stream;
 * - where the stream takes no more, `hold` keeps what is said; once it does, `release` tells it. While `hasReplies` or
 *   `hasRequests`, `goOn` does what was put off.
 *
 * Not here: sessions and what requests mean (kernel), what the words answer. Invariants: bytes that make no sense end this
 * connection and nothing else; the host hears one `connect` before any `request`, and one `disconnect` after the last unless it
 * closed the connection itself.
 */
import type { Hello, Welcome } from "../kernel/messages.ts";
import type { Op, Outcome } from "../model/ops.ts";
import type { WatchedEvent, Zxid } from "../model/types.ts";
import { readHello, readRequest, writeWelcome } from "./codec.ts";
import { Framer } from "./framer.ts";
import { JuteError, JuteReader } from "./jute.ts";
import { ReplyQueue } from "./reply_queue.ts";
import { ReplySizes } from "./reply_sizes.ts";

/** What a connection asks of whoever owns it. It may be answered from within the call. */
export interface ServerConnOwner {
  connect(hello: Hello): void;
  request(xid: number, op: Op): void;
  disconnect(): void;
  /** A request of so many bytes is more than is taken: the connection ends. */
  tooLong(bytes: number): void;
  /** Whether a four-letter word is carried out here; one that is not is refused without waiting for what belongs to it. */
  answersWord(word: string): boolean;
  /** A four-letter word; `mask` are the eight bytes behind `stmk`. To be answered with {@link ServerConn.answer}. */
  word(word: string, mask: bigint | null): void;
  /** Whether the next request may be read now; if not, {@link ServerConn.goOn} does it later. */
  takesMore(): boolean;
  /** There is something to take, or the stream is to be ended. Said once until the next `take`. */
  somethingToSend(): void;
}

/** The words a client may say in place of a handshake. Any other four letters are the length of a frame, and too long. */
export const FOUR_LETTER_WORDS: ReadonlySet<string> = new Set(
  "conf cons crst dirs dump envi gtmk hash isro mntr ruok srst srvr stat stmk wchc wchp wchs".split(" "),
);
const WORD_BYTES = 4;
const MASK_BYTES = 8;
const REQUEST_HEADER_BYTES = 8;

/**
 * fresh: too few bytes to tell a word from a frame; asked: a word waits for its answer; framed: the handshake comes next;
 * greeted: it came, and waits for the host's welcome.
 */
type State = "fresh" | "asked" | "framed" | "greeted" | "open" | "closed";

const NO_BYTES: Uint8Array = new Uint8Array(0);
// One reader serves all connections: it is done with a frame before the next one is looked at.
const reader = new JuteReader();
const encoder = new TextEncoder();

export class ServerConn {
  readonly #owner: ServerConnOwner;
  readonly #framer: Framer;
  readonly #replies: ReplyQueue;
  #state: State = "fresh";
  /** The first bytes, until there are enough to tell a word from a frame. */
  #first: Uint8Array = NO_BYTES;
  /** Whether the client's handshake came without the readOnly byte. */
  #shortHandshake = false;
  #reading = false;
  /** Whether requests may be left that were not read, since the owner took no more. */
  #isHeldBack = false;
  #announced = false;

  /**
   * @param frameBytesMax longest request that is taken (ZooKeeper: `jute.maxbuffer`)
   * @param sizes counts the bytes of what is said
   * @param pieceBytesMax about so many bytes of it are made at a time
   */
  constructor(
    owner: ServerConnOwner,
    frameBytesMax: number,
    sizes: ReplySizes = new ReplySizes(),
    pieceBytesMax: number = Number.POSITIVE_INFINITY,
  ) {
    this.#owner = owner;
    this.#framer = new Framer(frameBytesMax);
    this.#replies = new ReplyQueue(() => this.#announce(), sizes, pieceBytesMax);
  }

  /** Whether requests wait for the handshake: the more is read, the more has to be kept. */
  get holding(): boolean {
    return this.#state === "greeted" && this.#framer.waitingBytes > 0;
  }

  /** Whether nothing will be said any more: the stream is to be ended once what `take` gave is sent. */
  get ended(): boolean {
    return this.#state === "closed" && !this.#replies.isWaiting;
  }

  /** Whether replies wait to be encoded. */
  get hasReplies(): boolean {
    return this.#replies.isWaiting;
  }

  /** Whether requests that arrived wait to be read. */
  get hasRequests(): boolean {
    return this.#isHeldBack;
  }

  /** Whether what is said has to wait. */
  get isFull(): boolean {
    return this.#replies.isFull;
  }

  /** About how much memory the events take that the stream has not taken. */
  get eventBytes(): number {
    return this.#replies.eventBytes;
  }

  // ── from the stream ──

  /** Takes what arrived. The bytes belong to the caller again when it returns. */
  receive(bytes: Uint8Array): void {
    if (this.#state === "closed" || this.#state === "asked") return;
    if (this.#state === "fresh") {
      const beginning = this.#tellApart(bytes);
      if (beginning === null) return;
      bytes = beginning;
    }
    this.#framer.push(bytes);
    this.#readFrames();
    this.#framer.keepRest();
  }

  /** The stream has room: encodes replies that wait, and reads requests that do. */
  goOn(): void {
    this.#replies.fill();
    if (!this.#isHeldBack || this.#reading) return;
    this.#readFrames();
    this.#framer.keepRest();
  }

  /** The stream takes no more, until {@link release}. */
  hold(): void {
    this.#replies.hold();
  }

  /** The stream has room again: what is said from now on goes out at once, unless something waits for {@link goOn}. */
  release(): void {
    this.#replies.release();
  }

  /** The stream is gone. */
  gone(): void {
    this.#end();
  }

  // ── from the host ──

  welcome(welcome: Welcome): void {
    if (this.#state !== "greeted") return; // gone while its session was made
    writeWelcome(this.#replies.writer, welcome, this.#shortHandshake);
    if (welcome.timeOut === 0) return; // refused: a close follows, and requests behind the handshake are lost
    this.#state = "open";
    if (this.#reading || this.#framer.waitingBytes === 0) return;
    this.#readFrames();
    this.#framer.keepRest();
  }

  reply(xid: number, zxid: Zxid, outcome: Outcome): void {
    this.#replies.reply(xid, zxid, outcome);
  }

  event(event: WatchedEvent): void {
    this.#replies.event(event);
  }

  close(): void {
    if (this.#state !== "closed") this.#stop();
  }

  /** Says the answer to a four-letter word, and nothing after it. */
  answer(text: string): void {
    if (this.#state !== "asked") return;
    this.#replies.writer.raw(encoder.encode(text));
    this.#stop();
  }

  // ── to the stream ──

  /** The next piece of what is encoded, which the caller may keep; null once there is nothing more. */
  take(): Uint8Array | null {
    this.#announced = false;
    return this.#replies.take();
  }

  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    this.#owner.somethingToSend();
  }

  // ── words ──

  /** Looks whether the first bytes spell a word. Gives them back, all of them so far, once it is known that they don't. */
  #tellApart(bytes: Uint8Array): Uint8Array | null {
    const all = this.#first.length === 0 ? bytes : joined(this.#first, bytes);
    if (all.length < WORD_BYTES) return this.#wait(all);
    const word = String.fromCharCode(...all.subarray(0, WORD_BYTES));
    if (!FOUR_LETTER_WORDS.has(word)) {
      this.#state = "framed";
      this.#first = NO_BYTES;
      return all;
    }
    const hasMask = word === "stmk" && this.#owner.answersWord(word);
    if (hasMask && all.length < WORD_BYTES + MASK_BYTES) return this.#wait(all);
    this.#state = "asked";
    this.#owner.word(word, hasMask ? new JuteReader(all.subarray(WORD_BYTES)).long() : null);
    return null;
  }

  #wait(all: Uint8Array): null {
    this.#first = new Uint8Array(all);
    return null;
  }

  // ── frames ──

  #readFrames(): void {
    this.#reading = true;
    this.#isHeldBack = false;
    while (this.#state === "framed" || this.#state === "open") {
      if (this.#framer.waitingBytes === 0) break;
      if (this.#state === "open" && !this.#owner.takesMore()) {
        this.#isHeldBack = true;
        break;
      }
      const found = this.#framer.next(reader);
      if (found === "more") break;
      if (found === "bad") this.#refuseFrame();
      else if (this.#state === "open") this.#request();
      else this.#hello();
    }
    this.#reading = false;
  }

  #refuseFrame(): void {
    const length = this.#framer.refusedLength!;
    if (this.#state === "open" && length > 0) this.#owner.tooLong(length);
    this.#end();
  }

  #request(): void {
    if (reader.remaining < REQUEST_HEADER_BYTES) {
      this.#end();
      return;
    }
    const xid = reader.int();
    const opcode = reader.int();
    this.#owner.request(xid, readRequest(opcode, reader));
  }

  #hello(): void {
    let hello: Hello;
    try {
      ({ hello, short: this.#shortHandshake } = readHello(reader));
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.#end();
      return;
    }
    this.#state = "greeted";
    this.#owner.connect(hello);
  }

  // ── ends ──

  /** Ends it from this side: the client is gone, or says what makes no sense. */
  #end(): void {
    if (this.#state === "closed") return;
    const known = this.#state === "greeted" || this.#state === "open";
    this.#stop();
    if (known) this.#owner.disconnect();
  }

  #stop(): void {
    this.#state = "closed";
    this.#isHeldBack = false;
    this.#framer.clear();
    this.#announce();
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
