/**
 * The hashes that scheme `digest` can be told to use, by the names of ZooKeeper's `digestAlg`.
 */
import { md5 } from "./md5.ts";
import { sha1 } from "./sha1.ts";
import { sha256, sha384, sha512 } from "./sha2.ts";

export type DigestAlgorithm = "MD5" | "SHA1" | "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";

const ALGORITHMS: Readonly<Record<DigestAlgorithm, (bytes: Uint8Array) => Uint8Array>> = {
  MD5: md5,
  SHA1: sha1,
  "SHA-1": sha1,
  "SHA-256": sha256,
  "SHA-384": sha384,
  "SHA-512": sha512,
};

/** All names that are known, for options and messages. */
export const DIGEST_ALGORITHMS: readonly DigestAlgorithm[] = Object.keys(ALGORITHMS) as DigestAlgorithm[];

/** The hash of the bytes. */
export function hashWith(algorithm: DigestAlgorithm, bytes: Uint8Array): Uint8Array {
  return ALGORITHMS[algorithm](bytes);
}
