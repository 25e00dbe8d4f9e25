/**
 * Outgoing bytes of a connection, gathered until its stream takes it in one piece.
 *
 * Most connections have nothing to say most of the time, so buffers belong to those that do. Invariant: what `take` gave is never written into
 * again.
 */

import { Slab } from "../base/slab.ts";
import { JuteWriter } from "./jute.ts";

const spareWriters: JuteWriter[] = [];
const SPARE_WRITERS_MAX = 16;
const WRITER_BYTES = 1024;
/** Larger buffers are given away instead of copied from and kept. Growing one costs more than copying from it. */
const SPARE_WRITER_BYTES_MAX = 128 * 1024;
// What is sent leaves soon, so a slab for it may be large.
const outgoing = new Slab(64 * 1024);

export class Outbox {
  readonly #announce: () => void;
  #out: JuteWriter | null = null;

  /** @param announce called when there is something to take after there was nothing */
  constructor(announce: () => void) {
    this.#announce = announce;
  }

  /** Bytes there are to send. */
  get length(): number {
    return this.#out?.length ?? 0;
  }

  /** Where to write what is to be sent. */
  get writer(): JuteWriter {
    if (this.#out === null) {
      this.#out = spareWriters.pop() ?? new JuteWriter(WRITER_BYTES);
      this.#announce();
    }
    return this.#out;
  }

  /** Everything there is to send, in one piece that the caller may keep; null for nothing. */
  take(): Uint8Array | null {
    const out = this.#out;
    if (out === null) return null;
    this.#out = null;
    if (out.capacity > SPARE_WRITER_BYTES_MAX) return out.written();
    const bytes = outgoing.copy(out.written(), 0, out.length);
    if (spareWriters.length < SPARE_WRITERS_MAX) {
      out.clear();
      spareWriters.push(out);
    }
    return bytes;
  }
}
