/**
 * One object for all access control lists of the same content: a tree of a million znodes has a handful of them.
 *
 * Invariants: what it gives back says the same as what it was given; it remembers no more than so many lists and so many characters of them.
 */
import type { AclList } from "../model/types.ts";
import { OPEN_ACL_UNSAFE, READ_ACL_UNSAFE } from "./perms.ts";

/** As many lists are remembered. When there are more, most are used once, and all are forgotten. */
const LISTS_MAX = 10_000;
/** So many characters of lists, too: a list may be as long as a request. */
const CHARACTERS_MAX = 8 << 20;

export class AclInterner {
  readonly #byContent = new Map<string, AclList>();
  #characters = 0;
  /** The last one: many in a row are alike. */
  #last: AclList = OPEN_ACL_UNSAFE;

  constructor() {
    this.#interned(OPEN_ACL_UNSAFE);
    this.#interned(READ_ACL_UNSAFE);
  }

  intern(acl: AclList): AclList {
    if (isSame(acl, this.#last)) return this.#last;
    this.#last = this.#interned(acl);
    return this.#last;
  }

  #interned(acl: AclList): AclList {
    const key = JSON.stringify(acl.map(({ perms, scheme, id }) => [perms, scheme, id]));
    const known = this.#byContent.get(key);
    if (known !== undefined) return known;
    if (this.#byContent.size >= LISTS_MAX || this.#characters + key.length > CHARACTERS_MAX) this.#forget();
    this.#byContent.set(key, acl);
    this.#characters += key.length;
    return acl;
  }

  #forget(): void {
    this.#byContent.clear();
    this.#characters = 0;
  }
}

function isSame(one: AclList, other: AclList): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) {
    const [entry, same] = [one[at]!, other[at]!];
    if (entry.perms !== same.perms || entry.id !== same.id || entry.scheme !== same.scheme) return false;
  }
  return true;
}
