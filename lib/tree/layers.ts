/**
 * A string map that can be frozen at no cost: later changes go to a new layer above the frozen one. What a snapshot writes and what a fork
 * starts from is such a frozen layer.
 *
 * Not here: what the values are. Values must be immutable, or copied by whoever changes them ({@link Layers.owned}).
 *
 * Invariants: a frozen layer's content never changes for as long as somebody holds it. Each layer is several times as large as the one above
 * it, so a look-up passes few of them.
 */

/** A layer that is not more than this many times as large as the one above it is copied together with it. */
const GROWTH_MIN = 4;

interface Layer<V> {
  /** `undefined` stands for a key deleted over the layers below. */
  readonly map: Map<string, V | undefined>;
  readonly below: Layer<V> | null;
  /** Holders that will let go again (snapshots); forks never do. */
  holders: number;
}

/** A frozen view; see {@link Layers.freeze}. */
export interface Frozen<V> {
  readonly size: number;
  get(key: string): V | undefined;
  entries(): IterableIterator<[string, V]>;
  /** Says that nobody reads this view any more, so that its layer may be merged again. */
  release(): void;
}

export class Layers<V> {
  #top: Map<string, V | undefined>;
  #below: Layer<V> | null;
  #size: number;

  constructor() {
    this.#top = new Map();
    this.#below = null;
    this.#size = 0;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    const value = this.#top.get(key);
    if (value !== undefined || this.#below === null) return value;
    return this.#top.has(key) ? undefined : find(this.#below, key);
  }

  set(key: string, value: V): void {
    if (this.#below === null) {
      this.#top.set(key, value);
      this.#size = this.#top.size;
    } else {
      if (this.get(key) === undefined) this.#size++;
      this.#top.set(key, value);
    }
  }

  delete(key: string): void {
    if (this.#below === null) {
      this.#top.delete(key);
      this.#size = this.#top.size;
    } else if (this.get(key) !== undefined) {
      this.#size--;
      this.#top.set(key, undefined);
    }
  }

  /** The value at `key`, safe to change in place: a copy is made first if a frozen layer holds it. */
  owned(key: string, copy: (value: V) => V): V | undefined {
    const own = this.#top.get(key);
    if (own !== undefined || this.#below === null) return own;
    const value = this.get(key);
    if (value === undefined) return undefined;
    const copied = copy(value);
    this.#top.set(key, copied);
    return copied;
  }

  entries(): IterableIterator<[string, V]> {
    return entriesOf({ map: this.#top, below: this.#below, holders: 0 });
  }

  /** A view of the map as it is now, which later changes don't touch. Costs nothing, however large the map is. */
  freeze(): Frozen<V> {
    const layer = this.#frozenLayer();
    layer.holders++;
    const size = this.#size;
    let held = true;
    return {
      size,
      get: (key) => find(layer, key),
      entries: () => entriesOf(layer),
      release: () => {
        if (!held) return;
        held = false;
        layer.holders--;
        this.#merge();
      },
    };
  }

  /** A second map with the same content; from here on the two go their own ways. */
  fork(): Layers<V> {
    const layer = this.#frozenLayer();
    layer.holders = Number.POSITIVE_INFINITY;
    const fork = new Layers<V>();
    fork.#below = layer;
    fork.#size = this.#size;
    return fork;
  }

  #frozenLayer(): Layer<V> {
    if (this.#below !== null && this.#top.size === 0) return this.#below;
    this.#below = compacted({ map: this.#top, below: this.#below, holders: 0 });
    this.#top = new Map();
    return this.#below;
  }

  /** Takes layers that nobody holds any more back into one map. */
  #merge(): void {
    while (this.#below !== null && this.#below.holders === 0) {
      const { map, below } = this.#below;
      for (const [key, value] of this.#top) {
        if (value === undefined && below === null) map.delete(key);
        else map.set(key, value);
      }
      this.#top = map;
      this.#below = below;
    }
  }
}

/**
 * The layer, with those below it in one map that are not much larger. So an entry is copied a few times in all, however often its map is frozen
 * between changes.
 */
function compacted<V>(layer: Layer<V>): Layer<V> {
  let { map, below } = layer;
  while (below !== null && below.map.size <= map.size * GROWTH_MIN) {
    const isLowest = below.below === null;
    const joined = new Map(below.map);
    for (const [key, value] of map) {
      if (value === undefined && isLowest) joined.delete(key);
      else joined.set(key, value);
    }
    // Who holds the layer that is left out reads on below it.
    if (below.holders > 0 && below.below !== null) below.below.holders = Number.POSITIVE_INFINITY;
    map = joined;
    below = below.below;
  }
  return map === layer.map ? layer : { map, below, holders: 0 };
}

function find<V>(from: Layer<V>, key: string): V | undefined {
  for (let layer: Layer<V> | null = from; layer !== null; layer = layer.below) {
    const value = layer.map.get(key);
    if (value !== undefined || layer.map.has(key)) return value;
  }
  return undefined;
}

function* entriesOf<V>(top: Layer<V>): IterableIterator<[string, V]> {
  const above: Map<string, V | undefined>[] = [];
  for (let layer: Layer<V> | null = top; layer !== null; layer = layer.below) {
    for (const [key, value] of layer.map) {
      if (value !== undefined && !above.some((map) => map.has(key))) yield [key, value];
    }
    above.push(layer.map);
  }
}
