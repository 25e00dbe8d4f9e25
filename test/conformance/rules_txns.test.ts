/** Transactions and zxids, and multi: which requests take a zxid, what is seen before it is committed, all or nothing. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { writeRequest } from "../../lib/wire/codec.ts";
import { bytesOf } from "../support/frame_connection.ts";
import {
  addWatch,
  auth,
  bytes,
  CLOSE_SESSION,
  check,
  create,
  exists,
  Flags,
  getChildren,
  getData,
  multi,
  multiRead,
  PING,
  remove,
  setAcl,
  setData,
  sync,
} from "../support/ops.ts";
import { rule } from "./rules.ts";

/** Of the header that stands behind the last op: no op, done, no error. */
const MULTI_END_BYTES = 9;

describe("transactions", () => {
  rule("a new session takes the first zxid, each write the next", async (server) => {
    const zk = await server.client();
    assert.equal(await zk.zxid(create("/a")), 2);
    assert.equal(await zk.zxid(setData("/a")), 3);
    await server.client();
    assert.equal(await zk.zxid(remove("/a")), 5);
  });

  rule("a write that fails takes a zxid, too", async (server) => {
    const zk = await server.client();
    assert.equal(await zk.zxid(create("/none/x")), 2);
    assert.equal(await zk.zxid(setData("/none")), 3);
    assert.equal(await zk.zxid(setAcl("/a/", [])), 4);
    assert.equal(await zk.zxid(multi(remove("/none"))), 5);
    assert.equal(await zk.zxid(multi()), 6);
  });

  rule("a write whose body can't be read takes a zxid", async (server) => {
    const zk = await server.client();
    const frame = Buffer.from("0000000c000000010000000500000063", "hex");
    const { err, zxid } = await zk.raw.requestFrame(frame, 1, "setData");
    assert.deepEqual([err, zxid], [-5, 2n]);
  });

  rule(
    "since 3.9 a write whose body can't be read takes none, but a multi does",
    async (server) => {
      const zk = await server.client();
      const frame = (opcode: string): Buffer => Buffer.from(`0000000c00000001${opcode}00000063`, "hex");
      assert.equal((await zk.raw.requestFrame(frame("00000005"), 1, "setData")).zxid, 1n);
      assert.equal((await zk.raw.requestFrame(frame("0000000e"), 1, "multi")).zxid, 2n);
    },
    { compat: "3.9" },
  );

  rule("reads, sync, ping, auth, watches and coming back take none", async (server) => {
    const zk = await server.client();
    const ops = [
      getData("/"),
      sync("/"),
      PING,
      auth("u:p"),
      exists("/", true),
      addWatch("/", "recursive"),
      multiRead(getData("/")),
    ];
    for (const op of ops) await zk.ok(op);
    await zk.raw.drop();
    const again = await server.attach(zk.session);
    assert.equal(await again.zxid(sync("/")), 1);
  });

  rule("a session's end takes one", async (server) => {
    const zk = await server.client();
    const other = await server.client();
    assert.equal(await other.zxid(CLOSE_SESSION), 3);
    assert.equal(await zk.zxid(sync("/")), 3);
  });

  rule("requests see what is pipelined ahead of them", async (server) => {
    const zk = await server.client();
    const replies = await Promise.all(
      [create("/a"), create("/a/b"), setData("/a", "1", 0), setData("/a", "2", 1)].map((op) => zk.ask(op)),
    );
    assert.deepEqual(
      replies.map(({ err }) => err),
      [0, 0, 0, 0],
    );
  });

  rule("replies come in the order of requests, reads and failures included", async (server) => {
    const zk = await server.client();
    const ops = [create("/a"), getData("/a"), create("/a"), exists("/none"), setData("/a"), sync("x")];
    const replies = await Promise.all(ops.map((op) => zk.ask(op)));
    assert.deepEqual(
      replies.map(({ xid, err }) => [xid, err]),
      [
        [1, 0],
        [2, 0],
        [3, -110],
        [4, -101],
        [5, 0],
        [6, 0],
      ],
    );
    assert.deepEqual(await zk.history(), ["reply 1", "reply 2", "reply 3", "reply 4", "reply 5", "reply 6"]);
  });

  rule("a reply's zxid is its own write's, or that of the last write applied", async (server) => {
    const zk = await server.client();
    assert.equal(await zk.zxid(create("/a")), 2);
    assert.equal(await zk.zxid(getData("/a")), 2);
    assert.equal(await zk.zxid(exists("/none")), 2);
    assert.equal(await zk.zxid(PING), 2);
  });
});

describe("multi", () => {
  rule("each op sees those before it", async (server) => {
    const zk = await server.client();
    const outcome = await zk.ok(
      multi(create("/a"), create("/a/b"), setData("/a", "1", 0), setData("/a", "2", 1), remove("/a/b"), check("/a", 2)),
    );
    assert.equal(outcome.kind, "multi");
    assert.deepEqual(outcome.kind === "multi" && outcome.results.map(({ kind }) => kind), [
      "create",
      "create",
      "setData",
      "setData",
      "delete",
      "check",
    ]);
    assert.equal(await zk.data("/a"), "2");
  });

  rule("all of it has one zxid", async (server) => {
    const zk = await server.client();
    await zk.ok(multi(create("/a"), create("/b")));
    assert.deepEqual([(await zk.stat("/a")).czxid, (await zk.stat("/b")).czxid], [2n, 2n]);
  });

  rule("a setData's result holds the Stat after that op, not after the multi", async (server) => {
    const zk = await server.client();
    const outcome = await zk.ok(multi(create("/a"), setData("/a", "1"), setData("/a", "22")));
    const versions =
      outcome.kind === "multi" ? outcome.results.flatMap((one) => ("stat" in one ? [one.stat.version] : [])) : [];
    assert.deepEqual(versions, [1, 2]);
  });

  rule(
    "where one op fails nothing is done; those before say 0, it says why, those after -2; the header says 0",
    async (server) => {
      const zk = await server.client();
      const { err, body } = await zk.ask(multi(create("/a"), remove("/none"), create("/b")));
      assert.equal(err, 0);
      const error = (code: string): string => `ffffffff00${code}${code}`;
      assert.equal(
        Buffer.from(body).toString("hex"),
        `${error("00000000")}${error("ffffff9b")}${error("fffffffe")}ffffffff01ffffffff`,
      );
      assert.equal(await zk.results(exists("/a"), exists("/b")), "NoNode NoNode");
    },
  );

  rule("a failed multi gives its sequence numbers back", async (server) => {
    const zk = await server.client();
    await zk.ok(multi(create("/s-", { flags: Flags.sequential }), create("/none/x")));
    assert.equal(await zk.created(create("/s-", { flags: Flags.sequential })), "/s-0000000000");
  });

  rule("a failed multi fires no watches", async (server) => {
    const zk = await server.client();
    await zk.ask(exists("/a", true));
    await zk.ok(multi(create("/a"), create("/none/x")));
    assert.deepEqual(await zk.events(), []);
  });

  rule("watches fire in the order of ops", async (server) => {
    const zk = await server.client();
    await zk.ok(addWatch("/", "recursive"));
    await zk.ok(multi(create("/a"), create("/b"), setData("/a"), remove("/b")));
    assert.deepEqual(await zk.events(), ["NodeCreated /a", "NodeCreated /b", "NodeDataChanged /a", "NodeDeleted /b"]);
  });

  rule("no ops, no results", async (server) => {
    const zk = await server.client();
    assert.deepEqual(await zk.ok(multi()), { kind: "multi", results: [] });
  });

  rule("create2 inside is answered as create", async (server) => {
    const zk = await server.client();
    const outcome = await zk.ok(multi(create("/a", { kind: "create2" }), create("/c", { kind: "createContainer" })));
    assert.deepEqual(outcome.kind === "multi" && outcome.results.map(({ kind }) => kind), ["create", "create2"]);
  });

  rule(
    "since 3.9 create2 inside is answered as create2",
    async (server) => {
      const zk = await server.client();
      const outcome = await zk.ok(multi(create("/a", { kind: "create2" })));
      assert.deepEqual(outcome.kind === "multi" && outcome.results.map(({ kind }) => kind), ["create2"]);
    },
    { compat: "3.9" },
  );

  rule(
    "inside, a create's flags say what it is, whatever its opcode",
    async (server) => {
      const zk = await server.client();
      const outcome = await zk.ok(
        multi(
          create("/c", { flags: Flags.container }),
          create("/p", { kind: "createContainer", flags: Flags.persistent }),
          create("/t", { kind: "createTTL" }),
          create("/e", { kind: "createTTL", flags: Flags.ephemeral }),
        ),
      );
      assert.deepEqual(outcome.kind === "multi" && outcome.results.map(({ kind }) => kind), [
        "create2",
        "create",
        "create2",
        "create",
      ]);
      assert.equal((await zk.stat("/e")).ephemeralOwner, zk.session.sessionId);
      assert.equal(await zk.result(multi(create("/x", { flags: Flags.ttl }))), "MarshallingError");
    },
    { config: { extendedTypesEnabled: "true" } },
  );

  rule("reads inside, or a multiRead with writes inside, are not understood", async (server) => {
    const zk = await server.client();
    assert.equal(
      await zk.results(multi(getData("/") as never), multiRead(create("/a") as never)),
      "MarshallingError MarshallingError",
    );
  });

  rule("one that does not end is not understood, and takes a zxid", async (server) => {
    const zk = await server.client();
    const xid = 7;
    // What says that no op follows is left out.
    const frame = bytesOf((out) => writeRequest(out, xid, multi(create("/a")))).slice(0, -MULTI_END_BYTES);
    new DataView(frame.buffer).setInt32(0, frame.length - 4);
    const { err, zxid } = await zk.raw.requestFrame(frame, xid, "multi");
    assert.deepEqual([err, zxid], [-5, 2n]);
    assert.equal(await zk.result(exists("/a")), "NoNode");
  });

  rule("flags that make no sense are the error of their op", async (server) => {
    const zk = await server.client();
    const { err, body } = await zk.ask(multi(create("/a"), create("/b", { flags: 9 })));
    assert.equal(err, 0);
    assert.match(Buffer.from(body).toString("hex"), /^ffffffff00(00000000){2}ffffffff00(fffffff8){2}/);
  });

  rule(
    "since 3.9 flags that make no sense spoil the whole",
    async (server) => {
      const zk = await server.client();
      assert.equal(await zk.result(multi(create("/a"), create("/b", { flags: 9 }))), "MarshallingError");
    },
    { compat: "3.9" },
  );

  rule("a null path inside takes a zxid that no reply ever has", async (server) => {
    const zk = await server.client();
    const refused = await zk.ask(multi(create(null)));
    assert.deepEqual([refused.err, refused.zxid], [-5, 1n]);
    assert.equal(await zk.zxid(create("/a")), 3);
  });

  rule("nonsense in one op, such as a null id in its ACL, spoils the whole", async (server) => {
    const zk = await server.client();
    const spoiled = multi(create("/a"), create("/b", { acl: [{ perms: 31, scheme: "digest", id: null }] }));
    assert.equal(await zk.results(spoiled, exists("/a")), "MarshallingError NoNode");
  });

  rule("multiRead: ops fail one by one, and set no watches", async (server) => {
    const zk = await server.client();
    await zk.ok(create("/a", { data: "x" }));
    const outcome = await zk.ok(multiRead(getData("/a", true), getData("/none"), getChildren("/a", true)));
    assert.deepEqual(outcome.kind === "multi" && outcome.results.map(({ kind }) => kind), ["getData", "error", "getChildren"]);
    await zk.ok(setData("/a"));
    await zk.ok(create("/a/b"));
    assert.deepEqual(await zk.events(), []);
  });

  rule("writes alone in a multiRead are refused with an empty list behind the error", async (server) => {
    const zk = await server.client();
    const { err, body } = await zk.ask(multiRead(setData("/") as never));
    assert.deepEqual([err, Buffer.from(body).toString("hex")], [-5, "ffffffff01ffffffff"]);
  });

  rule("data is kept as it was sent, null included", async (server) => {
    const zk = await server.client();
    await zk.ok(multi(create("/a", { data: null }), create("/b", { data: bytes("") }), setData("/b", null)));
    assert.deepEqual([await zk.data("/a"), await zk.data("/b")], [null, null]);
  });
});
