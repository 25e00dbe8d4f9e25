/**
 * Copies of plain data that a caller hands in, made at once, so that what it changes afterwards changes nothing here.
 *
 * Not here: whether the data is as it should be (shape.ts, options/schema.ts), which may have to be loaded first. Invariant: nothing of the caller's
 * is called but getters.
 */

/** Nothing that is taken is deeper. */
const DEPTH_MAX = 8;

/**
 * A copy of objects, arrays and maps within one another; anything else is left as it is. Keys whose value is undefined count as absent.
 *
 * @example
 * ```ts
 * plainCopy({ a: [1, { b: 2 }], c: undefined }); // { a: [1, { b: 2 }] }
 * ```
 */
export function plainCopy<T>(value: T, depth = 0): T {
  if (typeof value !== "object" || value === null || depth === DEPTH_MAX) return value;
  const copy = (one: unknown): unknown => plainCopy(one, depth + 1);
  if (Array.isArray(value)) return value.map(copy) as T;
  const tag = Object.prototype.toString.call(value);
  if (tag === "[object Map]")
    return new Map(Array.from(value as unknown as Map<unknown, unknown>, ([key, one]) => [key, copy(one)])) as T;
  if (tag !== "[object Object]") return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries.map(([key, one]) => [key, copy(one)])) as T;
}

/** The same object but for one key, whose value is plain data; what is no object is left as it is. */
export function withPlainCopy<T extends object | undefined>(given: T, key: keyof NonNullable<T>): T {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
  return { ...given, [key]: plainCopy((given as NonNullable<T>)[key]) };
}
