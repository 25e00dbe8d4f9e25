/** Paths, and the built-in tree: what is a valid path, what each operation checks of it, what is there from the beginning. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  addWatch,
  check,
  create,
  exists,
  Flags,
  getAcl,
  getAllChildrenNumber,
  getChildren,
  getData,
  getEphemerals,
  remove,
  removeWatches,
  type SendableOp,
  setAcl,
  setData,
  sync,
} from "../support/ops.ts";
import { type RuleClient, rule } from "./rules.ts";

/** Each path with the op made of it, and what is answered: `["/a//b", "NoNode"]`. */
async function expect(
  zk: RuleClient,
  op: (path: string | null) => SendableOp,
  rows: readonly (readonly [string | null, string])[],
): Promise<void> {
  const actual: (readonly [string | null, string])[] = [];
  for (const [path] of rows) actual.push([path, await zk.result(op(path))]);
  assert.deepEqual(actual, rows);
}

describe("paths", () => {
  rule("setData, setACL and check take valid paths only", async (server) => {
    const zk = await server.client();
    const rows = [
      [null, "BadArguments"],
      ["", "BadArguments"],
      ["a", "BadArguments"],
      ["a/b", "BadArguments"],
      ["/a/", "BadArguments"],
      ["//", "BadArguments"],
      ["/a//b", "BadArguments"],
      ["/.", "BadArguments"],
      ["/..", "BadArguments"],
      ["/./a", "BadArguments"],
      ["/a/../b", "BadArguments"],
      ["/a\0", "BadArguments"],
      ["/...", "NoNode"],
      ["/.x", "NoNode"],
      ["/x..", "NoNode"],
      ["/..x", "NoNode"],
      ["/ ", "NoNode"],
    ] as const;
    await expect(zk, (path) => setData(path), rows);
    await expect(zk, (path) => setAcl(path), rows);
    await expect(zk, (path) => check(path, 7), rows);
  });

  rule(
    "control characters, surrogates, the private use area and U+FFF0 to U+FFFF are not allowed, their neighbours are",
    async (server) => {
      const zk = await server.client();
      const forbidden = ["\u0001", "\u001f", "\u007f", "\u009f", "\ue000", "\uf8ff", "\ufff0", "\uffff", "\u{1f600}"];
      const allowed = [" ", "\u00a0", "\ud7ff", "\uf900", "\uffef", "é", "中"];
      await expect(
        zk,
        (path) => create(path),
        forbidden.map((one) => [`/x${one}`, "BadArguments"] as const),
      );
      await expect(
        zk,
        (path) => create(path),
        allowed.map((one) => [`/x${one}`, "Ok"] as const),
      );
      assert.deepEqual(new Set(await zk.children("/")), new Set([...allowed.map((one) => `x${one}`), "zookeeper"]));
    },
  );

  rule("malformed UTF-8 is read as U+FFFD, and so refused", async (server) => {
    const zk = await server.client();
    const frame = Buffer.from(
      "0000002d000000010000000100000003 2fff78 00000000 000000010000001f00000005776f726c6400000006616e796f6e6500000000".replaceAll(
        " ",
        "",
      ),
      "hex",
    );
    frame.writeInt32BE(frame.length - 4, 0);
    assert.equal((await zk.raw.requestFrame(frame, 1, "create")).err, -8);
  });

  rule(
    "3.4 takes the ends of the forbidden ranges",
    async (server) => {
      const zk = await server.client();
      const ends = ["\u001f", "\u007f", "\u009f", "\uf8ff", "\ufff0", "\uffff"];
      await expect(
        zk,
        (path) => create(path),
        ends.map((one) => [`/x${one}`, "Ok"] as const),
      );
      assert.equal(await zk.result(create("/x\u001e")), "BadArguments");
    },
    { compat: "3.4" },
  );

  rule("a name of 4,000 characters is as good as any", async (server) => {
    const zk = await server.client();
    assert.equal(await zk.created(create(`/${"n".repeat(4000)}`)), `/${"n".repeat(4000)}`);
  });

  rule("create looks for the parent before it judges the path", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    await expect(zk, (path) => create(path), [
      ["/a//b", "NoNode"],
      ["/a/../b", "NoNode"],
      ["/a/", "BadArguments"],
      ["/a/..", "BadArguments"],
      ["/", "NodeExists"],
      ["a/b", "NoNode"],
      ["a", "BadArguments"],
      ["", "BadArguments"],
      ["/a\0b", "BadArguments"],
      [null, "MarshallingError"],
    ]);
  });

  rule("a sequential create judges the path with its suffix", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    const sequential = (path: string): Promise<string | null> => zk.created(create(path, { flags: Flags.sequential }));
    assert.equal(await sequential("/a/"), "/a/0000000000");
    assert.equal(await sequential("/a/.."), "/a/..0000000001");
    assert.equal(await sequential("/"), "/0000000001");
    assert.equal(await sequential("/."), "/.0000000002");
  });

  rule("delete checks little of the path", async (server) => {
    const zk = await server.client();
    await expect(zk, (path) => remove(path), [
      ["/a/../b", "NoNode"],
      ["/none", "NoNode"],
      ["/none/", "NoNode"],
      ["", "BadArguments"],
      ["a", "BadArguments"],
      ["/a\0", "BadArguments"],
      [null, "MarshallingError"],
    ]);
  });

  rule('reads just look the path up; the root is also called ""', async (server) => {
    const zk = await server.client();
    const rows = [
      ["", "Ok"],
      ["/", "Ok"],
      ["a", "NoNode"],
      ["//", "NoNode"],
      ["/zookeeper/", "NoNode"],
      [null, "MarshallingError"],
    ] as const;
    for (const op of [exists, getData, getChildren, getAcl, getAllChildrenNumber]) await expect(zk, (path) => op(path), rows);
    assert.equal(await zk.results(exists("/\0"), getData("/\0")), "BadArguments NoNode");
  });

  rule("sync, addWatch and getEphemerals take any text", async (server) => {
    const zk = await server.client();
    const anything = [null, "", "a", "//", "/\0"].map((path) => [path, "Ok"] as const);
    await expect(zk, sync, anything);
    await expect(zk, (path) => addWatch(path, "persistent"), anything);
    await expect(zk, getEphemerals, anything);
    const echo = await zk.ok(sync("any/../text"));
    assert.deepEqual(echo, { kind: "path", path: "any/../text" });
  });

  rule("removeWatches of any path nobody watches finds no watcher", async (server) => {
    const zk = await server.client();
    await expect(zk, (path) => removeWatches(path), [
      ["a", "NoWatcher"],
      ["", "NoWatcher"],
      [null, "NoWatcher"],
    ]);
  });
});

describe("the built-in tree", () => {
  rule("the root, /zookeeper, its quota and its config are there", async (server) => {
    const zk = await server.client();
    assert.deepEqual([await zk.children("/"), await zk.children("/zookeeper")], [["zookeeper"], ["config", "quota"]]);
    for (const path of ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"]) assert.equal(await zk.data(path), "");
  });

  rule("their ACL is the open one, the config's is readable by all", async (server) => {
    const zk = await server.client();
    for (const path of ["/", "/zookeeper", "/zookeeper/quota"]) assert.deepEqual(await zk.acl(path), ["31:world:anyone"]);
    assert.deepEqual(await zk.acl("/zookeeper/config"), ["1:world:anyone"]);
  });

  rule("their Stats are zero but for the children they are born with, and the config's aversion -1", async (server) => {
    const zk = await server.client();
    const zero = { czxid: 0n, mzxid: 0n, pzxid: 0n, ctime: 0, mtime: 0, version: 0, ephemeralOwner: 0n, dataLength: 0 };
    assert.deepEqual({ ...(await zk.stat("/")) }, { ...zero, cversion: -1, aversion: 0, numChildren: 1 });
    assert.deepEqual({ ...(await zk.stat("/zookeeper")) }, { ...zero, cversion: -2, aversion: 0, numChildren: 2 });
    assert.deepEqual({ ...(await zk.stat("/zookeeper/quota")) }, { ...zero, cversion: 0, aversion: 0, numChildren: 0 });
    assert.deepEqual({ ...(await zk.stat("/zookeeper/config")) }, { ...zero, cversion: 0, aversion: -1, numChildren: 0 });
  });

  rule("none of them can be deleted", async (server) => {
    const zk = await server.client();
    await expect(zk, (path) => remove(path), [
      ["/", "BadArguments"],
      ["/zookeeper", "BadArguments"],
      ["/zookeeper/quota", "BadArguments"],
      ["/zookeeper/config", "BadArguments"],
    ]);
  });

  rule("but for that they are ordinary: data, ACL and children can be changed", async (server) => {
    const zk = await server.client();
    const ops = [
      setData("/", "x"),
      setData("/zookeeper", "x"),
      setAcl("/zookeeper/quota"),
      create("/zookeeper/x"),
      create("/zookeeper/quota/x"),
    ];
    assert.equal(await zk.results(...ops), "Ok Ok Ok Ok Ok");
    assert.equal(await zk.result(setData("/zookeeper/config", "x")), "NoAuth");
  });

  rule(
    "3.4 has no config, and /zookeeper one child",
    async (server) => {
      const zk = await server.client();
      assert.equal(await zk.result(exists("/zookeeper/config")), "NoNode");
      const { cversion, numChildren } = await zk.stat("/zookeeper");
      assert.deepEqual([cversion, numChildren], [-1, 1]);
    },
    { compat: "3.4" },
  );

  rule('getAllChildrenNumber counts what is below, /zookeeper too; "" counts one more than "/"', async (server) => {
    const zk = await server.client();
    const count = async (path: string): Promise<unknown> => await zk.ok(getAllChildrenNumber(path));
    assert.deepEqual(await count("/"), { kind: "totalNumber", totalNumber: 3 });
    assert.deepEqual(await count(""), { kind: "totalNumber", totalNumber: 4 });
    await zk.results(create("/a"), create("/a/b"), create("/a/b/c"));
    assert.deepEqual(await count("/a"), { kind: "totalNumber", totalNumber: 2 });
    assert.deepEqual(await count("/a/b/c"), { kind: "totalNumber", totalNumber: 0 });
  });
});
