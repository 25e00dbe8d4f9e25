/**
 * Hashes of passwords, by the names of ZooKeeper's `digestAlg`: those that scheme `digest` may be configured with.
 *
 * Synchronous, because a request is prepared in one step. Not here: SASL's exchange, which is built on MD5 alone (sasl/digest_md5).
 */
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { sha3_224, sha3_256, sha3_384, sha3_512 } from "@noble/hashes/sha3.js";

type Sha2 = "SHA-256" | "SHA-384" | "SHA-512";
type Sha3 = "SHA3-224" | "SHA3-256" | "SHA3-384" | "SHA3-512";
export type DigestAlgorithm = "MD5" | "SHA1" | "SHA-1" | Sha2 | Sha3;

const ALGORITHMS: Readonly<Record<DigestAlgorithm, (bytes: Uint8Array) => Uint8Array>> = {
  MD5: md5,
  SHA1: sha1,
  "SHA-1": sha1,
  "SHA-256": sha256,
  "SHA-384": sha384,
  "SHA-512": sha512,
  "SHA3-224": sha3_224,
  "SHA3-256": sha3_256,
  "SHA3-384": sha3_384,
  "SHA3-512": sha3_512,
};

/** All names that are known, for options and messages. */
export const DIGEST_ALGORITHMS: readonly DigestAlgorithm[] = Object.keys(ALGORITHMS) as DigestAlgorithm[];

/** The hash of the bytes. */
export function hashWith(algorithm: DigestAlgorithm, bytes: Uint8Array): Uint8Array {
  return ALGORITHMS[algorithm](bytes);
}
