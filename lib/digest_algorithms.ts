/**
 * The hashes that scheme `digest` can be told to use, by the names of ZooKeeper's `digestAlg`.
 */
import { md5 } from "./md5.ts";
import { sha1 } from "./sha1.ts";
import { sha256, sha384, sha512 } from "./sha2.ts";
import { sha3 } from "./sha3.ts";

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
  "SHA3-224": (bytes) => sha3(bytes, 28),
  "SHA3-256": (bytes) => sha3(bytes, 32),
  "SHA3-384": (bytes) => sha3(bytes, 48),
  "SHA3-512": (bytes) => sha3(bytes, 64),
};

/** All names that are known, for options and messages. */
export const DIGEST_ALGORITHMS: readonly DigestAlgorithm[] = Object.keys(ALGORITHMS) as DigestAlgorithm[];

/** The hash of the bytes. */
export function hashWith(algorithm: DigestAlgorithm, bytes: Uint8Array): Uint8Array {
  return ALGORITHMS[algorithm](bytes);
}
