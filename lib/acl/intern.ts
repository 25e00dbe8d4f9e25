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
  /** By a hash of their content: of two with the same one, the newer is remembered. */
  readonly #lists = new Map<number, AclList>();
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
    const hash = hashOf(acl);
    const known = this.#lists.get(hash);
    if (known !== undefined && isSame(acl, known)) return known;
    const characters = charactersOf(acl);
    if (this.#lists.size >= LISTS_MAX || this.#characters + characters > CHARACTERS_MAX) this.#forget();
    this.#lists.set(hash, acl);
    this.#characters += characters;
    return acl;
  }

  #forget(): void {
    this.#lists.clear();
    this.#characters = 0;
  }
}

/** About what an entry takes beside its characters. */
const ENTRY_CHARACTERS = 20;

function charactersOf(acl: AclList): number {
  let characters = 0;
  for (const { scheme, id } of acl) characters += ENTRY_CHARACTERS + scheme.length + id.length;
  return characters;
}

/** The ends of ids are where lists differ. */
function hashOf(acl: AclList): number {
  let hash = acl.length;
  for (const { perms, scheme, id } of acl) {
    hash = Math.imul(hash ^ perms ^ (scheme.length << 8) ^ (id.length << 16), 0x01000193);
    for (let at = Math.max(0, id.length - HASHED_CHARACTERS); at < id.length; at++)
      hash = Math.imul(hash, 31) + id.charCodeAt(at);
  }
  return hash | 0;
}

const HASHED_CHARACTERS = 8;

function isSame(one: AclList, other: AclList): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) {
    const [entry, same] = [one[at]!, other[at]!];
    if (entry.perms !== same.perms || entry.id !== same.id || entry.scheme !== same.scheme) return false;
  }
  return true;
}
