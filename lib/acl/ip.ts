/**
 * Addresses and blocks of addresses, as scheme `ip` reads them. Version 4 and version 6 never match each other.
 *
 * Numbers are read as Java reads them, sign and leading zeros included, so that both servers judge an id alike. A list may have ten thousands of
 * entries that are read for each who asks: nothing is allocated for one.
 */
import type { AuthId } from "../model/types.ts";

/** A block of addresses: those that agree with `address` in the first `bits` bits. */
export interface IpBlock {
  /** 4 or 16 bytes. What comes after the first `bits` bits does not count. */
  readonly address: Uint8Array;
  readonly bits: number;
  /** Whether the text said how many bits count. */
  readonly hasBits: boolean;
}

const VERSION_4_BYTES = 4;
const VERSION_6_BYTES = 16;
const BYTE_MAX = 255;
const GROUPS = 8;
const GROUP_DIGITS_MAX = 4;

// What was read last: each is looked at before the next one is read.
const version4 = new Uint8Array(VERSION_4_BYTES);
const version6 = new Uint8Array(VERSION_6_BYTES);
const tail = new Uint8Array(VERSION_6_BYTES);
const block: { -readonly [Key in keyof IpBlock]: IpBlock[Key] } = { address: version4, bits: 0, hasBits: false };

/** The 4 or 16 bytes of a textual address; null if it is none. */
export function parseAddress(text: string): Uint8Array | null {
  return readAddress(text)?.slice() ?? null;
}

/** Reads an address, or an address and `/bits`; null if it is neither. Valid until the next one is read. */
export function readIpBlock(text: string): IpBlock | null {
  const slash = text.indexOf("/");
  const address = readAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === null) return null;
  const widest = 8 * address.length;
  const bits = slash === -1 ? widest : javaInt(text, slash + 1, text.length, 10);
  if (!(bits >= 0 && bits <= widest)) return null;
  block.address = address;
  block.bits = bits;
  block.hasBits = slash !== -1;
  return block;
}

/** Whether the address lies in the block. */
export function blockContains(block: IpBlock, address: Uint8Array): boolean {
  if (address.length !== block.address.length) return false;
  const wholeBytes = block.bits >> 3;
  for (let i = 0; i < wholeBytes; i++) if (address[i] !== block.address[i]) return false;
  const rest = block.bits & 7;
  return rest === 0 || (address[wholeBytes]! ^ block.address[wholeBytes]!) >> (8 - rest) === 0;
}

/**
 * A peer's address as ZooKeeper writes it in identities and labels: version 6 in full, without leading zeros, the zone kept; a version 4
 * address inside version 6 (`::ffff:127.0.0.1`) as version 4. Other text is returned as it is.
 */
export function hostAddress(text: string): string {
  const percent = text.indexOf("%");
  const address = percent === -1 ? text : text.slice(0, percent);
  if (!address.includes(":")) return text;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1]!;
  const bytes = readVersion6(address);
  if (bytes === null) return text;
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16));
  return groups.join(":") + (percent === -1 ? "" : text.slice(percent));
}

/** The identity that a connection has by its address alone. */
export function ipIdentity(address: string): AuthId {
  return { scheme: "ip", id: hostAddress(address) };
}

function readAddress(text: string): Uint8Array | null {
  return text.includes(":") ? readVersion6(text) : readVersion4(text);
}

function readVersion4(text: string): Uint8Array | null {
  let from = 0;
  for (let i = 0; i < VERSION_4_BYTES; i++) {
    const to = i === VERSION_4_BYTES - 1 ? text.length : text.indexOf(".", from);
    const value = to === -1 ? Number.NaN : javaInt(text, from, to, 10);
    if (!(value >= 0 && value <= BYTE_MAX)) return null;
    version4[i] = value;
    from = to + 1;
  }
  return version4;
}

/** Eight groups of up to four hexadecimal digits; `::`, once, stands for at least one group of zeros. No zone, no embedded version 4. */
function readVersion6(text: string): Uint8Array | null {
  const gap = text.indexOf("::");
  if (gap === -1) return readGroups(text, 0, text.length, version6) === GROUPS ? version6 : null;
  if (text.includes("::", gap + 2)) return null;
  const head = gap === 0 ? 0 : readGroups(text, 0, gap, version6);
  const behind = gap + 2 === text.length ? 0 : readGroups(text, gap + 2, text.length, tail);
  if (head < 0 || behind < 0 || head + behind >= GROUPS) return null;
  version6.fill(0, 2 * head);
  for (let i = 0; i < 2 * behind; i++) version6[VERSION_6_BYTES - 2 * behind + i] = tail[i]!;
  return version6;
}

/** How many groups stand from one place of the text to another, at most {@link GROUPS}; -1 if something else stands there. */
function readGroups(text: string, start: number, end: number, into: Uint8Array): number {
  let count = 0;
  for (let from = start; from <= end; count++) {
    const colon = text.indexOf(":", from);
    const to = colon === -1 || colon > end ? end : colon;
    const value = count === GROUPS || to - from > GROUP_DIGITS_MAX ? Number.NaN : javaInt(text, from, to, 16);
    if (Number.isNaN(value)) return -1;
    into[2 * count] = value >> 8;
    into[2 * count + 1] = value;
    from = to + 1;
  }
  return count;
}

const MINUS = 0x2d;
const PLUS = 0x2b;
const ZERO = 0x30;
const LETTER_A = 0x61;
const LOWER_CASE = 0x20;

/** What Java's Integer.parseInt makes of a part of the text; NaN where it throws. */
function javaInt(text: string, start: number, end: number, radix: 10 | 16): number {
  const first = text.charCodeAt(start);
  const isSigned = first === MINUS || first === PLUS;
  let value = 0;
  let at = isSigned ? start + 1 : start;
  if (at >= end) return Number.NaN;
  for (; at < end && value <= 2 ** 31; at++) value = value * radix + digitOf(text.charCodeAt(at), radix);
  if (first === MINUS) value = -value;
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : Number.NaN;
}

function digitOf(unit: number, radix: 10 | 16): number {
  if (unit >= ZERO && unit < ZERO + 10) return unit - ZERO;
  const letter = (unit | LOWER_CASE) - LETTER_A;
  return radix === 16 && letter >= 0 && letter < 6 ? letter + 10 : Number.NaN;
}
