/**
 * Hashes of passwords, by the names of ZooKeeper's `digestAlg`: those that scheme `digest` may be configured with.
 *
 * Synchronous, because a request is prepared in one step: hashes that few ask for (long_digests.ts) are loaded while a server opens. Not here: SASL's
 * exchange, which is built on MD5 alone (sasl/digest_md5).
 *
 * Invariant: what a server's settings name is there before its first request.
 */
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { BrokenInvariant } from "../model/errors.ts";

/** The hash of some bytes. */
export type Hash = (bytes: Uint8Array) => Uint8Array;

/** All names that are known, for options and messages. */
export const DIGEST_ALGORITHMS = [
  "MD5",
  "SHA1",
  "SHA-1",
  "SHA-256",
  "SHA-384",
  "SHA-512",
  "SHA3-224",
  "SHA3-256",
  "SHA3-384",
  "SHA3-512",
] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

const HASHES = new Map<DigestAlgorithm, Hash>([
  ["MD5", md5],
  ["SHA1", sha1],
  ["SHA-1", sha1],
]);

export function isLoaded(algorithm: DigestAlgorithm): boolean {
  return HASHES.has(algorithm);
}

/** Takes hashes that were loaded. */
export function addHashes(hashes: ReadonlyMap<DigestAlgorithm, Hash>): void {
  for (const [algorithm, hash] of hashes) HASHES.set(algorithm, hash);
}

/** The hash of the bytes, by an algorithm that is loaded. */
export function hashWith(algorithm: DigestAlgorithm, bytes: Uint8Array): Uint8Array {
  const hash = HASHES.get(algorithm);
  if (hash === undefined) throw new BrokenInvariant(`${algorithm} is not loaded`);
  return hash(bytes);
}
