/**
 * Bytes that arrive, read as an async iterable by who can't keep up with them: the stream they come from is stopped meanwhile.
 *
 * Invariant: what was pushed comes out in order, each piece once.
 */

/** More than this waits only while the stream is being stopped. */
const WAITING_BYTES_MAX = 1 << 20;

export class ByteQueue implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #pieces: Uint8Array[] = [];
  readonly #stream: { pause(): void; resume(): void };
  #bytes = 0;
  #isPaused = false;
  #hasEnded = false;
  #wake: (() => void) | null = null;

  constructor(stream: { pause(): void; resume(): void }) {
    this.#stream = stream;
  }

  /** The bytes are copied. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes.slice());
    this.#bytes += bytes.length;
    if (this.#bytes > WAITING_BYTES_MAX && !this.#isPaused) {
      this.#isPaused = true;
      this.#stream.pause();
    }
    this.#wake?.();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    while (this.#pieces.length === 0) {
      if (this.#hasEnded) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    const value = this.#pieces.shift()!;
    this.#bytes -= value.length;
    if (this.#isPaused && this.#bytes <= WAITING_BYTES_MAX) {
      this.#isPaused = false;
      this.#stream.resume();
    }
    return { done: false, value };
  }

  /** What came and was not asked for. */
  takeRest(): readonly Uint8Array[] {
    return this.#pieces.splice(0);
  }
}
