/**
 * A string map that can be frozen at no cost: later changes go to a new layer above the frozen one. What a snapshot writes and what a fork
 * starts from is such a frozen layer.
 *
 * Not here: what the values are. Values must be immutable, or copied by whoever changes them ({@link Layers.owned}).
 *
 * Invariants: a frozen layer's content never changes for as long as somebody holds it. Each layer is several times as large as the one above
 * it, so a look-up passes few of them; a base alone is under them however large it is. A key is marked as gone only above a layer that has it.
 */

/** A layer that is not more than this many times as large as the one above it is copied together with it. */
const GROWTH_MIN = 4;
/** Stands for a key deleted over the layers below. */
const GONE = Symbol("gone");

type Top<V> = Map<string, V | typeof GONE>;

/** What may lie under all layers: content that is no Map, and never changes. */
export interface Base<V> {
  get(key: string): V | undefined;
  entries(): IterableIterator<[string, V]>;
}

interface Layer<V> {
  readonly map: Top<V> | Base<V>;
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
  #top: Top<V>;
  #below: Layer<V> | null;
  #size: number;

  constructor() {
    this.#top = new Map();
    this.#below = null;
    this.#size = 0;
  }

  /** A map with the content of a base, which holds `size` entries; from then on the base's own, or `copied`: one layer less to look through. */
  static over<V>(base: Base<V>, size: number, copied: boolean): Layers<V> {
    const layers = new Layers<V>();
    layers.#size = size;
    if (copied) layers.#top = new Map(base.entries());
    else layers.#below = { map: base, below: null, holders: Number.POSITIVE_INFINITY };
    return layers;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    const value = this.#top.get(key);
    if (value === undefined) return this.#below === null ? undefined : find(this.#below, key);
    return value === GONE ? undefined : value;
  }

  /** Adds an entry for a key that has none. */
  add(key: string, value: V): void {
    this.#top.set(key, value);
    this.#size++;
  }

  /** Gives a key that has an entry another value. */
  replace(key: string, value: V): void {
    this.#top.set(key, value);
  }

  /** Deletes the entry of a key that has one. */
  delete(key: string): void {
    remove(this.#top, this.#below, key);
    this.#size--;
  }

  /** The value at `key`, safe to change in place: a copy is made first if a frozen layer holds it. */
  owned(key: string, copy: (value: V) => V): V | undefined {
    const own = this.#top.get(key);
    if (own !== undefined || this.#below === null) return own === GONE ? undefined : own;
    const value = find(this.#below, key);
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
    this.#below = compacted(this.#top, this.#below);
    this.#top = new Map();
    return this.#below;
  }

  /** Takes layers that nobody holds any more back into one map. */
  #merge(): void {
    while (this.#below !== null && this.#below.holders === 0) {
      const { map, below } = this.#below;
      if (!(map instanceof Map)) return;
      putAll(this.#top, map, below);
      this.#top = map;
      this.#below = below;
    }
  }
}

/**
 * A layer of this map, with those below it in one map that are not much larger. So an entry is copied a few times in all, however often its map
 * is frozen between changes.
 */
function compacted<V>(top: Top<V>, under: Layer<V> | null): Layer<V> {
  let map = top;
  let below = under;
  while (below?.map instanceof Map && below.map.size <= map.size * GROWTH_MIN) {
    const joined: Top<V> = new Map(below.map);
    putAll(map, joined, below.below);
    // Who holds the layer that is left out reads on below it.
    if (below.holders > 0 && below.below !== null) below.below.holders = Number.POSITIVE_INFINITY;
    map = joined;
    below = below.below;
  }
  return { map, below, holders: 0 };
}

/** Puts the changes of one layer into the next, which lies on `below`. */
function putAll<V>(changes: Top<V>, map: Top<V>, below: Layer<V> | null): void {
  for (const [key, value] of changes) {
    if (value === GONE) remove(map, below, key);
    else map.set(key, value);
  }
}

/** Deletes a key from a layer that lies on `below`: where that has it, it is marked. */
function remove<V>(map: Top<V>, below: Layer<V> | null, key: string): void {
  if (below === null || find(below, key) === undefined) map.delete(key);
  else map.set(key, GONE);
}

function find<V>(from: Layer<V>, key: string): V | undefined {
  for (let layer: Layer<V> | null = from; layer !== null; layer = layer.below) {
    const value = layer.map.get(key);
    if (value !== undefined) return value === GONE ? undefined : value;
  }
  return undefined;
}

function* entriesOf<V>(top: Layer<V>): IterableIterator<[string, V]> {
  const above: Layer<V>["map"][] = [];
  for (let layer: Layer<V> | null = top; layer !== null; layer = layer.below) {
    for (const [key, value] of layer.map.entries()) {
      if (value !== GONE && !above.some((map) => map.get(key) !== undefined)) yield [key, value];
    }
    above.push(layer.map);
  }
}
