/** Queues and counters shared with kazoo, the real one: what either puts the other takes, and neither has what the other holds. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { tcp } from "../../adapters/tcp/mod.ts";
import { counter, queue, workQueue } from "../../lib/recipes/mod.ts";
import { open } from "../../mod.ts";
import { findKazooHandlers } from "../support/peers.ts";

const kazoo = findKazooHandlers();

const BEGIN = `
import sys
from kazoo.client import KazooClient
from kazoo.recipe.queue import Queue, LockingQueue
from kazoo.recipe.counter import Counter
client = KazooClient(hosts=sys.argv[1])
client.start()
`;

describe("with kazoo", { skip: kazoo.skip, concurrency: 1 }, () => {
  const python = async (port: number, script: string): Promise<string> => {
    if (kazoo.skip !== false) throw new Error(kazoo.skip);
    const { stdout } = await promisify(execFile)(kazoo.python, ["-c", `${BEGIN}${script}\nclient.stop()`, `127.0.0.1:${port}`]);
    return stdout.trim();
  };

  test("a queue is one, by priority", async () => {
    await using server = await open();
    const { port } = await server.listen(tcp({ host: "127.0.0.1", port: 0 }));
    await using zk = await server.connect();
    const ours = queue(zk, "/q", { layout: "kazoo" });
    await ours.put("ours");
    const said = await python(
      port,
      'q = Queue(client, "/q"); q.put(b"last", 500); q.put(b"first", 1); print(q.get().decode(), q.get().decode())',
    );
    assert.equal(said, "first ours");
    assert.equal(new TextDecoder().decode((await ours.take())!), "last");
  });

  test("what one holds of a queue of work the other has not, and it is done once", async () => {
    await using server = await open();
    const { port } = await server.listen(tcp({ host: "127.0.0.1", port: 0 }));
    await using zk = await server.connect();
    const ours = workQueue(zk, "/w");
    await ours.put("a");
    await ours.put("b");
    await using held = await ours.take();
    assert.equal(
      await python(port, 'q = LockingQueue(client, "/w"); print(q.get(5).decode(), q.consume(), q.get(0.2)); q.put(b"c", 7)'),
      "b True None",
    );
    await held.done();
    await using next = await ours.take();
    assert.equal(new TextDecoder().decode(next.data!), "c");
    await next.done();
    assert.equal(await ours.size(), 0);
  });

  test("a counter is one", async () => {
    await using server = await open();
    const { port } = await server.listen(tcp({ host: "127.0.0.1", port: 0 }));
    await using zk = await server.connect();
    const ours = counter(zk, "/c", { layout: "kazoo" });
    assert.equal(await ours.add(2), 2n);
    assert.equal(await python(port, 'c = Counter(client, "/c"); c += 3; print(c.value)'), "5");
    assert.equal(await ours.add(-6), -1n);
    assert.equal(await python(port, 'print(Counter(client, "/c").value)'), "-1");
  });
});
