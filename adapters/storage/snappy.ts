/**
 * Reads what snappy-java's stream writes: a head, then blocks, each a length and raw snappy (a length, then literals and copies).
 *
 * Invariant: nothing is written or read beyond a block's own bytes, whatever they say.
 */
import { SnapshotError } from "../../lib/store/snapshot_reader.ts";

const MAGIC: readonly number[] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00];
/** The magic bytes and two version numbers. */
const HEAD_BYTES = 16;
/** Java writes blocks of 32 KiB; more than this is no block. */
const BLOCK_BYTES_MAX = 64 << 20;

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
