/**
 * The znodes of a snapshot as its bytes, and a table by which they are found: what a server starts from takes a third of the memory of as many
 * objects, and is there in a fraction of the time. A znode is made of its bytes when somebody asks for it.
 *
 * Not here: what changed since, which lies above it (tree/layers.ts), and whether the bytes are right, which the snapshot's seals say.
 *
 * Invariants: bytes that were taken never change. A row's parent stands before it; the rows of a parent's children are linked, newest first.
 */
import { crc32 } from "../base/checksum.ts";
import { parentOf } from "../model/path.ts";
import type { AclList, SessionId } from "../model/types.ts";
import { changedDigest } from "../tree/digest.ts";
import type { TreeBase } from "../tree/tree.ts";
import { type ExtendedTypes, kindOf, Znode } from "../tree/znode.ts";
import { JuteReader } from "../wire/jute.ts";
import { snapshotNode } from "../wire/txn_records.ts";
import { NO_ACL } from "./snapshot_records.ts";
import { SnapshotError } from "./storage_error.ts";

/** A record that does not end within this is none. */
export const RECORD_BYTES_MAX: number = 64 << 20;
/** A path or data that would be longer is none. */
const DATA_BYTES_MAX = 2 ** 30;
const SLASH = 0x2f;
/** Behind a znode's data: the index of its ACL, and its stat. */
const TAIL_BYTES = 8 + 60;
/** Where in the stat, behind czxid and mzxid, all the others begin; the owner; and pzxid, which ends it. */
const CTIME_OFFSET = 16;
const OWNER_OFFSET = 44;
const PZXID_OFFSET = 52;
const STAT_BYTES = 60;
const SYSTEM_PREFIX = "/zookeeper/";

/** A row: which slab and where in it, the path's hash, the newest child and the next older sibling (0: none), how many children. */
const SLAB = 0;
const AT = 1;
const HASH = 2;
const CHILD = 3;
const SIBLING = 4;
const CHILDREN = 5;
const ROW = 6;
/** Rows are kept in blocks of so many, a power of two: a list that grew by being copied would leave as much behind as it holds. */
const BLOCK_BITS = 12;
const BLOCK_MASK = (1 << BLOCK_BITS) - 1;

/** So many places are looked at for a path; by chance not one in a hundred million is farther from its own. */
const PROBES_MAX = 256;

/** So many znodes that were asked for are kept as they were made. */
const KEPT_MAX = 1 << 14;
/** Stands for an ACL that the snapshot does not hold, until the replay sets it: nobody may do anything. */
const NOBODY: AclList = [{ perms: 0, scheme: "world", id: "anyone" }];

const ascii = new TextDecoder("latin1");
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

export class PackedZnodes implements TreeBase {
  readonly #acls: ReadonlyMap<bigint, AclList>;
  readonly #extendedTypes: ExtendedTypes;
  readonly #withDigest: boolean;
  readonly #slabs: Uint8Array[] = [];
  readonly #blocks: Int32Array[] = [];
  #count = 0;
  /** Row + 1 by hash, with linear probing; 0: free. */
  #table = new Int32Array(2 << 10);
  /** Rows for which the table had no free place near enough: names can be chosen so that they all belong to one. */
  readonly #overflow = new Map<string, number>();
  #parents = 0;
  /** The digest of what was taken in earlier calls, and what this one adds: no call takes so much that a number can't hold it. */
  #digest = 0n;
  #digestChange = 0;
  #dataBytes = 0;
  /** Whose child came last. */
  #lastParent = 0;
  /** ACL index that was last found to be there. */
  #lastAcl = -1;
  #ended = false;
  readonly #reader = new JuteReader();
  readonly #keptNodes = new Map<string, Znode>();
  /** Znodes that are not persistent, with their owner field. */
  readonly owned: [path: string, owner: SessionId][] = [];
  /** Paths whose ACL the snapshot does not hold. */
  readonly withoutAcl: string[] = [];

  constructor(
    acls: ReadonlyMap<bigint, AclList>,
    options: { readonly extendedTypes: ExtendedTypes; readonly digest: boolean },
  ) {
    this.#acls = acls;
    this.#extendedTypes = options.extendedTypes;
    this.#withDigest = options.digest;
  }

  // ── what a tree lies on ──

  /** How many. */
  get size(): number {
    return this.#count;
  }

  /** How many of them have children. */
  get parentCount(): number {
    return this.#parents;
  }

  get digest(): bigint {
    return this.#digest;
  }

  get dataBytes(): number {
    return this.#dataBytes;
  }

  readonly nodes: TreeBase["nodes"] = {
    get: (path) => this.#znode(path),
    entries: () => this.#entries(),
  };

  readonly children: TreeBase["children"] = {
    get: (path) => this.#names(path),
    entries: () => this.#childEntries(),
  };

  #znode(path: string): Znode | undefined {
    const kept = this.#keptNodes.get(path);
    if (kept !== undefined) return kept;
    const row = this.#find(path);
    if (row < 0) return undefined;
    const node = this.#make(row);
    if (this.#keptNodes.size === KEPT_MAX) this.#keptNodes.clear();
    this.#keptNodes.set(path, node);
    return node;
  }

  #names(path: string): Set<string> | undefined {
    const row = this.#find(path);
    return row < 0 || this.#field(row, CHILDREN) === 0 ? undefined : this.#namesUnder(row);
  }

  *#entries(): IterableIterator<[string, Znode]> {
    for (let row = 0; row < this.#count; row++) yield [this.#path(row), this.#make(row)];
  }

  *#childEntries(): IterableIterator<[string, Set<string>]> {
    for (let row = 0; row < this.#count; row++) {
      if (this.#field(row, CHILDREN) > 0) yield [this.#path(row), this.#namesUnder(row)];
    }
  }

  #make(row: number): Znode {
    const slab = this.#slabs[this.#field(row, SLAB)]!;
    const at = this.#field(row, AT);
    this.#reader.reset(slab, at + 4 + intAt(slab, at), slab.length);
    const { data, aclIndex, stat } = snapshotNode(this.#reader);
    const acl = aclIndex === NO_ACL ? null : (this.#acls.get(aclIndex) ?? NOBODY);
    return new Znode(data, acl, kindOf(stat.owner, this.#extendedTypes), stat, this.#field(row, CHILDREN));
  }

  #namesUnder(row: number): Set<string> {
    const names: string[] = [];
    for (let child = this.#field(row, CHILD); child !== 0; child = this.#field(child, SIBLING)) {
      const slab = this.#slabs[this.#field(child, SLAB)]!;
      const start = this.#field(child, AT) + 4;
      const end = start + intAt(slab, start - 4);
      names.push(decode(slab, slab.lastIndexOf(SLASH, end - 1) + 1, end));
    }
    return new Set(names.reverse());
  }

  #path(row: number): string {
    if (row === 0) return "/";
    const slab = this.#slabs[this.#field(row, SLAB)]!;
    const at = this.#field(row, AT);
    return decode(slab, at + 4, at + 4 + intAt(slab, at));
  }

  #field(row: number, field: number): number {
    return this.#blocks[row >> BLOCK_BITS]![(row & BLOCK_MASK) * ROW + field]!;
  }

  #setField(row: number, field: number, value: number): void {
    this.#blocks[row >> BLOCK_BITS]![(row & BLOCK_MASK) * ROW + field] = value;
  }

  // ── finding ──

  /** The row of a path; -1 if there is none. */
  #find(path: string): number {
    if (path === "/") return this.#count > 0 ? 0 : -1;
    const hash = hashOf(path);
    const mask = this.#table.length - 1;
    for (let slot = hash & mask, probes = 0; probes < PROBES_MAX; slot = (slot + 1) & mask, probes++) {
      const row = this.#table[slot]! - 1;
      if (row < 0) return -1;
      if (this.#field(row, HASH) === hash && this.#isPathOf(row, path)) return row;
    }
    return this.#overflow.get(path) ?? -1;
  }

  #isPathOf(row: number, path: string): boolean {
    const slab = this.#slabs[this.#field(row, SLAB)]!;
    const start = this.#field(row, AT) + 4;
    const length = intAt(slab, start - 4);
    for (let i = 0; i < length; i++) {
      const byte = slab[start + i]!;
      if (byte > 0x7f) return decode(slab, start, start + length) === path;
      if (byte !== path.charCodeAt(i)) return false;
    }
    return length === path.length;
  }

  // ── taking ──

  /** Whether the znodes' end was found. */
  get isEnded(): boolean {
    return this.#ended;
  }

  /**
   * Takes the znodes whose bytes are whole, from `start` on, and says where it stopped: behind the path that ends the znodes, or before one of
   * which there is more to come. The bytes are kept: they must never change.
   */
  take(bytes: Uint8Array, start: number): number {
    let at = start;
    const limit = bytes.length;
    while (!this.#ended && limit - at >= 5) {
      const path = at + 4;
      const pathEnd = path + lengthAt(bytes, at);
      if (pathEnd < path) throw new SnapshotError("a znode has no path");
      if (pathEnd === path + 1 && bytes[path] === SLASH) {
        this.#ended = true;
        at = pathEnd;
        break;
      }
      if (limit - pathEnd < 4) break;
      const data = pathEnd + 4;
      const dataEnd = data + Math.max(0, lengthAt(bytes, pathEnd));
      if (limit - dataEnd < TAIL_BYTES) break;
      this.#add(bytes, at, pathEnd, data, dataEnd);
      at = dataEnd + TAIL_BYTES;
    }
    this.#digest = changedDigest(this.#digest, this.#digestChange);
    this.#digestChange = 0;
    return at;
  }

  #add(bytes: Uint8Array, at: number, pathEnd: number, data: number, dataEnd: number): void {
    const start = at + 4;
    if (this.#slabs[this.#slabs.length - 1] !== bytes) this.#slabs.push(bytes);
    const isAscii = allAscii(bytes, start, pathEnd);
    const text = isAscii ? null : decode(bytes, start, pathEnd);
    const row = this.#newRow(at, text === null ? hashOfBytes(bytes, start, pathEnd) : hashOf(text));
    if (row === 0) {
      if (pathEnd > start) throw new SnapshotError(`the first znode is ${decode(bytes, start, pathEnd)} and not the root`);
    } else {
      this.#link(row, bytes, start, pathEnd);
      this.#insert(row);
    }
    this.#dataBytes += (text?.length ?? pathEnd - start) + dataEnd - data;
    this.#checkAcl(row, bytes, dataEnd);
    const stat = dataEnd + 8;
    if (this.#withDigest) this.#addDigest(bytes, start, pathEnd, data, dataEnd, stat);
    const owner = stat + OWNER_OFFSET;
    if (intAt(bytes, owner) !== 0 || intAt(bytes, owner + 4) !== 0) {
      this.owned.push([this.#path(row), new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(owner)]);
    }
  }

  #newRow(at: number, hash: number): number {
    const row = this.#count++;
    if ((row & BLOCK_MASK) === 0) this.#blocks.push(new Int32Array(ROW << BLOCK_BITS));
    this.#setField(row, SLAB, this.#slabs.length - 1);
    this.#setField(row, AT, at);
    this.#setField(row, HASH, hash);
    return row;
  }

  /** Puts it under its parent: mostly that of the row before, or that row itself. */
  #link(row: number, bytes: Uint8Array, start: number, end: number): void {
    const slash = bytes.lastIndexOf(SLASH, end - 1);
    let parent = 0;
    if (slash < start) parent = -1;
    else if (slash > start) {
      if (this.#isSamePath(this.#lastParent, bytes, start, slash)) parent = this.#lastParent;
      else if (this.#isSamePath(row - 1, bytes, start, slash)) parent = row - 1;
      else parent = this.#find(parentOf(decode(bytes, start, end)));
    }
    if (parent < 0) throw new SnapshotError(`znode ${decode(bytes, start, end)} stands before its parent`);
    const children = this.#field(parent, CHILDREN);
    if (children === 0) this.#parents++;
    this.#setField(parent, CHILDREN, children + 1);
    this.#setField(row, SIBLING, this.#field(parent, CHILD));
    this.#setField(parent, CHILD, row);
    this.#lastParent = parent;
  }

  #isSamePath(row: number, bytes: Uint8Array, start: number, end: number): boolean {
    const slab = this.#slabs[this.#field(row, SLAB)]!;
    const at = this.#field(row, AT);
    if (intAt(slab, at) !== end - start) return false;
    // What differs does so near the end.
    for (let i = end - 1, j = at + 3 + end - start; i >= start; i--, j--) if (bytes[i] !== slab[j]) return false;
    return true;
  }

  #insert(row: number): void {
    if (this.#count * 3 > this.#table.length * 2) this.#growTable();
    const mask = this.#table.length - 1;
    let slot = this.#field(row, HASH) & mask;
    let probes = 0;
    for (; probes < PROBES_MAX && this.#table[slot] !== 0; probes++) slot = (slot + 1) & mask;
    if (probes < PROBES_MAX) this.#table[slot] = row + 1;
    else this.#overflow.set(this.#path(row), row);
  }

  #growTable(): void {
    this.#table = new Int32Array(this.#table.length * 2);
    this.#overflow.clear();
    for (let row = 1; row < this.#count - 1; row++) this.#insert(row);
  }

  #checkAcl(row: number, bytes: Uint8Array, at: number): void {
    const high = intAt(bytes, at);
    const low = intAt(bytes, at + 4);
    if (high === 0 ? low === this.#lastAcl : high === -1 && low === -1) return;
    const index = (BigInt(high) << 32n) | BigInt(low >>> 0);
    if (!this.#acls.has(index)) this.withoutAcl.push(this.#path(row));
    else if (high === 0) this.#lastAcl = low;
  }

  #addDigest(bytes: Uint8Array, path: number, pathEnd: number, data: number, dataEnd: number, stat: number): void {
    if (startsWith(bytes, path, pathEnd, SYSTEM_PREFIX)) return;
    let crc = crc32(bytes, crc32(bytes, 0, path, pathEnd), data, dataEnd);
    // In the digest pzxid is the third.
    crc = crc32(bytes, crc, stat, stat + CTIME_OFFSET);
    crc = crc32(bytes, crc, stat + PZXID_OFFSET, stat + STAT_BYTES);
    this.#digestChange += crc32(bytes, crc, stat + CTIME_OFFSET, stat + PZXID_OFFSET);
  }
}

function decode(bytes: Uint8Array, start: number, end: number): string {
  return (allAscii(bytes, start, end) ? ascii : utf8).decode(bytes.subarray(start, end));
}

function allAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let all = 0;
  for (let i = start; i < end; i++) all |= bytes[i]!;
  return all <= 0x7f;
}

function startsWith(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Of a string's code units; the same for the bytes of one that is ASCII alone. */
function hashOf(text: string): number {
  let hash = text.length;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return mixed(hash);
}

function hashOfBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
  return mixed(hash);
}

/** Spreads over the table what differs in a few bits. */
function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return once ^ (once >>> 15);
}

/** A length; -1 is that of nothing. Data may be as long as any configuration allows: what has not arrived costs nothing. */
function lengthAt(bytes: Uint8Array, at: number): number {
  const length = intAt(bytes, at);
  if (length < -1 || length > DATA_BYTES_MAX) throw new SnapshotError(`nothing has length ${length}`);
  return length;
}

function intAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
