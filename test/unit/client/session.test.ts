/** A session over changing connections: against a server that does as it is told, in time that moves when told. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HandleOptions, ZooKeeper } from "../../../lib/client/zookeeper.ts";
import { ZkError } from "../../../lib/model/errors.ts";
import { DONE } from "../../../lib/model/ops.ts";
import { DigestMd5Client, DigestMd5Server } from "../../../lib/sasl/digest_md5.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { MemoryNetwork } from "../../support/memory_network.ts";
import { Lines, remoteHandle } from "../../support/remote_handle.ts";
import { type Script, ScriptedServer } from "../../support/scripted_server.ts";
import { NO_STAT } from "../../support/stat.ts";

/** Session timeout in milliseconds, as the scripted server grants it. */
const TIMEOUT = 9000;

/** Welcomes everybody and answers pings and what belongs to the connection, nothing else. */
const PATIENT: Script = {
  hello: (connection) => connection.welcome(),
  request: (connection, xid, { kind }) => {
    if (kind === "ping" || kind === "auth" || kind === "setWatches" || kind === "setWatches2") connection.reply(xid);
    if (kind === "closeSession") {
      connection.reply(xid);
      connection.hangUp();
    }
  },
};

/** Welcomes everybody, and is gone. */
const GONE_AT_ONCE: Script = {
  hello: (connection) => {
    connection.welcome();
    connection.hangUp();
  },
};

/** A handle, its servers by name, and the states it went through. */
class Stage {
  readonly network = new MemoryNetwork();
  readonly clock = new ManualClock();
  readonly log = new Lines();
  readonly states: string[] = [];
  readonly servers = new Map<string, ScriptedServer>();
  readonly zk: ZooKeeper;

  constructor(scripts: Readonly<Record<string, Script>>, options: Partial<HandleOptions> = {}) {
    for (const [name, script] of Object.entries(scripts)) {
      const server = new ScriptedServer(script);
      this.servers.set(name, server);
      this.network.serve(name, server.accept);
    }
    this.zk = remoteHandle(this.network, Object.keys(scripts).join(), this.clock, { logger: this.log, ...options });
    this.zk.onState(({ state }) => this.states.push(state));
  }

  get only(): ScriptedServer {
    return this.servers.get("a")!;
  }

  async start(): Promise<void> {
    void this.zk.start().catch(() => {});
    await this.network.idle();
  }

  /** Moves on, and lets everything happen that is due at once. */
  async advance(ms: number): Promise<void> {
    await this.network.idle();
    this.clock.advance(ms);
    await this.network.idle();
    for (let more = 0; more < 3; more++) {
      this.clock.advance(0);
      await this.network.idle();
    }
  }

  /** Moves on in small steps, so that answers arrive in between. */
  async pass(ms: number, step = 100): Promise<void> {
    for (let left = ms; left > 0; left -= step) await this.advance(Math.min(step, left));
  }
}

async function started(scripts: Readonly<Record<string, Script>>, options: Partial<HandleOptions> = {}): Promise<Stage> {
  const stage = new Stage(scripts, options);
  await stage.start();
  return stage;
}

function settled(promise: Promise<unknown>): { is: string } {
  const result = { is: "pending" };
  promise.then(
    () => {
      result.is = "fulfilled";
    },
    (error: unknown) => {
      result.is = error instanceof ZkError ? `${error.code} ${error.applied}` : String(error);
    },
  );
  return result;
}

describe("requests", () => {
  test("go out in order and in one piece a turn, and are numbered from 1 on over all connections", async () => {
    const stage = await started({ a: PATIENT });
    const all = [stage.zk.sync("/"), stage.zk.exists("/x"), stage.zk.setData("/x", "y")].map(settled);
    await stage.network.idle();
    assert.deepEqual(
      stage.only.last.requests.map(({ xid, op }) => `${xid} ${op.kind}`),
      ["1 sync", "2 exists", "3 setData"],
    );
    stage.network.cut("a");
    await stage.advance(100);
    assert.deepEqual(
      all.map(({ is }) => is),
      ["ConnectionLoss false", "ConnectionLoss false", "ConnectionLoss unknown"],
    );
    const again = settled(stage.zk.delete("/x"));
    await stage.network.idle();
    assert.deepEqual(
      stage.only.last.requests.map(({ xid, op }) => `${xid} ${op.kind}`),
      ["4 delete"],
    );
    stage.only.last.reply(4);
    await stage.network.idle();
    assert.equal(again.is, "fulfilled");
  });

  test("made without a connection wait for one, and fail as not applied when an attempt fails", async () => {
    const stage = await started({ a: PATIENT });
    stage.network.set("a", "refused");
    stage.network.cut("a");
    await stage.network.idle();
    const early = settled(stage.zk.setData("/x", "1"));
    await stage.network.idle();
    assert.equal(early.is, "pending");
    await stage.advance(50);
    assert.equal(early.is, "ConnectionLoss false");
    stage.network.set("a", "up");
    const late = settled(stage.zk.delete("/x"));
    await stage.advance(200);
    assert.deepEqual(stage.only.last.asked, ["delete"]);
    stage.only.last.reply(1);
    await stage.network.idle();
    assert.equal(late.is, "fulfilled");
  });

  test("after the end fail at once", async () => {
    const stage = await started({ a: PATIENT });
    await stage.zk.close();
    const closed = {
      code: "SessionExpired",
      applied: false,
      message: 'Cannot exists "/": SessionExpired (the client is closed)',
    };
    await assert.rejects(stage.zk.exists("/"), closed);
    await stage.zk.close();
  });

  test("a reply out of turn breaks the connection", async () => {
    const stage = await started({ a: PATIENT });
    const reads = [stage.zk.exists("/x"), stage.zk.exists("/y")].map(settled);
    await stage.network.idle();
    stage.only.last.reply(2);
    await stage.network.idle();
    assert.deepEqual(
      reads.map(({ is }) => is),
      ["ConnectionLoss false", "ConnectionLoss false"],
    );
    assert.deepEqual(stage.states, ["connected", "suspended"]);
  });
});

describe("time", () => {
  test("a ping goes out in every third of the timeout in which nothing else did", async () => {
    const stage = await started({ a: PATIENT });
    await stage.pass(TIMEOUT);
    const pings = stage.only.last.asked.filter((kind) => kind === "ping").length;
    assert.ok(pings >= 2 && pings <= 3, `${pings} pings`);
    assert.equal(stage.zk.state, "connected");
    const before = stage.only.last.requests.length;
    for (let i = 0; i < 9; i++) {
      void stage.zk.exists("/x").catch(() => {});
      await stage.advance(TIMEOUT / 9);
    }
    assert.ok(stage.only.last.asked.slice(before).filter((kind) => kind === "ping").length <= 1);
  });

  test("a server that says nothing for two thirds of the timeout is left", async () => {
    const stage = await started({ a: PATIENT, b: PATIENT });
    const [first] = stage.network.dialled;
    stage.network.set(first!, "silent");
    const request = settled(stage.zk.setData("/x", "y"));
    await stage.pass(TIMEOUT);
    assert.equal(request.is, "ConnectionLoss unknown");
    assert.deepEqual(stage.states, ["connected", "suspended", "connected"]);
    assert.notEqual(stage.network.dialled.at(-1), first);
  });

  test("a server that accepts and doesn't answer gets its share of the timeout, then the next is tried", async () => {
    const stage = new Stage({ a: {}, b: {}, c: {} });
    await stage.start();
    assert.equal(stage.network.dialled.length, 1);
    await stage.advance(TIMEOUT / 3 - 1);
    assert.equal(stage.network.dialled.length, 1);
    await stage.advance(1);
    assert.equal(stage.network.dialled.length, 2);
  });

  test("one unknown host doesn't keep the others from being tried, and is told of once", async () => {
    for (const random of [() => 0, () => 0.999]) {
      const stage = new Stage({ bad: {}, good: PATIENT }, { random });
      stage.network.set("bad", "refused");
      await stage.start();
      await stage.advance(0);
      assert.equal(stage.zk.state, "connected");
      const told = stage.network.dialled[0] === "bad" ? ["Cannot connect to bad:2181: connection refused"] : [];
      assert.deepEqual(stage.log.lines, told);
    }
  });

  test("a round of servers is tried without a pause; pauses between rounds double up to a limit, and are random", async () => {
    const stage = new Stage({ a: PATIENT, b: PATIENT, c: PATIENT }, { random: () => 0.999_999 });
    for (const name of ["a", "b", "c"]) stage.network.set(name, "refused");
    await stage.start();
    await stage.advance(0);
    const pauses: number[] = [];
    for (let waited = 1; pauses.length < 7; waited++) {
      const before = stage.network.dialled.length;
      await stage.advance(1);
      if (stage.network.dialled.length === before) continue;
      assert.equal(stage.network.dialled.length, before + 3);
      pauses.push(waited);
      waited = 0;
    }
    assert.deepEqual(pauses, [100, 200, 400, 800, 1125, 1125, 1125]); // an eighth of the timeout at most
  });

  test("a connection that never lasts is not made again at once for ever", async () => {
    const stage = await started({ a: GONE_AT_ONCE });
    await stage.pass(10_000);
    assert.ok(stage.network.dialled.length < 25, `${stage.network.dialled.length} attempts in ten seconds`);
  });
});

describe("the end of a session", () => {
  test("a server that no longer knows it says so", async () => {
    let known = true;
    const stage = await started({
      a: { ...PATIENT, hello: (connection) => connection.welcome(known ? {} : { timeOut: 0, sessionId: 0n }) },
    });
    known = false;
    const stream = stage.zk.watch("/x");
    const waiting = assert.rejects(stream.next(), { code: "SessionExpired" });
    stage.network.cut("a");
    await stage.advance(100);
    assert.deepEqual(stage.states, ["connected", "suspended", "expired"]);
    await waiting;
    await assert.rejects(stage.zk.exists("/"), { code: "SessionExpired" });
    await stage.pass(60_000);
    assert.equal(stage.network.dialled.length, 2);
    assert.equal(stage.clock.armedCount, 0);
  });

  test("cut off from every server, it is over after 4/3 of its timeout, and not before", async () => {
    const stage = await started({ a: PATIENT, b: PATIENT });
    for (const name of ["a", "b"]) {
      stage.network.set(name, "refused");
      stage.network.cut(name);
    }
    await stage.network.idle();
    await stage.pass((TIMEOUT * 4) / 3 - 1);
    assert.equal(stage.zk.state, "suspended");
    await stage.advance(1);
    assert.equal(stage.zk.state, "expired");
    assert.equal(stage.clock.armedCount, 0);
  });

  test("in silence the time counts from the last word, to a twelfth of the timeout", async () => {
    const stage = await started({ a: PATIENT });
    stage.network.set("a", "silent");
    await stage.pass((TIMEOUT * 4) / 3 - 1);
    assert.equal(stage.zk.state, "suspended");
    await stage.pass(TIMEOUT / 12 + 2);
    assert.equal(stage.zk.state, "expired");
  });

  test("a new connection in time, and it goes on with its id and password", async () => {
    const stage = await started({ a: PATIENT });
    stage.network.set("a", "refused");
    stage.network.cut("a");
    await stage.pass(TIMEOUT);
    stage.network.set("a", "up");
    await stage.pass(2000);
    assert.deepEqual(stage.states, ["connected", "suspended", "connected"]);
    const [hello] = stage.only.last.hellos;
    assert.equal(hello!.sessionId, 77n);
    assert.deepEqual(hello!.passwd, new Uint8Array(16).fill(7));
    await stage.pass(2 * TIMEOUT);
    assert.equal(stage.zk.state, "connected");
  });

  test("the highest zxid seen goes with the next hello", async () => {
    const stage = await started({ a: PATIENT });
    const all = [stage.zk.delete("/a"), stage.zk.delete("/b")].map(settled);
    await stage.network.idle();
    stage.only.last.reply(1, DONE, 5n);
    stage.only.last.reply(2, { kind: "error", code: "NoNode" }, 6n);
    await stage.network.idle();
    assert.deepEqual(
      all.map(({ is }) => is),
      ["fulfilled", "NoNode false"],
    );
    stage.network.cut("a");
    await stage.advance(100);
    assert.equal(stage.only.last.hellos[0]!.lastZxidSeen, 6n);
  });

  test("close says goodbye, waits for the answer, and leaves nothing behind", async () => {
    const stage = await started({ a: PATIENT });
    const states = stage.zk.states();
    await stage.zk.close();
    await stage.network.idle();
    assert.deepEqual(stage.only.last.asked, ["closeSession"]);
    assert.equal(stage.network.connections("a"), 0);
    assert.equal(stage.clock.armedCount, 0);
    assert.deepEqual(await states.next(), { done: false, value: { state: "closed", reason: "closed by its owner" } });
    assert.deepEqual(await states.next(), { done: true, value: undefined });
  });

  test("close without a connection ends at once, and gives the attempt up", async () => {
    const stage = new Stage({ a: {} });
    const start = assert.rejects(stage.zk.start(), { code: "SessionExpired" });
    await stage.network.idle();
    await stage.zk.close();
    await start;
    await stage.network.idle();
    assert.equal(stage.network.connections("a"), 0);
    assert.equal(stage.clock.armedCount, 0);
  });

  test("a server that goes away in the middle of a close doesn't keep it from ending", async () => {
    const stage = await started({ a: { ...PATIENT, request: () => {} } });
    const closing = stage.zk.close();
    await stage.network.idle();
    stage.network.cut("a");
    await closing;
    assert.equal(stage.zk.state, "closed");
  });

  test("a server that says nothing more doesn't keep a close waiting for longer than three seconds", async () => {
    const stage = await started({ a: { ...PATIENT, request: () => {} } }, { sessionTimeoutMs: 30_000 });
    const asked = assert.rejects(stage.zk.delete("/a"), { code: "SessionExpired", applied: "unknown" });
    let isClosed = false;
    const closing = stage.zk.close().then(() => {
      isClosed = true;
    });
    await stage.advance(2999);
    assert.equal(isClosed, false);
    await stage.advance(1);
    await closing;
    await asked;
    assert.deepEqual([stage.zk.state, stage.clock.armedCount], ["closed", 0]);
  });

  test("a signal gives up the first connection, and means nothing after it", async () => {
    const never = new Stage({ a: {} });
    const aborted = new AbortController();
    const start = assert.rejects(never.zk.start(aborted.signal), /enough/);
    aborted.abort(new Error("enough"));
    await start;
    assert.equal(never.zk.state, "closed");

    const stage = new Stage({ a: PATIENT });
    const late = new AbortController();
    const connected = stage.zk.start(late.signal);
    await stage.network.idle();
    await connected;
    late.abort();
    assert.equal(stage.zk.state, "connected");
    await stage.zk.close();
  });
});

describe("identities", () => {
  test("are proved again on each connection, the newest first, before anything else", async () => {
    const stage = await started({ a: PATIENT });
    await stage.zk.addAuth("digest", "one:1");
    await stage.zk.addAuth("digest", "two:2");
    void stage.zk.getData("/x", { watch: () => {} }).catch(() => {});
    await stage.network.idle();
    stage.only.last.reply(1, { kind: "data", data: null, stat: NO_STAT });
    await stage.network.idle();
    stage.network.cut("a");
    await stage.network.idle();
    const waiting = settled(stage.zk.sync());
    await stage.advance(100);
    assert.equal(waiting.is, "pending");
    const said = stage.only.last.requests.map(({ op }) => (op.kind === "auth" ? new TextDecoder().decode(op.auth!) : op.kind));
    assert.deepEqual(said, ["two:2", "one:1", "setWatches", "sync"]);
  });

  test("that the server refuses end the handle", async () => {
    const stage = await started({
      a: { ...PATIENT, request: (connection, xid) => connection.reply(xid, { kind: "error", code: "AuthFailed" }, 0n) },
    });
    await assert.rejects(stage.zk.addAuth("digest", "x:y"), { code: "AuthFailed" });
    assert.deepEqual(stage.states, ["connected", "authFailed"]);
    await assert.rejects(stage.zk.exists("/"), { code: "AuthFailed" });
    assert.equal(stage.clock.armedCount, 0);
  });

  test("that the server demands end the handle that has none", async () => {
    const stage = await started({
      a: {
        ...PATIENT,
        request: (connection, xid) => connection.reply(xid, { kind: "error", code: "SessionClosedRequireSaslAuth" }, 0n),
      },
    });
    await assert.rejects(stage.zk.exists("/"), { code: "SessionClosedRequireSaslAuth" });
    assert.equal(stage.zk.state, "authFailed");
  });

  const sasl = (password: string): Partial<HandleOptions> => ({
    sasl: () => new DigestMd5Client({ username: "bob", password }, "cnonce"),
  });
  const withSasl = (): Script => {
    const exchanges = new Map<unknown, DigestMd5Server>();
    return {
      hello: (connection) => connection.welcome(),
      request: (connection, xid, op) => {
        if (op.kind !== "sasl") return connection.reply(xid);
        const known = exchanges.get(connection);
        const exchange = known ?? new DigestMd5Server(() => "secret", "nonce");
        exchanges.set(connection, exchange);
        if (known === undefined) return connection.reply(xid, { kind: "sasl", token: exchange.challenge, code: "Ok" }, 0n);
        const proved = exchange.answer(op.token!);
        if (proved !== null) return connection.reply(xid, { kind: "sasl", token: proved.token, code: "Ok" }, 0n);
        connection.reply(xid, { kind: "sasl", token: null, code: "AuthFailed" }, 0n);
        connection.hangUp();
      },
    };
  };

  test("of SASL are proved before anything else is said, on each connection", async () => {
    const stage = new Stage({ a: withSasl() }, sasl("secret"));
    const start = stage.zk.start();
    await stage.zk.addAuth("digest", "one:1");
    await start;
    assert.deepEqual(stage.only.last.asked, ["sasl", "sasl", "auth"]);
    assert.deepEqual(stage.states, ["connected"]);
    stage.network.cut("a");
    await stage.pass(200);
    assert.deepEqual(stage.only.last.asked, ["sasl", "sasl", "auth"]);
    assert.deepEqual(stage.states, ["connected", "suspended", "connected"]);
  });

  test("of SASL that the server refuses end the handle", async () => {
    const stage = new Stage({ a: withSasl() }, sasl("wrong"));
    await assert.rejects(stage.zk.start(), { code: "AuthFailed" });
    assert.deepEqual(stage.states, ["authFailed"]);
  });

  test("a connection lost in the middle of SASL is made again", async () => {
    let first = true;
    const script = withSasl();
    const stage = new Stage(
      {
        a: {
          ...script,
          request: (connection, xid, op) => {
            if (!first) return script.request!(connection, xid, op);
            first = false;
            connection.hangUp();
          },
        },
      },
      sasl("secret"),
    );
    await stage.start();
    await stage.pass(500);
    assert.equal(stage.zk.state, "connected");
  });
});

describe("read-only servers", () => {
  const READ_ONLY: Script = {
    hello: (connection) => connection.welcome({ readOnly: true, sessionId: 5n }),
    request: (connection, xid, { kind }) => {
      if (kind === "ping" || kind === "setWatches" || kind === "setWatches2") connection.reply(xid);
      else connection.reply(xid, { kind: "error", code: "NotReadOnly" });
    },
    word: (word) => (word === "isro" ? "ro" : ""),
  };
  const READ_WRITE: Script = { ...PATIENT, word: (word) => (word === "isro" ? "rw" : "") };

  /** Finds the read-only server first. */
  async function readOnlyFirst(other: Script = READ_WRITE): Promise<Stage> {
    const stage = new Stage({ a: READ_ONLY, b: other }, { canBeReadOnly: true });
    stage.network.set("b", "refused");
    await stage.start();
    assert.deepEqual(stage.states, ["connectedReadOnly"]);
    return stage;
  }

  test("serve, refuse writes, and are left as soon as another takes them", async () => {
    const stage = await readOnlyFirst();
    await assert.rejects(stage.zk.setData("/x", "y"), { code: "NotReadOnly" });
    await stage.pass(3000);
    assert.equal(stage.zk.state, "connectedReadOnly");
    stage.network.set("b", "up");
    await stage.pass(7000);
    assert.deepEqual(stage.states, ["connectedReadOnly", "suspended", "connected"]);
    const [hello] = stage.servers.get("b")!.last.hellos;
    assert.equal(hello!.sessionId, 0n, "a session that a read-only server gave is no session to the others");
    assert.ok(hello!.readOnly);
    assert.equal(stage.zk.sessionId, 77n);
    const dialled = stage.network.dialled.length;
    await stage.pass(TIMEOUT);
    assert.equal(stage.network.dialled.length, dialled, "the search is over");
  });

  test("the search asks ever less often, and gives up those that don't answer", async () => {
    const stage = await readOnlyFirst({ ...READ_WRITE, word: () => "" });
    const before = stage.network.dialled.length;
    await stage.pass(3200);
    assert.equal(stage.network.dialled.length - before, 5); // after 0.1, 0.3, 0.7, 1.5 and 3.1 s
    stage.network.set("b", "silent");
    await stage.pass(60_000);
    assert.ok(stage.network.connections("a") + stage.network.connections("b") <= 2);
    await stage.zk.close();
    await stage.network.idle();
    assert.equal(stage.clock.armedCount, 0);
    assert.equal(stage.network.connections("a") + stage.network.connections("b"), 0);
  });

  test("an ordinary session is presented to them, and to the others again", async () => {
    const stage = new Stage({ a: PATIENT }, { canBeReadOnly: true });
    await stage.start();
    const readOnly = new ScriptedServer({ ...READ_ONLY, hello: (c) => c.welcome({ readOnly: true, sessionId: 77n }) });
    stage.network.serve("a", readOnly.accept);
    stage.network.cut("a");
    await stage.pass(200);
    assert.equal(stage.zk.state, "connectedReadOnly");
    assert.equal(readOnly.connections[0]!.hellos[0]!.sessionId, 77n);
    stage.network.serve("a", stage.only.accept);
    stage.network.cut("a");
    await stage.pass(200);
    assert.equal(stage.only.last.hellos[0]!.sessionId, 77n);
    await stage.zk.close();
  });
});
