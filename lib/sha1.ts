/**
 * SHA-1 (RFC 3174), synchronous and without a platform.
 *
 * ZooKeeper's digest scheme is built on it; nothing here should be used for new security.
 */
import { hashBlocks, rotateLeft } from "./hash_blocks.ts";

const words = new Uint32Array(80);

/** The 20 bytes of the hash. */
export function sha1(bytes: Uint8Array): Uint8Array {
  const state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
  hashBlocks(bytes, { blockBytes: 64, littleEndian: false }, (view, offset) => compress(state, view, offset));
  const hash = new Uint8Array(20);
  const out = new DataView(hash.buffer);
  for (let i = 0; i < 5; i++) out.setUint32(4 * i, state[i]!);
  return hash;
}

function compress(state: Uint32Array, block: DataView, offset: number): void {
  for (let i = 0; i < 16; i++) words[i] = block.getUint32(offset + 4 * i);
  for (let i = 16; i < 80; i++) words[i] = rotateLeft(words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!, 1);
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  for (let i = 0; i < 80; i++) {
    const next = (rotateLeft(a, 5) + mix(i, b, c, d) + e + words[i]!) | 0;
    e = d;
    d = c;
    c = rotateLeft(b, 30);
    b = a;
    a = next;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
}

/** The round's function of b, c and d, with its constant added. */
function mix(round: number, b: number, c: number, d: number): number {
  if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}
