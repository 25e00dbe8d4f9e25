/**
 * ZooKeeper's digest of a tree (its version 2): each znode has a CRC-32, the tree's digest is their sum. Members with equal trees
 * have equal digests; a change costs the digests of the znodes it changed, whatever the size of the tree.
 *
 * Covered are path, data and stat. ACLs are not (their version is), nor are sessions, nor what lies below `/zookeeper`, which
 * members edit each for themselves.
 */
import { crc32, crc32OfText } from "../base/checksum.ts";
import type { StoredStat } from "./znode.ts";

const SYSTEM_PREFIX = "/zookeeper/";

const statBytes = new Uint8Array(60);
const statView = new DataView(statBytes.buffer);

/** The digest of one znode: unsigned 32 bit; 0 for everything below `/zookeeper`. The root's path may be "" or "/". */
export function nodeDigest(path: string, data: Uint8Array | null, stat: StoredStat): number {
  return digestOfStat(path, contentCrc(path, data), stat);
}

/** CRC-32 of path and data, with which a znode's digest begins: it stays as it is while only the stat changes. */
export function contentCrc(path: string, data: Uint8Array | null): number {
  if (path.startsWith(SYSTEM_PREFIX)) return 0;
  const crc = path.length <= 1 ? 0 : crc32OfText(path);
  return data === null ? crc : crc32(data, crc);
}

/** The digest of a znode whose {@link contentCrc} is known. */
export function digestOfStat(path: string, crc: number, stat: StoredStat): number {
  if (path.startsWith(SYSTEM_PREFIX)) return 0;
  const view = statView;
  view.setBigInt64(0, stat.czxid);
  view.setBigInt64(8, stat.mzxid);
  view.setBigInt64(16, stat.pzxid);
  setInt64(view, 24, stat.ctime);
  setInt64(view, 32, stat.mtime);
  view.setInt32(40, stat.version);
  view.setInt32(44, stat.cversion);
  view.setInt32(48, stat.aversion);
  view.setBigInt64(52, stat.owner);
  return crc32(statBytes, crc);
}

/** The tree's digest once the digests of its znodes are more by so much, signed 64 bit. */
export function changedDigest(tree: bigint, difference: number): bigint {
  return BigInt.asIntN(64, tree + BigInt(difference));
}

function setInt64(view: DataView, offset: number, value: number): void {
  view.setInt32(offset, Math.floor(value / 2 ** 32));
  view.setUint32(offset + 4, value);
}
