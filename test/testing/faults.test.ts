/** Misfortunes: each does what it says and nothing else, for the requests it is for, and is missed if it never struck. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type FaultScope, ReportError, type TestServer, testServer } from "../../adapters/testing/mod.ts";
import type { ZooKeeper } from "../../mod.ts";

async function world(): Promise<[TestServer, ZooKeeper]> {
  const zk = await testServer();
  zk.fixture({ "/a": "old", "/locks": null });
  return [zk, await zk.connect({ sessionTimeoutMs: 10_000 })];
}

describe("an error", () => {
  test("is answered, and nothing is done", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    zk.faults.on({ op: "setData" }).once().error("NoAuth");
    await assert.rejects(client.setData("/a", "new"), { code: "NoAuth", applied: false });
    zk.expectTree({ "/a": "old", "/locks": null });
    await client.setData("/a", "new");
  });

  test("keeps its place among the answers", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    zk.faults.on({ op: "exists" }).once().error("SystemError");
    const order: string[] = [];
    await Promise.allSettled([
      client.getData("/a").then(() => order.push("first")),
      client.exists("/a").catch(() => order.push("refused")),
      client.getData("/a").then(() => order.push("last")),
    ]);
    assert.deepEqual(order, ["first", "refused", "last"]);
  });

  test("that no server sends is refused, with what to use instead", async () => {
    const [zk] = await world();
    await using _ = zk;
    assert.throws(() => zk.faults.on().error("ConnectionLoss"), /disconnect\(\) or loseReply\(\)/);
    assert.throws(() => zk.faults.on({ op: "connect" }).error("NoNode"), /SessionExpired/);
  });

  test("at a handshake is the end of the session, at addAuth that of the handle", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    zk.faults.on({ op: "getData" }).once().disconnect();
    zk.faults.on({ op: "connect", session: client }).once().error("SessionExpired");
    await assert.rejects(client.getData("/a"), { code: "ConnectionLoss" });
    await zk.clock.advance("1s");
    assert.equal(client.state, "expired");
    const other = await zk.connect();
    zk.faults.on({ op: "auth" }).once().error("AuthFailed");
    await assert.rejects(other.addAuth("digest", "me:secret"), { code: "AuthFailed" });
    assert.equal(other.state, "authFailed");
  });
});

describe("a broken connection", () => {
  test("before the request: nothing was done, and the client can't know", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    zk.faults.on({ op: "create", path: "/locks/**" }).once().disconnect();
    await assert.rejects(client.create("/locks/mine", null, { mode: "ephemeral" }), {
      code: "ConnectionLoss",
      applied: "unknown",
    });
    zk.expectTree({ "/a": "old", "/locks": null });
    await zk.clock.advance("1s");
    assert.equal(client.state, "connected");
  });

  test("before the answer: it was done, and the client can't know", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    zk.faults.on({ op: "create", path: "/locks/**" }).once().loseReply();
    await assert.rejects(client.create("/locks/mine", null, { mode: "ephemeral" }), {
      code: "ConnectionLoss",
      applied: "unknown",
    });
    zk.expectTree({ "/a": "old", "/locks/mine": { owner: client } });
    await zk.clock.advance("1h");
    assert.equal(client.state, "connected");
    zk.expectTree({ "/a": "old", "/locks/mine": { owner: client } });
  });

  test("before the answer to addAuth: the credentials are given again on the next one", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    zk.faults.on({ op: "auth" }).once().loseReply();
    const proved = client.addAuth("digest", "me:secret");
    assert.equal(client.state, "suspended");
    await zk.clock.advance("1s");
    await proved;
    assert.deepEqual((await client.whoAmI()).at(-1), { scheme: "digest", id: "me" });
  });

  test("leaves alone what is asked after it: that waits for the next connection", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    zk.faults.on({ op: "sync" }).once().loseReply();
    await assert.rejects(client.sync(), { code: "ConnectionLoss", applied: false });
    const created = client.create("/b");
    zk.expectTree({ "/a": "old", "/locks": null });
    await zk.clock.advance("1s");
    assert.equal(await created, "/b");
  });

  test("at the welcome leaves a session that nobody knows of", async () => {
    const [zk] = await world();
    await using _ = zk;
    zk.faults.on({ op: "connect" }).once().loseReply();
    const connecting = zk.connect();
    await zk.clock.advance("1s");
    const client = await connecting;
    assert.equal(zk.sessions().length, 3);
    assert.ok(zk.sessions().includes(client.sessionId));
  });
});

describe("a delay", () => {
  test("holds up the request and all behind it, in order", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    zk.faults.on({ op: "setData" }).once().delay("2s");
    const results = Promise.all([client.setData("/a", "new"), client.getData("/a")]);
    await zk.clock.advance("1999ms");
    zk.expectTree({ "/a": "old", "/locks": null });
    await zk.clock.advance("1ms");
    const [, { data }] = await results;
    assert.equal(new TextDecoder().decode(data!), "new");
  });

  test("of two in a row adds up", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    zk.faults.on({ op: "create" }).times(2).delay("1s");
    const both = Promise.all([client.create("/one"), client.create("/two")]);
    await zk.clock.advance("1s");
    zk.expectTree({ "/a": "old", "/locks": null, "/one": null });
    await zk.clock.advance("1s");
    await both;
  });

  test("longer than the session is its end", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    zk.faults.on({ op: "setData" }).once().delay("1m");
    const late = assert.rejects(client.setData("/a", "new"));
    await zk.clock.advance("10m");
    await late;
    assert.notEqual(client.state, "suspended");
  });
});

test("a lost request takes all behind it along, until the client comes back on another connection", async () => {
  const [zk, client] = await world();
  await using _ = zk;
  zk.faults.on({ op: "setData" }).once().dropRequest();
  const states: string[] = [];
  client.onState(({ state }) => states.push(state));
  const lost = assert.rejects(client.setData("/a", "new"), { code: "ConnectionLoss", applied: "unknown" });
  const behind = assert.rejects(client.getData("/a"), { code: "ConnectionLoss" });
  await zk.clock.advance("10s");
  await Promise.all([lost, behind]);
  assert.deepEqual(states, ["suspended", "connected"]);
  zk.expectTree({ "/a": "old", "/locks": null });
});

test("pings that get lost end a session, though its client still writes to nobody", async () => {
  const [zk, client] = await world();
  await using _ = zk;
  await client.create("/locks/mine", null, { mode: "ephemeral" });
  zk.faults.on({ op: ["ping", "connect"], session: client }).dropRequest();
  await zk.clock.advance("1m");
  assert.equal(client.state, "expired");
  zk.expectTree({ "/a": "old", "/locks": null });
});

describe("a partition", () => {
  test("is noticed by nobody at first; healed in time, what was said arrives", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    const other = await zk.connect();
    const events: string[] = [];
    await client.exists("/a", { watch: ({ type }) => events.push(type) });
    const partition = zk.faults.partition(client);
    const asked = client.setData("/locks", "late");
    await other.setData("/a", "new");
    await zk.clock.advance("1s");
    assert.deepEqual([client.state, events], ["connected", []]);
    partition.heal();
    await asked;
    assert.deepEqual([client.state, events], ["connected", ["NodeDataChanged"]]);
    zk.expectTree({ "/a": "new", "/locks": "late" });
  });

  test("is survived by the session if it is shorter, and not if it is longer", async () => {
    for (const [length, state] of [
      ["9s", "connected"],
      ["20s", "expired"],
    ] as const) {
      const [zk, client] = await world();
      await using _ = zk;
      await client.create("/locks/mine", null, { mode: "ephemeral" });
      const partition = zk.faults.partition(client);
      await zk.clock.advance(length);
      partition.heal();
      await zk.clock.advance("3s");
      assert.equal(client.state, state, length);
      assert.equal(zk.inspect("/locks/mine") !== null, state === "connected", length);
    }
  });

  test("of everybody lets no new client in until it heals", async () => {
    const [zk] = await world();
    await using _ = zk;
    const partition = zk.faults.partition();
    const connecting = zk.connect();
    await zk.clock.advance("5s");
    partition.heal();
    await zk.clock.advance("1s");
    assert.equal((await connecting).state, "connected");
  });

  test("ends with the world", async () => {
    const [zk, client] = await world();
    zk.faults.partition(client);
    await zk.close();
    assert.equal(client.state, "closed");
  });
});

describe("a scope", () => {
  const hits: readonly [FaultScope, boolean][] = [
    [{}, true],
    [{ op: "create" }, true],
    [{ op: ["delete", "create"] }, true],
    [{ op: "delete" }, false],
    [{ op: "ping" }, false],
    [{ path: "/locks/a/b" }, true],
    [{ path: "/locks/**" }, true],
    [{ path: "/**" }, true],
    [{ path: "/locks/*/b" }, true],
    [{ path: "/locks/*" }, false],
    [{ path: "/locks" }, false],
    [{ path: "/lock*/**" }, true],
    [{ path: "/locks/**/b" }, true],
    [{ path: "/locks.a/b" }, false],
  ];
  for (const [scope, strikes] of hits) {
    test(`${JSON.stringify(scope)} ${strikes ? "is" : "is not"} for a create of /locks/a/b`, async () => {
      const [zk, client] = await world();
      await using _ = zk;
      zk.fixture({ "/locks/a": null });
      using fault = zk.faults.on(scope).error("SystemError");
      await client.create("/locks/a/b").catch(() => {});
      assert.equal(fault.hits, strikes ? 1 : 0);
    });
  }

  test("may be one session's", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    const other = await zk.connect();
    zk.faults.on({ session: client }).once().error("SystemError");
    await other.getData("/a");
    await assert.rejects(client.getData("/a"), { code: "SystemError" });
  });

  test("sees into a multi", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    zk.faults.on({ op: "multi", path: "/b" }).once().error("SystemError");
    await client.transaction().create("/c").commit();
    await assert.rejects(client.transaction().create("/d").create("/b").commit(), { code: "SystemError" });
  });

  test("may skip some, and end after some", async () => {
    const [zk, client] = await world();
    await using _ = zk;
    zk.faults.on({ op: "getData" }).skip(1).times(2).error("SystemError");
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => client.getData("/a")));
    assert.deepEqual(
      results.map(({ status }) => status === "rejected"),
      [false, true, true, false, false],
    );
  });
});

test("an event that comes twice is refused as impossible, with the reason", async () => {
  const [zk] = await world();
  await using _ = zk;
  assert.throws(() => zk.faults.on().duplicateEvent(), /No event comes twice/);
});

describe("at the end", () => {
  test("a fault that never struck is reported, once", async () => {
    const [zk] = await world();
    zk.faults.on({ op: "create", path: "/lcoks/**" }).once().loseReply();
    await assert.rejects(zk.close(), (error) => {
      assert.ok(error instanceof ReportError);
      assert.deepEqual(error.problems, ["A fault never struck: create /lcoks/**, once: loseReply"]);
      return true;
    });
    await zk.close();
  });

  test("one that was taken back is not", async () => {
    const [zk] = await world();
    zk.faults.on({ op: "create" }).once().disconnect().remove();
    await zk.close();
  });

  test("sessions that were left open are reported if asked, with what they hold", async () => {
    const zk = await testServer({ reportLeaks: true });
    const [careless, careful] = [await zk.connect(), await zk.connect()];
    await careless.create("/mine", null, { mode: "ephemeral" });
    await careless.exists("/yours", { watch: () => {} });
    await careful.close();
    const id = `0x${careless.sessionId.toString(16)}`;
    await assert.rejects(zk.close(), {
      message: `Session ${id} was left open, with the ephemerals /mine, watching /yours`,
    });
  });

  test("nobody is reported who has cleaned up", async () => {
    const zk = await testServer({ reportLeaks: true });
    const client = await zk.connect();
    await client.close();
    await zk.close();
  });
});
