/** JAAS files: what they say, and what is wrong with them, without a word of what is secret in them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJaas } from "../../../lib/sasl/jaas.ts";

const MODULE = "org.apache.zookeeper.server.auth.DigestLoginModule";

test("users of a server and the name of a client, between comments and other sections", () => {
  const text = `
// users
Server {
  ${MODULE} required /* flag */
  user_bob="bob\\"secret" // not a secret
  user_eve=plain user_zoë="pässwörd" debug=true;
};
QuorumServer { some.other.Module optional; };
Client { ${MODULE} required username="bob" password="; } {"; };
`;
  assert.deepEqual(parseJaas(text), {
    users: { bob: 'bob"secret', eve: "plain", zoë: "pässwörd" },
    client: { username: "bob", password: "; } {" },
  });
});

test("sections that are not there", () => {
  assert.deepEqual(parseJaas(""), { users: null, client: null });
  assert.deepEqual(parseJaas("  // nothing\n"), { users: null, client: null });
  assert.deepEqual(parseJaas(`Server { ${MODULE} required; };`), { users: {}, client: null });
});

test("what is wrong is told by line", () => {
  for (const [text, message] of [
    ["Server", 'JAAS file, line 1: the text ends where "{" belongs'],
    ["\nServer { };", "JAAS file, line 2: section Server is empty"],
    [`Server { ${MODULE} required user_bob="hidden" };`, 'JAAS file, line 1: an option\'s name belongs where "}" stands'],
    [`Server {\n${MODULE} required user_bob "hidden"; };`, 'JAAS file, line 2: "=" is missing'],
    [`Server { ${MODULE} required user_bob="hidden; };`, "JAAS file, line 1: a quotation that doesn't end"],
    [`Server { ${MODULE} required user_bob=hidden; }`, 'JAAS file, line 1: the text ends where ";" belongs'],
    [
      "Server { com.sun.Krb5LoginModule required; };",
      `JAAS file, line 1: section Server wants com.sun.Krb5LoginModule; only ${MODULE} is known`,
    ],
    [`Client { ${MODULE} required username="bob"; };`, "JAAS file, line 1: section Client needs username and password"],
  ] as const) {
    assert.throws(
      () => parseJaas(text),
      (error: Error) => {
        assert.equal(error.message, message);
        assert.ok(!error.message.includes("hidden"));
        return true;
      },
    );
  }
});
