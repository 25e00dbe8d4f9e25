/**
 * JSON as Apache's admin server writes it: two spaces a level, `"key" : value`, whole numbers of any length, doubles with a decimal.
 *
 * Not here: which fields there are (commands.ts). Invariant: what is written is valid JSON.
 */

/** A number whose digits are given, such as `0.0`, which JavaScript would write as `0`. */
export class Digits {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Json = null | boolean | number | bigint | string | Digits | readonly Json[] | { readonly [key: string]: Json };

export function jsonText(value: Json, indent = ""): string {
  if (value instanceof Digits) return value.text;
  if (typeof value === "bigint") return String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return value.length === 0 ? "[ ]" : `[ ${value.map((one) => jsonText(one, indent)).join(", ")} ]`;
  const inner = `${indent}  `;
  const fields = Object.entries(value).map(([key, one]) => `${inner}${JSON.stringify(key)} : ${jsonText(one, inner)}`);
  return fields.length === 0 ? "{ }" : `{\n${fields.join(",\n")}\n${indent}}`;
}
