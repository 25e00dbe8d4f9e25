/** Watches over changing connections: our handle and our server, with a network in memory between them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Op } from "../../../lib/model/ops.ts";
import type { WatchedEvent } from "../../../lib/model/types.ts";
import { open, type Server, type StreamEvent, type ZooKeeper } from "../../../mod.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { MemoryNetwork } from "../../support/memory_network.ts";
import { Lines, remoteHandle } from "../../support/remote_handle.ts";
import { ScriptedServer } from "../../support/scripted_server.ts";

class Stage {
  readonly network = new MemoryNetwork();
  readonly clock = new ManualClock();
  readonly log = new Lines();
  server!: Server;
  /** Sees and changes everything, past the network. */
  other!: ZooKeeper;
  zk!: ZooKeeper;

  static async start(servers = "a"): Promise<Stage> {
    const stage = new Stage();
    stage.server = await open({ clock: stage.clock, logger: stage.log, tickTimeMs: 1000 });
    await stage.server.listen(stage.network.listener("a"));
    stage.other = await stage.server.connect();
    stage.zk = remoteHandle(stage.network, servers, stage.clock, { logger: stage.log });
    await stage.zk.start();
    return stage;
  }

  /** Loses the connection, lets things happen meanwhile, and comes back. */
  async away(meanwhile: () => Promise<unknown>): Promise<void> {
    this.network.cut("a");
    await this.network.idle();
    assert.equal(this.zk.state, "suspended");
    await meanwhile();
    this.clock.advance(100);
    await this.network.idle();
    assert.equal(this.zk.state, "connected");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.network.idle();
    await this.zk.close();
    await this.server.close();
  }
}

/** What a watcher hears, as "type path". */
class Ear {
  readonly heard: string[] = [];
  readonly listen = ({ type, path }: WatchedEvent): void => void this.heard.push(`${type} ${path}`);
}

/** What a stream has given so far. */
function collected(stream: AsyncIterable<StreamEvent>): string[] {
  const all: string[] = [];
  void (async () => {
    for await (const { type, path } of stream) all.push(`${type} ${path}`);
    all.push("end");
  })().catch((error: { code?: string }) => all.push(String(error.code ?? error)));
  return all;
}

describe("one-shot watches", () => {
  test("hear once, before the reply to the change that fired them", async () => {
    await using it = await Stage.start();
    const ear = new Ear();
    await it.zk.create("/a");
    await it.zk.getData("/a", { watch: ear.listen });
    await it.zk.setData("/a", "1");
    assert.deepEqual(ear.heard, ["NodeDataChanged /a"]);
    await it.zk.setData("/a", "2");
    assert.deepEqual(ear.heard, ["NodeDataChanged /a"]);
  });

  test("hear of what happened while the client was away, and of nothing that did not", async () => {
    await using it = await Stage.start();
    const ear = new Ear();
    for (const path of ["/data", "/parent", "/gone", "/same", "/same/child"]) await it.zk.create(path);
    await it.zk.getData("/data", { watch: ear.listen });
    await it.zk.exists("/gone", { watch: ear.listen });
    await it.zk.exists("/new", { watch: ear.listen });
    await it.zk.getChildren("/parent", { watch: ear.listen });
    await it.zk.getChildren("/same", { watch: ear.listen });
    await it.zk.getData("/same", { watch: ear.listen });
    await it.away(async () => {
      await it.other.setData("/data", "1");
      await it.other.delete("/gone");
      await it.other.create("/new");
      await it.other.create("/parent/x");
    });
    assert.deepEqual(ear.heard.sort(), [
      "NodeChildrenChanged /parent",
      "NodeCreated /new",
      "NodeDataChanged /data",
      "NodeDeleted /gone",
    ]);
    ear.heard.length = 0;
    await it.other.setData("/same", "later");
    await it.other.create("/same/more");
    await it.network.idle();
    assert.deepEqual(ear.heard.sort(), ["NodeChildrenChanged /same", "NodeDataChanged /same"]);
  });

  test("of a watcher that throws harm nobody else", async () => {
    await using it = await Stage.start();
    const ear = new Ear();
    await it.zk.create("/a");
    await it.zk.getData("/a", {
      watch: () => {
        throw new Error("mine");
      },
    });
    await it.zk.getData("/a", { watch: ear.listen });
    await it.zk.setData("/a", "1");
    assert.deepEqual(ear.heard, ["NodeDataChanged /a"]);
    assert.match(it.log.lines.join(), /A watcher or state listener threw: Error: mine/);
  });

  test("many paths are set again in batches, each below the limit of a request", async () => {
    await using it = await Stage.start();
    const ear = new Ear();
    const paths = Array.from({ length: 40 }, (_, i) => `/${String(i).padStart(2, "0")}${"x".repeat(10_000)}`);
    for (const path of paths) await it.zk.exists(path, { watch: ear.listen });
    await it.away(async () => {});
    for (const path of paths) await it.other.create(path);
    await it.network.idle();
    assert.equal(ear.heard.length, 40);
  });

  test("are set again below a chroot, and tell paths without it", async () => {
    await using it = await Stage.start("a/app");
    await it.other.create("/app");
    const ear = new Ear();
    await it.zk.exists("/x", { watch: ear.listen });
    await it.zk.exists("/", { watch: ear.listen });
    await it.away(() => it.other.create("/app/x"));
    await it.other.setData("/app", "1");
    await it.network.idle();
    assert.deepEqual(ear.heard, ["NodeCreated /x", "NodeDataChanged /"]);
  });
});

describe("persistent watches", () => {
  test("of a callback survive reconnects, and end when they are removed", async () => {
    await using it = await Stage.start();
    const ear = new Ear();
    await it.zk.addWatch("/a", ear.listen);
    await it.zk.create("/a");
    await it.away(async () => {});
    await it.other.setData("/a", "1");
    await it.network.idle();
    await it.zk.removeWatch("/a", ear.listen);
    await it.other.setData("/a", "2");
    await it.network.idle();
    assert.deepEqual(ear.heard, ["NodeCreated /a", "NodeDataChanged /a"]);
  });

  test("of a stream say where events may be missing", async () => {
    await using it = await Stage.start();
    const seen = collected(it.zk.watch("/a", { mode: "persistent_recursive" }));
    await it.zk.create("/a");
    await it.zk.create("/a/b");
    await it.away(() => it.other.setData("/a/b", "missed"));
    await it.other.delete("/a/b");
    await it.network.idle();
    assert.deepEqual(seen, ["NodeCreated /a", "NodeCreated /a/b", "Missed /a", "NodeDeleted /a/b"]);
    await it.zk.close();
    await it.network.idle();
    assert.equal(seen.at(-1), "end");
  });

  test("of a stream survive the loss of the very request that was to register them", async () => {
    await using it = await Stage.start();
    await it.zk.create("/a");
    const seen = collected(it.zk.watch("/a"));
    await it.away(async () => {});
    await it.other.setData("/a", "1");
    await it.network.idle();
    assert.deepEqual(seen, ["Missed /a", "NodeDataChanged /a"]);
  });

  test("of a stream that nobody reads keep to their capacity, by the policy that was named", async () => {
    await using it = await Stage.start();
    await it.zk.create("/a");
    const drop = it.zk.watch("/a", { capacity: 2 });
    const fail = it.zk.watch("/a", { capacity: 2, overflow: "fail" });
    for (let i = 0; i < 4; i++) await it.zk.setData("/a", String(i));
    assert.equal((await drop.next()).value?.type, "Missed");
    assert.equal((await drop.next()).value?.type, "NodeDataChanged");
    assert.equal((await drop.next()).value?.type, "NodeDataChanged");
    await fail.next();
    await fail.next();
    await assert.rejects(fail.next(), /More than 2 events wait for their reader/);
    await drop.return();
  });

  test("end with a signal, and with their session", async () => {
    await using it = await Stage.start();
    const controller = new AbortController();
    const aborted = collected(it.zk.watch("/a", { signal: controller.signal }));
    const expired = collected(it.zk.watch("/b"));
    controller.abort(Object.assign(new Error("enough"), { code: "ENOUGH" }));
    await it.network.idle();
    assert.deepEqual(aborted, ["ENOUGH"]);
    it.network.set("a", "silent");
    for (let i = 0; i < 200; i++) {
      it.clock.advance(100);
      await it.network.idle();
    }
    assert.equal(it.zk.state, "expired");
    assert.deepEqual(expired, ["SessionExpired"]);
  });

  test("that have ended, like requests that were answered, are nothing to their signal any more", async () => {
    await using it = await Stage.start();
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener, signal.removeEventListener];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove.apply(signal, args);
    };
    const streams = [it.zk.watch("/a", { signal }), it.zk.watch("/a", { signal, mode: "persistent_recursive" })];
    const states = it.zk.states({ signal });
    const reading = it.zk.exists("/a", { signal });
    assert.equal(listeners, 1); // for all of them
    await reading;
    for (const stream of [...streams, states]) await stream.return();
    assert.equal(listeners, 0);
  });

  test("a server older than 3.6, which hangs up on them, ends the streams and nothing else", async () => {
    const network = new MemoryNetwork();
    const clock = new ManualClock();
    let isOld = false;
    const refuses = (op: Op): boolean => isOld && (op.kind === "setWatches2" || op.kind === "addWatch");
    const server = new ScriptedServer({
      hello: (connection) => connection.welcome(),
      request: (connection, xid, op) => {
        if (op.kind === "addWatch" && !isOld) return connection.reply(xid, { kind: "watchAdded" });
        if (!refuses(op)) return connection.reply(xid);
        connection.reply(xid, { kind: "error", code: "Unimplemented" }, -1n);
        connection.hangUp();
      },
    });
    network.serve("a", server.accept);
    const zk = remoteHandle(network, "a", clock);
    await zk.start();
    const seen = collected(zk.watch("/a"));
    await network.idle();
    isOld = true;
    network.cut("a");
    for (let i = 0; i < 20; i++) {
      await network.idle();
      clock.advance(100);
    }
    assert.deepEqual(seen, ["Missed /a", "Unimplemented"]);
    assert.equal(zk.state, "connected");
    await zk.close();
  });
});

describe("removing one watch", () => {
  test("leaves the others at its path alone, also on the server", async () => {
    await using it = await Stage.start();
    await it.zk.create("/a");
    const [data, stays, goes] = [new Ear(), new Ear(), new Ear()];
    await it.zk.getData("/a", { watch: data.listen });
    await it.zk.addWatch("/a", stays.listen);
    await it.zk.addWatch("/a", goes.listen);
    await it.zk.removeWatch("/a", goes.listen);
    await it.other.setData("/a", "1");
    await it.network.idle();
    assert.deepEqual(
      [data, stays, goes].map(({ heard }) => heard.length),
      [1, 1, 0],
    );
    await it.zk.removeWatch("/a", stays.listen);
    await assert.rejects(it.zk.removeWatches("/a"), { code: "NoWatcher" });
  });

  test("doesn't take a watch along that is still on its way", async () => {
    await using it = await Stage.start();
    await it.zk.create("/a");
    const [data, gone] = [new Ear(), new Ear()];
    await it.zk.addWatch("/a", gone.listen);
    const reading = it.zk.getData("/a", { watch: data.listen });
    await Promise.all([it.zk.removeWatch("/a", gone.listen), reading]);
    await it.other.setData("/a", "1");
    await it.network.idle();
    assert.deepEqual([data.heard.length, gone.heard.length], [1, 0]);
  });

  test("of all at a path, and one that is set right behind it stays", async () => {
    await using it = await Stage.start();
    await it.zk.create("/a");
    const [gone, stays] = [new Ear(), new Ear()];
    await it.zk.getData("/a", { watch: gone.listen });
    await it.zk.addWatch("/a", gone.listen);
    await Promise.all([it.zk.removeWatches("/a"), it.zk.getData("/a", { watch: stays.listen })]);
    await it.other.setData("/a", "1");
    await it.network.idle();
    assert.deepEqual([gone.heard.length, stays.heard.length], [0, 1]);
  });
});
