/**
 * Grammar of X.500 distinguished names, such as `CN=client one,O=Test\, Inc.,C=XX`, by the grammar of RFC 2253 and the older forms
 * that Java reads too (`;` between parts, `OID.1.2.3`, spaces around).
 *
 * Only the form is judged. Names are compared as text elsewhere, so nothing here takes one apart.
 */
import { TextScanner } from "../base/text_scanner.ts";

const KEYWORDS: ReadonlySet<string> = new Set(
  "CN C L S ST O OU T IP STREET DC DNQUALIFIER DNQ SURNAME GIVENNAME INITIALS GENERATION EMAIL EMAILADDRESS UID SERIALNUMBER".split(
    " ",
  ),
);
const OBJECT_ID = /^(?:OID\.)?[0-2](?:\.\d+)+$/i;

const HEX = /[0-9a-f]*/iy;
const SPACE = /\s*/y;
const PLAIN = /[^,;+"\\<>]*/y;
const QUOTABLE = /[^"\\]*/y;
/** What a backslash may stand before: a special character, or the two digits of any byte. */
const SPECIAL = /[ #=,+;<>"\\]?/y;
const BYTE = /[0-9a-f]{0,2}/iy;

/** Whether it is one; the empty name is. */
export function isDistinguishedName(text: string): boolean {
  if (text === "") return true;
  return splitUnescaped(text).every((assertion) => {
    const equals = assertion.indexOf("=");
    const type = assertion.slice(0, equals).trim();
    return (
      equals > 0 &&
      (KEYWORDS.has(type.toUpperCase()) || OBJECT_ID.test(type)) &&
      isValue(new TextScanner(assertion.slice(equals + 1).trimStart()))
    );
  });
}

/** An attribute value: hexadecimal DER (which is not looked into), a quoted string, or a plain string, which may be empty. */
function isValue(text: TextScanner): boolean {
  if (text.passes("#")) {
    const { length } = text.run(HEX);
    text.run(SPACE);
    return length >= 4 && length % 2 === 0 && text.isAtEnd;
  }
  const isQuoted = text.passes('"');
  const plain = isQuoted ? QUOTABLE : PLAIN;
  for (text.run(plain); text.passes("\\"); text.run(plain)) {
    if (text.run(SPECIAL) === "" && text.run(BYTE).length < 2) return false;
  }
  if (isQuoted && !text.passes('"')) return false;
  if (isQuoted) text.run(SPACE);
  return text.isAtEnd;
}

/** The `type=value` parts, which `,`, `;` and `+` divide where they are neither escaped nor quoted. */
function splitUnescaped(text: string): string[] {
  const parts: string[] = [];
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === "\\") i++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && (character === "," || character === ";" || character === "+")) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
