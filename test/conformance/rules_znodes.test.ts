/** Kinds of znodes, sequence numbers, and the reaper of containers and TTL znodes. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { create, exists, Flags, getEphemerals, multi, remove, setData } from "../support/ops.ts";
import { folderWithZnode } from "../support/stored_znode.ts";
import { until } from "../support/until.ts";
import { type RuleClient, rule } from "./rules.ts";

const TTLS = { extendedTypesEnabled: "true" };
/** The reaper looks often. */
const REAPER = { ...TTLS, "znode.container.checkIntervalMs": "100" };

const sequential = (path: string, zk: RuleClient): Promise<string | null> =>
  zk.created(create(path, { flags: Flags.sequential }));

async function gone(zk: RuleClient, path: string): Promise<void> {
  await until(async () => (await zk.result(exists(path))) === "NoNode", `${path} is removed`);
}

describe("kinds of znodes", () => {
  rule(
    "an ephemeral's owner is its session; everybody else's is 0, containers' and TTL znodes' too",
    async (server) => {
      const zk = await server.client();
      await zk.results(
        create("/p"),
        create("/e", { flags: Flags.ephemeral }),
        create("/c", { kind: "createContainer" }),
        create("/t", { kind: "createTTL" }),
      );
      const owners = await Promise.all(["/p", "/e", "/c", "/t"].map(async (path) => (await zk.stat(path)).ephemeralOwner));
      assert.deepEqual(owners, [0n, zk.session.sessionId, 0n, 0n]);
    },
    { config: TTLS },
  );

  rule(
    "ephemerals have no children; containers and TTL znodes may",
    async (server) => {
      const zk = await server.client();
      await zk.results(
        create("/e", { flags: Flags.ephemeral }),
        create("/c", { kind: "createContainer" }),
        create("/t", { kind: "createTTL" }),
      );
      assert.equal(await zk.results(create("/e/x"), create("/c/x"), create("/t/x")), "NoChildrenForEphemerals Ok Ok");
    },
    { config: TTLS },
  );

  rule("anybody who may can change and delete another's ephemeral", async (server) => {
    const [zk, other] = [await server.client(), await server.client()];
    await zk.ok(create("/e", { flags: Flags.ephemeral }));
    assert.equal(await other.results(setData("/e", "x"), remove("/e")), "Ok Ok");
  });

  rule(
    "the opcode, not the flags, makes containers: 1 with flags 4 is persistent, 19 with flags 0 or 2 is one",
    async (server) => {
      const zk = await server.client();
      await zk.ok(create("/p", { flags: Flags.container }));
      await zk.ok(create("/c", { kind: "createContainer", flags: Flags.persistent }));
      const numbered = await zk.created(create("/c-", { kind: "createContainer", flags: Flags.sequential }));
      assert.equal(numbered, "/c-0000000002");
      for (const path of ["/p", "/c", numbered!]) await zk.results(create(`${path}/x`), remove(`${path}/x`));
      await gone(zk, "/c");
      await gone(zk, numbered!);
      assert.equal(await zk.result(exists("/p")), "Ok");
    },
    { config: REAPER },
  );

  rule("without extended types TTL znodes are not served", async (server) => {
    const zk = await server.client();
    assert.equal(
      await zk.results(create("/t", { kind: "createTTL" }), create("t", { kind: "createTTL", ttl: 0 })),
      "Unimplemented Unimplemented",
    );
  });

  rule(
    "a TTL is 1 to 2^40 - 1 milliseconds, with the flags of one",
    async (server) => {
      const zk = await server.client();
      const ttl = (milliseconds: number, flags: number = Flags.ttl) =>
        create(`/t${milliseconds}-${flags}`, { kind: "createTTL", ttl: milliseconds, flags });
      assert.equal(
        await zk.results(ttl(0), ttl(-1), ttl(2 ** 40), ttl(1), ttl(2 ** 40 - 1), ttl(1000, Flags.sequentialTtl)),
        "BadArguments BadArguments BadArguments Ok Ok Ok",
      );
      assert.equal(
        await zk.results(ttl(1000, Flags.persistent), create("/x", { flags: Flags.ttl })),
        "BadArguments BadArguments",
      );
    },
    { config: TTLS },
  );

  rule("getEphemerals tells the session's own, by a prefix of their paths", async (server) => {
    const [zk, other] = [await server.client(), await server.client()];
    await zk.results(create("/ab"), ...["/a", "/ab/c", "/b"].map((path) => create(path, { flags: Flags.ephemeral })));
    await other.ok(create("/abc", { flags: Flags.ephemeral }));
    const ephemerals = async (prefix: string | null): Promise<unknown> => {
      const outcome = await zk.ok(getEphemerals(prefix));
      return outcome.kind === "ephemerals" ? outcome.ephemerals.toSorted() : outcome;
    };
    for (const all of [null, "", " ", "/"]) assert.deepEqual(await ephemerals(all), ["/a", "/ab/c", "/b"]);
    assert.deepEqual(await ephemerals("/ab"), ["/ab/c"]);
    assert.deepEqual(await ephemerals("/a"), ["/a", "/ab/c"]);
  });
});

describe("sequence numbers", () => {
  rule("ten digits, from the parent's count of all children ever created there", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    assert.equal(await sequential("/a/s-", zk), "/a/s-0000000000");
    await zk.ok(create("/a/plain"));
    assert.equal(await sequential("/a/other-", zk), "/a/other-0000000002");
    assert.equal(await zk.created(create("/a/e-", { flags: Flags.ephemeralSequential })), "/a/e-0000000003");
  });

  rule("they start at 0 in the root, too", async (server) => {
    const zk = await server.client();
    assert.equal(await sequential("/s-", zk), "/s-0000000000");
  });

  rule("deletions and failed creations don't move them", async (server) => {
    const zk = await server.client();
    await zk.results(create("/a"), create("/a/x"), remove("/a/x"), create("/a/y/z"), create("/a/w", { acl: [] }));
    assert.equal(await sequential("/a/s-", zk), "/a/s-0000000001");
  });

  rule("they start again with the parent", async (server) => {
    const zk = await server.client();
    await zk.results(create("/a"), create("/a/x"), remove("/a/x"), remove("/a"), create("/a"));
    assert.equal(await sequential("/a/s-", zk), "/a/s-0000000000");
  });

  rule("where the name is taken it fails, and fails again", async (server) => {
    const zk = await server.client();
    await zk.results(create("/a"), create("/a/s-0000000001"));
    const op = create("/a/s-", { flags: Flags.sequential });
    assert.equal(await zk.results(op, op), "NodeExists NodeExists");
    assert.equal(await sequential("/a/t-", zk), "/a/t-0000000001");
  });
});

describe("the reaper", () => {
  rule(
    "with emulate353TTLNodes any owner below zero is a time to live, as 3.5.3 wrote it",
    async (server) => await gone(await server.client(), "/a"),
    {
      folder: () => folderWithZnode({ owner: BigInt.asIntN(64, 0x8000000000000001n) }),
      config: { ...REAPER, extendedTypesEnabled: "true", emulate353TTLNodes: "true" },
    },
  );

  rule(
    "an emptied container goes, one that never had a child stays",
    async (server) => {
      const zk = await server.client();
      await zk.results(
        create("/c", { kind: "createContainer" }),
        create("/new", { kind: "createContainer" }),
        create("/c/x"),
        remove("/c/x"),
      );
      await gone(zk, "/c");
      assert.equal(await zk.result(exists("/new")), "Ok");
    },
    { config: REAPER },
  );

  rule(
    "a container with a child stays, also if it never had one before",
    async (server) => {
      const zk = await server.client();
      await zk.results(
        create("/c", { kind: "createContainer" }),
        create("/c/x"),
        create("/d", { kind: "createContainer" }),
        create("/d/x"),
        remove("/d/x"),
      );
      await gone(zk, "/d");
      assert.equal(await zk.result(exists("/c")), "Ok");
    },
    { config: REAPER },
  );

  rule(
    "with a limit to it, a container that never had a child goes, too",
    async (server) => {
      const zk = await server.client();
      await zk.ok(create("/c", { kind: "createContainer" }));
      await gone(zk, "/c");
    },
    { config: { ...REAPER, "znode.container.maxNeverUsedIntervalMs": "200" } },
  );

  rule(
    "a TTL znode goes when it was not set for its time; children keep it",
    async (server) => {
      const zk = await server.client();
      await zk.results(
        create("/t", { kind: "createTTL", ttl: 200 }),
        create("/kept", { kind: "createTTL", ttl: 1 }),
        create("/kept/x"),
        create("/last", { kind: "createTTL", ttl: 600 }),
      );
      await gone(zk, "/t");
      await gone(zk, "/last");
      assert.equal(await zk.result(exists("/kept")), "Ok");
      await zk.ok(remove("/kept/x"));
      await gone(zk, "/kept");
    },
    { config: REAPER },
  );

  rule(
    "what it removes is a deletion like any other: watches, the parent's counters, a zxid",
    async (server) => {
      const zk = await server.client();
      await zk.ok(create("/a"));
      await zk.ok(create("/a/t", { kind: "createTTL", ttl: 1 }));
      await zk.results(exists("/a/t", true));
      await gone(zk, "/a/t");
      assert.deepEqual(await zk.events(), ["NodeDeleted /a/t"]);
      const { cversion, pzxid } = await zk.stat("/a");
      assert.deepEqual([cversion, pzxid], [2, 4n]);
    },
    { config: REAPER },
  );

  rule(
    "it asks for no permission",
    async (server) => {
      const zk = await server.client();
      await zk.ok(multi(create("/a"), create("/a/t", { kind: "createTTL", ttl: 300 })));
      await zk.ok({ kind: "setACL", path: "/a", acl: [{ perms: 1, scheme: "world", id: "anyone" }], version: -1 });
      assert.equal(await zk.result(remove("/a/t")), "NoAuth");
      await gone(zk, "/a/t");
    },
    { config: REAPER },
  );
});
