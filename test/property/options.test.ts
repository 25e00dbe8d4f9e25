/**
 * Options of public functions, as chance has them: anything at all, and objects that are nearly right.
 *
 * Each call throws or rejects with an error that is meant for its caller, or succeeds; it never hangs, leaves no port open and no rejection that
 * nobody hears. A key that there isn't is always refused.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import fc from "fast-check";
import { fileStorage, memoryStorage } from "../../adapters/storage/mod.ts";
import { connect, tcp, tcpPeers } from "../../adapters/tcp/mod.ts";
import { eachSeed, type TestServer, testEnsemble, testServer } from "../../adapters/testing/mod.ts";
import { ensembleConfig, open, type Server, ZkError, type ZooKeeper } from "../../mod.ts";

/** What a caller without types may write. */
// biome-ignore lint/suspicious/noExplicitAny: that is the point
type Any = any;

/** The reason of a signal that has aborted, for calls that would go on for long. */
class GivenUp extends Error {}

/** One function: options that it takes, and how it is called with any. What it gives is let go of again. */
interface Door {
  readonly name: string;
  readonly valid: object;
  readonly run: (options: Any) => unknown;
  /** Keys that are left as they are: what is valid for them takes too long here. */
  readonly kept?: readonly string[];
  /** Whether an error of the world may come of options that are right: keys that are none, a port that is taken. */
  readonly mayFail?: boolean;
}

const RUNS = Number(process.env.ZOOKERNEL_RUNS ?? 60);
/** Long enough for a machine that does much else. */
const HANG_MS = 30_000;
const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  withSparseArray: true,
  withBoxedValues: true,
});

const unheard: unknown[] = [];
const onUnheard = (reason: unknown): void => void unheard.push(reason);
let server: Server;
let world: TestServer;
let client: ZooKeeper;
let address: string;

before(async () => {
  process.on("unhandledRejection", onUnheard);
  server = await open();
  const { port } = await server.listen(tcp({ port: 0 }));
  address = `127.0.0.1:${port}`;
  world = await testServer();
  world.fixture({ "/a": "x" });
  client = await world.connect();
});

after(async () => {
  await world.close();
  await server.close();
  process.off("unhandledRejection", onUnheard);
});

const CONFIG = ensembleConfig(["server.1=127.0.0.1:0:1"]);

const DOORS: readonly Door[] = [
  {
    name: "open",
    valid: {
      tickTimeMs: 500,
      serverId: 7,
      compat: "3.9",
      limits: { frameBytesMax: 4096 },
      acl: { superUsers: ["bob"] },
      logger: console,
    },
    run: async (options) => await (await open(options)).close(),
  },
  {
    name: "open, limits",
    valid: { frameBytesMax: 4096, connectionsMax: 5, handshakeTimeoutMs: 100 },
    run: async (limits) => await (await open({ limits })).close(),
  },
  {
    name: "server.connect",
    valid: { sessionTimeoutMs: 5000, chroot: "/app", canBeReadOnly: true, signal: new AbortController().signal },
    run: async (options) => await (await server.connect(options)).close(),
  },
  {
    name: "server.join",
    valid: {
      id: 1,
      config: CONFIG,
      peers: tcpPeers(),
      mayVoteAlone: true,
      initLimit: 10,
      syncLimit: 5,
      snapshotSizeFactor: 0.3,
    },
    run: async (options) => {
      await using alone = await open();
      await alone.join(options, memoryStorage());
    },
    mayFail: true,
  },
  {
    name: "connect",
    valid: {
      sessionTimeoutMs: 5000,
      canBeReadOnly: false,
      replyBytesMax: 1_000_000,
      logger: console,
      signal: new AbortController().signal,
    },
    run: async (options) => await (await connect(address, options)).close(),
  },
  {
    name: "connect, tls",
    valid: { ca: "", servername: "localhost", minVersion: "TLSv1.3", passphrase: "x" },
    run: async (tls) => await (await connect(address, { tls, signal: AbortSignal.abort(new GivenUp()) })).close(),
    mayFail: true,
  },
  {
    name: "connect, sasl",
    valid: { username: "bob", password: "secret" },
    run: async (sasl) => await (await connect(address, { sasl, signal: AbortSignal.abort(new GivenUp()) })).close(),
  },
  {
    name: "tcp",
    valid: { port: 0, host: "127.0.0.1", backlog: 5, keepAlive: true, logger: console },
    run: async (options) => {
      const listener = tcp(options);
      await using own = await open();
      await own.listen(listener);
    },
    kept: ["host"],
    mayFail: true,
  },
  {
    name: "tcpPeers",
    valid: { tls: { clear: "accepted" }, allowUnauthenticated: true, logger: console },
    run: (options) => tcpPeers(options),
  },
  {
    name: "fileStorage",
    valid: {
      dataDir: "/nowhere",
      dataLogDir: "/else",
      forceSync: false,
      snapshotsKept: 3,
      compression: "gzip",
      damagedTail: "cut",
    },
    run: (options) => fileStorage(options),
  },
  {
    name: "testServer",
    valid: { seed: 3, startAt: 5, reportLeaks: false, historyEntriesMax: 10, tickTimeMs: 100, compat: "3.8" },
    run: async (options) => await (await testServer(options)).close(),
  },
  {
    name: "testEnsemble",
    valid: { members: 1, observers: 0, seed: 3, reportLeaks: false },
    run: async (options) => await (await testEnsemble(options)).close(),
    kept: ["members", "observers"],
  },
  {
    name: "faults.on",
    valid: { op: ["create", "delete"], path: "/a/**", session: 1n },
    run: (options) => world.faults.on(options).once().disconnect().remove(),
  },
  {
    name: "whyNot",
    valid: { session: 1n, path: "/a", type: "NodeDeleted" },
    run: (options) => world.whyNot(options),
  },
  {
    name: "expectTree, a znode",
    valid: { data: "x", kind: "persistent", version: 0 },
    run: (znode) => world.expectTree({ "/a": znode ?? 5 }),
    mayFail: true,
  },
  {
    name: "fixture, a znode",
    valid: { data: "x", mode: "container" },
    run: async (znode) => {
      await using own = await testServer();
      own.fixture({ "/a": znode });
    },
  },
];

/** What is called with one argument, of which any value may come. */
const CALLS: readonly (readonly [string, (value: Any) => unknown])[] = [
  ["connect", async (value) => await (await connect(value, { signal: AbortSignal.abort(new GivenUp()) })).close()],
  ["listen", (value) => server.listen(value)],
  ["unlisten", (value) => server.unlisten(value)],
  ["restore", (value) => server.restore(value)],
  ["inspect", (value) => server.inspect(value)],
  ["ensembleConfig", (value) => ensembleConfig(value)],
  ["fixture", async (value) => await using(testServer(), (own) => own.fixture(value))],
  ["expectTree", (value) => world.expectTree(value)],
  ["expectEvents", (value) => world.expectEvents(client, value)],
  ["expire", (value) => world.expire(value)],
  ["memory of a dump", async (value) => await using(testServer(), (own) => own.load(value))],
  ["partition", (value) => world.faults.partition(value ?? 5).heal()],
  ["sleep", (value) => void Promise.resolve(world.clock.sleep(value)).catch(() => {})],
  ["eachSeed", (value) => eachSeed(typeof value === "number" ? Math.min(value, 3) : value, async () => {})],
];

async function using(opening: Promise<TestServer>, run: (own: TestServer) => unknown): Promise<void> {
  await using own = await opening;
  await run(own);
}

/** Calls, and waits for what comes of it: null for success, else the error. */
async function outcome(run: () => unknown): Promise<unknown> {
  const hung = new AbortController();
  const tooLong = wait(HANG_MS, undefined, { signal: hung.signal }).then(
    () => assert.fail("it hangs"),
    () => null,
  );
  const called = (async () => await run())().then(
    () => null,
    (error: unknown) => error,
  );
  const result = await Promise.race([called, tooLong]);
  hung.abort();
  return result;
}

function isMeant(error: unknown, mayFail = false): boolean {
  return (
    error === null ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ZkError ||
    error instanceof GivenUp ||
    (mayFail && error instanceof Error)
  );
}

/** An object that is right but for one value. */
function nearlyRight({ valid, kept = [] }: Door): fc.Arbitrary<object> {
  const keys = Object.keys(valid).filter((key) => !kept.includes(key));
  return fc.tuple(fc.constantFrom(...keys), anything).map(([key, value]) => ({ ...valid, [key]: value }));
}

/** One of whose keys is misspelt. */
function misspelt({ valid }: Door): fc.Arbitrary<object> {
  return fc
    .tuple(fc.constantFrom(...Object.keys(valid)), fc.nat(), fc.constantFrom("x", "_", ""))
    .map(([key, where, letter]) => {
      const at = where % key.length;
      const wrong = `${key.slice(0, at)}${letter}${key.slice(at + 1)}s`;
      return { ...valid, [Object.hasOwn(valid, wrong) ? `${wrong}x` : wrong]: (valid as Any)[key] };
    });
}

describe("options", () => {
  for (const door of DOORS) {
    test(`${door.name}: what is right is taken`, async () => {
      const error = await outcome(() => door.run(door.valid));
      if (!door.mayFail) assert.ok(error === null || error instanceof GivenUp, String(error));
    });

    test(`${door.name}: anything, and what is nearly right, is taken or refused`, async () => {
      const given = fc.oneof(anything, nearlyRight(door), nearlyRight(door));
      const holds = fc.asyncProperty(given, async (options) => {
        const error = await outcome(() => door.run(options));
        assert.ok(isMeant(error, door.mayFail), error instanceof Error ? (error.stack ?? error.message) : String(error));
      });
      await fc.assert(holds, { numRuns: RUNS });
    });

    test(`${door.name}: a misspelt key is refused by name`, async () => {
      const holds = fc.asyncProperty(misspelt(door), async (options) => {
        const error = await outcome(() => door.run(options));
        assert.ok(error instanceof TypeError, String(error));
        const wrong = Object.keys(options).find((key) => !Object.hasOwn(door.valid, key))!;
        assert.ok(error.message.includes(`"${wrong}"`), error.message);
      });
      await fc.assert(holds, { numRuns: 20 });
    });
  }
});

describe("arguments", () => {
  for (const [name, run] of CALLS) {
    test(`${name}: anything is taken or refused`, async () => {
      const holds = fc.asyncProperty(anything, async (value) => {
        const error = await outcome(() => run(value));
        assert.ok(isMeant(error, true), String(error));
      });
      await fc.assert(holds, { numRuns: RUNS });
    });
  }
});

describe("afterwards", () => {
  test("the world goes on as it was, nobody's rejection went unheard, and no port is left open", async () => {
    assert.equal(server.inspect("/a"), null);
    await using zk = await connect(address);
    await zk.create("/a", "y");
    assert.equal(server.inspect("/a")?.stat.version, 0);
    world.expectTree({ "/a": "x" });
    await wait(0);
    assert.deepEqual(unheard, []);
    if (typeof process.getActiveResourcesInfo !== "function") return;
    // Only the one that all tests have in common, on both loopback addresses, where the runtime tells.
    const listening = process.getActiveResourcesInfo().filter((name) => name === "TCPServerWrap");
    assert.ok(listening.length <= 2, listening.join());
  });
});
