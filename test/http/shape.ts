/** Form of an admin answer: each value's kind, keys in order of their names, so that answers of two servers can be held against each other. */

export type Shape = string | readonly Shape[] | { readonly [key: string]: Shape };

/** Keys that stand for something of the server's own: ids, paths. */
const NAMED = /^(0x|\d|\/)/;

export function shapeOf(body: string): Shape {
  // A double and a whole number are two kinds, which JSON.parse does not tell apart.
  return shape(JSON.parse(body.replaceAll(/ : (-?\d+\.\d+)/g, ' : "<double>"')));
}

function shape(value: unknown): Shape {
  if (value === null) return "null";
  if (value === "<double>") return "double";
  if (typeof value !== "object") return typeof value;
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])];
  const keys = Object.keys(value).sort();
  const fields = keys.map((key) => [NAMED.test(key) ? "<named>" : key, shape((value as Record<string, unknown>)[key])]);
  return Object.fromEntries(fields);
}
