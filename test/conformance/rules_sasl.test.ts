/** ZooKeeper's rules of SASL: identities that are proved by an exchange of DIGEST-MD5. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { DigestMd5Client } from "../../lib/sasl/digest_md5.ts";
import { acl, create, exists, getData } from "../support/ops.ts";
import { projectPath } from "../support/root.ts";
import { type RuleClient, rule } from "./rules.ts";

const SASL = {
  "authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
  // Its users: bob and super.
  "java.security.auth.login.config": projectPath("test", "support", "jaas.conf"),
};

interface Answer {
  readonly err: number;
  readonly zxid: bigint;
  /** null: what stands behind the header is a null token. */
  readonly token: string | null;
}

async function say(zk: RuleClient, token: string | Uint8Array): Promise<Answer> {
  const { err, zxid, outcome } = await zk.ask({ kind: "sasl", token: new Uint8Array(Buffer.from(token)) });
  if (outcome.kind !== "sasl") assert.fail(outcome.kind);
  return { err, zxid, token: outcome.token === null ? null : Buffer.from(outcome.token).toString() };
}

const REFUSED: Answer = { err: -115, zxid: 0n, token: null };

/** Holds the whole exchange, and tells how it ended. */
async function prove(zk: RuleClient, username: string, password: string): Promise<Answer> {
  const client = new DigestMd5Client({ username, password }, "a client's nonce");
  const { token: challenge } = await say(zk, "");
  return await say(zk, client.answer(Buffer.from(challenge!)) as Uint8Array);
}

async function whoAmI(zk: RuleClient): Promise<readonly string[]> {
  const outcome = await zk.ok({ kind: "whoAmI" });
  return outcome.kind === "clientInfo" ? outcome.clientInfo.map(({ scheme, id }) => `${scheme}:${id}`).sort() : assert.fail();
}

describe("SASL", () => {
  rule(
    "the first token asks for the challenge, whatever it holds; answers have zxid 0",
    async (server) => {
      for (const first of ["", "garbage"]) {
        const { err, zxid, token } = await say(await server.client(), first);
        assert.deepEqual([err, zxid], [0, 0n]);
        assert.match(token!, /^realm="zk-sasl-md5",nonce="[^"]+",charset=utf-8,algorithm=md5-sess$/);
      }
    },
    { config: SASL },
  );

  rule(
    "who proves a password has the identity sasl:user, beside that of the address; auth stands for it",
    async (server) => {
      const zk = await server.client();
      const { err, token } = await prove(zk, "bob", "bobsecret");
      assert.equal(err, 0);
      assert.match(token!, /^rspauth=[0-9a-f]{32}$/);
      assert.deepEqual(await whoAmI(zk), ["ip:127.0.0.1", "sasl:bob"]);
      await zk.ok(create("/a", { acl: [acl(31, "auth", "")] }));
      assert.deepEqual(await zk.acl("/a"), ["31:sasl:bob"]);
      assert.equal(await (await server.client()).result(getData("/a")), "NoAuth");
    },
    { config: SASL },
  );

  rule(
    "a failure is AuthFailed with a null token, and the connection ends; the session lives on",
    async (server) => {
      const zk = await server.client();
      assert.deepEqual(await prove(zk, "bob", "wrong"), REFUSED);
      await zk.raw.ended;
      assert.equal((await server.attach(zk.session)).session.sessionId, zk.session.sessionId);
    },
    { config: SASL },
  );

  rule(
    "a user nobody knows is refused, whatever the password",
    async (server) => {
      await prove(await server.client(), "bob", "bobsecret");
      assert.deepEqual(await prove(await server.client(), "nobody", "bobsecret"), REFUSED);
    },
    { config: SASL, notOnApache: "3.8.0 takes the password of whoever came before: see the table of differences" },
  );

  rule(
    "with allowSaslFailedClients it is a null token without an error, and the connection stays, as somebody who has proved nothing",
    async (server) => {
      const zk = await server.client();
      assert.deepEqual(await prove(zk, "bob", "wrong"), { err: 0, zxid: 0n, token: null });
      assert.deepEqual(await whoAmI(zk), ["ip:127.0.0.1"]);
    },
    { config: { ...SASL, allowSaslFailedClients: "true" } },
  );

  rule(
    "where it is demanded, a failure says so, and nothing else is answered before it",
    async (server) => {
      const zk = await server.client();
      assert.deepEqual(await prove(zk, "bob", "wrong"), { err: -124, zxid: 0n, token: null });
      await zk.raw.ended;
      const silent = await server.client();
      assert.equal(await silent.result(exists("/")), "SessionClosedRequireSaslAuth");
      await silent.raw.ended;
      const bob = await server.client();
      await prove(bob, "bob", "bobsecret");
      assert.equal(await bob.result(exists("/")), "Ok");
    },
    { config: { ...SASL, sessionRequireClientSASLAuth: "true" } },
  );

  rule(
    "the user that superUser names may do everything",
    async (server) => {
      const zk = await server.client();
      await zk.ok(create("/a", { acl: [acl(31, "sasl", "bob")] }));
      assert.equal(await zk.result(getData("/a")), "NoAuth");
      await prove(zk, "super", "adminsecret");
      assert.deepEqual(await whoAmI(zk), ["ip:127.0.0.1", "sasl:super", "super:"]);
      assert.equal(await zk.result(getData("/a")), "Ok");
    },
    { config: { ...SASL, superUser: "super" } },
  );

  rule("a server without it answers any token with none, and nothing is proved", async (server) => {
    const zk = await server.client();
    assert.deepEqual(await say(zk, "any"), { err: 0, zxid: 0n, token: null });
    assert.deepEqual(await whoAmI(zk), ["ip:127.0.0.1"]);
  });
});
