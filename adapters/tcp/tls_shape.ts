/**
 * Shape of the keys and certificates that `node:tls` takes, as far as they are offered here.
 *
 * Not here: whether they are any good, which `node:tls` finds out. Invariant: no message holds any of it.
 */
import { Buffer } from "node:buffer";
import type { SecureContextOptions } from "node:tls";
import { argumentError, describe } from "../../lib/base/validate.ts";
import { oneOf, recordOf, type Shape, secret, type Take, text } from "../../lib/options/shape.ts";

type Material = string | Buffer | readonly unknown[];

const piece: Take<string | Buffer> = (given, action, name) => {
  if (typeof given === "string") return given;
  // Copied by the view: one of another realm is no instance of this one's classes.
  if (ArrayBuffer.isView(given)) return Buffer.from(new Uint8Array(given.buffer, given.byteOffset, given.byteLength));
  if (Object.prototype.toString.call(given) === "[object ArrayBuffer]")
    return Buffer.from(new Uint8Array(given as ArrayBuffer));
  throw argumentError(
    action,
    `${name} must be a string or bytes, not ${typeof given === "object" ? describe(given) : `a ${typeof given}`}`,
  );
};

/** One key that stands with the passphrase that opens it: `{ pem, passphrase }`, or `{ buf, passphrase }`. */
const locked = recordOf<string | Buffer>(piece, "{ pem, passphrase }");

/** One key or certificate, or an array of them. */
const material: Take<Material> = (given, action, name) => {
  if (!Array.isArray(given)) return piece(given, action, name);
  return Array.from(given, (one: unknown, at) => {
    const isLocked = Object.prototype.toString.call(one) === "[object Object]";
    return (isLocked ? locked : piece)(one, action, `${name}[${at}]`);
  });
};

const TLS_VERSIONS = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;

/** What both ends may be told. */
export const CONTEXT_SHAPE: Shape<
  Pick<SecureContextOptions, "key" | "cert" | "ca" | "passphrase" | "pfx" | "minVersion" | "maxVersion" | "ciphers">
> = {
  key: material as Take<never>,
  cert: material as Take<never>,
  ca: material as Take<never>,
  passphrase: secret,
  pfx: material as Take<never>,
  minVersion: oneOf(TLS_VERSIONS),
  maxVersion: oneOf(TLS_VERSIONS),
  ciphers: text('"TLS_AES_256_GCM_SHA384"'),
};
