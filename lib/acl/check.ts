/**
 * Permission check of an access control list, and the part of it that may be shown.
 *
 * Not here: which permission an operation needs (kernel/), and what ids of a scheme mean (providers.ts).
 */
import type { Acl, AclList, AuthId } from "../model/types.ts";
import type { AclOptions } from "./options.ts";
import { isEverybody, OPEN_ACL_UNSAFE } from "./perms.ts";
import { provedOf } from "./proved.ts";
import { providerOf, SUPER } from "./providers.ts";

/**
 * Whether one of the identities has one of the wanted permissions. `null` or an empty list allows everything.
 *
 * @param wantedPerms bits of `Perms`; any of them is enough
 * @param ids what the connection had proved when its request came in
 */
export function isAllowed(acl: AclList | null, wantedPerms: number, ids: readonly AuthId[], options: AclOptions): boolean {
  if (acl === null || acl === OPEN_ACL_UNSAFE || acl.length === 0 || options.skipAcl) return true;
  if (acl.length > SHORT_LIST) return (wantedPerms & permsOf(acl, ids, options)) !== 0 || provedOf(ids).has(SUPER);
  for (const entry of acl) {
    if ((entry.perms & wantedPerms) !== 0 && isMeant(entry, ids, options)) return true;
  }
  return provedOf(ids).has(SUPER);
}

/** Of a list with more entries than this, what it comes to is kept for the last who asked: a multi may ask ten thousand times. */
const SHORT_LIST = 8;
const lastPerms = new WeakMap<AclList, { readonly ids: readonly AuthId[]; readonly count: number; readonly perms: number }>();

function permsOf(acl: AclList, ids: readonly AuthId[], options: AclOptions): number {
  const last = lastPerms.get(acl);
  if (last?.ids === ids && last.count === ids.length) return last.perms;
  let perms = 0;
  for (const entry of acl) if (isMeant(entry, ids, options)) perms |= entry.perms;
  lastPerms.set(acl, { ids, count: ids.length, perms });
  return perms;
}

function isMeant(entry: Acl, ids: readonly AuthId[], options: AclOptions): boolean {
  if (isEverybody(entry)) return true;
  const provider = providerOf(entry.scheme, options);
  const proved = provedOf(ids).get(entry.scheme);
  return provider !== null && proved !== undefined && provider.matches(proved, entry, options);
}

/** The list for somebody without ADMIN: of digest ids only the user is shown. */
export function maskDigests(acl: AclList): AclList {
  if (!acl.some((entry) => entry.scheme === "digest")) return acl;
  return acl.map((entry) => (entry.scheme === "digest" ? { ...entry, id: `${entry.id.split(":", 1)[0]}:x` } : entry));
}

/** The part of an identity that `whoAmI` tells: never a hash. */
export function userOf(identity: AuthId): string {
  if (identity.scheme === SUPER) return "";
  if (identity.scheme !== "digest") return identity.id;
  const colon = identity.id.indexOf(":");
  return colon === -1 ? identity.id : identity.id.slice(0, colon);
}
