/**
 * Courtesies to callers: errors whose stack names the calling line, one listener a signal, logs that can be read, and the configuration's own path.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { open, type WatchedEvent } from "../../../mod.ts";
import { bothWays } from "../../support/both_ways.ts";
import { Lines } from "../../support/remote_handle.ts";
import { until } from "../../support/until.ts";

bothWays("the stack of a refusal names who asked", async ({ zk }) => {
  async function readsWhatIsNotThere(): Promise<void> {
    await zk.getData("/none");
  }
  async function commitsWhatCannotBe(): Promise<void> {
    await zk.transaction().delete("/none").commit();
  }
  await assert.rejects(readsWhatIsNotThere(), { code: "NoNode", stack: /readsWhatIsNotThere[\s\S]*caller\.test/ });
  await assert.rejects(commitsWhatCannotBe(), { code: "NoNode", stack: /commitsWhatCannotBe[\s\S]*caller\.test/ });
});

bothWays("many requests with one signal have one listener", async ({ zk }) => {
  const controller = new AbortController();
  const { signal } = controller;
  let [listeners, most] = [0, 0];
  const [add, remove] = [signal.addEventListener, signal.removeEventListener];
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    most = Math.max(most, ++listeners);
    add.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove.apply(signal, args);
  };
  await Promise.all(Array.from({ length: 100 }, () => zk.exists("/", { signal })));
  assert.deepEqual([listeners, most], [0, 1]);
});

test("what a watcher throws, at once or later, is logged line by line", async () => {
  const logger = new Lines();
  await using server = await open({ logger });
  const zk = await server.connect();
  await zk.create("/a");
  await zk.getData("/a", {
    watch() {
      throw new Error("at once");
    },
  });
  await zk.getData("/a", { watch: (async () => Promise.reject(new Error("later"))) as () => void });
  await zk.setData("/a", "x");
  await until(() => logger.lines.some((line) => /threw: Error: later/.test(line)), "the second line");
  assert.ok(logger.lines.some((line) => /threw: Error: at once/.test(line)));
  assert.ok(logger.lines.every((line) => !line.includes("\n")));
});

test("a watch of the configuration is told its own path, below any chroot", async () => {
  await using server = await open({ acl: { skip: true } });
  for (const chroot of ["", "/zookeeper", "/zookeeper/config", "/app"]) {
    const zk = await server.connect({ chroot });
    const heard: WatchedEvent[] = [];
    await zk.getConfig({ watch: (event) => heard.push(event) });
    await (await server.connect()).setData("/zookeeper/config", "x");
    await until(() => heard.length > 0, "the event");
    assert.deepEqual([heard.length, heard[0]!.path], [1, "/zookeeper/config"], chroot);
  }
});
