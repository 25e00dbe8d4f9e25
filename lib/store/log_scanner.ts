/**
 * Finds the records of a log file as its bytes arrive, and says how the file ends: as written, torn by a crash, or damaged.
 *
 * A crash leaves a record that is cut off, runs out in zeros or has a hole of them, close to the log's end. Whatever else is no record is
 * damage: bytes that changed, or records behind a place that can't be read. Apache ZooKeeper takes much of that for an ordinary end, and loses
 * what follows.
 *
 * Not here: what is done about it. Invariant: a record is found only if its checksum holds, and nothing is passed over without being told.
 */
import { adler32 } from "../base/checksum.ts";
import type { Zxid } from "../model/types.ts";
import type { LogSpan } from "../ports.ts";
import {
  FILE_VERSION,
  FRAME_END,
  FRAME_HEAD_BYTES,
  GROUP_BYTES_MAX,
  LOG_HEADER_BYTES,
  LOG_MAGIC,
  RECORD_BYTES_MIN,
  ZXID_OFFSET,
} from "./log_records.ts";

/** A longer record is waited for only if the file is long enough: else its length is damage. */
const RECORD_BYTES_EXPECTED = 64 << 20;
/** How far behind a damaged place whole records are looked for. */
const TAIL_BYTES_MAX = 256 << 20;
/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;
const ADLER_MODULUS = 65521;
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** A record that was found. */
export interface ScannedRecord extends LogSpan {
  /** Where its frame starts in the file. */
  readonly offset: number;
}

/** The records that some bytes of a file have completed. */
export interface Scanned {
  /** The records' spans are of these. Valid until the scanned bytes are not. */
  readonly bytes: Uint8Array;
  readonly records: readonly ScannedRecord[];
}

/** How a log file ends. */
export interface LogEnd {
  /**
   * - `whole`: with a record's last byte, or with nothing but zeros behind it;
   * - `torn`: in a record that a crash kept from being written, and all behind it that was written together with it;
   * - `damaged`: in something that no crash leaves;
   * - `foreign`: it is no log of a layout that is known.
   */
  readonly kind: "whole" | "torn" | "damaged" | "foreign";
  /** Behind the last whole record; 0 where not even the file's header is whole. */
  readonly offset: number;
  /** What is wrong at the offset; empty where nothing is. */
  readonly problem: string;
  /** A record that stands whole behind the damage. */
  readonly following: FollowingRecords | null;
}

/** Records that stand whole behind damage. */
export interface FollowingRecords {
  /** Of the first of them, and where it starts in the file. */
  readonly zxid: Zxid;
  readonly offset: number;
  /** Of the last of those that stand right behind it. */
  readonly last: Zxid;
}

export class LogScanner {
  readonly #recordBytesMax: number;
  /** Pushed and not consumed yet. */
  #bytes: Uint8Array = NO_BYTES;
  /** Pushed behind these, and not looked at before there are so many of them that the record may be whole. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #neededBytes = 0;
  #view: DataView = viewOf(NO_BYTES);
  /** Where the next frame starts, in these bytes; and where these bytes start, in the file. */
  #at = 0;
  #offset = 0;
  #inHeader = true;
  #headerProblem = "";
  /** No more records are looked for: here is something else. */
  #stopped = false;
  /** Zeros behind these bytes, once stopped. */
  #zeros = 0;

  /** @param fileBytes how long the file is, as far as is known: a record may be as long */
  constructor(fileBytes = 0) {
    this.#recordBytesMax = Math.max(fileBytes, RECORD_BYTES_EXPECTED);
  }

  /** Takes the file's next bytes and gives the records that are complete now. */
  push(chunk: Uint8Array): Scanned {
    if (this.#stopped) {
      this.#keepTail(chunk);
      return { bytes: NO_BYTES, records: [] };
    }
    if (this.#bytes.length + this.#waitingBytes + chunk.length < this.#neededBytes) {
      this.#waiting.push(chunk.slice()); // the chunk's owner may use it again
      this.#waitingBytes += chunk.length;
      return { bytes: NO_BYTES, records: [] };
    }
    this.#bytes = this.#bytes.length === 0 ? chunk : this.#takeWaiting(chunk);
    if (this.#inHeader) this.#readHeader();
    this.#view = viewOf(this.#bytes);
    const records: ScannedRecord[] = [];
    while (!this.#inHeader && !this.#stopped) {
      const record = this.#next();
      if (record === null) break;
      records.push(record);
    }
    const bytes = this.#bytes;
    const rest = bytes.subarray(this.#at);
    this.#offset += this.#at;
    this.#at = 0;
    this.#bytes = NO_BYTES;
    if (this.#stopped) this.#keepTail(rest);
    else this.#bytes = rest.slice();
    return { bytes, records };
  }

  /** All that has been pushed and not consumed, in one piece. */
  #takeWaiting(chunk: Uint8Array): Uint8Array {
    const all = joined([this.#bytes, ...this.#waiting, chunk]);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return all;
  }

  /** The file has no more bytes. */
  end(): LogEnd {
    const offset = this.#offset;
    if (this.#waitingBytes > 0) this.#bytes = this.#takeWaiting(NO_BYTES);
    if (this.#inHeader) {
      const kind = this.#headerProblem === "" ? "damaged" : "foreign";
      const cut = this.#bytes.length === 0 ? "the file is empty" : "the file ends inside its header";
      return { kind, offset, problem: this.#headerProblem || cut, following: null };
    }
    const tail = withoutZeros(this.#bytes);
    if (tail.length === 0) return { kind: "whole", offset, problem: "", following: null };
    return { offset, ...judgeTail(tail, offset, this.#recordBytesMax) };
  }

  #readHeader(): void {
    if (this.#bytes.length < LOG_HEADER_BYTES) return;
    const view = viewOf(this.#bytes);
    const version = view.getInt32(4);
    if (view.getInt32(0) !== LOG_MAGIC) this.#headerProblem = "this is no ZooKeeper log: it does not start with ZKLG";
    else if (version !== FILE_VERSION) this.#headerProblem = `the log has layout ${version}, and only ${FILE_VERSION} is known`;
    this.#inHeader = this.#stopped = this.#headerProblem !== "";
    if (!this.#inHeader) this.#at = LOG_HEADER_BYTES;
  }

  /** The record that starts here; null where more bytes are needed, or where there is none, which stops the scan. */
  #next(): ScannedRecord | null {
    const bytes = this.#bytes;
    const at = this.#at;
    if (bytes.length - at < FRAME_HEAD_BYTES) return null;
    const length = intAt(bytes, at + 8);
    if (length < RECORD_BYTES_MIN || length > this.#recordBytesMax) {
      this.#stopped = true;
      return null;
    }
    const start = at + FRAME_HEAD_BYTES;
    const end = start + length;
    this.#neededBytes = FRAME_HEAD_BYTES + length + 1;
    if (end + 1 > bytes.length) return null;
    this.#neededBytes = 0;
    if (!isRecord(bytes, at, end)) {
      this.#stopped = true;
      return null;
    }
    this.#at = end + 1;
    const zxid = this.#view.getBigInt64(start + ZXID_OFFSET);
    return { zxid, start, end, offset: this.#offset + at };
  }

  /** Once stopped: keeps what is not zero, to be judged at the end. */
  #keepTail(chunk: Uint8Array): void {
    if (this.#bytes.length + this.#zeros > TAIL_BYTES_MAX) return;
    const content = withoutZeros(chunk).length;
    if (content === 0) {
      this.#zeros += chunk.length;
      return;
    }
    this.#bytes = joined([this.#bytes, new Uint8Array(this.#zeros), chunk.subarray(0, content)]);
    this.#zeros = chunk.length - content;
  }
}

/** Whether a frame at `at`, whose record ends at `end`, is whole. */
function isRecord(bytes: Uint8Array, at: number, end: number): boolean {
  if (bytes[end] !== FRAME_END || intAt(bytes, at) !== 0) return false;
  return adler32(bytes, 1, at + FRAME_HEAD_BYTES, end) === intAt(bytes, at + 4) >>> 0;
}

/**
 * What is wrong with the frame that starts `tail`, which ends with the file's last byte that is not zero; and whether a crash leaves such.
 *
 * The disk writes sectors, in any order, into a file that was zeros before. So a crash leaves zeros up to the end, or at least one sector of
 * them where the record should be; behind that, records of the same group may stand whole.
 */
function judgeTail(tail: Uint8Array, offset: number, recordBytesMax: number): Omit<LogEnd, "offset"> {
  const found = findRecord(tail);
  const following = found && { ...found, offset: offset + found.offset };
  const torn = { kind: "torn", problem: "the last record was not written to its end", following } as const;
  const damaged = (problem: string): Omit<LogEnd, "offset"> => ({ kind: "damaged", problem, following });
  const head = new Uint8Array(FRAME_HEAD_BYTES);
  head.set(tail.subarray(0, FRAME_HEAD_BYTES));
  const length = intAt(head, 8);
  /** Up to here nothing but this record can have stood. */
  const extent = found?.offset ?? tail.length;
  if (length < 0 || length > recordBytesMax) return damaged(`a record can't have length ${length}`);
  if (tail.length <= FRAME_HEAD_BYTES) return torn;
  if (isRecord(tail, 0, extent - 1)) return damaged(`the length of a record is wrong: ${length}`);
  const end = FRAME_HEAD_BYTES + length;
  // Whole records behind it are of the same group, which is a short one then. Without any, it may be the one record of a group.
  const isOneGroup = tail.length <= (found === null ? FRAME_HEAD_BYTES + recordBytesMax + 1 : GROUP_BYTES_MAX);
  const hasLostSector = isOneGroup && hasZeroSector(tail, extent, offset);
  if (end < tail.length && end < extent) {
    if (hasLostSector && (length < RECORD_BYTES_MIN || !differsByOneBit(tail, end))) return torn;
    if (length < RECORD_BYTES_MIN) return damaged(`a record can't have length ${length}`);
    if (tail[end] !== FRAME_END) return damaged("a record does not end where its length says");
    return damaged("the checksum of a record does not fit it");
  }
  return found === null || hasLostSector ? torn : damaged("a record does not end where its length says");
}

/** Whether a whole sector of the file is zero, of those that begin before `extent`; the bytes start at `offset` of the file. */
function hasZeroSector(bytes: Uint8Array, extent: number, offset: number): boolean {
  for (let start = 0; start < extent; ) {
    const end = start + SECTOR_BYTES - ((offset + start) % SECTOR_BYTES);
    if (end <= bytes.length && withoutZeros(bytes.subarray(start, end)).length === 0) return true;
    start = end;
  }
  return false;
}

/** Whether a single changed bit, in the record or its checksum or behind it, explains what is wrong with the frame. */
function differsByOneBit(bytes: Uint8Array, end: number): boolean {
  const stored = intAt(bytes, 4);
  const computed = adler32(bytes, 1, FRAME_HEAD_BYTES, end) | 0;
  if (stored === computed) return bytes[end] !== 0; // no one bit makes a zero of the byte that ends a record
  if (isPowerOfTwo(stored ^ computed)) return true;
  // A bit of a byte that is followed by m − 1 others adds a power of two to the sum in the checksum's lower half, and m times that to the upper one.
  const added = modulo((computed & 0xffff) - (stored & 0xffff));
  if (!isPowerOfTwo(added) && !isPowerOfTwo(ADLER_MODULUS - added)) return false;
  const m = modulo(modulo((computed >>> 16) - (stored >>> 16)) * inverse(added));
  return m >= 1 && m <= end - FRAME_HEAD_BYTES;
}

function modulo(value: number): number {
  return ((value % ADLER_MODULUS) + ADLER_MODULUS) % ADLER_MODULUS;
}

/** The number whose product with `value` is 1: the modulus is a prime, so its power to the modulus less two. */
function inverse(value: number): number {
  let result = 1;
  for (let base = value, power = ADLER_MODULUS - 2; power > 0; power >>= 1, base = modulo(base * base)) {
    if (power & 1) result = modulo(result * base);
  }
  return result;
}

function isPowerOfTwo(value: number): boolean {
  return value !== 0 && (value & (value - 1)) === 0;
}

/** The first whole record behind the start of `bytes`. */
function findRecord(bytes: Uint8Array): FollowingRecords | null {
  const last = bytes.length - FRAME_HEAD_BYTES - RECORD_BYTES_MIN - 1;
  for (let at = 1; at <= last; at++) {
    // The upper half of a checksum is zero.
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 0 || bytes[at + 3] !== 0) continue;
    const length = intAt(bytes, at + 8);
    if (length < RECORD_BYTES_MIN) continue;
    const end = at + FRAME_HEAD_BYTES + length;
    if (end < bytes.length && isRecord(bytes, at, end)) {
      const zxid = viewOf(bytes).getBigInt64(at + FRAME_HEAD_BYTES + ZXID_OFFSET);
      return { zxid, offset: at, last: lastBehind(bytes, end + 1) ?? zxid };
    }
  }
  return null;
}

/** The zxid of the last of the records that stand one behind the other from `at` on. */
function lastBehind(bytes: Uint8Array, start: number): Zxid | null {
  let last: Zxid | null = null;
  for (let at = start; at + FRAME_HEAD_BYTES + RECORD_BYTES_MIN < bytes.length; ) {
    const length = intAt(bytes, at + 8);
    const end = at + FRAME_HEAD_BYTES + length;
    if (length < RECORD_BYTES_MIN || end >= bytes.length || !isRecord(bytes, at, end)) break;
    last = viewOf(bytes).getBigInt64(at + FRAME_HEAD_BYTES + ZXID_OFFSET);
    at = end + 1;
  }
  return last;
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  // Padding is long, and eight bytes at a time are looked at as fast as one.
  if (end > 64) {
    const view = viewOf(bytes);
    while (end >= 8 && view.getUint32(end - 4) === 0 && view.getUint32(end - 8) === 0) end -= 8;
  }
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function intAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
