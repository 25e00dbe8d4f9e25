/**
 * The server's side of one connection, without a socket: bytes in become Inputs, Effects become bytes out.
 *
 * How its owner, who has the socket, uses it:
 * - what arrives goes to `receive`, the end of the stream to `gone`;
 * - the kernel's effects for this connection go to `carryOut`, a four-letter word's answer to `answer`;
 * - once a turn, `take` gives everything to send in one piece; then `ended` says whether the stream is to be ended behind it,
 *   and otherwise `proceed` goes on with requests that waited for the handshake. While `holding`, nothing more should be read.
 *
 * Not here: sessions and what requests mean (kernel), what the words answer. Invariants: bytes that make no sense end this
 * connection and nothing else; the kernel hears one `connect` before any `request`, and one `disconnect` after the last unless
 * it closed the connection itself.
 */
import type { Effect, Input, Peer, Welcome } from "../kernel/messages.ts";
import type { ConnId } from "../types.ts";
import { readHello, readRequest, writeEvent, writeReply, writeWelcome } from "./codec.ts";
import { Framer } from "./framer.ts";
import { JuteError, JuteReader, JuteWriter } from "./jute.ts";
import { Slab } from "./slab.ts";

/** Who hears what a connection says. */
export interface ServerConnSink {
  input(input: Input): void;
  /** A four-letter word; `mask` are the eight bytes behind `stmk`. Its answer is given with {@link ServerConn.answer}. */
  word(conn: ServerConn, word: string, mask: bigint | null): void;
}

/** Effects that concern a connection. */
export type ConnEffect = Extract<Effect, { readonly conn: ConnId }>;

/** The words a client may say in place of a handshake. Any other four letters are the length of a frame, and too long. */
export const FOUR_LETTER_WORDS: ReadonlySet<string> = new Set(
  "conf cons crst dirs dump envi gtmk hash isro mntr ruok srst srvr stat stmk wchc wchp wchs".split(" "),
);
const WORD_BYTES = 4;
const MASK_BYTES = 8;
const REQUEST_HEADER_BYTES = 8;

/**
 * fresh: too few bytes to tell a word from a frame; asked: a word waits for its answer; framed: the handshake comes next;
 * greeted: it came, and waits for the kernel's welcome.
 */
type State = "fresh" | "asked" | "framed" | "greeted" | "open" | "closed";

// One reader serves every connection: it is done with a frame before the next one is looked at.
const reader = new JuteReader();
// What is sent leaves soon: a slab for it may be large.
const outgoing = new Slab(64 * 1024);
const spareWriters: JuteWriter[] = [];
const SPARE_WRITERS_MAX = 64;
const SPARE_WRITER_BYTES_MAX = 16 * 1024;

export class ServerConn {
  readonly id: ConnId;
  readonly peer: Peer;
  readonly #sink: ServerConnSink;
  readonly #framer: Framer;
  #state: State = "fresh";
  /** The first bytes, until there are enough to tell a word from a frame. */
  #first: Uint8Array = new Uint8Array(0);
  /** Whether the client's handshake came without the readOnly byte. */
  #shortHandshake = false;
  #out: JuteWriter | null = null;

  constructor(id: ConnId, peer: Peer, sink: ServerConnSink, frameBytesMax: number) {
    this.id = id;
    this.peer = peer;
    this.#sink = sink;
    this.#framer = new Framer(frameBytesMax);
  }

  /** Whether requests wait for the handshake: then the owner stops reading, until `proceed`. */
  get holding(): boolean {
    return this.#state === "greeted" && this.#framer.waitingBytes > 0;
  }

  /** Whether nothing will be said any more: the stream is to be ended once what `take` gave is sent. */
  get ended(): boolean {
    return this.#state === "closed";
  }

  /** Whether a client has completed a handshake here, and has not been closed since. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Takes bytes off the stream; they belong to the caller again when it returns. */
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

  /** The stream is gone. */
  gone(): void {
    this.#end();
  }

  /** Goes on with what waited for the handshake. */
  proceed(): void {
    if (this.#state !== "open" || this.#framer.waitingBytes === 0) return;
    this.#readFrames();
    this.#framer.keepRest();
  }

  carryOut(effect: ConnEffect): void {
    if (this.#state === "closed") return;
    switch (effect.kind) {
      case "reply":
        writeReply(this.#writer(), effect.xid, effect.zxid, effect.outcome);
        return;
      case "event":
        writeEvent(this.#writer(), effect.event);
        return;
      case "welcome":
        this.#welcome(effect.welcome);
        return;
      case "close":
        this.#state = "closed";
        this.#framer.clear();
        return;
    }
  }

  /** Says the answer to a four-letter word, and nothing after it. */
  answer(text: string): void {
    if (this.#state !== "asked") return;
    this.#writer().raw(new TextEncoder().encode(text));
    this.#state = "closed";
  }

  /** Everything there is to send, in one piece that the caller may keep; null for nothing. */
  take(): Uint8Array | null {
    const out = this.#out;
    if (out === null) return null;
    this.#out = null;
    // A large buffer goes as it is, a small one is used again: most connections have nothing to say most of the time.
    if (out.capacity > SPARE_WRITER_BYTES_MAX) return out.written();
    const bytes = outgoing.copy(out.written(), 0, out.length);
    if (spareWriters.length < SPARE_WRITERS_MAX) {
      out.clear();
      spareWriters.push(out);
    }
    return bytes;
  }

  #writer(): JuteWriter {
    this.#out ??= spareWriters.pop() ?? new JuteWriter(1024);
    return this.#out;
  }

  #welcome(welcome: Welcome): void {
    writeWelcome(this.#writer(), welcome, this.#shortHandshake);
    if (welcome.timeOut > 0) {
      this.#state = "open";
    } else {
      // A refused client is not listened to any more; the kernel's close follows.
      this.#framer.clear();
    }
  }

  /** Looks whether the first bytes spell a word. Gives them back, all of them so far, once it is known that they don't. */
  #tellApart(bytes: Uint8Array): Uint8Array | null {
    const all = this.#first.length === 0 ? bytes : joined(this.#first, bytes);
    if (all.length < WORD_BYTES) return this.#wait(all);
    const word = String.fromCharCode(...all.subarray(0, WORD_BYTES));
    if (!FOUR_LETTER_WORDS.has(word)) {
      this.#state = "framed";
      this.#first = new Uint8Array(0);
      return all;
    }
    const needed = word === "stmk" ? WORD_BYTES + MASK_BYTES : WORD_BYTES;
    if (all.length < needed) return this.#wait(all);
    this.#state = "asked";
    this.#sink.word(this, word, word === "stmk" ? new JuteReader(all.subarray(WORD_BYTES)).long() : null);
    return null;
  }

  #wait(all: Uint8Array): null {
    this.#first = new Uint8Array(all);
    return null;
  }

  #readFrames(): void {
    while (this.#state === "framed" || this.#state === "open") {
      const found = this.#framer.next(reader);
      if (found === "more") return;
      if (found === "bad") this.#end();
      else if (this.#state === "open") this.#request();
      else this.#hello();
    }
  }

  #request(): void {
    if (reader.remaining < REQUEST_HEADER_BYTES) {
      this.#end();
      return;
    }
    const xid = reader.int();
    const opcode = reader.int();
    this.#sink.input({ kind: "request", conn: this.id, xid, op: readRequest(opcode, reader) });
  }

  #hello(): void {
    try {
      const { hello, short } = readHello(reader);
      this.#shortHandshake = short;
      this.#state = "greeted";
      this.#sink.input({ kind: "connect", conn: this.id, hello, peer: this.peer });
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.#end();
    }
  }

  #end(): void {
    const known = this.#state === "greeted" || this.#state === "open";
    this.#state = "closed";
    this.#framer.clear();
    if (known) this.#sink.input({ kind: "disconnect", conn: this.id });
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
