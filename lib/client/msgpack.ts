/**
 * `zookernel/msgpack`: values as MessagePack, smaller than JSON, and with bytes, dates and bigints. A Map is read as an object.
 */
import { Packr } from "msgpackr/pack";
import { bytesOf } from "../base/bytes.ts";
import { argumentError, describe } from "../base/validate.ts";
import type { Codec } from "./codecs.ts";

// Plain maps, so that any other MessagePack library reads them. Numbers stay numbers, and bigints bigints.
const packr = new Packr({ useRecords: false, int64AsType: "bigint", copyBuffers: true });

/**
 * MessagePack.
 *
 * @example
 * ```ts
 * import { msgpack } from "zookernel/msgpack";
 *
 * const job = zk.typed("/jobs/1", { codec: msgpack, schema });
 * ```
 */
export const msgpack: Codec<unknown> = {
  name: "msgpack",
  encode(value) {
    if (typeof value === "function") throw new TypeError("MessagePack has no form for function");
    return new Uint8Array(packr.pack(value));
  },
  decode(data) {
    if (data === null) throw new TypeError("there is no data");
    const bytes = bytesOf(data);
    if (bytes === null) throw argumentError("decode MessagePack", `it must be bytes, not ${describe(data)}`);
    return packr.unpack(bytes);
  },
};
