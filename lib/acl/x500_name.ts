/**
 * Whether a text is an X.500 distinguished name, such as `CN=client one,O=Test\, Inc.,C=XX`, by the grammar of RFC 2253 and the older forms
 * that Java reads too (`;` between parts, `OID.1.2.3`, spaces around).
 *
 * Only the form is judged. Names are compared as text elsewhere, so nothing here takes one apart.
 */

const KEYWORDS: ReadonlySet<string> = new Set(
  "CN C L S ST O OU T IP STREET DC DNQUALIFIER DNQ SURNAME GIVENNAME INITIALS GENERATION EMAIL EMAILADDRESS UID SERIALNUMBER".split(
    " ",
  ),
);
const OBJECT_ID = /^(?:OID\.)?[0-2](?:\.\d+)+$/i;

/** A special character or any byte, written so that it divides nothing. */
const ESCAPED = String.raw`\\(?:[ #=,+;<>"\\]|[0-9a-f]{2})`;

/** An attribute value: hexadecimal DER (which is not looked into), a quoted string, or a plain string. */
const VALUE = new RegExp(
  [
    String.raw`^(?:#(?:[0-9a-f]{2}){2,}\s*`,
    String.raw`"(?:[^"\\]|${ESCAPED})*"\s*`,
    String.raw`(?:[^,;+"\\<>#\s]|${ESCAPED})(?:[^,;+"\\<>]|${ESCAPED})*)?$`,
  ].join("|"),
  "is",
);

/** Whether it is one; the empty name is. */
export function isDistinguishedName(text: string): boolean {
  if (text === "") return true;
  return splitUnescaped(text).every((assertion) => {
    const equals = assertion.indexOf("=");
    const type = assertion.slice(0, equals).trim();
    return (
      equals > 0 &&
      (KEYWORDS.has(type.toUpperCase()) || OBJECT_ID.test(type)) &&
      VALUE.test(assertion.slice(equals + 1).trimStart())
    );
  });
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
