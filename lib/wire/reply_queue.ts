/**
 * Queue of what one connection is told: replies and events in their order, encoded no faster than the stream takes them.
 *
 * While there is room, what is said is encoded at once. Beyond that it waits as it is: an outcome shares its data with the tree, so that a reply
 * which waits costs the same however long it is.
 *
 * Not here: when the stream has room again (client_connection.ts). Invariants: what was said goes out in the order in which it was said, and the
 * encoded bytes that nobody has taken are at most one reply more than a piece.
 */
import { Fifo } from "../base/fifo.ts";
import type { Outcome } from "../model/ops.ts";
import type { WatchedEvent, Zxid } from "../model/types.ts";
import { writeEvent, writeReply } from "./codec.ts";
import type { JuteWriter } from "./jute.ts";
import { Outbox } from "./outbox.ts";
import type { ReplySizes } from "./reply_sizes.ts";

const LENGTH_BYTES = 4;
/** What an event that waits takes beside its path. */
const EVENT_BYTES = 100;

/** A reply, or an event where there is one. */
interface Said {
  readonly xid: number;
  readonly zxid: Zxid;
  readonly outcome: Outcome | null;
  readonly event: WatchedEvent | null;
}

export class ReplyQueue {
  readonly #outbox: Outbox;
  readonly #sizes: ReplySizes;
  readonly #pieceBytesMax: number;
  readonly #waiting: Fifo<Said> = new Fifo<Said>();
  #eventBytes = 0;
  /** Whether what is said has to wait: a piece is complete, something waits already, or the stream takes no more. */
  #isFull = false;

  /**
   * @param announce called when there is something to take after there was nothing
   * @param sizes counts the bytes of what is said
   * @param pieceBytesMax so many bytes are encoded before the stream takes them
   */
  constructor(announce: () => void, sizes: ReplySizes, pieceBytesMax: number) {
    this.#outbox = new Outbox(announce, true);
    this.#sizes = sizes;
    this.#pieceBytesMax = pieceBytesMax;
  }

  /** Where to write what is neither a reply nor an event: it stands alone, or before them. */
  get writer(): JuteWriter {
    return this.#outbox.writer;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** Whether something was said that has not been encoded. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** About how much memory the events take that have not been encoded. */
  get eventBytes(): number {
    return this.#eventBytes;
  }

  reply(xid: number, zxid: Zxid, outcome: Outcome): void {
    if (this.#isFull) this.#waiting.push({ xid, zxid, outcome, event: null });
    else this.#writeReply(xid, zxid, outcome);
  }

  event(event: WatchedEvent): void {
    if (!this.#isFull) return this.#writeEvent(event);
    this.#waiting.push({ xid: 0, zxid: event.zxid, outcome: null, event });
    this.#eventBytes += EVENT_BYTES + event.path.length;
  }

  /** The stream takes no more: everything waits until {@link release} or {@link fill}. */
  hold(): void {
    this.#isFull = true;
  }

  /** The stream has room again. */
  release(): void {
    this.#isFull = this.#waiting.length > 0 || this.#outbox.length >= this.#pieceBytesMax;
  }

  /** The stream has room: encodes what waits, up to a piece. */
  fill(): void {
    this.#isFull = this.#outbox.length >= this.#pieceBytesMax;
    while (!this.#isFull) {
      const said = this.#waiting.shift();
      if (said === undefined) return;
      if (said.event === null) {
        this.#writeReply(said.xid, said.zxid, said.outcome!);
      } else {
        this.#eventBytes -= EVENT_BYTES + said.event.path.length;
        this.#writeEvent(said.event);
      }
    }
  }

  /** The next piece of what is encoded, which the caller may keep; null once there is nothing more. */
  take(): Uint8Array | null {
    this.#isFull = this.#waiting.length > 0;
    return this.#outbox.take();
  }

  #writeReply(xid: number, zxid: Zxid, outcome: Outcome): void {
    const { writer } = this.#outbox;
    const before = writer.length;
    writeReply(writer, xid, zxid, outcome);
    this.#written(before, writer.length);
  }

  #writeEvent(event: WatchedEvent): void {
    const { writer } = this.#outbox;
    const before = writer.length;
    writeEvent(writer, event);
    this.#written(before, writer.length);
  }

  #written(before: number, after: number): void {
    this.#sizes.add(after - before - LENGTH_BYTES);
    if (after >= this.#pieceBytesMax) this.#isFull = true;
  }
}
