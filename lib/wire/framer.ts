/**
 * Finds the frames in a stream of chunks: `int32 length`, then that many bytes.
 *
 * Not here: what a frame holds. Invariants: a length is checked before anything is done about it; memory is taken for bytes that
 * have arrived, never for bytes that were announced; a frame that lies within one chunk is read where it lies, and any other is
 * copied a bounded number of times however small the pieces it comes in.
 */
import type { JuteReader } from "./jute.ts";

const NO_BYTES: Uint8Array = new Uint8Array(0);
const LENGTH_BYTES = 4;
/** What the first piece of a frame is given room for. */
const PARTIAL_BYTES_MIN = 64;

export class Framer {
  readonly #frameBytesMax: number;
  #refusedLength: number | null = null;
  /** The chunk that frames are taken from, and where the next one starts. Its bytes are lent until `keepRest`, unless it is our own. */
  #chunk: Uint8Array = NO_BYTES;
  #at = 0;
  /** Whether the chunk is our own copy: what waits in it is copied once, however often it has to wait. */
  #isOwn = false;
  /** The start of a frame, length included, whose end has not come yet. */
  #partial: Uint8Array = NO_BYTES;
  #partialLength = 0;

  /** @param frameBytesMax longest frame that is taken (ZooKeeper: `jute.maxbuffer`) */
  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Bytes that arrived and are not part of a frame handed out yet. */
  get waitingBytes(): number {
    return this.#partialLength + this.#chunk.length - this.#at;
  }

  /** Adds what arrived. Then comes `next` until it says something else than "frame", and then `keepRest`. */
  push(chunk: Uint8Array): void {
    if (this.#at === this.#chunk.length) {
      // A runtime's own subclass would make every subarray one too, which is slow.
      this.#chunk = chunk.constructor === Uint8Array ? chunk : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
      this.#isOwn = false;
    } else {
      const rest = this.#chunk.length - this.#at;
      const joined = new Uint8Array(rest + chunk.length);
      joined.set(this.#chunk.subarray(this.#at));
      joined.set(chunk, rest);
      this.#chunk = joined;
      this.#isOwn = true;
    }
    this.#at = 0;
  }

  /**
   * Points the reader at the next frame's bytes, which stay valid until the next call of any method here. "more": its end has not
   * come yet. "bad": its length is negative or above the limit, and nothing can be read from this stream any more.
   */
  next(reader: JuteReader): "frame" | "more" | "bad" {
    if (this.#partialLength > 0) return this.#nextOfPartial(reader);
    const at = this.#at;
    const available = this.#chunk.length - at;
    if (available < LENGTH_BYTES) return this.#startPartial(available);
    const length = lengthAt(this.#chunk, at);
    if (length < 0 || length > this.#frameBytesMax) return this.#refuse(length);
    if (available < LENGTH_BYTES + length) return this.#startPartial(available);
    this.#at = at + LENGTH_BYTES + length;
    reader.reset(this.#chunk, at + LENGTH_BYTES, this.#at);
    return "frame";
  }

  /** The length that was "bad"; null: none was. */
  get refusedLength(): number | null {
    return this.#refusedLength;
  }

  #refuse(length: number): "bad" {
    this.#refusedLength = length;
    return "bad";
  }

  /** Copies what was not handed out, when the chunk goes back to whoever lent it. */
  keepRest(): void {
    if (this.#at < this.#chunk.length && this.#isOwn) return;
    this.#chunk = this.#at === this.#chunk.length ? NO_BYTES : this.#chunk.slice(this.#at);
    this.#isOwn = true;
    this.#at = 0;
  }

  /** Drops everything. */
  clear(): void {
    this.#chunk = NO_BYTES;
    this.#at = 0;
    this.#partial = NO_BYTES;
    this.#partialLength = 0;
  }

  #startPartial(available: number): "more" {
    if (available > 0) {
      this.#partial = new Uint8Array(Math.max(available, PARTIAL_BYTES_MIN));
      this.#move(available);
    }
    return "more";
  }

  #nextOfPartial(reader: JuteReader): "frame" | "more" | "bad" {
    if (!this.#fill(LENGTH_BYTES)) return "more";
    const length = lengthAt(this.#partial, 0);
    if (length < 0 || length > this.#frameBytesMax) return this.#refuse(length);
    if (!this.#fill(LENGTH_BYTES + length)) return "more";
    reader.reset(this.#partial, LENGTH_BYTES, LENGTH_BYTES + length);
    this.#partial = NO_BYTES;
    this.#partialLength = 0;
    return "frame";
  }

  /** Moves bytes to the partial frame until it has `length` of them; false if there are too few. */
  #fill(length: number): boolean {
    const wanted = length - this.#partialLength;
    if (wanted <= 0) return true;
    const count = Math.min(wanted, this.#chunk.length - this.#at);
    const needed = this.#partialLength + count;
    if (needed > this.#partial.length) {
      const grown = new Uint8Array(Math.min(length, Math.max(needed, 2 * this.#partial.length)));
      grown.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = grown;
    }
    this.#move(count);
    return count === wanted;
  }

  #move(count: number): void {
    this.#partial.set(this.#chunk.subarray(this.#at, this.#at + count), this.#partialLength);
    this.#partialLength += count;
    this.#at += count;
  }
}

/** The big-endian int at an offset. */
function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
