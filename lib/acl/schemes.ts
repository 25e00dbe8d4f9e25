/**
 * Translation of identities from what clients send into what is kept: auth packets into identities, submitted ACL lists into lists to store.
 *
 * Not here: whom a list allows what (check.ts), and what ids of a scheme mean (providers.ts).
 *
 * Invariant: a list that {@link normalizeAcl} returned has entries that their providers understand, none of them `auth`.
 */
import type { SubmittedAcl } from "../model/ops.ts";
import { aclEntryLength } from "../model/txn_size.ts";
import type { Acl, AclList, AuthId } from "../model/types.ts";
import { ipIdentity } from "./ip.ts";
import type { AclOptions } from "./options.ts";
import { isEverybody, OPEN_ACL_UNSAFE, Perms } from "./perms.ts";
import { providerOf, SUPER, withX509Super } from "./providers.ts";

export type { AclOptions } from "./options.ts";

/** The identities that a connection has from its beginning: its address, and what its transport has proved. */
export function initialIdentities(address: string, proved: readonly AuthId[], options: AclOptions): AuthId[] {
  return [ipIdentity(address), ...proved.flatMap((identity) => withX509Super(identity, options))];
}

/**
 * The identities that an auth packet adds to its connection; none for scheme `ensemble`. null refuses the packet: the server answers
 * `AuthFailed` and closes the connection.
 *
 * @param address textual IP address of the peer
 * @param ids what the connection has proved already
 */
export function authenticate(
  scheme: string | null,
  auth: Uint8Array | null,
  address: string,
  ids: readonly AuthId[],
  options: AclOptions,
): AuthId[] | null {
  return scheme === null ? null : (providerOf(scheme, options)?.authenticate({ auth, address, ids }, options) ?? null);
}

/** The identities of a connection whose SASL exchange has proved this id. */
export function saslIdentities(id: string, options: AclOptions): AuthId[] {
  const identity = { scheme: "sasl", id };
  return options.superUsers.includes(id) ? [identity, { scheme: SUPER, id: "" }] : [identity];
}

/** What a submitted list becomes: the list to store, or the error it is answered with. */
export type NormalizedAcl = AclList | "InvalidACL" | "MarshallingError";

/**
 * The list to store for a submitted one: duplicates are dropped, `auth` entries replaced by the identities of the connection, everything
 * else must be well formed. The first entry that is not decides the error. Permission bits aren't judged.
 *
 * @param bytesMax of the list when it is stored: some entries times some identities may be more than there is memory
 */
export function normalizeAcl(
  submitted: readonly SubmittedAcl[] | null,
  ids: readonly AuthId[],
  options: AclOptions,
  bytesMax: number = Number.POSITIVE_INFINITY,
): NormalizedAcl {
  if (submitted?.length === 1 && submitted[0]!.perms === Perms.ALL && isEverybody(submitted[0]!)) return OPEN_ACL_UNSAFE;
  if (options.skipAcl && options.skipAclSkipsLists) return unjudged(submitted);
  if (submitted === null) return options.nullAclIsMarshallingError ? "MarshallingError" : "InvalidACL";
  if (submitted.length === 0) return "InvalidACL";
  const list: Acl[] = [];
  const last: Acl[] = [];
  let bytesLeft = bytesMax;
  for (const entry of withoutDuplicates(submitted)) {
    const entries = resolve(entry, ids, options);
    if (typeof entries === "string") return entries;
    const to = entry.scheme === "auth" && options.authGoesLast ? last : list;
    for (const resolved of entries) {
      bytesLeft -= aclEntryLength(resolved);
      if (bytesLeft < 0) return "MarshallingError";
      to.push(resolved);
    }
  }
  return last.length === 0 ? list : [...list, ...last];
}

/** The entries that a submitted entry stands for. */
function resolve(entry: SubmittedAcl, ids: readonly AuthId[], options: AclOptions): NormalizedAcl {
  const { perms, scheme, id } = entry;
  if (scheme === null) return options.nullAclIsMarshallingError ? "MarshallingError" : "InvalidACL";
  if (scheme === "auth") {
    const proved = ids.filter((identity) => providerOf(identity.scheme, options)?.proves);
    return proved.length === 0 ? "InvalidACL" : proved.map((identity) => ({ perms, scheme: identity.scheme, id: identity.id }));
  }
  if (scheme === "world") {
    if (id === null) return "MarshallingError";
    return id === "anyone" ? [{ perms, scheme, id }] : "InvalidACL";
  }
  const provider = providerOf(scheme, options);
  if (provider === null) return "InvalidACL";
  if (id === null) return "MarshallingError";
  return provider.isValidId(id, options) ? [{ perms, scheme, id }] : "InvalidACL";
}

/** The entries without those that stand before in the same words. A list may be as long as a request: linear, unlike ZooKeeper's. */
function withoutDuplicates(entries: readonly SubmittedAcl[]): readonly SubmittedAcl[] {
  if (entries.length === 1) return entries;
  const idsOf = new Map<string, Set<string | null>>();
  let [perms, scheme, ids]: [number?, (string | null)?, Set<string | null>?] = [];
  return entries.filter((entry) => {
    if (ids === undefined || entry.perms !== perms || entry.scheme !== scheme) {
      ({ perms, scheme } = entry);
      const key = scheme === null ? `${perms}` : `${perms} ${scheme}`;
      ids = idsOf.get(key) ?? new Set();
      idsOf.set(key, ids);
    }
    const { size } = ids;
    return ids.add(entry.id).size > size;
  });
}

/** The list as it came, where 3.4 would not look at it. No list is the open one; parts that are missing can't be stored. */
function unjudged(submitted: readonly SubmittedAcl[] | null): NormalizedAcl {
  if (submitted === null || submitted.length === 0) return OPEN_ACL_UNSAFE;
  const list: Acl[] = [];
  for (const { perms, scheme, id } of submitted) {
    if (scheme === null || id === null) return "MarshallingError";
    list.push({ perms, scheme, id });
  }
  return list;
}
