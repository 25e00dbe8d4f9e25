/** Typed znodes: values through codecs and schemas, changes by compare-and-set, and the newest value as it comes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { msgpack } from "../../../lib/client/msgpack.ts";
import { bytes, InvalidValueError, json, open, type Schema, utf8, type ZooKeeper } from "../../../mod.ts";
import { until } from "../../support/until.ts";

const config = z.object({ host: z.string(), port: z.number().int().max(65_535).default(80) });

async function withClient(run: (zk: ZooKeeper) => Promise<void>): Promise<void> {
  await using server = await open();
  await run(await server.connect());
}

function isInvalid(message: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof InvalidValueError, String(error));
    assert.equal(error.message, message);
    return true;
  };
}

describe("codecs keep values", () => {
  for (const [codec, values] of [
    [bytes, [null, new Uint8Array(0), Uint8Array.of(0, 255)]],
    [utf8, ["", "grün", "\ufeff王"]],
    [json, [null, 1, "x", [1, { a: true }]]],
    [msgpack, [null, 1.5, "x", [1, { a: true }], 2n ** 60n, 5n, 2 ** 53 - 1, Uint8Array.of(1, 2), new Date(1000)]],
  ] as const) {
    test(codec.name, async () => {
      await withClient(async (zk) => {
        const node = zk.typed("/a", { codec: codec as typeof json });
        await zk.create("/a");
        for (const value of values) {
          await node.set(value as never);
          assert.deepEqual((await node.get()).value, value);
        }
      });
    });
  }

  test("and refuse data and values that are none of theirs", async () => {
    await withClient(async (zk) => {
      await zk.create("/a", Uint8Array.of(0xff));
      await assert.rejects(zk.typed("/a", { codec: utf8 }).get(), InvalidValueError);
      await assert.rejects(zk.typed("/a", { codec: json }).get(), InvalidValueError);
      await zk.setData("/a", null);
      await assert.rejects(
        zk.typed("/a", { codec: msgpack }).get(),
        isInvalid('Cannot get "/a": the value is not valid: msgpack: there is no data'),
      );
      await assert.rejects(
        zk.typed("/a", { codec: json }).set(undefined),
        isInvalid('Cannot set "/a": the value is not valid: json: JSON has no form for undefined'),
      );
    });
  });
});

describe("schemas", () => {
  test("judge what goes in and complete what comes out; what is stored is what went in", async () => {
    await withClient(async (zk) => {
      const node = zk.typed("/config", { schema: config });
      assert.equal(await node.create({ host: "a" }), "/config");
      assert.deepEqual((await node.get()).value, { host: "a", port: 80 });
      assert.equal(new TextDecoder().decode((await zk.getData("/config")).data!), '{"host":"a"}');
    });
  });

  test("refuse with every reason, and change nothing", async () => {
    await withClient(async (zk) => {
      const node = zk.typed("/config", { schema: config });
      await node.create({ host: "a" });
      const wrong = { host: 1, port: 70_000 } as never;
      await assert.rejects(node.set(wrong), (error: unknown) => {
        assert.ok(error instanceof InvalidValueError);
        assert.match(error.message, /^Cannot set "\/config": the value is not valid: host: .*; port: /);
        assert.deepEqual(error.issues.length, 2);
        assert.equal(error.path, "/config");
        return true;
      });
      assert.equal((await zk.exists("/config"))!.version, 0);
      await zk.setData("/config", '{"host":1}');
      await assert.rejects(node.get(), /^InvalidValueError: Cannot get "\/config": the value is not valid: host: /);
    });
  });

  test("of any library, and asynchronous ones", async () => {
    const even: Schema<number> = {
      "~standard": {
        ...{ version: 1, vendor: "test" },
        validate: async (value) =>
          typeof value === "number" && value % 2 === 0
            ? { value }
            : { issues: [{ message: "is odd", path: ["list", { key: 0 }] }] },
      },
    };
    await withClient(async (zk) => {
      const node = zk.typed("/even", { schema: even, codec: msgpack });
      await node.create(2);
      await assert.rejects(node.set(3), isInvalid('Cannot set "/even": the value is not valid: list.0: is odd'));
      assert.equal((await node.get()).value, 2);
    });
  });
});

describe("update", () => {
  const count = z.number();

  test("loses nothing, however many do it at once", async () => {
    await using server = await open();
    const clients = await Promise.all(Array.from({ length: 8 }, () => server.connect()));
    await clients[0]!.typed("/count", { schema: count }).create(0);
    await Promise.all(
      clients.map(async (zk) => {
        const node = zk.typed("/count", { schema: count });
        for (let i = 0; i < 25; i++) await node.update((value) => value + 1);
      }),
    );
    const { value, stat } = await clients[0]!.typed("/count", { schema: count }).get();
    assert.equal(value, 200);
    assert.equal(stat.version, 200);
  });

  test("gives up after as many attempts as it was told", async () => {
    await withClient(async (zk) => {
      const node = zk.typed("/count", { schema: count });
      await node.create(0);
      let asked = 0;
      const disturbed = async (value: number): Promise<number> => {
        asked++;
        await zk.setData("/count", "7");
        return value + 1;
      };
      await assert.rejects(node.update(disturbed, { attemptsMax: 3 }), { code: "BadVersion" });
      assert.equal(asked, 3);
    });
  });

  test("leaves the value alone if the change throws", async () => {
    await withClient(async (zk) => {
      const node = zk.typed("/count", { schema: count });
      await node.create(5);
      const refusal = node.update(() => {
        throw new Error("no");
      });
      await assert.rejects(refusal, /^Error: no$/);
      assert.equal((await node.get()).value, 5);
      await assert.rejects(
        zk.typed("/none", { schema: count }).update((value) => value),
        { code: "NoNode" },
      );
    });
  });
});

describe("watch", () => {
  test("gives the value now, each newer one, and null where there is none", async () => {
    await withClient(async (zk) => {
      const node = zk.typed("/a", { codec: utf8 });
      const stream = node.watch();
      assert.deepEqual(await stream.next(), { done: false, value: null });
      await node.create("one");
      assert.equal((await stream.next()).value?.value, "one");
      await zk.create("/a/child");
      await node.set("two");
      assert.equal((await stream.next()).value?.value, "two");
      await zk.delete("/a/child");
      await zk.delete("/a");
      assert.deepEqual(await stream.next(), { done: false, value: null });
      await stream.return();
      await assert.rejects(zk.removeWatches("/a"), { code: "NoWatcher" });
    });
  });

  test("leaves out what nobody read in time, and never the newest", async () => {
    await withClient(async (zk) => {
      const node = zk.typed("/a", { codec: utf8 });
      await node.create("0");
      const seen: string[] = [];
      void (async () => {
        for await (const found of node.watch()) {
          seen.push(found!.value);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        seen.push("end");
      })();
      for (let i = 1; i <= 300; i++) await node.set(String(i));
      await until(() => seen.includes("300"), "the newest value");
      assert.ok(seen.length < 300);
      assert.deepEqual(seen, [...new Set(seen)]);
      await zk.close();
      await until(() => seen.at(-1) === "end", "the end of the stream");
    });
  });

  test("ends with an error where a value is not valid, and with its signal", async () => {
    await withClient(async (zk) => {
      const node = zk.typed("/a", { schema: z.number() });
      await node.create(1);
      const stream = node.watch();
      await stream.next();
      await zk.setData("/a", "x");
      await assert.rejects(stream.next(), InvalidValueError);
      await node.set(1);
      const controller = new AbortController();
      const aborted = node.watch({ signal: controller.signal });
      await aborted.next();
      controller.abort(new Error("enough"));
      await assert.rejects(aborted.next(), /enough/);
    });
  });
});
