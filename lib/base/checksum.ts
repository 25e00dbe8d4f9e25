/**
 * CRC-32 (zlib's polynomial) and Adler-32 (RFC 1950), for several pieces in a row and without allocating: both run on every
 * durable write. Adler-32 guards log records and snapshots, CRC-32 makes tree digests.
 *
 * Not for security: both find damage, not forgery.
 */

/**
 * Eight tables of 256, one behind the other: table k holds the CRC of a byte followed by k zero bytes, so that eight bytes are
 * looked up independently of each other. Signed, since small integers is what engines are fast with.
 */
const CRC_TABLES: Int32Array = crcTables();

function crcTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const shorter = tables[i - 256]!;
    tables[i] = tables[shorter & 0xff]! ^ (shorter >>> 8);
  }
  return tables;
}

/**
 * CRC-32 of `bytes[start, end)`, unsigned. `seed` is the CRC of what came before.
 *
 * @example
 * ```ts
 * crc32(tail, crc32(head)); // the CRC of head followed by tail
 * ```
 */
export function crc32(bytes: Uint8Array, seed = 0, start = 0, end: number = bytes.length): number {
  const t = CRC_TABLES;
  let crc = ~seed;
  let i = start;
  for (const last = end - 8; i <= last; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      t[0x700 + (crc & 0xff)]! ^
      t[0x600 + ((crc >>> 8) & 0xff)]! ^
      t[0x500 + ((crc >>> 16) & 0xff)]! ^
      t[0x400 + (crc >>> 24)]! ^
      t[0x300 + bytes[i + 4]!]! ^
      t[0x200 + bytes[i + 5]!]! ^
      t[0x100 + bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
  }
  for (; i < end; i++) crc = t[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** CRC-32 of the text's UTF-8 bytes, unsigned. `seed` is the CRC of what came before. */
export function crc32OfText(text: string, seed = 0): number {
  let crc = ~seed;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return crc32(new TextEncoder().encode(text), seed);
    crc = CRC_TABLES[(crc ^ code) & 0xff]! ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** Largest prime below 2¹⁶. */
const ADLER_MODULUS = 65521;
/** Bytes after which the second sum must be reduced to stay below 2³¹. */
const ADLER_BLOCK = 3840;

/** Adler-32 of `bytes[start, end)`, unsigned. `seed` is the Adler-32 of what came before; 1 is that of nothing. */
export function adler32(bytes: Uint8Array, seed = 1, start = 0, end: number = bytes.length): number {
  let sum = seed & 0xffff;
  let sumOfSums = seed >>> 16;
  for (let i = start; i < end; ) {
    const blockEnd = Math.min(end, i + ADLER_BLOCK);
    // Four bytes a turn: JavaScriptCore runs a loop of one byte a turn at an eighth of this speed.
    for (const last = blockEnd - 4; i <= last; i += 4) {
      sumOfSums += sum += bytes[i]!;
      sumOfSums += sum += bytes[i + 1]!;
      sumOfSums += sum += bytes[i + 2]!;
      sumOfSums += sum += bytes[i + 3]!;
    }
    for (; i < blockEnd; i++) sumOfSums += sum += bytes[i]!;
    sum %= ADLER_MODULUS;
    sumOfSums %= ADLER_MODULUS;
  }
  return ((sumOfSums << 16) | sum) >>> 0;
}
