/**
 * Addresses and blocks of addresses, as scheme `ip` reads them. Version 4 and version 6 never match each other.
 *
 * Numbers are read as Java reads them, sign and leading zeros included, so that both servers judge an id alike.
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

/** The 4 or 16 bytes of a textual address; null if it is none. */
export function parseAddress(text: string): Uint8Array | null {
  return text.includes(":") ? parseVersion6(text) : parseVersion4(text);
}

/** Reads an address, or an address and `/bits`; null if it is neither. */
export function parseIpBlock(text: string): IpBlock | null {
  const slash = text.indexOf("/");
  const address = parseAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === null) return null;
  const widest = 8 * address.length;
  if (slash === -1) return { address, bits: widest, hasBits: false };
  const bits = parseJavaInt(text.slice(slash + 1), 10);
  return bits !== null && bits >= 0 && bits <= widest ? { address, bits, hasBits: true } : null;
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
  const bytes = parseVersion6(address);
  if (bytes === null) return text;
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16));
  return groups.join(":") + (percent === -1 ? "" : text.slice(percent));
}

/** The identity that a connection has by its address alone. */
export function ipIdentity(address: string): AuthId {
  return { scheme: "ip", id: hostAddress(address) };
}

function parseVersion4(text: string): Uint8Array | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  const address = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const value = parseJavaInt(parts[i]!, 10);
    if (value === null || value < 0 || value > 255) return null;
    address[i] = value;
  }
  return address;
}

/** Eight groups of up to four hexadecimal digits; `::`, once, stands for at least one group of zeros. No zone, no embedded version 4. */
function parseVersion6(text: string): Uint8Array | null {
  const sides = text.split("::").map((side, _, all) => (side === "" && all.length > 1 ? [] : side.split(":")));
  const count = sides.reduce((sum, groups) => sum + groups.length, 0);
  if (sides.length === 1 ? count !== 8 : sides.length !== 2 || count > 7) return null;
  const address = new Uint8Array(16);
  const writeGroups = (groups: readonly string[], start: number): boolean =>
    groups.every((group, i) => {
      const value = group.length > 4 ? null : parseJavaInt(group, 16);
      if (value === null) return false;
      address[start + 2 * i] = value >> 8;
      address[start + 2 * i + 1] = value;
      return true;
    });
  const [head = [], tail = []] = sides;
  return writeGroups(head, 0) && writeGroups(tail, 16 - 2 * tail.length) ? address : null;
}

/** What Java's Integer.parseInt makes of the text; null where it throws. */
function parseJavaInt(text: string, radix: 10 | 16): number | null {
  const digits = radix === 10 ? /^[+-]?[0-9]+$/ : /^[+-]?[0-9a-f]+$/i;
  const value = digits.test(text) ? Number.parseInt(text, radix) : Number.NaN;
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : null;
}
