/**
 * A first-in-first-out queue, as a ring: `shift` costs the same however long it is, which an array's does not, and a queue that fills and empties
 * all the time allocates nothing.
 */
const RING_MIN = 8;

export class Fifo<T> {
  /** Its length is a power of two, so that positions wrap with a mask; 0 until the first item, since most queues never have one. */
  #ring: (T | undefined)[] = [];
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The oldest item; undefined if there is none. */
  get first(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head];
  }

  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = item;
    this.#length++;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length--;
    return item;
  }

  /** Takes the newest item out again, if it is this one; says whether it was. */
  takeBack(item: T): boolean {
    const newest = (this.#head + this.#length - 1) & (this.#ring.length - 1);
    if (this.#length === 0 || this.#ring[newest] !== item) return false;
    this.#ring[newest] = undefined;
    this.#length--;
    return true;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let at = 0; at < this.#length; at++) yield this.#ring[(this.#head + at) & (this.#ring.length - 1)]!;
  }

  #grow(): void {
    const items: (T | undefined)[] = [...this];
    this.#ring = items.concat(new Array(Math.max(items.length, RING_MIN)));
    this.#head = 0;
  }
}
