/** Watches: who registers what, which change fires which, in which order, and what becomes of them. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  acl,
  addWatch,
  auth,
  CLOSE_SESSION,
  checkWatches,
  create,
  exists,
  Flags,
  getChildren,
  getData,
  multi,
  OPEN,
  remove,
  removeWatches,
  type SendableOp,
  setAcl,
  setData,
  setWatches,
} from "../support/ops.ts";
import { rule } from "./rules.ts";

/** What a watcher is told of changes made by somebody else. */
function told(
  name: string,
  {
    given = [],
    watch,
    changes,
    events,
    compat = "3.8",
  }: {
    readonly given?: readonly SendableOp[];
    readonly watch: readonly SendableOp[];
    readonly changes: readonly SendableOp[];
    readonly events: readonly string[];
    readonly compat?: "3.8" | "3.9";
  },
): void {
  rule(
    name,
    async (server) => {
      const [zk, other] = [await server.client(), await server.client()];
      for (const op of given) await other.ok(op);
      for (const op of watch) await zk.ask(op);
      for (const op of changes) await other.ask(op);
      assert.deepEqual(await zk.events(), events);
    },
    { compat },
  );
}

const A = [create("/a")];

describe("one-shot watches", () => {
  told("exists of what is not there: its creation, once", {
    watch: [exists("/a", true)],
    changes: [create("/a"), setData("/a"), remove("/a")],
    events: ["NodeCreated /a"],
  });
  told("exists of what is there, and getData: change or deletion, once", {
    given: [create("/a"), create("/b")],
    watch: [exists("/a", true), getData("/b", true)],
    changes: [setData("/a"), setData("/a"), remove("/b")],
    events: ["NodeDataChanged /a", "NodeDeleted /b"],
  });
  told("getChildren: a child that comes or goes, once; not its data", {
    given: [create("/a"), create("/a/b")],
    watch: [getChildren("/a", true), getChildren("/a/b", true, "getChildren2")],
    changes: [setData("/a/b"), setData("/a"), create("/a/b/c"), create("/a/c"), remove("/a/c")],
    events: ["NodeChildrenChanged /a/b", "NodeChildrenChanged /a"],
  });
  told("a deletion is told once to who watches both data and children", {
    given: A,
    watch: [getData("/a", true), getChildren("/a", true)],
    changes: [remove("/a"), create("/a"), create("/a/b")],
    events: ["NodeDeleted /a"],
  });
  told("registering twice is registering once", {
    given: A,
    watch: [getData("/a", true), getData("/a", true), exists("/a", true)],
    changes: [setData("/a"), setData("/a")],
    events: ["NodeDataChanged /a"],
  });
  told("setACL, failed changes and reads fire nothing", {
    given: [create("/a"), create("/a/b")],
    watch: [getData("/a", true), getChildren("/a", true)],
    changes: [setAcl("/a"), setData("/a", "", 7), remove("/a"), create("/a/b"), getData("/a")],
    events: [],
  });
  told("the event of the znode itself comes before that of its parent's children", {
    given: A,
    watch: [getChildren("/a", true), exists("/a/b", true)],
    changes: [create("/a/b")],
    events: ["NodeCreated /a/b", "NodeChildrenChanged /a"],
  });

  rule("a read that fails registers nothing, but for exists", async (server) => {
    const zk = await server.client();
    assert.equal(await zk.results(getData("/a", true), getChildren("/a", true)), "NoNode NoNode");
    await zk.results(create("/a"), create("/a/b"));
    assert.deepEqual(await zk.events(), []);
  });

  rule("an event comes before the reply to the write that caused it, also to the writer", async (server) => {
    const zk = await server.client();
    await zk.ask(exists("/a", true));
    await zk.ok(create("/a"));
    assert.deepEqual(await zk.history(), ["reply 1", "NodeCreated /a", "reply 2"]);
  });

  rule("an event comes before any reply that shows the change", async (server) => {
    const [zk, other] = [await server.client(), await server.client()];
    await zk.ask(exists("/a", true));
    await other.ok(create("/a"));
    await zk.ok(getData("/a"));
    assert.deepEqual(await zk.history(), ["reply 1", "NodeCreated /a", "reply 2"]);
  });
});

describe("persistent watches", () => {
  told("one path, again and again, also when it is not there; children as well", {
    watch: [addWatch("/a", "persistent")],
    changes: [create("/a"), setData("/a"), create("/a/b"), setData("/a/b"), remove("/a/b"), remove("/a"), create("/a")],
    events: [
      "NodeCreated /a",
      "NodeDataChanged /a",
      "NodeChildrenChanged /a",
      "NodeChildrenChanged /a",
      "NodeDeleted /a",
      "NodeCreated /a",
    ],
  });
  told("recursive: the path and all below, but never NodeChildrenChanged", {
    given: A,
    watch: [addWatch("/a", "recursive")],
    changes: [create("/a/b"), create("/a/b/c"), setData("/a/b/c"), remove("/a/b/c"), setData("/a"), create("/ab")],
    events: ["NodeCreated /a/b", "NodeCreated /a/b/c", "NodeDataChanged /a/b/c", "NodeDeleted /a/b/c", "NodeDataChanged /a"],
  });
  told("recursive on the root sees everything, /zookeeper too", {
    watch: [addWatch("/", "recursive")],
    changes: [create("/a"), create("/zookeeper/x"), setData("/")],
    events: ["NodeCreated /a", "NodeCreated /zookeeper/x", "NodeDataChanged /"],
  });
  told("several recursive watches above a change tell of it once", {
    given: A,
    watch: [addWatch("/", "recursive"), addWatch("/a", "recursive"), addWatch("/a/b", "recursive")],
    changes: [create("/a/b")],
    events: ["NodeCreated /a/b"],
  });
  told("they need no permission, and are told of what can be read only", {
    given: [create("/a"), create("/b", { acl: [acl(2, "world", "anyone")] })],
    watch: [addWatch("/", "recursive")],
    changes: [setData("/b"), setData("/a")],
    events: ["NodeDataChanged /a"],
  });
  told("up to 3.8 a one-shot watch on the same path takes a persistent one's place", {
    given: A,
    watch: [addWatch("/a", "persistent"), getData("/a", true)],
    changes: [setData("/a"), setData("/a"), create("/a/b"), create("/a/c")],
    events: ["NodeDataChanged /a", "NodeChildrenChanged /a", "NodeChildrenChanged /a"],
  });
  told("up to 3.8 the last of two modes counts", {
    given: A,
    watch: [addWatch("/a", "persistent"), addWatch("/a", "recursive")],
    changes: [create("/a/b")],
    events: ["NodeCreated /a/b"],
  });
  told("since 3.9 one-shot and persistent ones stand side by side, and tell once", {
    given: A,
    watch: [addWatch("/a", "persistent"), getData("/a", true)],
    changes: [setData("/a"), setData("/a")],
    events: ["NodeDataChanged /a", "NodeDataChanged /a"],
    compat: "3.9",
  });

  rule("the session's own end is told to it, before the reply", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/e", { flags: Flags.ephemeral }));
    await zk.ok(addWatch("/", "recursive"));
    await zk.ok(CLOSE_SESSION);
    await zk.raw.ended;
    const history = zk.raw.received.map((one) => (one.kind === "event" ? one.event.type : "reply"));
    assert.deepEqual(history, ["reply", "reply", "NodeDeleted", "reply"]);
  });
});

describe("events and permissions", () => {
  rule("who may not read the znode is not told, and a one-shot watch is used up", async (server) => {
    const [zk, other] = [await server.client(), await server.client()];
    await other.ok(create("/a"));
    await zk.ok(getData("/a", true));
    await other.ok(setAcl("/a", [acl(30, "world", "anyone")]));
    await other.ok(setData("/a"));
    await other.ok(setAcl("/a", OPEN));
    await other.ok(setData("/a"));
    assert.deepEqual(await zk.events(), []);
  });

  rule("a creation is judged by the new znode's ACL, a parent's event by the parent's", async (server) => {
    const [zk, other] = [await server.client(), await server.client()];
    await other.ok(create("/p"));
    await zk.results(exists("/p/x", true), getChildren("/p", true));
    await other.ok(create("/p/x", { acl: [acl(31, "digest", "nobody:x")] }));
    assert.deepEqual(await zk.events(), ["NodeChildrenChanged /p"]);
  });

  rule(
    "before 3.8 nobody asked",
    async (server) => {
      const [zk, other] = [await server.client(), await server.client()];
      await zk.ask(exists("/a", true));
      await other.ok(create("/a", { acl: [acl(31, "digest", "nobody:x")] }));
      assert.deepEqual(await zk.events(), ["NodeCreated /a"]);
    },
    { compat: "3.7" },
  );

  rule("events have zxid -1; since 3.9 that of the txn", async (server) => {
    const zk = await server.client();
    await zk.ask(exists("/a", true));
    await zk.ok(create("/a"));
    await zk.raw.ping();
    assert.deepEqual(
      zk.raw.received.flatMap((one) => (one.kind === "event" ? [one.event.zxid] : [])),
      [-1n],
    );
  });
  rule(
    "since 3.9 an event has the zxid of the txn that caused it",
    async (server) => {
      const zk = await server.client();
      await zk.ask(exists("/a", true));
      await zk.ok(create("/a"));
      await zk.raw.ping();
      assert.deepEqual(
        zk.raw.received.flatMap((one) => (one.kind === "event" ? [one.event.zxid] : [])),
        [2n],
      );
    },
    { compat: "3.9" },
  );
  rule(
    "what setWatches tells at once has zxid -1, since 3.9 too",
    async (server) => {
      const zk = await server.client();
      await zk.ok(setWatches(0n, { data: ["/none"] }));
      assert.deepEqual(
        zk.raw.received.flatMap((one) => (one.kind === "event" ? [one.event.zxid] : [])),
        [-1n],
      );
    },
    { compat: "3.9" },
  );
});

describe("watches and connections", () => {
  rule("they end with the connection, whether it is lost or replaced", async (server) => {
    const [zk, other] = [await server.client(), await server.client()];
    await zk.ask(exists("/a", true));
    await zk.ok(addWatch("/", "recursive"));
    await zk.raw.drop();
    const again = await server.attach(zk.session);
    await other.ok(create("/a"));
    assert.deepEqual(await again.events(), []);
  });
});

describe("setWatches", () => {
  rule("data: deleted, changed since, or watched on", async (server) => {
    const zk = await server.client();
    await zk.results(create("/old"), create("/new"));
    await zk.ok(setWatches(2n, { data: ["/none", "/new", "/old"] }));
    assert.deepEqual(await zk.events(), ["NodeDeleted /none", "NodeDataChanged /new"]);
    await zk.results(setData("/old"), setData("/new"));
    assert.deepEqual(await zk.events(), ["NodeDataChanged /old"]);
  });

  rule("exist: created, or watched on; the zxid does not matter", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    await zk.ok(setWatches(1000n, { exist: ["/a", "/b"] }));
    assert.deepEqual(await zk.events(), ["NodeCreated /a"]);
    await zk.ok(create("/b"));
    assert.deepEqual(await zk.events(), ["NodeCreated /b"]);
  });

  rule("child: deleted, changed since, or watched on", async (server) => {
    const zk = await server.client();
    await zk.results(create("/old"), create("/new"), create("/new/x"));
    await zk.ok(setWatches(3n, { child: ["/none", "/new", "/old"] }));
    assert.deepEqual(await zk.events(), ["NodeDeleted /none", "NodeChildrenChanged /new"]);
    await zk.results(create("/old/x"), create("/new/y"));
    assert.deepEqual(await zk.events(), ["NodeChildrenChanged /old"]);
  });

  rule("persistent ones are registered and never told at once", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    await zk.ok(setWatches(0n, { persistent: ["/a", "/none"], recursive: ["/a"] }));
    assert.deepEqual(await zk.events(), []);
    await zk.results(create("/a/b"), create("/none"));
    assert.deepEqual(await zk.events(), ["NodeCreated /a/b", "NodeCreated /none"]);
  });

  rule("list by list in order, before the reply, nothing said twice left out, and no permission asked", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a", { acl: [acl(31, "digest", "nobody:x")] }));
    await zk.events();
    const op = setWatches(0n, { data: ["/none", "/a"], exist: ["/a"], child: ["/none"] });
    await zk.ok(op);
    assert.deepEqual(await zk.history(), [
      "NodeDeleted /none",
      "NodeDataChanged /a",
      "NodeCreated /a",
      "NodeDeleted /none",
      "reply 2",
    ]);
  });

  rule("a list that is missing is refused, the lists before it are done by then", async (server) => {
    const zk = await server.client();
    assert.equal(await zk.result(setWatches(0n, { data: ["/none"], exist: null })), "MarshallingError");
    assert.deepEqual(await zk.events(), ["NodeDeleted /none"]);
  });
});

describe("removeWatches and checkWatches", () => {
  rule("data, children or any: what was there is gone, and nothing is told", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a"));
    await zk.results(getData("/a", true), getChildren("/a", true));
    assert.equal(
      await zk.results(
        removeWatches("/a", "data"),
        removeWatches("/a", "data"),
        removeWatches("/a", "any"),
        removeWatches("/a"),
      ),
      "Ok NoWatcher Ok NoWatcher",
    );
    await zk.results(setData("/a"), create("/a/b"));
    assert.deepEqual(await zk.events(), []);
  });

  rule("up to 3.8 types 1 and 2 take half of a persistent watch", async (server) => {
    const zk = await server.client();
    await zk.results(create("/a"), addWatch("/a", "persistent"));
    assert.equal(await zk.result(removeWatches("/a", "data")), "Ok");
    await zk.results(setData("/a"), create("/a/b"));
    assert.deepEqual(await zk.events(), ["NodeChildrenChanged /a"]);
  });

  rule(
    "since 3.9 they take one-shot ones, types 4 and 5 the persistent kinds",
    async (server) => {
      const zk = await server.client();
      await zk.results(create("/a"), addWatch("/a", "persistent"), addWatch("/a", "recursive"));
      assert.equal(
        await zk.results(
          removeWatches("/a", "data"),
          removeWatches("/a", "persistent"),
          removeWatches("/a", "persistentRecursive"),
          removeWatches("/a", "persistent"),
        ),
        "NoWatcher Ok Ok NoWatcher",
      );
    },
    { compat: "3.9" },
  );

  rule("up to 3.8 checkWatches is content with anybody's watch; since 3.9 with the connection's own", async (server) => {
    const [zk, other] = [await server.client(), await server.client()];
    await other.ok(getData("/", true));
    assert.equal(await zk.results(checkWatches("/", "data"), checkWatches("/", "children")), "Ok NoWatcher");
  });
  rule(
    "since 3.9 checkWatches looks at the connection's own watches",
    async (server) => {
      const [zk, other] = [await server.client(), await server.client()];
      await other.ok(getData("/", true));
      assert.equal(
        await zk.results(checkWatches("/", "data"), getData("/", true), checkWatches("/", "data")),
        "NoWatcher Ok Ok",
      );
    },
    { compat: "3.9" },
  );

  rule("checkWatches removes nothing", async (server) => {
    const zk = await server.client();
    await zk.ok(getData("/", true));
    assert.equal(await zk.results(checkWatches("/"), checkWatches("/"), setData("/")), "Ok Ok Ok");
    assert.deepEqual(await zk.events(), ["NodeDataChanged /"]);
  });
});

describe("changes without a client", () => {
  rule("ephemerals that go with another's session are told like deletions", async (server) => {
    const [zk, other] = [await server.client(), await server.client()];
    await zk.ok(create("/p"));
    await other.results(auth("u:p"), create("/p/e", { flags: Flags.ephemeral }));
    await zk.results(exists("/p/e", true), getChildren("/p", true));
    await other.ok(CLOSE_SESSION);
    assert.deepEqual(await zk.events(), ["NodeDeleted /p/e", "NodeChildrenChanged /p"]);
  });

  rule("a multi's changes are told in its order, each as if it stood alone", async (server) => {
    const [zk, other] = [await server.client(), await server.client()];
    await zk.ok(addWatch("/a", "persistent"));
    await other.ok(multi(create("/a"), create("/a/b"), remove("/a/b"), remove("/a")));
    assert.deepEqual(await zk.events(), [
      "NodeCreated /a",
      "NodeChildrenChanged /a",
      "NodeChildrenChanged /a",
      "NodeDeleted /a",
    ]);
  });
});
