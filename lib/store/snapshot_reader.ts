/**
 * Builds a database from a snapshot's bytes as they arrive.
 *
 * ZooKeeper writes a snapshot while txns go on, so it may hold more than its name says, and refer to ACLs that it does not hold: the log that
 * is replayed over it puts both right.
 *
 * Not here: which snapshot, and the replay (recovery.ts). Invariant: content comes out only where every seal fits.
 */
import type { AclInterner } from "../acl/intern.ts";
import { adler32 } from "../base/checksum.ts";
import type { AclList, SessionId, Zxid } from "../model/types.ts";
import { Tree, type TreeOptions } from "../tree/tree.ts";
import { JuteError, JuteReader } from "../wire/jute.ts";
import { DIGEST_VERSION, fileHeader, snapshotAcl, snapshotSession } from "../wire/txn_records.ts";
import { FILE_VERSION } from "./log_records.ts";
import { PackedZnodes, RECORD_BYTES_MAX } from "./packed_znodes.ts";
import { DATABASE_END, END_PATH, SNAPSHOT_MAGIC } from "./snapshot_records.ts";
import { SnapshotError } from "./storage_error.ts";

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The tree's digest when the last znode had been written, which may be later than the snapshot's name says. */
export interface SnapshotDigest {
  readonly zxid: Zxid;
  /** null: of a version that can't be compared. */
  readonly digest: bigint | null;
}

export interface SnapshotContent {
  readonly tree: Tree;
  readonly sessions: Map<SessionId, number>;
  /** null where the writer kept none. */
  readonly digest: SnapshotDigest | null;
  /** Znodes whose ACL the snapshot does not hold. */
  readonly withoutAcl: readonly string[];
}

/**
 * Reads a snapshot.
 *
 * @throws SnapshotError where it is damaged or does not end
 */
export async function readSnapshot(
  chunks: AsyncIterable<Uint8Array>,
  options: TreeOptions,
  interner: AclInterner,
): Promise<SnapshotContent> {
  const source = new Source(chunks);
  try {
    return await readFrom(source, options, interner);
  } finally {
    await source.close();
  }
}

/**
 * Reads a database as a leader sends it; `rest` is what was read beyond its end.
 *
 * @throws SnapshotError where it is damaged or does not end
 */
export async function readDatabase(
  chunks: AsyncIterable<Uint8Array>,
  options: TreeOptions,
  interner: AclInterner,
): Promise<Omit<SnapshotContent, "digest"> & { readonly rest: Uint8Array }> {
  const source = new Source(chunks);
  const content = await readContent(source, options, interner);
  const end = await source.read((jute) => jute.text());
  if (end !== DATABASE_END) throw new SnapshotError(`the database ends with "${end}"`);
  return { ...content, rest: source.takeRest() };
}

async function readFrom(source: Source, options: TreeOptions, interner: AclInterner): Promise<SnapshotContent> {
  const { magic, version } = await source.read(fileHeader);
  if (magic !== SNAPSHOT_MAGIC) throw new SnapshotError("this is no ZooKeeper snapshot: it does not start with ZKSN");
  if (version !== FILE_VERSION)
    throw new SnapshotError(`the snapshot has layout ${version}, and only ${FILE_VERSION} is known`);
  const content = await readContent(source, options, interner);
  await source.checkSeal();
  const digest = (await source.isAtEnd()) ? null : await readDigest(source);
  // The last zxid once more, as since 3.9: its name says the same.
  if (!(await source.isAtEnd())) {
    await source.read((jute) => jute.long());
    await source.checkSeal();
  }
  return { ...content, digest };
}

async function readContent(
  source: Source,
  options: TreeOptions,
  interner: AclInterner,
): Promise<Omit<SnapshotContent, "digest">> {
  const sessions = new Map<SessionId, number>();
  for (let left = await source.read(count); left > 0; left--) {
    const { id, timeOut } = await source.read(snapshotSession);
    sessions.set(id, timeOut);
  }
  const acls = new Map<bigint, AclList>();
  for (let left = await source.read(count); left > 0; left--) {
    const { index, acl } = await source.read(snapshotAcl);
    acls.set(index, interner.intern(acl));
  }
  const znodes = new PackedZnodes(acls, options);
  for (source.take(znodes); !znodes.isEnded; source.take(znodes)) await source.more();
  if (znodes.size === 0) throw new SnapshotError("there is no root");
  return { tree: Tree.over(znodes, options), sessions, withoutAcl: znodes.withoutAcl };
}

async function readDigest(source: Source): Promise<SnapshotDigest> {
  const digest = await source.read((jute): SnapshotDigest => {
    const zxid = jute.long();
    // The first version was a text.
    if (jute.int() === DIGEST_VERSION) return { zxid, digest: jute.long() };
    jute.text();
    return { zxid, digest: null };
  });
  await source.checkSeal();
  return digest;
}

function count(jute: JuteReader): number {
  const value = jute.int();
  if (value < 0) throw new SnapshotError(`a list can't have ${value} entries`);
  return value;
}

/** The snapshot's bytes: read record by record, and summed up. */
class Source {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #jute = new JuteReader();
  /** Of the buffer, as far as it is filled. */
  #bytes: Uint8Array = NO_BYTES;
  #buffer: Uint8Array = NO_BYTES;
  #at = 0;
  #ended = false;
  #checksum = 1;
  #summed = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** A record, once all of it is here. */
  async read<T>(record: (jute: JuteReader) => T): Promise<T> {
    for (;;) {
      const read = this.#tryRead((jute) => ({ value: record(jute) }));
      if (read !== null) return read.value;
      await this.more();
    }
  }

  /** Hands over the bytes, of which as many are taken as are whole znodes. */
  take(znodes: PackedZnodes): void {
    this.#at = znodes.take(this.#bytes, this.#at);
  }

  /** A record, or null if not all of it is here. */
  #tryRead<T>(record: (jute: JuteReader) => T): T | null {
    this.#jute.reset(this.#bytes, this.#at, this.#bytes.length);
    try {
      const value = record(this.#jute);
      this.#at = this.#jute.offset;
      return value;
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      if (this.#bytes.length - this.#at > RECORD_BYTES_MAX)
        throw new SnapshotError(`the bytes are no snapshot's: ${error.message}`);
      return null;
    }
  }

  /** Waits for more bytes. */
  async more(): Promise<void> {
    if (!(await this.#pull())) throw new SnapshotError("the snapshot ends too early");
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#at === this.#bytes.length) if (!(await this.#pull())) return true;
    return false;
  }

  /** What was asked for and not read. */
  takeRest(): Uint8Array {
    return this.#bytes.slice(this.#at);
  }

  /** Lets go of the bytes, read to their end or not. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Compares the checksum that stands here with that of everything before it. */
  async checkSeal(): Promise<void> {
    this.#sum();
    const expected = this.#checksum;
    const { checksum, path } = await this.read((jute) => ({ checksum: jute.long(), path: jute.text() }));
    if (checksum !== BigInt(expected) || path !== END_PATH) {
      throw new SnapshotError(`the checksum over the snapshot is ${expected}, and it says ${checksum}`);
    }
  }

  async #pull(): Promise<boolean> {
    if (this.#ended) return false;
    this.#sum();
    const rest = this.#bytes.subarray(this.#at);
    const { value, done } = await this.#chunks.next();
    this.#ended = done === true;
    if (done) return false;
    this.#append(rest, value);
    return true;
  }

  /** A copy in any case: znodes are kept in it, and the chunk's owner uses the chunk again. */
  #append(rest: Uint8Array, chunk: Uint8Array): void {
    const end = this.#bytes.length;
    if (end + chunk.length <= this.#buffer.length) {
      this.#buffer.set(chunk, end);
      this.#bytes = this.#buffer.subarray(0, end + chunk.length);
      return;
    }
    const length = rest.length + chunk.length;
    // A record that has not ended for so long gets room for as much again, so that it is not copied for each chunk of it.
    this.#buffer = new Uint8Array(rest.length > chunk.length ? 2 * length : length);
    this.#buffer.set(rest);
    this.#buffer.set(chunk, rest.length);
    this.#bytes = this.#buffer.subarray(0, length);
    this.#at = 0;
    this.#summed = 0;
  }

  /** Sums up what has been read. */
  #sum(): void {
    this.#checksum = adler32(this.#bytes, this.#checksum, this.#summed, this.#at);
    this.#summed = this.#at;
  }
}
