/**
 * Anything at all for every argument of a handle, in process and over TCP: each call succeeds or rejects, a second handle's write reads back
 * afterwards, and the tree is the one that the writes make on another server.
 *
 * `PROPERTY_RUNS` sets how many sequences are tried; default 40.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import fc from "fast-check";
import { bytes, json, OPEN_ACL_UNSAFE, open, type Server, type ZooKeeper } from "../../mod.ts";
import { WAYS } from "../support/both_ways.ts";

// biome-ignore lint/suspicious/noExplicitAny: callers without types are what this is about
type Untyped = any;

const RUNS = Number(process.env.PROPERTY_RUNS ?? 40);

const throwing = (): never => {
  throw new Error("a caller's own");
};

/** Objects that defend themselves, and those of other realms: a new one each time, since some can be used up. */
const HOSTILE: readonly (() => unknown)[] = [
  () => new Proxy({}, { get: throwing, ownKeys: throwing, getPrototypeOf: throwing, has: throwing }),
  () => Object.defineProperty({}, "version", { enumerable: true, get: throwing }),
  () => Object.defineProperty(new Uint8Array(3), "length", { value: Number.NaN }),
  () => Object.create(Uint8Array.prototype),
  () => Symbol("x"),
  () => Object("/a"),
  () => Promise.resolve({ version: 0 }),
  () => runInContext("({ version: 0 })", createContext({})),
  () => Buffer.from("x"),
  () => new DataView(new ArrayBuffer(3)),
  () => new SharedArrayBuffer(2),
  () => throwing,
  () => "\ud800",
];
/** Stands for one of them until the call: fast-check itself would look at it. */
class Hostile {
  constructor(at: number) {
    Object.assign(this, { at });
  }
}
const hostile = fc.nat({ max: HOSTILE.length - 1 }).map((at) => new Hostile(at));

/** The value, with a fresh object for each that is hostile. */
function made(value: unknown): unknown {
  if (value instanceof Hostile) return HOSTILE[(value as Untyped).at]!();
  if (Array.isArray(value) && value.some((part) => part instanceof Hostile)) return value.map(made);
  const isRecord = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isRecord ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, made(part)])) : value;
}
const anything = fc.oneof(
  fc.anything({ withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
  fc.anything({ withNullPrototype: true, withSparseArray: true, withObjectString: true }),
  hostile,
);
const path = fc.oneof({ weight: 4, arbitrary: fc.constantFrom("/a", "/a/b", "/c", "/", "/a/", "", "a", "/\ud800") }, anything);
const number = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 40 - 1), fc.double(), anything);
const data = fc.oneof(fc.string(), fc.constant(null), fc.uint8Array({ maxLength: 200 }), anything);
const entry = fc.record({
  perms: number,
  scheme: fc.oneof(fc.constantFrom("world", "digest", "auth"), anything),
  id: anything,
});
const acl = fc.oneof(fc.constant(OPEN_ACL_UNSAFE), fc.array(entry, { maxLength: 2 }), anything);
const MODES = [
  "persistent",
  "container",
  "persistent_sequential",
  "persistent_with_ttl",
  "ephemeral",
  "persistent_recursive",
  "toString",
];
/** Keys that exist, with all kinds of values, and now and then something else. */
const options = fc.oneof(
  fc.constant(undefined),
  fc.record({ version: number }, { requiredKeys: [] }),
  fc.record({ mode: fc.constantFrom(...MODES), acl, ttlMs: number }, { requiredKeys: [] }),
  fc.record({ watch: fc.constant(() => {}) }, { requiredKeys: [] }),
  fc.record({ vesrion: number }, { requiredKeys: [] }),
  anything,
);

const VERBS = [
  ...[
    "create",
    "createWithStat",
    "delete",
    "setData",
    "setACL",
    "getData",
    "exists",
    "getChildren",
    "getACL",
    "sync",
    "getConfig",
  ],
  ...["getAllChildrenNumber", "getEphemerals", "whoAmI", "addWatch", "removeWatch", "removeWatches", "reconfig"],
] as const;
const verb = fc.record({
  verb: fc.constantFrom(...VERBS),
  args: fc.oneof(fc.tuple(path, data, options), fc.tuple(path, options, options), fc.tuple(path, acl, options)),
});
const STEPS = ["create", "delete", "setData", "check"] as const;
const transaction = fc.record({
  verb: fc.constant("transaction" as const),
  args: fc.array(fc.tuple(fc.constantFrom(...STEPS), path, data, options), { maxLength: 3 }),
});
const typed = fc.record({
  verb: fc.constantFrom("typed.set" as const, "typed.create" as const),
  args: fc.tuple(path, data, options),
});
const call = fc.oneof({ weight: 6, arbitrary: verb }, transaction, typed);
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

/** What a call does; only those that give no promise may throw, and here they throw within a function that does. */
function make(zk: Untyped, { verb: name, args: given }: Call): Promise<unknown> {
  const args: Untyped =
    name === "transaction" ? (given as unknown[][]).map((step) => step.map(made)) : (given as unknown[]).map(made);
  switch (name) {
    case "transaction":
      return (async () => {
        const collected = zk.transaction();
        for (const [step, ...rest] of args)
          step === "setData" || step === "create" ? collected[step](...rest) : collected[step](rest[0], rest[2]);
        return await collected.commit();
      })();
    case "typed.set":
    case "typed.create":
      return (async () =>
        zk.typed(args[0], { codec: typeof args[1] === "string" ? json : bytes })[name.slice(6)](args[1], args[2]))();
    default: {
      const promise: unknown = zk[name](...args);
      assert.ok(promise instanceof Promise, `${name} gave no promise`);
      return promise as Promise<unknown>;
    }
  }
}

const WRITES: readonly string[] = [
  "create",
  "createWithStat",
  "delete",
  "setData",
  "setACL",
  "transaction",
  "typed.set",
  "typed.create",
];

/** Znodes with all that doesn't depend on time. */
function tree(server: Server, at = "/"): unknown[] {
  if (at === "/zookeeper") return [];
  const { data: content, stat, children } = server.inspect(at)!;
  const { version, cversion, aversion } = stat;
  const below = [...children].sort().flatMap((name) => tree(server, at === "/" ? `/${name}` : `${at}/${name}`));
  return [{ at, content: content === null ? null : [...content], version, cversion, aversion }, ...below];
}

async function succeeds(zk: ZooKeeper, one: Call): Promise<boolean> {
  return await make(zk, one).then(
    () => true,
    () => false,
  );
}

describe("anything may be handed in", () => {
  for (const way of WAYS) {
    test(way.name, { timeout: 600_000 }, async () => {
      const unhandled: unknown[] = [];
      const hear = (error: unknown): void => void unhandled.push(error);
      process.on("unhandledRejection", hear);
      try {
        await fc.assert(
          fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 30 }), async (calls) => {
            await way.run(async ({ zk, other, server }) => {
              await using model = await open();
              const replayed = await model.connect();
              for (const one of calls) {
                const succeeded = await succeeds(zk, one);
                if (succeeded && WRITES.includes(one.verb)) assert.ok(await succeeds(replayed, one));
              }
              assert.deepEqual(tree(server), tree(model));
              await other.create("/other", "still here");
              assert.deepEqual((await other.getData("/other")).data, new TextEncoder().encode("still here"));
            });
          }),
          { numRuns: RUNS },
        );
        await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual(unhandled, []);
      } finally {
        process.off("unhandledRejection", hear);
      }
    });
  }
});
