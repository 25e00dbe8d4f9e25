/** Expectations hold when they should, and say all that differs when they don't. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ExpectationError, type ExpectedTree, type TestServer, testServer } from "../../adapters/testing/mod.ts";

async function world(): Promise<TestServer> {
  const zk = await testServer();
  zk.fixture({ "/config": "v1", "/app/a": null, "/app/b": new Uint8Array([0, 1]), "/box": { mode: "container" } });
  return zk;
}

/** The message of the expectation that fails. */
function failure(run: () => void): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ExpectationError, String(error));
    return error.message;
  }
  return assert.fail("the expectation holds");
}

describe("expectTree", () => {
  test("holds for the tree as it is", async () => {
    await using zk = await world();
    zk.expectTree({
      "/config": { data: "v1", version: 0, kind: "persistent" },
      "/app/a": null,
      "/app/b": new Uint8Array([0, 1]),
      "/box": { kind: "container" },
    });
    zk.expectTree({ "/app/a": {}, "/app/b": {} }, "/app");
    zk.expectTree(zk.picture());
  });

  const wrong: readonly [ExpectedTree, RegExp][] = [
    [{ "/config": "v2", "/app/a": {}, "/app/b": {}, "/box": {} }, /\/config: its data is "v1", expected "v2"/],
    [{ "/config": null, "/app/a": {}, "/app/b": {}, "/box": {} }, /its data is "v1", expected null/],
    [{ "/config": {}, "/app/a": {}, "/app/b": {} }, /\/box is there, and should not be/],
    [{ "/config": {}, "/app/a": {}, "/app/b": {}, "/box": {}, "/c": {} }, /\/c is missing/],
    [{ "/config": { version: 3 }, "/app/a": {}, "/app/b": {}, "/box": {} }, /its version is 0, expected 3/],
    [{ "/config": { owner: 7n }, "/app/a": {}, "/app/b": {}, "/box": {} }, /its owner is nobody, expected 0x7/],
    [{ "/config": {}, "/app/a": {}, "/app/b": {}, "/box": { kind: "ttl" } }, /its kind is container, expected ttl/],
  ];
  for (const [expected, says] of wrong) {
    test(`says ${says.source}`, async () => {
      await using zk = await world();
      assert.match(
        failure(() => zk.expectTree(expected)),
        says,
      );
    });
  }

  test("says everything at once, and shows the tree", async () => {
    await using zk = await world();
    const message = failure(() => zk.expectTree({ "/config": "v2", "/c": "x" }));
    assert.match(message, /\/config: .*\n {2}\/c is missing\n {2}\/app is there, .*\n {2}\/app\/a is there/);
    assert.match(message, /└─ config "v1"/);
  });
});

describe("a picture", () => {
  test("is the same for equal trees, however they came about", async () => {
    const pictures: string[] = [];
    for (const order of [
      ["/a", "/b"],
      ["/b", "/a"],
    ]) {
      const zk = await testServer();
      const [one, other] = [await zk.connect(), await zk.connect()];
      for (const path of order) await one.create(path, "x");
      await other.create("/b/e-", null, { mode: "ephemeral_sequential" });
      pictures.push(zk.picture());
      await zk.close();
    }
    assert.equal(pictures[0], pictures[1]);
    assert.equal(pictures[0], '/\n├─ a "x"\n└─ b "x"\n   └─ e-0000000000 (ephemeral of session 1)');
  });

  test("shows a part, long data cut short, and what is not there", async () => {
    await using zk = await testServer();
    zk.fixture({ "/a/text": "é".repeat(50), "/a/lines": "one\ntwo" });
    assert.equal(zk.picture("/a"), `/a\n├─ lines "one\\ntwo"\n└─ text "${"é".repeat(20)}"… (100 bytes)`);
    assert.equal(zk.picture("/b"), "/b (not there)");
  });
});

describe("expectEvents", () => {
  test("compares what a session was sent since the last time", async () => {
    await using zk = await testServer();
    const [watcher, other] = [await zk.connect(), await zk.connect()];
    await watcher.addWatch("/", () => {}, { mode: "persistent_recursive" });
    await other.create("/a");
    await other.setData("/a", "x");
    zk.expectEvents(watcher, ["NodeCreated /a", "NodeDataChanged /a"]);
    zk.expectEvents(watcher, []);
    await other.delete("/a");
    assert.match(
      failure(() => zk.expectEvents(watcher, ["NodeDeleted /b"])),
      /: NodeDeleted \/a; expected NodeDeleted \/b/,
    );
    zk.expectEvents(other, []);
  });

  test("begins anew in a fork", async () => {
    await using zk = await testServer();
    const watcher = await zk.connect();
    await watcher.addWatch("/a", () => {});
    await watcher.create("/a");
    await using fork = zk.fork();
    const again = await fork.resume(watcher);
    fork.expectEvents(again, []);
    await again.delete("/a");
    fork.expectEvents(again, ["NodeDeleted /a"]);
    zk.expectEvents(watcher, ["NodeCreated /a"]);
  });
});
