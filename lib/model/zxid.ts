/**
 * Transaction ids: a leader's epoch in the high 32 bits, its counter in the low 32.
 *
 * Invariant: a zxid is a signed 64-bit number, as in ZooKeeper's files and packets; both halves are unsigned.
 */
import type { Zxid } from "./types.ts";

/** The highest counter. A leader that reaches it must give way to a new epoch. */
export const COUNTER_MAX = 0xffffffff;

/** The zxid of a counter within an epoch, both 0 … 2³² − 1. */
export function makeZxid(epoch: number, counter: number): Zxid {
  return BigInt.asIntN(64, (BigInt(epoch) << 32n) | BigInt(counter));
}

/** The epoch of the leader that issued it. */
export function epochOf(zxid: Zxid): number {
  return Number(BigInt.asUintN(32, zxid >> 32n));
}

/** Its place within the epoch. */
export function counterOf(zxid: Zxid): number {
  return Number(BigInt.asUintN(32, zxid));
}

/** Lower-case hexadecimal without prefix and leading zeros, as in the names of logs and snapshots: "100000002". */
export function zxidToHex(zxid: Zxid): string {
  return BigInt.asUintN(64, zxid).toString(16);
}

/** The same with its prefix, as in logs, `srvr` and messages: "0x100000002". */
export function formatZxid(zxid: Zxid): string {
  return `0x${zxidToHex(zxid)}`;
}

/** The zxid that {@link zxidToHex} wrote, or null if the text is none. */
export function zxidFromHex(hex: string): Zxid | null {
  return /^[0-9a-fA-F]{1,16}$/.test(hex) ? BigInt.asIntN(64, BigInt(`0x${hex}`)) : null;
}

/**
 * Whether what is kept up to one zxid is the history up to `last`. The first zxid of an epoch is no txn: there it is whatever comes before. (Who has
 * a txn of the epoch, behind which it is to be cut, has all that the epoch began with.)
 */
export function endsAt(kept: Zxid, last: Zxid): boolean {
  return kept === last || (counterOf(last) === 0 && kept < last);
}
