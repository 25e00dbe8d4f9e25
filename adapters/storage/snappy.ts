/**
 * snappy-java's stream: a head, then blocks, each a length and raw snappy (a length, then literals and copies of what came before).
 *
 * Invariant: nothing is written or read beyond a block's own bytes, whatever they say.
 */
import { SnapshotError } from "../../lib/store/storage_error.ts";

const MAGIC: readonly number[] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00];
/** The magic bytes and two version numbers. */
const HEAD_BYTES = 16;
/** Java writes blocks of this size; more than the other is no block. */
const BLOCK_BYTES = 32 << 10;
const BLOCK_BYTES_MAX = 64 << 20;
const COPY_BYTES_MAX = 64;
const HASH_BITS = 14;

/** The bytes that were packed. */
export async function* unsnappy(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let bytes = new Uint8Array(0);
  let inHead = true;
  for await (const chunk of chunks) {
    const both = new Uint8Array(bytes.length + chunk.length);
    both.set(bytes);
    both.set(chunk, bytes.length);
    bytes = both;
    let at = 0;
    if (inHead && bytes.length >= HEAD_BYTES) {
      if (MAGIC.some((byte, index) => bytes[index] !== byte)) throw new SnapshotError("the file is not packed by snappy");
      inHead = false;
      at = HEAD_BYTES;
    }
    while (!inHead && bytes.length - at >= 4) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
      if (length > BLOCK_BYTES_MAX) throw damage(`a block of ${length} bytes`);
      if (bytes.length - at - 4 < length) break;
      yield unpackBlock(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    bytes = bytes.slice(at);
  }
  if (bytes.length > 0 || inHead) throw damage("it ends inside a block");
}

/** The bytes, packed. */
export async function* snappied(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  yield Uint8Array.of(...MAGIC, 0, 0, 0, 1, 0, 0, 0, 1);
  for await (const chunk of chunks) {
    if (chunk.length === 0) yield chunk;
    for (let at = 0; at < chunk.length; at += BLOCK_BYTES) {
      const block = packBlock(chunk.subarray(at, at + BLOCK_BYTES));
      const head = new Uint8Array(4);
      new DataView(head.buffer).setUint32(0, block.length);
      yield head;
      yield block;
    }
  }
}

/** Packs up to 32 KiB: what has stood in the block before becomes a copy of it. */
export function packBlock(from: Uint8Array): Uint8Array {
  const out = new Uint8Array(from.length + from.length / 6 + 32);
  /** Where four bytes that hash alike were seen last, plus one. */
  const seen = new Uint16Array(1 << HASH_BITS);
  const view = new DataView(from.buffer, from.byteOffset, from.length);
  let end = writeLength(out, from.length);
  let literal = 0;
  for (let at = 0; at + 4 <= from.length; ) {
    const four = view.getUint32(at);
    const hash = Math.imul(four, 0x1e35a7bd) >>> (32 - HASH_BITS);
    const before = seen[hash]! - 1;
    seen[hash] = at + 1;
    if (before < 0 || view.getUint32(before) !== four) {
      at++;
      continue;
    }
    let length = 4;
    while (length < COPY_BYTES_MAX && at + length < from.length && from[before + length] === from[at + length]) length++;
    end = writeLiteral(out, end, from.subarray(literal, at));
    out[end++] = ((length - 1) << 2) | 2;
    out[end++] = (at - before) & 0xff;
    out[end++] = (at - before) >> 8;
    at += length;
    literal = at;
  }
  return out.subarray(0, writeLiteral(out, end, from.subarray(literal)));
}

function writeLength(out: Uint8Array, length: number): number {
  let at = 0;
  for (let left = length; ; left >>>= 7) {
    out[at++] = left < 0x80 ? left : (left & 0x7f) | 0x80;
    if (left < 0x80) return at;
  }
}

function writeLiteral(out: Uint8Array, end: number, bytes: Uint8Array): number {
  if (bytes.length === 0) return end;
  const last = bytes.length - 1;
  let at = end;
  if (last < 60) out[at++] = last << 2;
  else {
    out[at++] = 61 << 2;
    out[at++] = last & 0xff;
    out[at++] = last >> 8;
  }
  out.set(bytes, at);
  return at + bytes.length;
}

/** Raw snappy: the length of what comes out, then literals and copies of what came out before. */
export function unpackBlock(from: Uint8Array): Uint8Array {
  let [length, at] = readLength(from);
  const out = new Uint8Array(length);
  let end = 0;
  while (at < from.length) {
    const tag = from[at++]!;
    if ((tag & 3) === 0) {
      const short = tag >> 2;
      const more = short < 60 ? 0 : short - 59;
      length = (more === 0 ? short : readLittleEndian(from, at, more)) + 1;
      at += more;
      if (length > from.length - at || length > out.length - end) throw damage("a literal is too long");
      out.set(from.subarray(at, at + length), end);
      at += length;
    } else {
      const bytes = [0, 1, 2, 4][tag & 3]!;
      let back = readLittleEndian(from, at, bytes);
      if (bytes === 1) back += (tag >> 5) << 8;
      length = bytes === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
      at += bytes;
      if (back === 0 || back > end || length > out.length - end) throw damage("a copy reaches out of the block");
      // Byte by byte: a copy may reach into itself.
      for (let i = 0; i < length; i++) out[end + i] = out[end + i - back]!;
    }
    end += length;
  }
  if (end !== out.length) throw damage("a block is shorter than it says");
  return out;
}

function readLength(from: Uint8Array): [length: number, at: number] {
  let length = 0;
  for (let at = 0; at < 5 && at < from.length; at++) {
    length += (from[at]! & 0x7f) * 2 ** (7 * at);
    if (from[at]! >= 0x80) continue;
    if (length > BLOCK_BYTES_MAX) break;
    return [length, at + 1];
  }
  throw damage("a block has no length");
}

function readLittleEndian(from: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > from.length) throw damage("a block ends too early");
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + from[at + i]!;
  return value;
}

function damage(what: string): SnapshotError {
  return new SnapshotError(`the bytes packed by snappy are damaged: ${what}`);
}
