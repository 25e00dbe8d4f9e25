/**
 * SASL's mechanism DIGEST-MD5 (RFC 2831) as ZooKeeper uses it: one exchange, quality of protection "auth", no security layer afterwards.
 *
 * Both sides prove that they know the password without sending it. Not here: who carries the tokens, and where nonces come from.
 *
 * Invariant: no token makes anything here throw; what makes no sense is refused.
 */
import { md5 } from "@noble/hashes/legacy.js";
import { TextScanner } from "../base/text_scanner.ts";

/** One side's name and password. */
export interface SaslCredentials {
  readonly username: string;
  readonly password: string;
}

/** The client's side of one exchange. */
export interface SaslClient {
  /** What to answer; `done` once the server has proved itself, `refused` if it has not. */
  answer(token: Uint8Array): Uint8Array | "done" | "refused";
}

/** To whom one proves to be somebody: its realm, and what it is called in proofs. */
export interface SaslService {
  readonly realm: string;
  readonly digestUri: string;
}

/** A server, to its clients. */
export const CLIENT_SERVICE: SaslService = { realm: "zk-sasl-md5", digestUri: "zookeeper/zk-sasl-md5" };
/** A member of an ensemble, to the others. */
export const QUORUM_SERVICE: SaslService = {
  realm: "zk-quorum-sasl-md5",
  digestUri: "zookeeper-quorum/zk-quorum-sasl-md5",
};
/** Which exchange under one nonce this is; there is never a second. */
const NONCE_COUNT = "00000001";

/** What goes into a response besides the password. */
interface Exchange {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly cnonce: string;
  /** Whom to act as, where the client says it. */
  readonly authzid: string | undefined;
  readonly digestUri: string;
}

/** Each exchange has a client of its own, with a nonce that was never used before. */
export class DigestMd5Client implements SaslClient {
  readonly #credentials: SaslCredentials;
  readonly #cnonce: string;
  readonly #service: SaslService;
  /** What the server must answer to prove that it knows the password; null until it has asked for ours. */
  #expected: string | null = null;

  constructor(credentials: SaslCredentials, cnonce: string, service: SaslService = CLIENT_SERVICE) {
    this.#credentials = credentials;
    this.#cnonce = cnonce;
    this.#service = service;
  }

  answer(token: Uint8Array): Uint8Array | "done" | "refused" {
    const directives = parseDirectives(token);
    if (this.#expected !== null) return directives?.get("rspauth") === this.#expected ? "done" : "refused";
    const nonce = directives?.get("nonce");
    if (nonce === undefined) return "refused";
    const { username, password } = this.#credentials;
    const { digestUri } = this.#service;
    const realm = directives?.get("realm") ?? this.#service.realm;
    const exchange = { username, realm, nonce, cnonce: this.#cnonce, authzid: undefined, digestUri };
    this.#expected = digestOf(exchange, password, "");
    return encoder.encode(
      [
        `charset=utf-8,username=${quoted(username)},realm=${quoted(realm)},nonce=${quoted(nonce)},nc=${NONCE_COUNT}`,
        `cnonce=${quoted(this.#cnonce)},digest-uri=${quoted(digestUri)},maxbuf=65536`,
        `response=${digestOf(exchange, password, "AUTHENTICATE")},qop=auth`,
      ].join(","),
    );
  }
}

/** The server's side of one exchange, with a nonce that was never used before. */
export class DigestMd5Server {
  readonly #passwordOf: (username: string) => string | undefined;
  readonly #nonce: string;
  readonly #service: SaslService;
  #isOver = false;

  constructor(passwordOf: (username: string) => string | undefined, nonce: string, service: SaslService = CLIENT_SERVICE) {
    this.#passwordOf = passwordOf;
    this.#nonce = nonce;
    this.#service = service;
  }

  /** What the server says first. */
  get challenge(): Uint8Array {
    return encoder.encode(`realm="${this.#service.realm}",nonce=${quoted(this.#nonce)},charset=utf-8,algorithm=md5-sess`);
  }

  /** Who the client has proved to be, and what to answer; null refuses it. A client may act as itself alone. */
  answer(token: Uint8Array): { readonly username: string; readonly token: Uint8Array } | null {
    const directives = this.#isOver ? null : parseDirectives(token);
    this.#isOver = true;
    const username = directives?.get("username");
    const cnonce = directives?.get("cnonce");
    if (directives === null || username === undefined || cnonce === undefined) return null;
    const authzid = directives.get("authzid");
    const { realm } = this.#service;
    const fits =
      directives.get("nonce") === this.#nonce &&
      directives.get("nc") === NONCE_COUNT &&
      (directives.get("realm") ?? "") === realm &&
      (directives.get("qop") ?? "auth") === "auth" &&
      directives.get("digest-uri")?.toLowerCase() === this.#service.digestUri &&
      (authzid === undefined || authzid === "" || authzid === username);
    const password = this.#passwordOf(username);
    if (!fits || password === undefined) return null;
    const digestUri = directives.get("digest-uri")!;
    const exchange = { username, realm, nonce: this.#nonce, cnonce, authzid, digestUri };
    if (!isEqual(directives.get("response") ?? "", digestOf(exchange, password, "AUTHENTICATE"))) return null;
    return { username, token: encoder.encode(`rspauth=${digestOf(exchange, password, "")}`) };
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The response-value of the RFC; `method` is `AUTHENTICATE` for the client's, and empty for the server's. */
function digestOf({ username, realm, nonce, cnonce, authzid, digestUri }: Exchange, password: string, method: string): string {
  const secret = md5(joined([hashed(username), COLON, hashed(realm), COLON, hashed(password)]));
  const rest = `:${nonce}:${cnonce}${authzid === undefined || authzid === "" ? "" : `:${authzid}`}`;
  const a1 = hex(md5(joined([secret, encoder.encode(rest)])));
  const a2 = hex(md5(encoder.encode(`${method}:${digestUri}`)));
  return hex(md5(encoder.encode(`${a1}:${nonce}:${NONCE_COUNT}:${cnonce}:auth:${a2}`)));
}

const COLON: Uint8Array = encoder.encode(":");

/** Text that Latin-1 can hold is hashed as Latin-1, all other as UTF-8. */
function hashed(text: string): Uint8Array {
  const isLatin1 = [...text].every((character) => character <= "\xff");
  return isLatin1 ? Uint8Array.from(text, (character) => character.charCodeAt(0)) : encoder.encode(text);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

const NAME = /[a-z-]*/y;
const WORD = /[^",\s]*/y;
const SPACE = /\s*/y;

/** `name=value` or `name="value"`, divided by commas; null if that is not what it is, or a name comes twice. */
function parseDirectives(token: Uint8Array): Map<string, string> | null {
  const text = new TextScanner(decoder.decode(token));
  const directives = new Map<string, string>();
  while (!text.isAtEnd) {
    text.run(SPACE);
    const name = text.run(NAME);
    text.run(SPACE);
    if (name === "" || directives.has(name) || !text.passes("=")) return null;
    text.run(SPACE);
    const value = text.next === '"' ? text.quoted() : text.run(WORD);
    text.run(SPACE);
    if (value === null || !(text.isAtEnd || text.passes(","))) return null;
    directives.set(name, value);
  }
  return directives;
}

/** Takes as long whatever differs. */
function isEqual(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let i = 0; i < other.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
  return difference === 0;
}
