/**
 * Session ids and passwords, by ZooKeeper's own rules: every member derives the same password from an id, so that a session can move
 * between members, Java ones included.
 *
 * Apache's password is a checksum and no secret: who knows an id can compute it. Members that are given a secret, all the same one, make others.
 */

import { BrokenInvariant } from "../model/errors.ts";
import type { SessionId } from "../model/types.ts";
import { CONTAINER_OWNER, type ExtendedTypes } from "../tree/znode.ts";

/** Bytes of a session password. */
export const PASSWORD_BYTES = 16;

const PASSWORD_SALT = 0xb3415c00n;
const LCG_MULTIPLIER = 0x5deece66dn;
const LCG_INCREMENT = 0xbn;

/**
 * The 16 bytes that a client must show to return to the session: the beginning of HMAC-SHA-256 of the id under the secret; without a secret, as
 * Apache's servers make them, Java's 48-bit linear congruential generator, seeded with the id.
 */
export function sessionPassword(id: SessionId, secret: string | null): Uint8Array {
  return secret === null ? apachePassword(id) : secretPassword(id, secret);
}

type SecretPassword = (id: SessionId, secret: string) => Uint8Array;

let secretPassword: SecretPassword = () => {
  throw new BrokenInvariant("what makes passwords of a secret is not loaded");
};

/** Takes what makes passwords of a secret (secret_password.ts), which is loaded while a server with one opens. */
export function useSecretPassword(loaded: SecretPassword): void {
  secretPassword = loaded;
}

function apachePassword(id: SessionId): Uint8Array {
  const password = new Uint8Array(PASSWORD_BYTES);
  const view = new DataView(password.buffer);
  let state = BigInt.asUintN(48, id ^ PASSWORD_SALT ^ LCG_MULTIPLIER);
  for (let offset = 0; offset < PASSWORD_BYTES; offset += 4) {
    state = BigInt.asUintN(48, state * LCG_MULTIPLIER + LCG_INCREMENT);
    view.setUint32(offset, Number(state >> 16n), true);
  }
  return password;
}

/** Whether the password is that of the session. Never for session `0n`, which is none. The time taken says nothing of where they differ. */
export function passwordMatches(id: SessionId, passwd: Uint8Array | null, secret: string | null): boolean {
  if (id === 0n || passwd === null || passwd.length !== PASSWORD_BYTES) return false;
  const password = sessionPassword(id, secret);
  return passwd.reduce((difference, byte, i) => difference | (byte ^ password[i]!), 0) === 0;
}

/** The highest number a server may have: it is the first byte of its session ids, and those own ephemerals, where TTLs stand otherwise. */
export function serverIdMax(extendedTypes: ExtendedTypes): number {
  if (extendedTypes === "3.5.3") return 127;
  return extendedTypes ? 254 : 255;
}

/** Why there is that limit, in words. */
export function serverIdProblem(id: number | bigint, extendedTypes: ExtendedTypes): string | null {
  const most = serverIdMax(extendedTypes);
  if (id <= most) return null;
  return `${id} is above ${most}: with extendedTypes ${extendedTypes} the ephemerals of its sessions could not be told from TTL znodes`;
}

/**
 * The first session id a server gives out; it counts up from there. Its highest byte is the server's id, the five below are the low 40
 * bits of a millisecond clock, so that a restarted server starts beyond what it gave out before.
 *
 * @param serverId 0–255; a standalone server is 1
 * @param monoMs milliseconds of a clock that never goes back, fractions ignored
 */
export function firstSessionId(serverId: number, monoMs: number): SessionId {
  const clock = BigInt.asUintN(40, BigInt(Math.floor(monoMs))) << 16n;
  const first = BigInt.asIntN(64, (BigInt(serverId) << 56n) | clock);
  return first === CONTAINER_OWNER ? first + 1n : first;
}
