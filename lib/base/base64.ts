/**
 * Base64 with the standard alphabet and padding (RFC 4648 §4), without a platform.
 *
 * Meant for digests and other short values, not for bulk data.
 */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Character code → its six bits; 255 where there are none. */
const SIX_BITS: Uint8Array = new Uint8Array(256).fill(255);
for (let i = 0; i < ALPHABET.length; i++) SIX_BITS[ALPHABET.charCodeAt(i)] = i;

/** The text of the bytes, padded with "=". */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += ALPHABET[group >>> 18]! + ALPHABET[(group >>> 12) & 63]!;
    text += left > 1 ? ALPHABET[(group >>> 6) & 63]! : "=";
    text += left > 2 ? ALPHABET[group & 63]! : "=";
  }
  return text;
}

/** The bytes of padded text; null if it is not base64. */
export function decodeBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0) return null;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const digits = text.length - padding;
  const bytes = new Uint8Array((digits * 3) >> 2);
  let bits = 0;
  let at = 0;
  for (let i = 0; i < digits; i++) {
    const code = text.charCodeAt(i);
    const six = code < 256 ? SIX_BITS[code]! : 255;
    if (six === 255) return null;
    bits = (bits << 6) | six;
    if (i % 4 !== 0) bytes[at++] = bits >> (6 - 2 * (i % 4)); // the low eight of 12, 18 and 24 bits
  }
  return bytes;
}
