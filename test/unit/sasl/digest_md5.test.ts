/** DIGEST-MD5: both sides against each other, and against exchanges of the Java client with the real server. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DigestMd5Client, DigestMd5Server } from "../../../lib/sasl/digest_md5.ts";
import { type ClientRow, fromHex, goldenRows } from "../../support/golden.ts";

const PASSWORDS = new Map([
  ["bob", "bobsecret"],
  ["super", "adminsecret"],
  ['a"b\\c', 'with,commas=and"quotes'],
  ["zoë", "pässwörd"],
  ["王", "密码"],
]);
const passwordOf = (username: string): string | undefined => PASSWORDS.get(username);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (token: Uint8Array): string => new TextDecoder().decode(token);

/** The tokens of a recorded exchange: the server's challenge, the client's answer, the server's proof. */
function recorded(conn: number): string[] {
  const rows = goldenRows<ClientRow>("client", "sasl.jsonl").filter((row) => row.conn === conn && row.note.includes("sasl"));
  const tokens = rows.map(({ dir, hex }) => text(fromHex(hex.slice(2 * (4 + (dir === "c2s" ? 8 : 16) + 4)))));
  return tokens.slice(1, 4);
}

const nonceOf = (challenge: string): string => /nonce="([^"]*)"/.exec(challenge)![1]!;

describe("as recorded", () => {
  for (const [conn, username] of [
    [0, "bob"],
    [3, "super"],
  ] as const) {
    test(`the server takes ${username}'s answer, and proves itself with the same words`, () => {
      const [challenge, answer, proof] = recorded(conn);
      const server = new DigestMd5Server(passwordOf, nonceOf(challenge!));
      assert.equal(text(server.challenge), challenge);
      const taken = server.answer(bytes(answer!));
      assert.equal(taken?.username, username);
      assert.equal(text(taken!.token), proof);
    });
  }

  test("the server refuses the answer with the wrong password", () => {
    const [challenge, answer] = recorded(2);
    assert.equal(new DigestMd5Server(passwordOf, nonceOf(challenge!)).answer(bytes(answer!)), null);
  });
});

describe("both sides", () => {
  for (const [username, password] of PASSWORDS) {
    test(`agree on ${username}`, () => {
      const server = new DigestMd5Server(passwordOf, "nonce+/=");
      const client = new DigestMd5Client({ username, password }, 'c"nonce');
      const answer = client.answer(server.challenge) as Uint8Array;
      assert.ok(!text(answer).includes(password), "the password is not sent");
      const taken = server.answer(answer);
      assert.equal(taken?.username, username);
      assert.equal(client.answer(taken!.token), "done");
    });
  }

  test("don't agree on another password, an unknown user, or another nonce", () => {
    const exchange = (username: string, password: string, nonce = "n"): unknown => {
      const server = new DigestMd5Server(passwordOf, nonce);
      const client = new DigestMd5Client({ username, password }, "c");
      return server.answer(client.answer(new DigestMd5Server(passwordOf, "n").challenge) as Uint8Array);
    };
    assert.notEqual(exchange("bob", "bobsecret"), null);
    assert.equal(exchange("bob", "Bobsecret"), null);
    assert.equal(exchange("eve", "bobsecret"), null);
    assert.equal(exchange("bob", "bobsecret", "another"), null);
  });

  test("an answer is good for one exchange", () => {
    const server = new DigestMd5Server(passwordOf, "n");
    const answer = new DigestMd5Client({ username: "bob", password: "bobsecret" }, "c").answer(server.challenge) as Uint8Array;
    assert.notEqual(server.answer(answer), null);
    assert.equal(server.answer(answer), null);
  });

  test("a client that would act as somebody else is refused, as ZooKeeper's own server does not do", () => {
    const [challenge, answer] = recorded(0);
    const server = new DigestMd5Server(passwordOf, nonceOf(challenge!));
    assert.equal(server.answer(bytes(answer!.replace('authzid="bob"', 'authzid="super"'))), null);
  });

  test("the client refuses a server that can't prove that it knows the password", () => {
    const client = new DigestMd5Client({ username: "bob", password: "bobsecret" }, "c");
    client.answer(bytes('nonce="n",realm="zk-sasl-md5"'));
    assert.equal(client.answer(bytes(`rspauth=${"0".repeat(32)}`)), "refused");
    assert.equal(client.answer(bytes("")), "refused");
  });

  test("tokens that make no sense are refused, and throw nothing", () => {
    for (const token of ["", "nonce", 'nonce="', 'nonce="a",nonce="b"', "=", ",,", '"', "\0", "x".repeat(1000)]) {
      const client = new DigestMd5Client({ username: "bob", password: "bobsecret" }, "c");
      assert.equal(client.answer(bytes(token)), "refused", token);
      assert.equal(new DigestMd5Server(passwordOf, "n").answer(bytes(token)), null, token);
    }
  });
});
