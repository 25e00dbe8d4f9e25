/**
 * Index of the identities that a connection has proved, by scheme and id.
 *
 * Invariant: a list may grow at its end, and never changes otherwise; each of its identities is looked at once.
 */
import type { AuthId } from "../model/types.ts";

interface Index {
  count: number;
  readonly bySchemes: Map<string, Map<string, AuthId>>;
}

/** Forgotten with the lists. */
const indexes = new WeakMap<readonly AuthId[], Index>();

/** A copy that may grow without the list. Its index goes with it: what is left behind is asked once more, if at all. */
export function copyOf(ids: readonly AuthId[]): AuthId[] {
  const copy = ids.slice();
  const index = indexes.get(ids);
  if (index !== undefined) {
    indexes.delete(ids);
    indexes.set(copy, index);
  }
  return copy;
}

/** The identities of the list by their scheme, and then by their id. */
export function provedOf(ids: readonly AuthId[]): ReadonlyMap<string, ReadonlyMap<string, AuthId>> {
  let index = indexes.get(ids);
  if (index === undefined) {
    index = { count: 0, bySchemes: new Map() };
    indexes.set(ids, index);
  }
  for (; index.count < ids.length; index.count++) {
    const identity = ids[index.count]!;
    const known = index.bySchemes.get(identity.scheme);
    if (known === undefined) index.bySchemes.set(identity.scheme, new Map([[identity.id, identity]]));
    else known.set(identity.id, identity);
  }
  return index.bySchemes;
}
