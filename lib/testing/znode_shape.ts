/**
 * Shapes of what a test says of znodes, in fixtures and expectations: data and ACLs by themselves, and znodes path by path.
 *
 * Invariant: what comes out is a copy, and each of its paths is one.
 */
import { bytesOf } from "../base/bytes.ts";
import { argumentError, describe } from "../base/validate.ts";
import type { Data } from "../client/arguments.ts";
import { pathProblem } from "../model/path.ts";
import type { Acl } from "../model/types.ts";
import { listOf, objectOf, plainEntries, type Take, text, wholeNumber } from "../options/shape.ts";

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;

export const INT: Take<number> = wholeNumber(INT_MIN, INT_MAX);

/** Bytes in any form, as a copy, text, or null; undefined for anything else. */
function dataOf(given: unknown): Uint8Array | string | null | undefined {
  if (given === null || typeof given === "string") return given;
  const bytes = bytesOf(given);
  return bytes === null ? undefined : new Uint8Array(bytes); // not `slice`: Node's Buffer gives a view for it
}

export const DATA: Take<Uint8Array | string | null> = (given, action, name) => {
  const data = dataOf(given);
  if (data !== undefined) return data;
  throw argumentError(action, `${name} must be bytes such as a Uint8Array, a string, or null for none, not ${describe(given)}`);
};

export const ACL: Take<Acl[]> = listOf(
  objectOf<Acl>(
    { perms: INT, scheme: text('"digest"'), id: text('"user:hash"') },
    '{ perms: Perms.READ, scheme: "world", id: "anyone" }',
    ["perms", "scheme", "id"],
  ),
  '[{ perms: Perms.READ, scheme: "world", id: "anyone" }]',
);

/** Znodes by their paths, each as its data alone or as an object. A path whose value is undefined counts as one that is not there. */
export function takeZnodes<T extends { readonly data?: Data }>(
  action: string,
  name: string,
  given: unknown,
  znode: Take<T>,
): Map<string, T> {
  const entries = plainEntries(action, name, given, '{ "/config": "v1" }');
  return new Map(
    entries.map(([path, value]) => {
      const problem = pathProblem(path, { allowRangeEnds: true });
      if (problem !== null) throw argumentError(action, `${name} can't have ${describe(path)}: ${problem}`);
      const data = dataOf(value);
      return [path, data === undefined ? znode(value, action, path) : ({ data } as T)];
    }),
  );
}
