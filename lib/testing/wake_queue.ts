/**
 * Wake-ups in the order in which they fall due; of those for the same moment, the one that was asked for first comes first.
 *
 * A binary heap. What is cancelled stays where it is until it comes to the top.
 */

/** Somebody who wants to be woken. */
export interface Wake {
  readonly mono: number;
  readonly order: number;
  /** null once cancelled or called. */
  run: (() => void) | null;
}

export class WakeQueue {
  readonly #heap: Wake[] = [];
  #order = 0;

  add(mono: number, run: () => void): Wake {
    const wake: Wake = { mono, order: this.#order++, run };
    this.#heap.push(wake);
    this.#rise(this.#heap.length - 1);
    return wake;
  }

  /** The one that is due next; undefined if nobody waits. */
  get first(): Wake | undefined {
    while (this.#heap.length > 0 && this.#heap[0]!.run === null) this.#removeFirst();
    return this.#heap[0];
  }

  /** Takes out the next one, if it is due by `mono`. */
  takeDue(mono: number): Wake | undefined {
    const { first } = this;
    if (first === undefined || first.mono > mono) return undefined;
    this.#removeFirst();
    return first;
  }

  /** When the last one is due; -Infinity if nobody waits. */
  get lastMono(): number {
    let last = Number.NEGATIVE_INFINITY;
    for (const { mono, run } of this.#heap) if (run !== null && mono > last) last = mono;
    return last;
  }

  #removeFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink();
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  #sink(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      if (left >= this.#heap.length) return;
      const least = right < this.#heap.length && isBefore(this.#heap[right]!, this.#heap[left]!) ? right : left;
      if (!this.#swapIfBefore(least, at)) return;
      at = least;
    }
  }

  #swapIfBefore(one: number, other: number): boolean {
    const heap = this.#heap;
    if (!isBefore(heap[one]!, heap[other]!)) return false;
    [heap[one], heap[other]] = [heap[other]!, heap[one]!];
    return true;
  }
}

function isBefore(one: Wake, other: Wake): boolean {
  return one.mono < other.mono || (one.mono === other.mono && one.order < other.order);
}
