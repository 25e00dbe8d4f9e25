/**
 * Codecs between values and a znode's data. MessagePack has a file of its own, since it is the only one that needs a package.
 *
 * Invariant: `decode(encode(value))` equals the value.
 */

import { bytesOf } from "../base/bytes.ts";
import { describe } from "../base/validate.ts";

/** A way to write values of one kind. `decode` throws for data that is none of its own. */
export interface Codec<T> {
  readonly name: string;
  encode(value: T): Uint8Array | null;
  decode(data: Uint8Array | null): T;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The data as it is; null is no data, which ZooKeeper keeps apart from no bytes. */
export const bytes: Codec<Uint8Array | null> = {
  name: "bytes",
  encode(value) {
    const given = value === null ? null : bytesOf(value);
    if (value === null || given !== null) return given;
    throw new TypeError(`it must be bytes or null, not ${describe(value)}`);
  },
  decode: (data) => data,
};

/** Text; no data reads as no text. */
export const utf8: Codec<string> = {
  name: "utf8",
  encode(value) {
    if (typeof value !== "string") throw new TypeError(`it must be a string, not ${describe(value)}`);
    return encoder.encode(value);
  },
  decode: (data) => (data === null ? "" : decoder.decode(data)),
};

/** JSON. What JSON can't hold is not kept, as with `JSON.stringify`; a value that it can't write at all is refused. */
export const json: Codec<unknown> = {
  name: "json",
  encode(value) {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError(`JSON has no form for ${typeof value}`);
    return encoder.encode(text);
  },
  decode: (data) => JSON.parse(utf8.decode(data)),
};
