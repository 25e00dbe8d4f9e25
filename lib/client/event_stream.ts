/**
 * Events as an async iterator, with a bounded memory.
 *
 * Invariant: events come out in the order in which they went in. What had to be left out is not left out silently, unless nobody misses it.
 */

/** What to do with an event for which there is no room: forget the oldest one waiting, or end the stream with an error. */
export type OverflowPolicy = "dropOldest" | "fail";

export const OVERFLOW_POLICIES: readonly OverflowPolicy[] = ["dropOldest", "fail"];

export interface EventStreamOptions<T> {
  /** Events that may wait for the reader. */
  readonly capacity: number;
  readonly overflow: OverflowPolicy;
  /** What stands where events were left out; null where the newest says all that the older ones said. */
  readonly gap: (() => T) | null;
  /** Called once, when the reader has gone or the stream has ended. */
  readonly released: () => void;
}

/** Events as an iterator: it goes on until the reader leaves it, its signal aborts, or the handle ends. */
export class EventStream<T> implements AsyncIterableIterator<T> {
  readonly #options: EventStreamOptions<T>;
  readonly #waiting: T[] = [];
  readonly #readers: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void }[] = [];
  #dropped = false;
  #ended = false;
  #error: unknown = null;

  /** @internal */
  constructor(options: EventStreamOptions<T>) {
    this.#options = options;
  }

  /** @internal */
  push(item: T): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) return reader.resolve({ done: false, value: item });
    if (this.#waiting.length >= this.#options.capacity) {
      if (this.#options.overflow === "fail")
        return this.end(new Error(`More than ${this.#options.capacity} events wait for their reader`));
      this.#waiting.shift();
      this.#dropped = this.#options.gap !== null;
    }
    this.#waiting.push(item);
  }

  /** @internal Ends the stream once what waits has been read; with an error if one is given. */
  end(error: unknown = null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) {
      if (error === null) reader.resolve({ done: true, value: undefined });
      else reader.reject(error);
    }
    this.#options.released();
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#dropped) {
      this.#dropped = false;
      return Promise.resolve({ done: false, value: this.#options.gap!() });
    }
    if (this.#waiting.length > 0) return Promise.resolve({ done: false, value: this.#waiting.shift()! });
    if (!this.#ended) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    const error = this.#error;
    this.#error = null;
    return error === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error);
  }

  return(): Promise<IteratorResult<T>> {
    this.#waiting.length = 0;
    this.#dropped = false;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.return().then(() => {});
  }
}
