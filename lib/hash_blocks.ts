/**
 * What MD5, SHA-1 and SHA-2 have in common: the message is cut into blocks, and padded with a one bit, zeros and its length in bits
 * (Merkle–Damgård strengthening).
 */

/** How a hash wants its message. */
export interface BlockShape {
  /** 64, or 128 with a length of twice the size. */
  readonly blockBytes: 64 | 128;
  /** Byte order of the length. */
  readonly littleEndian: boolean;
}

/** Calls `compress` with each block of the padded message, in order. */
export function hashBlocks(bytes: Uint8Array, shape: BlockShape, compress: (view: DataView, offset: number) => void): void {
  const { blockBytes, littleEndian } = shape;
  const whole = bytes.length - (bytes.length % blockBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset < whole; offset += blockBytes) compress(view, offset);

  const rest = bytes.length - whole;
  const lengthBytes = blockBytes / 8;
  const tail = new Uint8Array(rest + 1 + lengthBytes > blockBytes ? 2 * blockBytes : blockBytes);
  tail.set(bytes.subarray(whole));
  tail[rest] = 0x80;
  const tailView = new DataView(tail.buffer);
  // Of a 128-bit length the upper half is zero: no array is that long.
  const lengthAt = littleEndian ? tail.length - lengthBytes : tail.length - 8;
  tailView.setBigUint64(lengthAt, BigInt(bytes.length) * 8n, littleEndian);
  for (let offset = 0; offset < tail.length; offset += blockBytes) compress(tailView, offset);
}

/** The 32 bits turned left by 1 to 31 places. */
export function rotateLeft(word: number, places: number): number {
  return (word << places) | (word >>> (32 - places));
}
