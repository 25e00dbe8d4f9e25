/**
 * Hashes of passwords that few ask for, loaded where a setting names one: most of the code of all hashes is theirs.
 */
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { sha3_224, sha3_256, sha3_384, sha3_512 } from "@noble/hashes/sha3.js";
import type { DigestAlgorithm, Hash } from "./digest_algorithms.ts";

export const LONG_DIGESTS: ReadonlyMap<DigestAlgorithm, Hash> = new Map<DigestAlgorithm, Hash>([
  ["SHA-256", sha256],
  ["SHA-384", sha384],
  ["SHA-512", sha512],
  ["SHA3-224", sha3_224],
  ["SHA3-256", sha3_256],
  ["SHA3-384", sha3_384],
  ["SHA3-512", sha3_512],
]);
