/** Session passwords that are made of a secret: nobody computes them from an id, and they hold on every server that has the secret. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryStorage } from "../../adapters/storage/mod.ts";
import { tcp } from "../../adapters/tcp/mod.ts";
import { passwordMatches, sessionPassword, useSecretPassword } from "../../lib/session/identity.ts";
import { secretPassword } from "../../lib/session/secret_password.ts";
import { type OpenOptions, open } from "../../mod.ts";
import { NEW_SESSION, RawClient } from "../support/raw_client.ts";

const SECRET = "correct horse battery staple";

describe("a session's password", () => {
  test("follows from the id and the secret, and from nothing else", () => {
    useSecretPassword(secretPassword);
    const id = 0x100000f9f5d0000n;
    const password = sessionPassword(id, SECRET);
    assert.equal(password.length, 16);
    assert.deepEqual(password, sessionPassword(id, SECRET));
    for (const other of [sessionPassword(id, null), sessionPassword(id, `${SECRET}!`), sessionPassword(id + 1n, SECRET)])
      assert.notDeepEqual(password, other);
    assert.equal(passwordMatches(id, password, SECRET), true);
    assert.equal(passwordMatches(id, password, null), false);
    assert.equal(passwordMatches(id, sessionPassword(id, null), SECRET), false);
  });

  test("is the same after a restart with the same secret, and no other server takes it", async () => {
    const storage = memoryStorage();
    const visit = async (options: OpenOptions, hello: Parameters<typeof RawClient.connect>[1]) => {
      await using server = await open({ ...options, storage });
      const client = await RawClient.connect(await server.listen(tcp({ port: 0, host: "127.0.0.1" })), hello);
      const { sessionId, passwd } = client.welcome;
      return { sessionId, passwd: passwd.slice() };
    };
    const first = await visit({ sessionSecret: SECRET }, NEW_SESSION);
    const again = { ...NEW_SESSION, sessionId: first.sessionId, passwd: first.passwd };
    assert.deepEqual(await visit({ sessionSecret: SECRET }, again), first);
    assert.equal((await visit({}, again)).sessionId, 0n);
    const guessed = { ...again, passwd: sessionPassword(first.sessionId, null) };
    assert.equal((await visit({ sessionSecret: SECRET }, guessed)).sessionId, 0n);
  });
});

describe("the secret", () => {
  test("has 16 characters or more, and no message shows it", async () => {
    await assert.rejects(open({ sessionSecret: "hunter2" }), (error: Error) => {
      assert.match(error.message, /sessionSecret/);
      assert.doesNotMatch(error.message, /hunter2/);
      return error instanceof TypeError;
    });
  });
});
