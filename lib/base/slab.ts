/**
 * Copies of small byte strings that share one allocation: on V8 a Uint8Array of its own costs several times what copying its
 * bytes does.
 *
 * One live piece keeps its whole slab, so a slab for what lives long is small. Invariants: no two pieces overlap; a length that is none is refused
 * and not remembered; a copy shares nothing with what it was made of, whatever that's class does.
 */
/** Up to this length a loop is quicker than making the view that `set` wants. */
const LOOPED_BYTES_MAX = 64;

export class Slab {
  readonly #slabBytes: number;
  readonly #pieceBytesMax: number;
  #slab: Uint8Array = new Uint8Array(0);
  #used = 0;

  /** @param slabBytes size of a slab; what is longer than an eighth of it gets an allocation of its own */
  constructor(slabBytes: number) {
    this.#slabBytes = slabBytes;
    this.#pieceBytesMax = slabBytes / 8;
  }

  /** A copy of all of the bytes. */
  copyOf(bytes: Uint8Array): Uint8Array {
    const { length } = bytes;
    if (length > this.#pieceBytesMax) return separateCopy(bytes, 0, length);
    const piece = this.#take(length);
    if (length > LOOPED_BYTES_MAX) piece.set(bytes);
    else for (let i = 0; i < length; i++) piece[i] = bytes[i]!;
    return piece;
  }

  /** A copy of `length` bytes from `start`. */
  copy(bytes: Uint8Array, start: number, length: number): Uint8Array {
    if (length > this.#pieceBytesMax) return separateCopy(bytes, start, length);
    const piece = this.#take(length);
    // Not `slice`: Node's Buffer gives a view for it.
    if (length > LOOPED_BYTES_MAX) piece.set(bytes.subarray(start, start + length));
    else for (let i = 0; i < length; i++) piece[i] = bytes[start + i]!;
    return piece;
  }

  #take(length: number): Uint8Array {
    checkLength(length);
    if (this.#used + length > this.#slab.length) {
      this.#slab = new Uint8Array(this.#slabBytes);
      this.#used = 0;
    }
    const piece = this.#slab.subarray(this.#used, this.#used + length);
    this.#used += length;
    return piece;
  }
}

function checkLength(length: number): void {
  if (!Number.isSafeInteger(length) || length < 0) throw new RangeError(`${length} is no length of bytes`);
}

/** A copy with an allocation of its own. `slice` does not write zeros first, which a new array does; Node's Buffer gives a view for it. */
function separateCopy(bytes: Uint8Array, start: number, length: number): Uint8Array {
  checkLength(length);
  if (bytes.constructor === Uint8Array) return sliceOf.call(bytes, start, start + length);
  const copy = new Uint8Array(length);
  copy.set(bytes.subarray(start, start + length));
  return copy;
}

const sliceOf = Uint8Array.prototype.slice;
