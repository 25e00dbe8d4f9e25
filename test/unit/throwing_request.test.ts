/** What ends when serving one request throws: that request or its connection, unless something of the member was touched. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Standalone } from "../../lib/broadcast/standalone.ts";
import { Database } from "../../lib/kernel/database.ts";
import { Kernel } from "../../lib/kernel/kernel.ts";
import { type ConnEffect, type ConnectionSink, Host } from "../../lib/member/host.ts";
import { Member } from "../../lib/member/member.ts";
import { BrokenInvariant } from "../../lib/model/errors.ts";
import type { MultiWriteOp, Op } from "../../lib/model/ops.ts";
import type { ConnId } from "../../lib/model/types.ts";
import { completed, kernelOptions, treeOptions } from "../../lib/options/options.ts";
import { Tree } from "../../lib/tree/tree.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { NEW_SESSION } from "../support/raw_client.ts";
import { Lines } from "../support/remote_handle.ts";

/** A member with no disk, or with one that is done when told, and clients without a wire. */
class Stage {
  readonly lines = new Lines();
  readonly host: Host;
  failure: unknown = null;
  #durable = (): void => {};

  constructor(slow = false) {
    const settings = completed({ digest: true }, true);
    const clock = new ManualClock();
    const kernel = new Kernel(new Database(new Tree(treeOptions(settings))), kernelOptions(settings), 1n, clock.now());
    this.host = new Host({
      member: new Member(kernel, new Standalone()),
      clock,
      logger: this.lines,
      append: slow ? () => new Promise((resolve) => (this.#durable = resolve)) : null,
      failed: (error) => {
        this.failure = error;
      },
    });
  }

  get kernel(): Kernel {
    return this.host.member.kernel;
  }

  connect(): Client {
    return new Client(this.host);
  }

  /** What was proposed is on disk, and what follows from that has happened. */
  async sync(): Promise<void> {
    this.#durable();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

class Client implements ConnectionSink {
  readonly heard: string[] = [];
  readonly #host: Host;
  readonly conn: ConnId;
  throws: unknown = null;

  constructor(host: Host) {
    this.#host = host;
    this.conn = host.attach(this);
    host.submit({
      kind: "connect",
      conn: this.conn,
      hello: NEW_SESSION,
      peer: { address: "127.0.0.1", label: "/127.0.0.1:9", authIds: [] },
    });
  }

  ask(op: Op): void {
    this.#host.submit({ kind: "request", conn: this.conn, xid: 1, op });
  }

  carryOut(effect: ConnEffect): void {
    if (effect.kind === "reply" && this.throws !== null) throw this.throws;
    if (effect.kind === "reply") this.heard.push(effect.outcome.kind === "error" ? effect.outcome.code : effect.outcome.kind);
    else if (effect.kind === "close") this.heard.push("close");
  }
}

function create(path: string, data: Uint8Array | null = null): MultiWriteOp {
  const acl = [{ perms: 31, scheme: "world", id: "anyone" }];
  return { kind: "create", path, data, acl, flags: 0, ttl: 0 };
}

/** An op that throws when it is looked at for the first time, at its path for a read and at its data for a write. */
function bad(kind: "getData" | "exists" | "setData" | "create", error: unknown): Op {
  const acl = [{ perms: 31, scheme: "world", id: "anyone" }];
  const op = { kind, path: "/bad", watch: true, data: null, version: -1, acl, flags: 0, ttl: 0 };
  let isFirst = true;
  const key = kind === "setData" || kind === "create" ? "data" : "path";
  return Object.defineProperty(op, key, {
    get: () => {
      if (isFirst) {
        isFirst = false;
        throw error;
      }
      return null;
    },
  }) as Op;
}

const boom = new RangeError("boom");

test("a read that throws ends its connection, and nobody else notices", () => {
  const stage = new Stage();
  const [one, other] = [stage.connect(), stage.connect()];
  one.ask({ kind: "exists", path: "/", watch: false });
  one.ask(bad("getData", boom));
  one.ask({ kind: "exists", path: "/", watch: false });
  other.ask({ kind: "exists", path: "/", watch: false });
  assert.deepEqual([one.heard, other.heard, stage.failure], [["stat", "close"], ["stat"], null]);
  assert.match(
    stage.lines.lines.join("\n"),
    /^The connection from \/127\.0\.0\.1:9 ends, since serving its getData has thrown: RangeError: boom\n +at /,
  );
});

test("a write that throws is refused, and leaves nothing behind", async () => {
  const stage = new Stage(true);
  const client = stage.connect();
  await stage.sync();
  client.ask(create("/a", Uint8Array.of(1)));
  client.ask(bad("setData", boom));
  client.ask({ kind: "multi", ops: [create("/b"), create("/a/c"), bad("create", boom) as MultiWriteOp] });
  client.ask(create("/b", Uint8Array.of(2)));
  client.ask(create("/a/c"));
  await stage.sync();
  assert.deepEqual(client.heard, ["path", "MarshallingError", "MarshallingError", "path", "path"]);
  assert.equal(stage.failure, null);

  const right = new Stage();
  const other = right.connect();
  other.ask(create("/a", Uint8Array.of(1)));
  other.ask({ kind: "delete", path: "/none", version: -1 });
  other.ask({ kind: "delete", path: "/none", version: -1 });
  other.ask(create("/b", Uint8Array.of(2)));
  other.ask(create("/a/c"));
  assert.equal(stage.kernel.database.tree.digest, right.kernel.database.tree.digest);
  assert.equal(stage.kernel.database.lastZxid, right.kernel.database.lastZxid);
  assert.match(
    stage.lines.lines.join("\n"),
    /^The setData of session 0x1 is refused, since preparing it has thrown: RangeError: boom\n/,
  );
});

test("a reply that can't be delivered ends its connection", () => {
  const stage = new Stage();
  const [one, other] = [stage.connect(), stage.connect()];
  one.throws = boom;
  one.ask({ kind: "exists", path: "/", watch: false });
  other.ask({ kind: "exists", path: "/", watch: false });
  assert.deepEqual([one.heard, other.heard, stage.failure], [["close"], ["stat"], null]);
  assert.equal(stage.kernel.connections.has(one.conn), false);
  assert.match(stage.lines.lines.join("\n"), /can't be delivered: RangeError: boom\n +at /);
});

for (const kind of ["exists", "setData"] as const) {
  test(`a broken invariant found by ${kind} ends the member`, () => {
    const stage = new Stage();
    const broken = new BrokenInvariant("two and two are five");
    stage.connect().ask(bad(kind, broken));
    assert.equal(stage.failure, broken);
  });
}
