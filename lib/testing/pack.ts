/**
 * MessagePack files that only this library reads: a name of its format, then the value. bigints stay bigints.
 */
import { Packr } from "msgpackr/pack";
import { bytesOf } from "../base/bytes.ts";
import { argumentError, describe } from "../base/validate.ts";

// A Stat is written as its fields: what it hands to JSON has text where bigints were.
const packr = new Packr({ useRecords: false, int64AsType: "bigint", copyBuffers: true, useToJSON: false });

export function pack(value: unknown, format: string): Uint8Array {
  return new Uint8Array(packr.pack([format, value]));
}

/** @throws TypeError if the bytes are of another format, or of none. */
export function unpack(given: Uint8Array, format: string): unknown {
  const bytes = bytesOf(given);
  if (bytes === null) throw argumentError(`read a "${format}"`, `it must be bytes, not ${describe(given)}`);
  let unpacked: unknown;
  try {
    unpacked = packr.unpack(bytes);
  } catch (cause) {
    throw new TypeError(`These ${bytes.length} bytes are no "${format}": ${String(cause)}`, { cause });
  }
  if (Array.isArray(unpacked) && unpacked.length === 2 && unpacked[0] === format) return unpacked[1];
  const found = Array.isArray(unpacked) && typeof unpacked[0] === "string" ? `"${unpacked[0]}"` : "something else";
  throw new TypeError(`These ${bytes.length} bytes are ${found}, not "${format}"`);
}
