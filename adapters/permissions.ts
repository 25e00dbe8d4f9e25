/**
 * Permissions of this process, as Deno grants them; on the other runtimes it has them all.
 *
 * For what is nice to know and can be done without: Deno would stop the whole process at a terminal to ask its user for it, even when a remote
 * client was the one who wanted to know.
 */

/** A permission by Deno's names. */
export type Permission =
  | { readonly name: "sys"; readonly kind: string }
  | { readonly name: "env"; readonly variable: string }
  | { readonly name: "read"; readonly path: string };

interface DenoPermissions {
  readonly permissions: { querySync(permission: Permission): { readonly state: string } };
}

/** Whether the process has the permission, without asking anybody for it. */
export function isGranted(permission: Permission): boolean {
  const { Deno: deno } = globalThis as { readonly Deno?: DenoPermissions };
  return deno === undefined || deno.permissions.querySync(permission).state === "granted";
}
