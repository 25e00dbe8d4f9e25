/**
 * Outgoing bytes of a connection, gathered until its stream takes them: in one piece, but for long byte strings that are lent.
 *
 * Most connections have nothing to say most of the time, so buffers belong to those that do. A megabyte that goes to a hundred clients is the
 * znode's own. Invariant: what `take` gave is never written into again.
 */

import { Slab } from "../base/slab.ts";
import { JuteWriter } from "./jute.ts";

/** To send a shorter byte string by itself costs more than to copy it. */
const LENT_BYTES_MIN = 64 * 1024;
/** Writers that copy, and writers that lend. */
const spareWriters: readonly [JuteWriter[], JuteWriter[]] = [[], []];
const SPARE_WRITERS_MAX = 16;
const WRITER_BYTES = 1024;
/** Larger buffers are given away instead of copied from and kept. Growing one costs more than copying from it. */
const SPARE_WRITER_BYTES_MAX = 128 * 1024;
// What is sent leaves soon, so a slab for it may be large.
const outgoing = new Slab(64 * 1024);

export class Outbox {
  readonly #announce: () => void;
  readonly #lends: 0 | 1;
  #out: JuteWriter | null = null;
  /** What is left of pieces of which the first was taken, the next one at the end. */
  #pieces: Uint8Array[] = [];

  /**
   * @param announce called when there is something to take after there was nothing
   * @param lends whether long byte strings that are written are never changed afterwards, and so needn't be copied
   */
  constructor(announce: () => void, lends = false) {
    this.#announce = announce;
    this.#lends = lends ? 1 : 0;
  }

  /** Bytes there are to send. */
  get length(): number {
    return this.#out?.length ?? 0;
  }

  /** Where to write what is to be sent. */
  get writer(): JuteWriter {
    if (this.#out === null) {
      const lendsFrom = this.#lends === 1 ? LENT_BYTES_MIN : Number.POSITIVE_INFINITY;
      this.#out = spareWriters[this.#lends].pop() ?? new JuteWriter(WRITER_BYTES, lendsFrom);
      this.#announce();
    }
    return this.#out;
  }

  /** The next piece of what there is to send, which the caller may keep; null once there is nothing more. */
  take(): Uint8Array | null {
    const next = this.#pieces.pop();
    if (next !== undefined) return next;
    const out = this.#out;
    if (out === null) return null;
    this.#out = null;
    if (out.lends) {
      this.#pieces = out.pieces().reverse();
      return this.#pieces.pop()!;
    }
    if (out.capacity > SPARE_WRITER_BYTES_MAX) return out.written();
    const bytes = outgoing.copy(out.written(), 0, out.length);
    const spare = spareWriters[this.#lends];
    if (spare.length < SPARE_WRITERS_MAX) {
      out.clear();
      spare.push(out);
    }
    return bytes;
  }
}
