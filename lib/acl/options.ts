/**
 * Options of the rules of access: the server's configuration, and the ZooKeeper version it answers like.
 */
import type { DigestAlgorithm } from "./digest_algorithms.ts";

export interface AclOptions {
  /** Allow everything to everybody (`skipACL`). Submitted lists are judged all the same. */
  readonly skipAcl: boolean;
  /** Whether scheme `digest` is offered (`DigestAuthenticationProvider.enabled`). */
  readonly digestEnabled: boolean;
  /** How digests are made (`DigestAuthenticationProvider.digestAlg`). */
  readonly digestAlg: DigestAlgorithm;
  /** `user:hash` of the user who may do everything (`DigestAuthenticationProvider.superDigest`); null for none. */
  readonly superDigest: string | null;
  /** Whether scheme `sasl` is offered. */
  readonly saslRegistered: boolean;
  /** SASL ids that may do everything (`superUser…`). */
  readonly superUsers: readonly string[];
  /** Id of ACL entries that match every SASL user (`letAnySaslUserDoX`); null for none. */
  readonly letAnySaslUserDoX: string | null;
  /** Whether scheme `x509` is offered. */
  readonly x509Registered: boolean;
  /** Certificate subject that may do everything (`X509AuthenticationProvider.superUser`); null for none. */
  readonly x509SuperUser: string | null;
  /** Names a client may call the ensemble by (`ensembleAuthName`); empty: any; null: scheme `ensemble` is not offered. */
  readonly ensembleAuthNames: readonly string[] | null;
  /** `ip` ids may end in `/bits`: 3.5 and later. */
  readonly ipBits: boolean;
  /** `ip` ids may be IPv6: 3.9.4 and later. */
  readonly ipv6Acl: boolean;
  /** A null list or scheme is a `MarshallingError` rather than an `InvalidACL`: 3.4. */
  readonly nullAclIsMarshallingError: boolean;
  /** With `skipAcl`, submitted lists are not judged either: 3.4. */
  readonly skipAclSkipsLists: boolean;
  /** What `auth` entries stand for goes to the end of the list rather than in their place: 3.4. */
  readonly authGoesLast: boolean;
}

/** ZooKeeper's defaults, as in 3.9. */
export const DEFAULT_ACL_OPTIONS: AclOptions = {
  skipAcl: false,
  digestEnabled: true,
  digestAlg: "SHA1",
  superDigest: null,
  saslRegistered: false,
  superUsers: [],
  letAnySaslUserDoX: null,
  x509Registered: false,
  x509SuperUser: null,
  ensembleAuthNames: null,
  ipBits: true,
  ipv6Acl: true,
  nullAclIsMarshallingError: false,
  skipAclSkipsLists: false,
  authGoesLast: false,
};
