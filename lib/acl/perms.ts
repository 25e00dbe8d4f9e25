/**
 * Permissions, and the access control lists that everybody uses.
 */
import type { SubmittedAcl } from "../model/ops.ts";
import type { AclList } from "../model/types.ts";

/** Permission bits of an ACL entry; or them together. Nothing is inherited from parents. */
export const Perms: {
  /** Read a znode's data and list its children. */
  readonly READ: 1;
  /** Set a znode's data. */
  readonly WRITE: 2;
  /** Create children. */
  readonly CREATE: 4;
  /** Delete children (not the znode itself). */
  readonly DELETE: 8;
  /** Set the ACL. */
  readonly ADMIN: 16;
  readonly ALL: 31;
} = Object.freeze({ READ: 1, WRITE: 2, CREATE: 4, DELETE: 8, ADMIN: 16, ALL: 31 });

/** Letters of permissions, in the order in which ZooKeeper writes them. */
export const PERM_LETTERS: readonly (readonly [letter: string, perm: number])[] = [
  ["c", Perms.CREATE],
  ["d", Perms.DELETE],
  ["r", Perms.READ],
  ["w", Perms.WRITE],
  ["a", Perms.ADMIN],
];

/** Permissions as ZooKeeper writes them: `cdrwa`. */
export function permLetters(perms: number): string {
  return PERM_LETTERS.map(([letter, perm]) => ((perms & perm) === 0 ? "" : letter)).join("");
}

/** Everybody may do everything. */
export const OPEN_ACL_UNSAFE: AclList = Object.freeze([Object.freeze({ perms: Perms.ALL, scheme: "world", id: "anyone" })]);

/** Everybody may read. */
export const READ_ACL_UNSAFE: AclList = Object.freeze([Object.freeze({ perms: Perms.READ, scheme: "world", id: "anyone" })]);

/**
 * Whoever creates the znode may do everything, and nobody else anything. The server puts the identities that the connection has
 * proved in place of `auth`; where there are none, it answers `InvalidACL`.
 */
export const CREATOR_ALL_ACL: AclList = Object.freeze([Object.freeze({ perms: Perms.ALL, scheme: "auth", id: "" })]);

/** Whether the entry means everybody, whatever its permissions. */
export function isEverybody(entry: SubmittedAcl): boolean {
  return entry.scheme === "world" && entry.id === "anyone";
}
