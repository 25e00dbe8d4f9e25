/**
 * MD5 (RFC 1321), synchronous and without a platform.
 *
 * Only here because SASL's DIGEST-MD5 is built on it; nothing here should be used for new security.
 */
import { hashBlocks, rotateLeft } from "./hash_blocks.ts";

/** Turns of the four steps that repeat within a round, one line a round. */
const TURNS: readonly (readonly number[])[] = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
];
/** ⌊2³² · |sin(step + 1)|⌋, the RFC's own definition of its table. */
const SINES: Uint32Array = Uint32Array.from({ length: 64 }, (_, step) => Math.floor(2 ** 32 * Math.abs(Math.sin(step + 1))));

/** The 16 bytes of the hash. */
export function md5(bytes: Uint8Array): Uint8Array {
  const state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  hashBlocks(bytes, { blockBytes: 64, littleEndian: true }, (view, offset) => compress(state, view, offset));
  const hash = new Uint8Array(16);
  const out = new DataView(hash.buffer);
  for (let i = 0; i < 4; i++) out.setUint32(4 * i, state[i]!, true);
  return hash;
}

function compress(state: Uint32Array, block: DataView, offset: number): void {
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  for (let step = 0; step < 64; step++) {
    const round = step >> 4;
    const word = block.getUint32(offset + 4 * wordOf(round, step), true);
    const sum = (a + mix(round, b, c, d) + word + SINES[step]!) | 0;
    a = d;
    d = c;
    c = b;
    b = (b + rotateLeft(sum, TURNS[round]![step & 3]!)) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
}

/** The round's function of b, c and d. */
function mix(round: number, b: number, c: number, d: number): number {
  if (round === 0) return (b & c) | (~b & d);
  if (round === 1) return (b & d) | (c & ~d);
  if (round === 2) return b ^ c ^ d;
  return c ^ (b | ~d);
}

/** Which word of the block a step takes. */
function wordOf(round: number, step: number): number {
  if (round === 0) return step;
  if (round === 1) return (5 * step + 1) & 15;
  if (round === 2) return (3 * step + 5) & 15;
  return (7 * step) & 15;
}
