/**
 * The logs that the two servers have written, txn by txn: what each request became, failed ones included. Both are also replayed
 * from their first record on, and after each txn the tree's digest is held against the one that the server wrote then.
 *
 * Left out is what no two runs share: times, and with them the values of digests. Sessions are told by their numbers.
 */

import { fileStorage } from "../../adapters/storage/mod.ts";
import { apply } from "../../lib/kernel/apply.ts";
import { Database } from "../../lib/kernel/database.ts";
import type { Proposal, Txn } from "../../lib/model/txns.ts";
import type { Logger, Storage, Stored } from "../../lib/ports.ts";
import { decodeRecord } from "../../lib/store/log_records.ts";
import { Tree } from "../../lib/tree/tree.ts";
import { JuteReader } from "../../lib/wire/jute.ts";
import { describeValue } from "./script.ts";
import { inOrder, Transcriber } from "./transcript.ts";

export interface LogComparison {
  /** Txns that are the same in both. */
  readonly same: number;
  readonly failure: string | null;
}

/**
 * Compares two logs.
 *
 * @param knownMismatches digests in Apache's log that by its own count are not those of its tree: it works them out while other
 *   txns are being applied, and now and then one slips in between
 */
export async function compareLogs(
  apache: { readonly dataDir: string; readonly knownMismatches: number },
  ours: Storage,
  extendedTypes: boolean,
): Promise<LogComparison> {
  const storages = [fileStorage(apache.dataDir), ours] as const;
  try {
    const [left, right] = await Promise.all(storages.map((storage) => storage.open(SILENT)));
    const [one, other] = [new Replay(left!, extendedTypes), new Replay(right!, extendedTypes)];
    const failure = await compare(one, other);
    const { mismatches } = one;
    const wrong = mismatches.slice(apache.knownMismatches);
    const problems = [
      ...(failure === null ? [] : [failure]),
      ...(wrong.length === 0
        ? []
        : [`Apache's digests differ after ${mismatches}, and it knows of ${apache.knownMismatches} only`]),
      ...(other.mismatches.length === 0 ? [] : [`our digests differ after ${other.mismatches}`]),
    ];
    return { same: one.count, failure: problems.length === 0 ? null : problems.join("\n") };
  } finally {
    await Promise.all(storages.map((storage) => storage.close()));
  }
}

async function compare(one: Replay, other: Replay): Promise<string | null> {
  for (;;) {
    const [apache, ours] = await Promise.all([one.next(), other.next()]);
    if (apache !== ours) return `The logs part behind ${one.count - 1} txns:\n  apache: ${apache}\n  ours:   ${ours}`;
    if (apache === null) return null;
  }
}

/** A log on its way through a tree of its own. */
class Replay {
  count = 0;
  /** zxids after which the tree's digest is not what the log says. */
  readonly mismatches: bigint[] = [];
  readonly #proposals: AsyncGenerator<Proposal, undefined>;
  readonly #database: Database;
  readonly #names = new Transcriber();

  constructor(stored: Stored, extendedTypes: boolean) {
    this.#proposals = proposalsOf(stored);
    this.#database = new Database(new Tree({ extendedTypes, digest: true, counterWraps: false, configNode: true }));
  }

  /** The next txn as text; null behind the last one. */
  async next(): Promise<string | null> {
    const { value } = await this.#proposals.next();
    if (value === undefined) return null;
    const { header, txn, digest } = value;
    this.count++;
    apply(this.#database, value, null);
    // An error has none; but where nonsense in a multi becomes one, 3.8.0 leaves it that of the ops before the nonsense.
    const hasDigest = digest !== null && txn.kind !== "error";
    if (hasDigest && digest !== this.#database.tree.digest) this.mismatches.push(header.zxid);
    const { session, cxid, zxid } = header;
    return describeValue({ session: this.#names.session(session), cxid, zxid, txn: shared(txn), hasDigest });
  }
}

async function* proposalsOf(stored: Stored): AsyncGenerator<Proposal, undefined> {
  const reader = new JuteReader();
  for await (const { bytes, records } of stored.readLog(0n)) {
    for (const record of records) yield decodeRecord(reader, bytes, record);
  }
}

/** A txn with its lists that have no order put in one. */
function shared(txn: Txn): unknown {
  if (txn.kind === "closeSession") return { ...txn, paths: txn.paths?.toSorted() ?? null };
  if (txn.kind === "multi") return txn.txns.map(shared);
  return "acl" in txn ? { ...txn, acl: inOrder(txn.acl) } : txn;
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };
