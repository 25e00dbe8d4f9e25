/** What a server tells while it runs: lines of sessions in its log, an observer, an audit. Whoever listens harms nobody. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { auditObserver, diagnosticsObserver, telemetryObserver } from "../../adapters/http/mod.ts";
import { memoryStorage } from "../../adapters/storage/mod.ts";
import { connect, tcp } from "../../adapters/tcp/mod.ts";
import {
  type LogData,
  type Logger,
  logtapeLogger,
  open,
  pinoLogger,
  type RequestObserved,
  type SessionObserved,
} from "../../mod.ts";
import { Members } from "../support/members.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { startServer } from "../support/server_process.ts";
import { until } from "../support/until.ts";

/** A log that keeps lines and facts. */
class Lines implements Logger {
  readonly all: { readonly level: string; readonly message: string; readonly data: LogData | undefined }[] = [];

  readonly debug = this.#at("debug");
  readonly info = this.#at("info");
  readonly warn = this.#at("warn");
  readonly error = this.#at("error");

  #at(level: string): (message: string, data?: LogData) => void {
    return (message, data) => void this.all.push({ level, message, data });
  }

  get text(): string {
    return this.all
      .map(({ level, message }) => `${level} ${message.replaceAll(/0x[0-9a-f]+/g, "0x…").replaceAll(/:\d+/g, ":…")}`)
      .join("\n");
  }
}

describe("the log", () => {
  test("tells of sessions: begun, taken up again, refused, closed", async () => {
    const logger = new Lines();
    await using server = await open({ logger, tickTimeMs: 100 });
    const { port } = await server.listen(tcp({ port: 0 }));
    const zk = await connect(`127.0.0.1:${port}`);
    await zk.close();
    await until(() => /is over/.test(logger.text), "the connection's end to be told");
    assert.match(logger.text, /^debug Session 0x… of \/127\.0\.0\.1:… begins: \d+ ms$/m);
    assert.match(logger.text, /^debug Session 0x… is closed by its client$/m);
    assert.match(logger.text, /^debug The connection of \/127\.0\.0\.1:… is over$/m);
    const begun = logger.all.find(({ message }) => message.includes("begins"))!;
    assert.deepEqual(Object.keys(begun.data!), ["session", "address", "timeoutMs"]);
  });

  test("tells who expires", async () => {
    const logger = new Lines();
    await using server = await open({ logger, tickTimeMs: 20 });
    const { port } = await server.listen(tcp({ port: 0 }));
    const { createConnection } = await import("node:net");
    const socket = createConnection({ host: "127.0.0.1", port });
    // A handshake and no ping ever after: protocol 0, zxid 0, 40 ms, no session, 16 bytes of password.
    const hello = Buffer.concat([
      Buffer.alloc(4 + 8),
      Buffer.from([0, 0, 0, 40]),
      Buffer.alloc(8),
      Buffer.from([0, 0, 0, 16]),
      Buffer.alloc(16),
    ]);
    const frame = Buffer.concat([Buffer.from([0, 0, 0, hello.length]), hello]);
    socket.on("error", () => {});
    socket.write(frame);
    await until(() => /^info Session 0x… expires$/m.test(logger.text), "the session to expire");
    socket.destroy();
  });
});

describe("an observer", () => {
  test("is told of requests, txns, sessions, connections, roles and syncs", async () => {
    const told: string[] = [];
    const requests: RequestObserved[] = [];
    const sessions: SessionObserved[] = [];
    const server = await open({
      storage: memoryStorage(),
      observer: {
        request: (event) => void requests.push(event),
        txn: ({ kind, path }) => void told.push(`txn ${kind} ${path}`),
        session: (event) => void sessions.push(event),
        connection: ({ what }) => void told.push(`connection ${what}`),
        role: ({ mode }) => void told.push(`role ${mode}`),
        sync: ({ txns }) => void told.push(`sync ${txns > 0}`),
      },
    });
    const zk = await server.connect();
    await zk.create("/a", "x");
    await zk.getData("/a");
    await assert.rejects(zk.delete("/absent"));
    await assert.rejects(zk.transaction().create("/b").delete("/absent").commit());
    await zk.close();
    await server.close();
    assert.deepEqual(
      requests.map(({ op, path, code }) => `${op} ${path} ${code}`),
      ["create2 /a Ok", "getData /a Ok", "delete /absent NoNode", "multi null NoNode", "closeSession null Ok"].map((line) =>
        line.replace("create2", requests[0]!.op),
      ),
    );
    assert.ok(
      requests.every(
        ({ durationMs, address, session }) => durationMs >= 0 && address.startsWith("/127.0.0.1") && session !== 0n,
      ),
    );
    assert.ok(requests[0]!.zxid > 0n);
    assert.deepEqual(
      sessions.map(({ what }) => what),
      ["opened", "closed"],
    );
    for (const line of [
      "connection opened",
      "role standalone",
      "txn createSession null",
      "txn error null",
      "connection closed",
    ])
      assert.ok(told.includes(line), `${line}: ${told.join(", ")}`);
  });

  test("of a member is told its roles, though nobody is connected", async () => {
    const roles: (string | null)[] = [];
    const members = await Members.start({ observer: { role: ({ mode }) => void roles.push(mode) } });
    await Promise.all(members.servers.slice(1).map((server) => server.close()));
    await until(() => roles.at(-1) === null && members.servers[0]!.mode === null, "the first to be alone");
    await members.stop();
    for (const role of ["leader", "follower", null]) assert.ok(roles.includes(role), `${role}: ${roles}`);
  });

  test("that throws is logged, and harms nobody", async () => {
    const logger = new Lines();
    const boom = (): never => {
      throw new RangeError("boom");
    };
    await using server = await open({
      logger,
      observer: { request: boom, txn: boom, session: boom, connection: boom, role: boom, sync: boom },
    });
    const zk = await server.connect();
    await zk.create("/a", "x");
    assert.equal(new TextDecoder().decode((await zk.getData("/a")).data!), "x");
    for (const name of ["request", "txn", "session", "connection", "role"])
      assert.match(logger.text, new RegExp(`error The observer's ${name} has thrown: RangeError: boom`));
  });

  test("is checked: unknown keys are named", async () => {
    await assert.rejects(open({ observer: { requests: () => {} } as never }), /"request" is probably meant/);
    await assert.rejects(open({ observer: 5 as never }), /observer must be an object such as/);
  });
});

describe("what others bring", () => {
  test("pino's and LogTape's loggers get message and facts", async () => {
    const told: unknown[] = [];
    const take = (...args: unknown[]): void => void told.push(args);
    const theirs = { debug: take, info: take, warn: take, error: take };
    pinoLogger(theirs).info("hello", { session: "0x1" });
    logtapeLogger(theirs).warn("a {b}");
    assert.deepEqual(told, [
      [{ session: "0x1" }, "hello"],
      ["a {{b}}", {}],
    ]);
    assert.throws(() => pinoLogger({} as never), /it takes a logger with debug, info, warn, error, not \{\}|an object/);
    assert.throws(() => logtapeLogger(null as never), /TypeError|not null/);
  });

  test("diagnostics channels carry events while somebody has subscribed", async () => {
    const { subscribe, unsubscribe } = await import("node:diagnostics_channel");
    const ops: string[] = [];
    const hear = (event: unknown): void => void ops.push((event as RequestObserved).op);
    await using server = await open({ observer: diagnosticsObserver() });
    const zk = await server.connect();
    await zk.create("/unheard");
    subscribe("zookernel:request", hear);
    await zk.getData("/unheard");
    unsubscribe("zookernel:request", hear);
    await zk.getData("/unheard");
    assert.deepEqual(ops, ["getData"]);
  });

  test("OpenTelemetry's meter counts, its tracer has a span a request", async () => {
    const told: string[] = [];
    const meter = {
      createCounter: (name: string) => ({ add: (_: number, by?: object) => void told.push(`${name} ${JSON.stringify(by)}`) }),
      createHistogram: (name: string) => ({
        record: (_: number, by?: object) => void told.push(`${name} ${JSON.stringify(by)}`),
      }),
    };
    const tracer = {
      startSpan: (name: string) => {
        told.push(`span ${name}`);
        return {
          setStatus: ({ message }: { readonly message?: string }) => void told.push(`status ${message}`),
          end: () => {},
        };
      },
    };
    await using server = await open({ observer: telemetryObserver(meter, tracer) });
    const zk = await server.connect();
    await assert.rejects(zk.delete("/absent"));
    for (const line of [
      'zookernel.request.duration {"op":"delete","code":"NoNode"}',
      "span zookeeper delete",
      "status NoNode",
      'zookernel.txns {"kind":"error"}',
      'zookernel.sessions {"what":"opened"}',
    ])
      assert.ok(told.includes(line), `${line}: ${told.join(", ")}`);
    assert.throws(() => telemetryObserver({} as never), /it takes a meter of OpenTelemetry/);
  });
});

describe("an audit", () => {
  test("names who has changed what, and never what proves them", async () => {
    const lines: string[] = [];
    await using server = await open({ observer: auditObserver((line) => void lines.push(line)) });
    const zk = await server.connect();
    await zk.addAuth("digest", "bob:hunter2");
    await zk.create("/a\u2028b", "x", { acl: [{ perms: 31, scheme: "auth", id: "" }] });
    await zk.create("/e", "", { mode: "ephemeral" });
    await zk.transaction().setData("/a\u2028b", "y").delete("/e").commit();
    await assert.rejects(zk.transaction().delete("/absent").commit());
    await zk.getData("/a\u2028b");
    await zk.create("/e2", "", { mode: "ephemeral_sequential" });
    await zk.close();
    const session = "session=0x[0-9a-f]+\tuser=bob,127\\.0\\.0\\.1\tip=127\\.0\\.0\\.1\t";
    const wanted = [
      `${session}operation=create\tznode=/a\u2028b\tznode_type=persistent\tresult=success`,
      `${session}operation=create\tznode=/e\tznode_type=ephemeral\tresult=success`,
      `${session}operation=setData\tznode=/a\u2028b\tresult=success`,
      `${session}operation=delete\tznode=/e\tresult=success`,
      `${session}operation=multiOperation\tresult=failure`,
      `${session}operation=create\tznode=/e2\\d{10}\tznode_type=ephemeral_sequential\tresult=success`,
      "session=0x[0-9a-f]+\tuser=\\S*\toperation=ephemeralZNodeDeletionOnSessionCloseOrExpire\tznode=/e2\\d{10}\tresult=success",
    ];
    assert.equal(lines.length, wanted.length, lines.join("\n"));
    for (const [at, line] of lines.entries()) assert.match(line, new RegExp(`^${wanted[at]}$`));
    assert.doesNotMatch(lines.join("\n"), /hunter2/);
  });

  const java = findJavaZooKeeper();
  test("has the lines of Apache's", { skip: java.skip, timeout: 120_000 }, async () => {
    const lines: string[] = [];
    await using server = await open({ observer: auditObserver((line) => void lines.push(line)) });
    const { port } = await server.listen(tcp({ port: 0 }));
    await changeThings(`127.0.0.1:${port}`);
    await using apache = await startServer({ kind: "apache", config: { "audit.enable": true } });
    await changeThings(`127.0.0.1:${apache.port}`);
    const theirs = (): string[] =>
      Array.from(apache.logs().matchAll(/AuditLogger - (session=.*)$/gm), ([, line]) => line!).map(comparable);
    await until(() => theirs().length >= lines.length, "all of Apache's lines", 20_000);
    assert.deepEqual(lines.map(comparable), theirs());
  });
});

async function changeThings(address: string): Promise<void> {
  const zk = await connect(address);
  await zk.create("/a", "x");
  await zk.create("/a/e", "", { mode: "ephemeral" });
  await zk.create("/a/s-", "", { mode: "persistent_sequential" });
  await assert.rejects(zk.create("/a", ""));
  await assert.rejects(zk.create("/x/y", ""));
  await assert.rejects(zk.delete("/absent"));
  await zk.setData("/a", "y");
  await assert.rejects(zk.setData("/a", "z", { version: 7 }));
  await zk.setACL("/a", [{ perms: 31, scheme: "world", id: "anyone" }]);
  await zk.transaction().create("/t", "").setData("/a", "q").delete("/t").check("/a").commit();
  await assert.rejects(zk.transaction().create("/t", "").delete("/absent").commit());
  await zk.close();
}

/** Sessions are each server's own, and who runs it is told in its own words. */
function comparable(line: string): string {
  return line
    .replace(/session=0x[0-9a-f]+/, "session=…")
    .replace(/user=\S+\toperation=ephemeral/, "user=…\toperation=ephemeral");
}
