/** Sessions: ids and passwords, timeouts, coming back, expiring, closing, and how many connections there may be. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { sessionPassword } from "../../lib/session/identity.ts";
import { addWatch, CLOSE_SESSION, create, exists, Flags, getData, multi, remove, setData, sync } from "../support/ops.ts";
import { ConnectionEnded } from "../support/raw_client.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { until } from "../support/until.ts";
import { type RuleClient, type RuleServer, rule } from "./rules.ts";

const SHORT_TICKS = { tickTime: "100" };

/** What a handshake comes to: a refusal is one whose timeout is 0. */
async function handshake(
  server: RuleServer,
  hello: Parameters<RuleServer["client"]>[0],
): Promise<"accepted" | "refused" | "ended"> {
  try {
    const client = await server.open();
    const { timeOut } = await client.raw.hello(hello ?? {});
    return timeOut === 0 ? "refused" : "accepted";
  } catch (error) {
    // A connection that ends as soon as it is there may look like one that never was.
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof ConnectionEnded || code === "ECONNREFUSED" || code === "ECONNRESET") return "ended";
    throw error;
  }
}

const isExpired = (zk: RuleClient, path: string): Promise<void> =>
  until(async () => (await zk.result(exists(path))) === "NoNode", `${path} is gone with its session`);

describe("handshakes", () => {
  rule("the timeout is kept within 2 and 20 ticks", async (server) => {
    const timeouts = await Promise.all(
      [0, 1, -5, 1_000_000, 12_345].map(async (timeOut) => (await server.client({ timeOut })).session.timeOut),
    );
    assert.deepEqual(timeouts, [4000, 4000, 4000, 40_000, 12_345]);
  });

  rule("ids begin with the server's, 1 where it is alone, and count up", async (server) => {
    const [one, two] = [await server.client(), await server.client()];
    assert.equal(one.session.sessionId >> 56n, 1n);
    assert.equal(two.session.sessionId, one.session.sessionId + 1n);
  });

  rule("the password follows from the id", async (server) => {
    const { session } = await server.client();
    assert.deepEqual(session.passwd, sessionPassword(session.sessionId, null));
  });

  rule("a client that has seen a newer zxid than the server is cut off", async (server) => {
    assert.equal(await handshake(server, { lastZxidSeen: 1000n }), "ended");
  });

  rule(
    "a session that never was, a wrong password and a closed session are refused alike, and the connection ends",
    async (server) => {
      const zk = await server.client();
      const { sessionId, passwd } = zk.session;
      await zk.raw.drop();
      assert.equal(await handshake(server, { sessionId: 4711n, passwd }), "refused");
      assert.equal(await handshake(server, { sessionId, passwd: new Uint8Array(16) }), "refused");
      assert.equal(await handshake(server, { sessionId, passwd: null }), "refused");
      const again = await server.attach(zk.session);
      await again.ok(CLOSE_SESSION);
      assert.equal(await handshake(server, { sessionId, passwd }), "refused");
    },
  );

  rule(
    "a wrong password does no harm to the connection that the session is on",
    async (server) => {
      const zk = await server.client();
      assert.equal(await handshake(server, { ...zk.session, passwd: new Uint8Array(16) }), "refused");
      assert.equal(await zk.result(getData("/")), "Ok");
    },
    { notOnApache: "3.8.0 cuts it: see the table of differences" },
  );
});

describe("coming back", () => {
  rule("the session and its ephemerals are the same, watches are not", async (server) => {
    const zk = await server.client();
    await zk.results(create("/e", { flags: Flags.ephemeral }), addWatch("/", "recursive"));
    await zk.raw.drop();
    const again = await server.attach(zk.session);
    assert.equal(again.session.sessionId, zk.session.sessionId);
    assert.equal((await again.stat("/e")).ephemeralOwner, zk.session.sessionId);
    await again.ok(setData("/e"));
    assert.deepEqual(await again.events(), []);
  });

  rule("the timeout is negotiated anew", async (server) => {
    const zk = await server.client({ timeOut: 10_000 });
    assert.equal((await server.attach(zk.session, { timeOut: 20_000 })).session.timeOut, 20_000);
  });

  rule("the connection before is ended without a word", async (server) => {
    const zk = await server.client();
    await server.attach(zk.session);
    await zk.raw.ended;
    assert.deepEqual(zk.raw.received, []);
  });
});

describe("the end of a session", () => {
  rule("a lost connection does not end it", async (server) => {
    const [zk, other] = [await server.client(), await server.client()];
    await zk.ok(create("/e", { flags: Flags.ephemeral }));
    await zk.raw.drop();
    assert.equal(await other.results(sync("/"), exists("/e")), "Ok Ok");
  });

  rule("closing deletes its ephemerals in one txn, those under way included", async (server) => {
    const [zk, other] = [await server.client(), await server.client()];
    const done = [
      create("/1", { flags: Flags.ephemeral }),
      create("/2", { flags: Flags.ephemeral }),
      remove("/1"),
      CLOSE_SESSION,
    ];
    const replies = await Promise.all(done.map((op) => zk.ask(op)));
    assert.equal(replies.at(-1)!.err, 0);
    assert.equal(await other.results(exists("/1"), exists("/2")), "NoNode NoNode");
    assert.equal((await other.stat("/")).pzxid, replies.at(-1)!.zxid);
  });

  rule("closeSession is answered, then the connection ends", async (server) => {
    const zk = await server.client();
    assert.equal(await zk.result(CLOSE_SESSION), "Ok");
    await zk.raw.ended;
  });

  rule(
    "a silent session expires: its ephemerals go, by one txn, and its connection ends without a word",
    async (server) => {
      const zk = await server.client();
      const silent = await server.client({ timeOut: 200 });
      await silent.ok(create("/e", { flags: Flags.ephemeral }));
      await isExpired(zk, "/e");
      await silent.raw.ended;
      assert.equal(silent.raw.received.length, 1);
      assert.equal((await zk.stat("/")).pzxid, 4n);
      assert.equal(await handshake(server, silent.session), "refused");
    },
    { config: SHORT_TICKS },
  );

  rule(
    "one whose connection is lost expires, too",
    async (server) => {
      const zk = await server.client();
      const lost = await server.client({ timeOut: 200 });
      await lost.ok(create("/e", { flags: Flags.ephemeral }));
      await lost.raw.drop();
      await isExpired(zk, "/e");
    },
    { config: SHORT_TICKS },
  );

  rule(
    "pings, or any request, keep it",
    async (server) => {
      const zk = await server.client();
      const [pinging, silent] = [await server.client({ timeOut: 400 }), await server.client({ timeOut: 400 })];
      await pinging.ok(create("/kept", { flags: Flags.ephemeral }));
      await silent.ok(create("/lost", { flags: Flags.ephemeral }));
      await until(async () => {
        await pinging.ask({ kind: "ping" });
        return (await zk.result(exists("/lost"))) === "NoNode";
      }, "the silent one expires");
      assert.equal(await zk.result(exists("/kept")), "Ok");
    },
    { config: SHORT_TICKS },
  );
});

describe("how many connections", () => {
  const twoAndNoMore = async (server: RuleServer): Promise<void> => {
    let accepted = 0;
    // One that looked whether the server was there may still be counted.
    await until(async () => {
      if ((await handshake(server, {})) === "accepted") accepted++;
      return accepted === 2;
    }, "two are accepted");
    assert.equal(await handshake(server, {}), "ended");
  };

  rule("more than maxClientCnxns from one address are accepted and ended at once", twoAndNoMore, {
    config: { maxClientCnxns: "2" },
  });
  rule("so are more than maxCnxns in all", twoAndNoMore, { config: { maxCnxns: "2" } });
});

describe("how fast connections", () => {
  /** Tokens that don't come again as long as a test takes. */
  const tokens = (count: number) => ({ connection_throttle_tokens: count, connection_throttle_fill_time: 1_000_000 });

  rule(
    "handshakes take tokens, where there are any: without one the connection ends without a word",
    async (server) => {
      const results: string[] = [];
      for (let at = 0; at < 3; at++) results.push(await handshake(server, {}));
      assert.deepEqual(results, ["accepted", "accepted", "ended"]);
    },
    { config: tokens(2) },
  );
  rule(
    "by weight there are tokens for as many new sessions; to come back takes two thirds of one's",
    async (server) => {
      const zk = await server.client();
      assert.equal((await server.attach(zk.session)).session.sessionId, zk.session.sessionId);
      assert.equal(await handshake(server, {}), "ended");
    },
    { config: { ...tokens(2), connection_throttle_weight_enabled: true } },
  );
});

describe("how many requests at once", () => {
  rule(
    "others wait; what has waited too long is ThrottledOp, not done and without a zxid, but for pings and the session's end",
    async (server) => {
      const zk = await server.client();
      await zk.ok(create("/a"));
      const asked = Array.from({ length: 300 }, () => zk.ask(setData("/a", "x".repeat(1000))));
      const [ping, closed] = [zk.result({ kind: "ping" }), zk.result(CLOSE_SESSION)];
      const replies = await Promise.all(asked);
      const throttled = replies.filter(({ err }) => err === -127);
      assert.ok(throttled.length > 0, "some waited too long");
      assert.ok(replies.every(({ err }) => err === 0 || err === -127));
      assert.deepEqual([await ping, await closed], ["Ok", "Ok"]);
      const other = await server.client();
      const { version } = await other.stat("/a");
      assert.equal(version, replies.length - throttled.length);
      // Two sessions and the end of one, the creation, and what was done.
      assert.equal(await other.zxid(setData("/a")), 5 + version);
    },
    {
      // Where nothing is written to a disk nothing waits.
      folder: async () => temporaryFolder("rule"),
      config: { request_throttle_max_requests: 1, throttled_op_wait_time: 1 },
    },
  );
});

describe("local sessions", () => {
  const LOCAL = { localSessionsEnabled: "true" };
  const UPGRADING = { ...LOCAL, localSessionsUpgradingEnabled: "true" };
  const notOnApache = "a server that is alone has none there";

  rule(
    "they take no zxid, neither to begin nor to end",
    async (server) => {
      const [zk, other] = [await server.client(), await server.client()];
      assert.equal(await zk.zxid(create("/a")), 1);
      assert.equal(await other.zxid(CLOSE_SESSION), 1);
      await other.raw.ended;
      assert.equal(await zk.zxid(setData("/a")), 2);
    },
    { config: LOCAL, notOnApache },
  );
  rule(
    "they own no ephemerals: EphemeralOnLocalSession, after the flags are judged and before the path",
    async (server) => {
      const zk = await server.client();
      const ephemeral = (path: string) => create(path, { flags: Flags.ephemeral });
      assert.equal(
        await zk.results(ephemeral("/e"), ephemeral("e"), create("/e", { flags: 9 }), multi(ephemeral("/e"))),
        "EphemeralOnLocalSession EphemeralOnLocalSession BadArguments Ok",
      );
      assert.equal(await zk.result(exists("/e")), "NoNode");
    },
    { config: LOCAL, notOnApache },
  );
  rule(
    "the first ephemeral makes them ordinary ones, by a txn of its own",
    async (server) => {
      const [zk, other] = [await server.client(), await server.client()];
      assert.equal(await zk.zxid(create("/e", { flags: Flags.ephemeral })), 2);
      assert.equal(await zk.zxid(create("/f", { flags: Flags.ephemeral })), 3);
      assert.equal(await other.zxid(multi(create("/p"), create("/g", { flags: Flags.ephemeralSequential }))), 5);
      assert.equal(await zk.zxid(CLOSE_SESSION), 6);
      assert.equal(await other.results(exists("/e"), exists("/f"), exists("/p")), "NoNode NoNode Ok");
    },
    { config: UPGRADING, notOnApache },
  );
  rule(
    "they come back like others, and expire like others, but without a txn",
    async (server) => {
      const [zk, silent] = [await server.client(), await server.client({ timeOut: 200 })];
      await silent.raw.drop();
      const again = await server.attach(silent.session);
      assert.equal(again.session.sessionId, silent.session.sessionId);
      await again.raw.ended;
      assert.equal(await handshake(server, silent.session), "refused");
      assert.equal(await zk.zxid(sync("/")), 0);
    },
    { config: { ...LOCAL, ...SHORT_TICKS }, notOnApache },
  );
});
