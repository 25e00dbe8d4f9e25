/**
 * Strings seen before, found by their bytes: the same few paths are asked for again and again, and making a string anew and
 * hashing it costs more than the rest of a lookup in the tree.
 *
 * A direct-mapped cache: one candidate a slot, a newer string replaces an older one. Nothing depends on what it holds.
 * Invariant: only ASCII strings of bounded length are in it, so its memory has a limit.
 */

const SLOTS = 4096;
const strings: string[] = new Array<string>(SLOTS).fill("");
const decoder = new TextDecoder("latin1");

/** The string of these bytes; null if they are not all ASCII. */
export function internedAscii(bytes: Uint8Array, start: number, length: number): string | null {
  const end = start + length;
  let hash = length;
  let all = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    all |= byte;
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  if (all > 0x7f) return null;
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const known = strings[slot]!;
  if (known.length === length && equal(known, bytes, start)) return known;
  const string = decoder.decode(bytes.subarray(start, end));
  strings[slot] = string;
  return string;
}

function equal(string: string, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < string.length; i++) {
    if (string.charCodeAt(i) !== bytes[start + i]) return false;
  }
  return true;
}
