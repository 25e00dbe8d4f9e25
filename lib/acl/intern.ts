/**
 * One object for all access control lists of the same content: a tree of a million znodes has a handful of them.
 *
 * Invariant: what it gives back says the same as what it was given.
 */
import type { AclList } from "../types.ts";
import { OPEN_ACL_UNSAFE, READ_ACL_UNSAFE } from "./perms.ts";

export class AclInterner {
  readonly #byContent = new Map<string, AclList>();
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
    this.#byContent.set(key, acl);
    return acl;
  }
}

function isSame(one: AclList, other: AclList): boolean {
  return (
    one.length === other.length &&
    one.every(({ perms, scheme, id }, at) => {
      const entry = other[at]!;
      return perms === entry.perms && scheme === entry.scheme && id === entry.id;
    })
  );
}
