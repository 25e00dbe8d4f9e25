/**
 * Authentication providers, one object a scheme: which ids are well formed, who matches them, how an identity is gained.
 *
 * Not here: lists of entries (schemes.ts) and permissions (check.ts). Outside its own provider an id is never interpreted.
 */
import { encodeBase64 } from "../base/base64.ts";
import type { Acl, AuthId } from "../model/types.ts";
import { hashWith } from "./digest_algorithms.ts";
import { blockContains, type IpBlock, ipIdentity, parseAddress, readIpBlock } from "./ip.ts";
import type { AclOptions } from "./options.ts";
import { isDistinguishedName } from "./x500_name.ts";

/** The scheme of identities that may do everything. It cannot stand in an ACL. */
export const SUPER = "super";

/** What a provider judges a client by. */
export interface AuthPacket {
  readonly auth: Uint8Array | null;
  /** Textual IP address it came from. */
  readonly address: string;
  /** What the connection has proved already. */
  readonly ids: readonly AuthId[];
}

/** What a connection has proved by one scheme. A list of entries may be long, and so may this: each entry costs one look. */
export type ProvedIds = ReadonlyMap<string, AuthId>;

/** What is asked of every scheme. */
export interface Provider {
  isRegistered(options: AclOptions): boolean;
  /** Whether its identities are what `auth` entries stand for. */
  readonly proves: boolean;
  /** Whether the id may stand in an ACL. */
  isValidId(id: string, options: AclOptions): boolean;
  /** Whether one of the identities, all of this scheme, is meant by an entry of this scheme. */
  matches(proved: ProvedIds, entry: Acl, options: AclOptions): boolean;
  /** Identities gained by an auth packet; null refuses it. */
  authenticate(packet: AuthPacket, options: AclOptions): AuthId[] | null;
}

const digest: Provider = {
  proves: true,
  isRegistered: (options) => options.digestEnabled,
  // Two parts divided by a colon, as Java splits: colons at the end don't make a part.
  isValidId: (id) => /^[^:]*:[^:]+:*$/.test(id),
  matches: (proved, entry) => proved.has(entry.id),
  authenticate({ auth }, options) {
    if (auth === null) return null;
    const id = digestId(new TextDecoder("utf-8", { ignoreBOM: true }).decode(auth), options);
    const identity = { scheme: "digest", id };
    return id === options.superDigest ? [{ scheme: SUPER, id: "" }, identity] : [identity];
  },
};

/**
 * The id that `user:password` proves: the user, a colon, and the hash of the whole text in base64.
 *
 * @example
 * ```ts
 * digestId("u1:p1", options); // "u1:fpT/y03U+EjItKZOSLGvjnJlyng="
 * ```
 */
export function digestId(userAndPassword: string, options: Pick<AclOptions, "digestAlg">): string {
  const colon = userAndPassword.indexOf(":");
  const user = colon === -1 ? userAndPassword : userAndPassword.slice(0, colon);
  return `${user}:${encodeBase64(hashWith(options.digestAlg, new TextEncoder().encode(userAndPassword)))}`;
}

const ip: Provider = {
  proves: false,
  isRegistered: () => true,
  isValidId: (id, options) => isOffered(readIpBlock(id), options),
  matches(proved, entry, options) {
    // A connection has one address.
    for (const identity of proved.values()) {
      const address = addressOf(identity);
      if (address === null) continue;
      const block = readIpBlock(entry.id);
      if (isOffered(block, options) && blockContains(block, address)) return true;
    }
    return false;
  },
  authenticate: ({ address }) => [ipIdentity(address)],
};

/** Of the identities of connections: each is read once, and forgotten with its connection. */
const addresses = new WeakMap<AuthId, Uint8Array | null>();

function addressOf(identity: AuthId): Uint8Array | null {
  let address = addresses.get(identity);
  if (address === undefined) {
    address = parseAddress(identity.id);
    addresses.set(identity, address);
  }
  return address;
}

/** Whether the version that is imitated knows such blocks. */
function isOffered(block: IpBlock | null, options: AclOptions): block is IpBlock {
  return block !== null && (options.ipBits || !block.hasBits) && (options.ipv6Acl || block.address.length === 4);
}

const sasl: Provider = {
  proves: true,
  isRegistered: (options) => options.saslRegistered,
  // A Kerberos principal, primary[/instance]@realm, or any text without "@".
  isValidId: (id) => !id.includes("@") || /^[^/@]*(\/[^/@]*)?@[^/@]*$/.test(id),
  matches: (proved, entry, options) =>
    proved.has(entry.id) ||
    proved.has("super") ||
    (entry.id === options.letAnySaslUserDoX && options.letAnySaslUserDoX !== null),
  // Its identities come from a SASL exchange, never from an auth packet.
  authenticate: () => null,
};

const x509: Provider = {
  proves: true,
  isRegistered: (options) => options.x509Registered,
  isValidId: isDistinguishedName,
  matches: (proved, entry, options) =>
    proved.has(entry.id) || (options.x509SuperUser !== null && proved.has(options.x509SuperUser)),
  // The certificate was judged when the TLS connection was made; the packet's bytes say nothing.
  authenticate({ ids }, options) {
    const identities = ids.filter((identity) => identity.scheme === "x509");
    return identities.length === 0 ? null : identities.flatMap((identity) => withX509Super(identity, options));
  },
};

function isX509Super(identity: AuthId, options: AclOptions): boolean {
  return options.x509SuperUser !== null && identity.scheme === "x509" && identity.id === options.x509SuperUser;
}

/** The identity, and the superuser with it where it is theirs. */
export function withX509Super(identity: AuthId, options: AclOptions): AuthId[] {
  return isX509Super(identity, options) ? [{ scheme: SUPER, id: identity.id }, identity] : [identity];
}

/** Not an identity but a check that the client is talking to the ensemble it means. */
const ensemble: Provider = {
  proves: false,
  isRegistered: (options) => options.ensembleAuthNames !== null,
  isValidId: () => false,
  matches: () => false,
  authenticate({ auth }, options) {
    const names = options.ensembleAuthNames ?? [];
    if (auth === null || auth.length === 0 || names.length === 0) return [];
    return names.includes(new TextDecoder("utf-8", { ignoreBOM: true }).decode(auth)) ? [] : null;
  },
};

const PROVIDERS: ReadonlyMap<string, Provider> = new Map(Object.entries({ digest, ip, sasl, x509, ensemble }));

/** The provider of a scheme, if the server offers it. The schemes `world`, `auth` and `super` have none. */
export function providerOf(scheme: string, options: AclOptions): Provider | null {
  const provider = PROVIDERS.get(scheme);
  return provider?.isRegistered(options) ? provider : null;
}
