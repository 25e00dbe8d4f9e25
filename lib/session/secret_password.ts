/**
 * Session passwords that nobody can compute from a session's id: the beginning of HMAC-SHA-256 of the id under a secret that all members know.
 *
 * Loaded where a server is given a secret, for most have none.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { SessionId } from "../model/types.ts";
import { PASSWORD_BYTES } from "./identity.ts";

export function secretPassword(id: SessionId, secret: string): Uint8Array {
  const message = new Uint8Array(8);
  new DataView(message.buffer).setBigInt64(0, id);
  return hmac(sha256, new TextEncoder().encode(secret), message).slice(0, PASSWORD_BYTES);
}
