/**
 * Cuts a byte stream from a server into frames and reads the header of each: xid and error, nothing more.
 *
 * It does not decode bodies; the few users that need one get its place in the buffer. It costs the generator some
 * nanoseconds a frame, so that the load never becomes what is measured.
 *
 * Invariant: the sink sees every frame once, whole and in order; the buffer it is given may be reused after it returns.
 */

/** Who the frames are for. Offsets: the payload of the frame is `buffer[start, end)`. */
export interface FrameSink {
  frame(buffer: Buffer, start: number, end: number): void;
  /** All whole frames of one read have been delivered: the moment to write. */
  readDone(): void;
}

/** Bytes of a reply header: xid, zxid, error. */
export const REPLY_HEADER_BYTES = 16;

/** A reply longer than this is taken for a lost frame boundary. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

export class FrameReader {
  #kept: Buffer = Buffer.alloc(0);

  push(chunk: Buffer, sink: FrameSink): void {
    const buffer = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    let at = 0;
    while (at + 4 <= buffer.length) {
      const length = buffer.readInt32BE(at);
      if (length < 0 || length > FRAME_BYTES_MAX) throw new Error(`the server sent a frame of ${length} bytes`);
      const end = at + 4 + length;
      if (end > buffer.length) break;
      sink.frame(buffer, at + 4, end);
      at = end;
    }
    this.#kept = at === buffer.length ? EMPTY : Buffer.from(buffer.subarray(at));
    sink.readDone();
  }
}

const EMPTY = Buffer.alloc(0);

export function replyXid(buffer: Buffer, start: number): number {
  return buffer.readInt32BE(start);
}

export function replyError(buffer: Buffer, start: number): number {
  return buffer.readInt32BE(start + 12);
}
