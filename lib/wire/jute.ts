/**
 * Jute, ZooKeeper's encoding: primitives, and the two directions in which a record passes over them.
 *
 * A record is described once, as a function over {@link Jute} that names its fields in wire order:
 *
 *     const pathWatch: JuteRecord<PathWatch> = (jute, it) => ({ path: jute.string(it?.path), watch: jute.boolean(it?.watch) });
 *
 * Given a {@link JuteWriter} and a value it writes the value's fields; given a {@link JuteReader} and no value it returns what it
 * read. The object literal keeps the property order fixed, so this runs as fast as a hand-written reader and writer, which a
 * loop over a list of fields does not (three to five times slower).
 *
 * Not here: which records exist, and frames. Invariant: the reader never looks, and never allocates, beyond what it was given.
 */

import { Slab } from "../base/slab.ts";
import { internedAscii } from "./intern.ts";

/** The primitives of one direction. Reading ignores the argument; writing returns it. */
export interface Jute {
  boolean(value?: boolean): boolean;
  /** Signed, 4 bytes. */
  int(value?: number): number;
  /** An int that ends its record and that old writers leave out: `absent` stands for it where nothing is left. */
  intOrEnd(absent: number, value?: number): number;
  /** Signed, 8 bytes. */
  long(value?: bigint): bigint;
  /** A long that is a time or a duration in milliseconds; inexact beyond ±2⁵³. */
  millis(value?: number): number;
  string(value?: string | null): string | null;
  /** A string that may not be null. */
  text(value?: string): string;
  /** Reading copies: the bytes may be kept. */
  buffer(value?: Uint8Array | null): Uint8Array | null;
  vector<T>(element: JuteRecord<T>, value?: readonly T[] | null): readonly T[] | null;
  /** A vector that may not be null. */
  list<T>(element: JuteRecord<T>, value?: readonly T[]): readonly T[];
  /** A list of strings that nobody changes: one that is written again and again is encoded once. */
  names(value?: readonly string[]): readonly string[];
}

/** A record: its fields in wire order, for both directions. */
export type JuteRecord<T> = (jute: Jute, value?: T) => T;

/** Element of a vector of strings that may be null. */
export const string: JuteRecord<string | null> = (jute, value) => jute.string(value);
/** Element of a vector of strings that may not. */
export const text: JuteRecord<string> = (jute, value) => jute.text(value);

/** The bytes are not what the record says: too few, an impossible length, or a null where none may be. */
export class JuteError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "JuteError";
  }
}

const TWO_32 = 2 ** 32;
const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_VIEW: DataView = new DataView(NO_BYTES.buffer);

/** Lists of names that were written before: once, or their bytes. */
const encodedNames = new WeakMap<readonly string[], Uint8Array | "once">();
/** Longer lists are encoded each time rather than kept twice. */
const ENCODED_NAMES_MAX = 1024 * 1024;

// A BOM is a character like any other; what is malformed becomes U+FFFD.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** What was read may live as long as the znode it goes to. */
const kept = new Slab(4096);

/** Strings up to this length are looked for among those read before, see intern.ts. */
const INTERNED_BYTES_MAX = 96;

/** Reads jute from a part of some bytes. One reader is enough for many frames: point it at the next one with `reset`. */
export class JuteReader implements Jute {
  readonly #copies: Slab;
  #bytes: Uint8Array = NO_BYTES;
  #view: DataView = NO_VIEW;
  #offset = 0;
  #end = 0;

  /** @param copies where the bytes of buffers go */
  constructor(bytes?: Uint8Array, copies: Slab = kept) {
    this.#copies = copies;
    if (bytes !== undefined) this.reset(bytes, 0, bytes.length);
  }

  /** From now on reads `bytes` from `start` up to `end`. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.#offset = start;
    this.#end = end;
  }

  /** Where the next byte comes from. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes that are left. */
  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** The bytes that are left, without a copy, and without taking them. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#offset, this.#end);
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  boolean(): boolean {
    return this.byte() !== 0;
  }

  int(): number {
    return this.#view.getInt32(this.#take(4));
  }

  intOrEnd(absent: number): number {
    return this.remaining === 0 ? absent : this.int();
  }

  /** The int that comes next, without taking it. */
  peekInt(): number {
    const value = this.int();
    this.#offset -= 4;
    return value;
  }

  long(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  millis(): number {
    const at = this.#take(8);
    return this.#view.getInt32(at) * TWO_32 + this.#view.getUint32(at + 4);
  }

  string(): string | null {
    const length = this.#length();
    return length === -1 ? null : this.#string(length);
  }

  text(): string {
    const length = this.#length();
    if (length === -1) throw new JuteError(`null string at byte ${this.#offset - 4}`);
    return this.#string(length);
  }

  buffer(): Uint8Array | null {
    const length = this.#length();
    if (length === -1) return null;
    const start = this.#take(length);
    return this.#copies.copy(this.#bytes, start, length);
  }

  vector<T>(element: JuteRecord<T>): readonly T[] | null {
    // Grows as elements arrive: a count alone costs nothing. No element is smaller than a byte.
    const count = this.#length();
    if (count === -1) return null;
    const elements: T[] = [];
    for (let i = 0; i < count; i++) elements.push(element(this));
    return elements;
  }

  names(): readonly string[] {
    return this.list(text);
  }

  list<T>(element: JuteRecord<T>): readonly T[] {
    const elements = this.vector(element);
    if (elements === null) throw new JuteError(`null vector at byte ${this.#offset - 4}`);
    return elements;
  }

  /** A length or count: -1 for null, never more than what is left. */
  #length(): number {
    const length = this.int();
    if (length < -1 || length > this.remaining) {
      throw new JuteError(`length ${length} at byte ${this.#offset - 4}, ${this.remaining} bytes left`);
    }
    return length;
  }

  #string(length: number): string {
    const start = this.#take(length);
    if (length <= INTERNED_BYTES_MAX) {
      const known = internedAscii(this.#bytes, start, length);
      if (known !== null) return known;
    }
    return decoder.decode(this.#bytes.subarray(start, start + length));
  }

  #take(length: number): number {
    const start = this.#offset;
    if (length > this.#end - start) throw new JuteError(`${length} bytes wanted at byte ${start}, ${this.#end - start} left`);
    this.#offset = start + length;
    return start;
  }
}

/** A long byte string that goes out as it is, between bytes of the writer's own. */
interface LentBytes {
  /** So many bytes of the writer's own stand before it. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Writes jute into a buffer that grows. */
export class JuteWriter implements Jute {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;
  readonly #lendsFrom: number;
  readonly #lent: LentBytes[] = [];
  #lentBytes = 0;

  /**
   * @param capacity bytes to start with; more are found when needed
   * @param lendsFrom byte strings of so many bytes, or more, are not copied: they must stay as they are, and are got by {@link pieces}
   */
  constructor(capacity = 256, lendsFrom: number = Number.POSITIVE_INFINITY) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
    this.#lendsFrom = lendsFrom;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length + this.#lentBytes;
  }

  /** Whether there are byte strings in it that were not copied. */
  get lends(): boolean {
    return this.#lent.length > 0;
  }

  /** Bytes there is room for before it has to grow. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** What was written, without a copy: valid until the next write. Of a writer that doesn't lend. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What was written, as a copy that may be kept. Of a writer that doesn't lend. */
  copy(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** What was written, in pieces, without a copy: valid until the next write. */
  pieces(): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let from = 0;
    for (const { at, bytes } of this.#lent) {
      if (at > from) pieces.push(this.#bytes.subarray(from, at));
      pieces.push(bytes);
      from = at;
    }
    if (this.#length > from) pieces.push(this.#bytes.subarray(from, this.#length));
    return pieces;
  }

  /** Forgets what was written, or all of it behind the first bytes. */
  clear(length = 0): void {
    for (let last = this.#lent.at(-1); last !== undefined; last = this.#lent.at(-1)) {
      const before = last.at + this.#lentBytes - last.bytes.length;
      if (before < length) break;
      this.#lent.pop();
      this.#lentBytes -= last.bytes.length;
    }
    this.#length = length - this.#lentBytes;
  }

  /** Writes an int over the one at `at`: how a length gets in front of what it counts. */
  setInt(at: number, value: number): void {
    this.#view.setInt32(this.#own(at), value);
  }

  /** Where in the writer's own bytes stands what is at `at` of all of them. */
  #own(at: number): number {
    let own = at - this.#lentBytes;
    for (let last = this.#lent.length - 1; last >= 0 && own < this.#lent[last]!.at; last--)
      own += this.#lent[last]!.bytes.length;
    return own;
  }

  boolean(value?: boolean): boolean {
    const at = this.#reserve(1);
    this.#bytes[at] = value ? 1 : 0;
    return value!;
  }

  int(value?: number): number {
    const at = this.#reserve(4);
    this.#view.setInt32(at, value!);
    return value!;
  }

  intOrEnd(_absent: number, value?: number): number {
    return this.int(value);
  }

  long(value?: bigint): bigint {
    const at = this.#reserve(8);
    this.#view.setBigInt64(at, value!);
    return value!;
  }

  millis(value?: number): number {
    const at = this.#reserve(8);
    this.#view.setInt32(at, Math.floor(value! / TWO_32));
    this.#view.setUint32(at + 4, value! % TWO_32);
    return value!;
  }

  string(value?: string | null): string | null {
    if (value === null || value === undefined) {
      this.int(-1);
      return null;
    }
    return this.text(value);
  }

  text(value?: string): string {
    const string = value!;
    const length = string.length;
    const at = this.#reserve(4 + length);
    const bytes = this.#bytes;
    for (let i = 0, to = at + 4; i < length; i++) {
      const unit = string.charCodeAt(i);
      if (unit > 0x7f) {
        this.#length = at;
        this.#utf8(string);
        return string;
      }
      bytes[to++] = unit;
    }
    this.#view.setInt32(at, length);
    return string;
  }

  buffer(value?: Uint8Array | null): Uint8Array | null {
    if (value === null || value === undefined) {
      this.int(-1);
      return null;
    }
    const length = lengthOf(value);
    this.int(length);
    this.#raw(value, length);
    return value;
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): void {
    this.#raw(bytes, lengthOf(bytes));
  }

  #raw(bytes: Uint8Array, length: number): void {
    if (length >= this.#lendsFrom) return this.#lend(bytes, length);
    const at = this.#reserve(length);
    this.#bytes.set(bytes, at);
  }

  #lend(bytes: Uint8Array, length: number): void {
    this.#lent.push({ at: this.#length, bytes });
    this.#lentBytes += length;
  }

  vector<T>(element: JuteRecord<T>, value?: readonly T[] | null): readonly T[] | null {
    if (value === null || value === undefined) {
      this.int(-1);
      return null;
    }
    return this.list(element, value);
  }

  list<T>(element: JuteRecord<T>, value?: readonly T[]): readonly T[] {
    const elements = value!;
    this.int(elements.length);
    for (const one of elements) element(this, one);
    return elements;
  }

  names(value?: readonly string[]): readonly string[] {
    const names = value!;
    const known = encodedNames.get(names);
    if (known instanceof Uint8Array) {
      this.raw(known);
      return names;
    }
    const start = this.#length;
    this.list(text, names);
    if (known === undefined) encodedNames.set(names, "once");
    else if (this.#length - start <= ENCODED_NAMES_MAX) encodedNames.set(names, this.#bytes.slice(start, this.#length));
    return names;
  }

  #utf8(string: string): void {
    const at = this.#reserve(4 + 3 * string.length);
    const { written } = encoder.encodeInto(string, this.#bytes.subarray(at + 4));
    this.#view.setInt32(at, written);
    this.#length = at + 4 + written;
  }

  #reserve(length: number): number {
    const at = this.#length;
    this.#length = at + length;
    if (this.#length > this.#bytes.length) this.#grow(at);
    return at;
  }

  #grow(used: number): void {
    const old = this.#bytes;
    this.#bytes = new Uint8Array(Math.max(this.#length, 2 * old.length));
    this.#bytes.set(old.subarray(0, used));
    this.#view = new DataView(this.#bytes.buffer);
  }
}

/** A length that is none would be remembered, and nothing could be written any more. */
function lengthOf({ length }: Uint8Array): number {
  if (!Number.isSafeInteger(length) || length < 0) throw new RangeError(`${length} is no length of bytes`);
  return length;
}
