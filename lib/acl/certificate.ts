/**
 * The subject of an X.509 certificate as text: what scheme `x509` calls its bearer.
 *
 * The form is that of RFC 2253 as Java prints it, since it is compared as text with what stands in ACLs: the most specific part comes first, and
 * attributes without a short name in the RFC are written as numbers with their value in hexadecimal DER.
 *
 * Not here: whether the certificate may be trusted, which the TLS connection has judged. Invariant: no bytes make anything here throw.
 */

/** The subject, or null if the bytes are no certificate. */
export function subjectOf(der: Uint8Array): string | null {
  const [certificate] = elements(der) ?? [];
  const [toBeSigned] = elements(certificate?.content) ?? [];
  const fields = elements(toBeSigned?.content) ?? [];
  // version [0] is left out where it is the first; then serial number, signature, issuer, validity, subject
  const subject = fields[fields[0]?.tag === VERSION ? 5 : 4];
  const parts = elements(subject?.content);
  if (subject?.tag !== SEQUENCE || parts === null) return null;
  const texts = parts.map(({ content }) => (elements(content) ?? []).map(attributeText).join("+"));
  return texts.reverse().join(",");
}

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly whole: Uint8Array;
}

const SEQUENCE = 0x30;
const VERSION = 0xa0;

/** The elements that stand one after another in the bytes; null if they don't fill them. */
function elements(bytes: Uint8Array | undefined): Element[] | null {
  if (bytes === undefined) return null;
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    let start = at + 2;
    let length = bytes[at + 1] ?? Number.NaN;
    if (length > 0x80) {
      const digits = bytes.subarray(start, start + length - 0x80);
      start += digits.length;
      length = digits.reduce((value, digit) => value * 256 + digit, 0);
    }
    const end = start + length;
    if (!(end <= bytes.length)) return null;
    found.push({ tag: bytes[at]!, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return found;
}

/** Attributes that have a short name in RFC 2253. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.9", "STREET"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["0.9.2342.19200300.100.1.1", "UID"],
  ["0.9.2342.19200300.100.1.25", "DC"],
]);

function attributeText({ content }: Element): string {
  const [type, value] = elements(content) ?? [];
  if (type === undefined || value === undefined) return "";
  const id = objectId(type.content);
  const name = SHORT_NAMES.get(id);
  const text = stringOf(value);
  if (name === undefined || text === null) return `${name ?? id}=#${hex(value.whole)}`;
  return `${name}=${escaped(text)}`;
}

/** 2.5.4.3 and the like: seven bits a byte, the first number holds two. */
function objectId(bytes: Uint8Array): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of bytes) {
    number = number * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      numbers.push(number);
      number = 0;
    }
  }
  const [first = 0, ...rest] = numbers;
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - 40 * root, ...rest].join(".");
}

/** Decoders of the string types, by tag. */
const DECODERS: ReadonlyMap<number, string> = new Map([
  [0x0c, "utf-8"],
  [0x13, "latin1"], // PrintableString
  [0x14, "latin1"], // T61String
  [0x16, "latin1"], // IA5String
  [0x1b, "latin1"], // GeneralString
  [0x1e, "utf-16be"], // BMPString
]);

function stringOf({ tag, content }: Element): string | null {
  const encoding = DECODERS.get(tag);
  return encoding === undefined ? null : new TextDecoder(encoding, { ignoreBOM: true }).decode(content);
}

/** What would divide the name, and spaces at either end. */
function escaped(text: string): string {
  let [start, end] = [0, text.length];
  while (text[start] === " ") start++;
  while (end > start && text[end - 1] === " ") end--;
  const inner = text
    .slice(start, end)
    .replace(/[,=+<>#;"\\]/g, "\\$&")
    .replaceAll("\0", "\\00");
  return "\\ ".repeat(start) + inner + "\\ ".repeat(text.length - end);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
