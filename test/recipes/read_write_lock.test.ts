/** The read-write lock: many readers or one writer, downgrades, and no upgrade. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testServer } from "../../adapters/testing/mod.ts";
import { readWriteLock } from "../../lib/recipes/mod.ts";

for (const layout of ["curator", "kazoo"] as const) {
  describe(`read-write lock, names of ${layout}`, () => {
    test("readers share it, a writer waits for them, and readers behind the writer for it", async () => {
      await using zk = await testServer();
      const [one, two, three, four] = await Promise.all([zk.connect(), zk.connect(), zk.connect(), zk.connect()]);
      const lock = (client: typeof one) => readWriteLock(client!, "/locks/table", { layout });
      const [first, second] = [await lock(one).read.acquire(), await lock(two).read.acquire()];
      const story: string[] = [];
      const writing = lock(three)
        .write.acquire()
        .then((held) => {
          story.push("writes");
          return held;
        });
      await zk.clock.advance(0);
      const reading = lock(four)
        .read.acquire()
        .then(() => story.push("reads"));
      await zk.clock.advance(0);
      assert.deepEqual(story, []);
      await first.release();
      await second.release();
      const writer = await writing;
      await zk.clock.advance(0);
      assert.deepEqual(story, ["writes"]);
      await writer.release();
      await reading;
      assert.deepEqual(story, ["writes", "reads"]);
    });

    test("an owner goes from writing to reading without letting a writer in between", async () => {
      await using zk = await testServer();
      const [one, two] = [await zk.connect(), await zk.connect()];
      const { read, write } = readWriteLock(one, "/locks/table", { layout });
      const owner = {};
      const writing = await write.acquire({ owner });
      const other = readWriteLock(two, "/locks/table", { layout }).write.acquire();
      await zk.clock.advance(0);
      const reading = await read.acquire({ owner });
      await writing.release();
      await zk.clock.advance(0);
      assert.equal(reading.signal.aborted, false);
      // A writer again while it reads: two that try would wait for each other.
      await assert.rejects(write.acquire({ owner }), { code: "BadArguments" });
      assert.equal((await two.getChildren("/locks/table")).children.length, 2, "the other one waits");
      await reading.release();
      await other;
    });
  });
}
