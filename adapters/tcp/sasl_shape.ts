/** Shapes of SASL's names and passwords. Invariant: no message holds a password. */

import { objectOf, recordOf, secret, type Take, text } from "../../lib/options/shape.ts";
import type { SaslCredentials } from "../../lib/sasl/digest_md5.ts";

export const CREDENTIALS: Take<SaslCredentials> = objectOf<SaslCredentials>(
  { username: text('"bob"'), password: secret },
  '{ username: "bob", password }',
  ["username", "password"],
);

/** Passwords by user. */
export const USERS: Take<Record<string, string>> = recordOf(secret, "{ bob: password }");
