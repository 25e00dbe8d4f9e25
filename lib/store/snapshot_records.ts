/**
 * A snapshot's bytes, as ZooKeeper lays them out: header, sessions, ACLs, znodes from the root down, and seals.
 *
 * Not here: reading one (snapshot_reader.ts) and where it goes. Invariant: every ACL that a znode refers to stands in front of the znodes, and
 * every znode stands behind its parent.
 */
import { AclInterner } from "../acl/intern.ts";
import { adler32 } from "../base/checksum.ts";
import type { AclList, SessionId, Zxid } from "../model/types.ts";
import { type FrozenTree, ROOT } from "../tree/tree.ts";
import type { Znode } from "../tree/znode.ts";
import { JuteWriter } from "../wire/jute.ts";
import { DIGEST_VERSION, fileHeader, snapshotAcl, snapshotNode, snapshotSession } from "../wire/txn_records.ts";
import { FILE_VERSION } from "./log_records.ts";

/** "ZKSN" */
export const SNAPSHOT_MAGIC = 0x5a4b534e;
/** Database id in a snapshot's header. */
const DBID = -1n;
/** Ends the znodes, and stands behind each seal. */
export const END_PATH = "/";
/** Stands behind a database that a leader sends. */
export const DATABASE_END = "BenWasHere";
/** Index of a znode that has no ACL of its own: everybody may do everything. */
export const NO_ACL = -1n;
const CHUNK_BYTES = 64 * 1024;
/** Between two chunks at most so many znodes are looked at. */
const ZNODES_PER_STEP = 512;
const NOTHING: Uint8Array = new Uint8Array(0);

/** What a snapshot holds: a view of the database that later txns don't touch. */
export interface FrozenDatabase {
  readonly tree: FrozenTree;
  readonly sessions: ReadonlyMap<SessionId, number>;
  readonly lastZxid: Zxid;
}

/** Which of the optional sections to write. */
export interface SnapshotSections {
  /** The tree's digest and its zxid, as since 3.6. */
  readonly digest: boolean;
  /** The last zxid once more, as since 3.9. */
  readonly lastZxid: boolean;
}

/** The bytes in pieces; an empty piece says no more than that some work is done. Each is valid until the next is asked for. */
export function* snapshotChunks(database: FrozenDatabase, sections: SnapshotSections): Generator<Uint8Array, void, void> {
  const out = new SealedWriter();
  fileHeader(out.jute, { magic: SNAPSHOT_MAGIC, version: FILE_VERSION, dbid: DBID });
  yield* writeContent(database, out);
  out.seal();
  if (sections.digest) {
    out.jute.long(database.lastZxid);
    out.jute.int(DIGEST_VERSION);
    out.jute.long(database.tree.digest);
    out.seal();
  }
  if (sections.lastZxid) {
    out.jute.long(database.lastZxid);
    out.seal();
  }
  yield* out.flush();
}

/** The same for a learner: the content, and the words that end it. Each piece is valid until the next is asked for. */
export function* databaseChunks(database: FrozenDatabase): Generator<Uint8Array, void, void> {
  const out = new SealedWriter();
  yield* writeContent(database, out);
  out.jute.text(DATABASE_END);
  yield* out.flush();
}

function* writeContent(database: FrozenDatabase, out: SealedWriter): Generator<Uint8Array, void, void> {
  out.jute.int(database.sessions.size);
  for (const [id, timeOut] of database.sessions) {
    snapshotSession(out.jute, { id, timeOut });
    if (out.isFull) yield* out.flush();
  }
  const acls = new AclTable();
  yield* collectAcls(database.tree, acls);
  out.jute.int(acls.size);
  for (const [acl, index] of acls.entries()) {
    snapshotAcl(out.jute, { index, acl });
    if (out.isFull) yield* out.flush();
  }
  yield* writeZnodes(database.tree, acls, out);
  out.jute.text(END_PATH);
}

function* collectAcls(tree: FrozenTree, acls: AclTable): Generator<Uint8Array, void, void> {
  let seen = 0;
  for (const [, { acl }] of tree.nodes.entries()) {
    if (acl !== null) acls.add(acl);
    if (++seen % ZNODES_PER_STEP === 0) yield NOTHING;
  }
}

/** All znodes, parents first. */
function* writeZnodes(tree: FrozenTree, acls: AclTable, out: SealedWriter): Generator<Uint8Array, void, void> {
  writeZnode(out.jute, "", tree.nodes.get(ROOT)!, acls);
  // One level of the tree waits at a time, however many children it has.
  const levels: { readonly prefix: string; readonly names: Iterator<string> }[] = [namesUnder(tree, ROOT, "/")];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const { value: name, done } = level.names.next();
    if (done) {
      levels.pop();
      continue;
    }
    const path = level.prefix + name;
    const node = tree.nodes.get(path)!;
    writeZnode(out.jute, path, node, acls);
    if (out.isFull) yield* out.flush();
    if (node.childCount > 0) levels.push(namesUnder(tree, path, `${path}/`));
  }
}

function namesUnder(tree: FrozenTree, path: string, prefix: string): { prefix: string; names: Iterator<string> } {
  return { prefix, names: (tree.children.get(path) ?? []).values() };
}

function writeZnode(jute: JuteWriter, path: string, node: Znode, acls: AclTable): void {
  jute.text(path);
  snapshotNode(jute, { data: node.data, aclIndex: node.acl === null ? NO_ACL : acls.indexOf(node.acl), stat: node });
}

/** Numbers ACLs from 1 on: lists of the same content have one number, whoever made them. */
class AclTable {
  readonly #interner = new AclInterner();
  readonly #indexes = new Map<AclList, bigint>();
  /** The same for every object that was added. */
  readonly #known = new Map<AclList, bigint>();

  get size(): number {
    return this.#indexes.size;
  }

  add(acl: AclList): void {
    if (this.#known.has(acl)) return;
    const interned = this.#interner.intern(acl);
    let index = this.#indexes.get(interned);
    if (index === undefined) {
      index = BigInt(this.#indexes.size + 1);
      this.#indexes.set(interned, index);
    }
    this.#known.set(acl, index);
  }

  indexOf(acl: AclList): bigint {
    return this.#known.get(acl)!;
  }

  entries(): IterableIterator<[AclList, bigint]> {
    return this.#indexes.entries();
  }
}

/** Writes, and keeps the checksum of all that went before. */
class SealedWriter {
  readonly jute: JuteWriter = new JuteWriter(2 * CHUNK_BYTES);
  #checksum = 1;
  /** Bytes of what is written now that the checksum covers. */
  #summed = 0;

  get isFull(): boolean {
    return this.jute.length >= CHUNK_BYTES;
  }

  *flush(): Generator<Uint8Array, void, void> {
    this.#sum();
    yield this.jute.written();
    this.jute.clear();
    this.#summed = 0;
  }

  /** A checksum of everything before it, and the path that ends every section. */
  seal(): void {
    this.#sum();
    this.jute.long(BigInt(this.#checksum));
    this.jute.text(END_PATH);
  }

  #sum(): void {
    const bytes = this.jute.written();
    this.#checksum = adler32(bytes, this.#checksum, this.#summed, bytes.length);
    this.#summed = bytes.length;
  }
}
