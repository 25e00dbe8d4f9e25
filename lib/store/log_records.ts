/**
 * Txns as the records of ZooKeeper's log, and their framing in a log file: checksum, length, record, and the byte that ends it.
 *
 * Not here: which file, and what a damaged one means (log_scanner.ts). Invariant: a record of this version is written again as the same bytes.
 */
import { adler32 } from "../base/checksum.ts";
import type { Proposal } from "../model/txns.ts";
import type { LogRecord, LogSpan } from "../ports.ts";
import { type JuteReader, JuteWriter } from "../wire/jute.ts";
import { fileHeader, readProposal, writeProposal } from "../wire/txn_records.ts";

/** "ZKLG" */
export const LOG_MAGIC = 0x5a4b4c47;
/** Version of the files' layout, of logs and snapshots alike. */
export const FILE_VERSION = 2;
/** Bytes of the header that starts a log file. */
export const LOG_HEADER_BYTES = 16;
/** Bytes before a record: its checksum, a long of which half is used, and its length. */
export const FRAME_HEAD_BYTES = 12;
/** The byte behind a record. */
export const FRAME_END = 0x42;
/** A record is at least its header. */
export const RECORD_BYTES_MIN = 32;
/** What is written to a log file and synced together is no more, unless it is a single record: a crash leaves no more than that in doubt. */
export const GROUP_BYTES_MAX: number = 1 << 20;
/** Where the zxid stands in a record. */
export const ZXID_OFFSET = 12;
/** A buffer that one batch made larger than this is not kept for the next. */
const BUFFER_BYTES_KEPT = 1 << 20;

/** What a log file starts with. */
export function logFileHeader(): Uint8Array {
  const out = new JuteWriter(LOG_HEADER_BYTES);
  fileHeader(out, { magic: LOG_MAGIC, version: FILE_VERSION, dbid: 0n });
  return out.copy();
}

/** Makes records of proposals, all of a batch in one buffer. */
export class RecordEncoder {
  #out: JuteWriter = new JuteWriter(4096);

  /** The records' bytes are valid until the next call. */
  encode(proposals: readonly Proposal[]): LogRecord[] {
    if (this.#out.capacity > BUFFER_BYTES_KEPT) this.#out = new JuteWriter(4096);
    const out = this.#out;
    out.clear();
    const ends = proposals.map((proposal) => {
      writeProposal(out, proposal);
      return out.length;
    });
    const bytes = out.written();
    return proposals.map(({ header }, at) => ({
      zxid: header.zxid,
      bytes: bytes.subarray(at === 0 ? 0 : ends[at - 1], ends[at]),
    }));
  }
}

/** Reads a record. Throws a JuteError where the bytes are none. */
export function decodeRecord(reader: JuteReader, bytes: Uint8Array, { start, end }: LogSpan): Proposal {
  reader.reset(bytes, start, end);
  return readProposal(reader);
}

const END = Uint8Array.of(FRAME_END);

/** Writes a record as it stands in a log file. */
export function frameRecord(out: JuteWriter, record: Uint8Array): void {
  out.int(0);
  out.int(adler32(record) | 0);
  out.buffer(record);
  out.raw(END);
}
