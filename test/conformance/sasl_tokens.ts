/**
 * The tokens of a recorded SASL exchange, DIGEST-MD5, as they must be in another run: the server draws a new nonce each time, so the
 * client's proof and the server's are computed anew, by the formulas of RFC 2831 and with the runtime's own MD5.
 */

import { createHash } from "node:crypto";

/** Passwords by user, of the recordings. */
export type Passwords = Readonly<Record<string, string>>;

/** One connection's exchange. */
export class SaslTokens {
  readonly #passwords: Passwords;
  /** What the server of this run said in place of the recorded nonce. */
  #nonce: string | null = null;
  #recordedNonce: string | null = null;
  /** The proof that the server of this run owes, and the recorded one. */
  #owed: { readonly recorded: string; readonly actual: string } | null = null;

  constructor(passwords: Passwords) {
    this.#passwords = passwords;
  }

  /** The client's token for this run. One that proved nothing when it was recorded proves nothing now. */
  outgoing(recorded: Uint8Array): Uint8Array {
    const text = Buffer.from(recorded).toString();
    const nonce = this.#nonce;
    if (nonce === null || this.#recordedNonce === null) return recorded;
    const given = directives(text);
    const moved = text.replace(this.#recordedNonce, nonce);
    const password = this.#passwords[given.get("username") ?? ""];
    if (password === undefined || proof(given, password, "AUTHENTICATE") !== given.get("response")) return Buffer.from(moved);
    const anew = directives(moved);
    this.#owed = { recorded: proof(given, password, ""), actual: proof(anew, password, "") };
    return Buffer.from(moved.replace(given.get("response")!, proof(anew, password, "AUTHENTICATE")));
  }

  /** The server's two tokens, recorded and of this run, with what no two runs share made equal. */
  comparable(recorded: Uint8Array, actual: Uint8Array): [Uint8Array, Uint8Array] {
    const texts = [Buffer.from(recorded).toString(), Buffer.from(actual).toString()] as const;
    const [was, is] = texts.map((text) => directives(text).get("nonce"));
    if (was !== undefined && is !== undefined) {
      this.#recordedNonce = was;
      this.#nonce = is;
      return [Buffer.from(texts[0].replace(was, "")), Buffer.from(texts[1].replace(is, ""))];
    }
    const owed = this.#owed;
    if (owed === null) return [recorded, actual];
    return [Buffer.from(texts[0].replace(owed.recorded, "proof")), Buffer.from(texts[1].replace(owed.actual, "proof"))];
  }
}

/** The response-value; `method` is `AUTHENTICATE` for the client's, and empty for the server's. */
function proof(given: ReadonlyMap<string, string>, password: string, method: string): string {
  const of = (name: string): string => given.get(name) ?? "";
  const secret = md5(`${of("username")}:${of("realm")}:${password}`);
  const rest = `:${of("nonce")}:${of("cnonce")}${given.has("authzid") ? `:${of("authzid")}` : ""}`;
  const a1 = md5(Buffer.concat([secret, Buffer.from(rest)])).toString("hex");
  const a2 = md5(`${method}:${of("digest-uri")}`).toString("hex");
  return md5(`${a1}:${of("nonce")}:${of("nc")}:${of("cnonce")}:${of("qop")}:${a2}`).toString("hex");
}

function md5(data: string | Uint8Array): Buffer {
  return createHash("md5").update(data).digest();
}

function directives(text: string): Map<string, string> {
  return new Map(
    Array.from(text.matchAll(/([a-z-]+)=(?:"([^"]*)"|([^,]*))/g), ([, name, quoted, bare]) => [name!, quoted ?? bare!]),
  );
}
