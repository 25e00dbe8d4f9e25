/**
 * Bytes in whatever form a caller has them: an `ArrayBuffer`, a `SharedArrayBuffer`, or any view of one, a `DataView` and Node's Buffer among them.
 *
 * Objects are known by what they are, and not by their class: those of another realm count, too, as Jest, jsdom and `node:vm` make them.
 *
 * Not here: texts as bytes. Invariant: nothing is copied, and the length of what comes out is that of its memory.
 */

/**
 * The bytes of a buffer or a view; null for what is neither.
 *
 * @throws TypeError where the memory has been transferred away
 *
 * @example
 * ```ts
 * bytesOf(new DataView(new ArrayBuffer(4), 1, 2)); // Uint8Array(2)
 * ```
 */
export function bytesOf(value: unknown): Uint8Array | null {
  if (ArrayBuffer.isView(value)) {
    const bytes = value instanceof Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    // A view of memory that is gone says that it is empty. A view that is made of it is refused.
    if (bytes.length === 0) new Uint8Array(bytes.buffer);
    return bytes;
  }
  return isBuffer(value) ? new Uint8Array(value) : null;
}

/** Getters that look at the object itself, and throw for all others: nothing can pretend to be a buffer. */
const LENGTHS = [ArrayBuffer, ...(typeof SharedArrayBuffer === "undefined" ? [] : [SharedArrayBuffer])].map(
  (buffer) => Object.getOwnPropertyDescriptor(buffer.prototype, "byteLength")!.get!,
);

function isBuffer(value: unknown): value is ArrayBuffer {
  if (typeof value !== "object" || value === null) return false;
  return LENGTHS.some((lengthOf) => {
    try {
      lengthOf.call(value);
      return true;
    } catch {
      return false;
    }
  });
}
