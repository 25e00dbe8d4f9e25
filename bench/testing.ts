/**
 * Test doubles side by side: how long until a test has done its first operation. Ours, Curator's TestingServer, and Debian's server as a process.
 *
 *     node dist/bench/testing.js [rounds]
 *
 * Each measurement is a process of its own. Ours and Curator's are taken twice: the first time in a process, once its modules are loaded (what
 * ours compile while they load included), and the median of those that follow. Curator's program is compiled in front of the first round. Medians over the rounds; the ratio (×)
 * says how many times as long as ours on the same line the others take.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../adapters/tcp/mod.ts";
import { testEnsemble, testServer } from "../adapters/testing/mod.ts";
import { median } from "./metrics.ts";
import { programOn, RUNTIMES, type RuntimeName, versionOf } from "./runtimes.ts";
import { startServer, whyNot } from "./servers.ts";

/** From nothing to a znode created, in milliseconds: for the first time in a process, and as a rule. */
interface Starts {
  readonly firstMs: number;
  readonly thenMs: number;
}

/** What else is promised of test servers. */
interface Promises {
  /** A fork of a tree of 100,000 znodes, microseconds. */
  readonly forkUs: number;
  /** An hour of a session that pings, a TTL znode and a container, milliseconds: the first hour of a process. */
  readonly hourMs: number;
  /** Resident memory of a process with 1,000 servers, each with a client and a znode, megabytes. */
  readonly crowdMb: number;
}

type Work = "local" | "port" | "ensemble" | "promises";

const REPEATS = 200;
const ZNODES = 100_000;
const SERVERS = 1000;
const DATA = new Uint8Array(100);

// ── ours: a process of its own ──

async function measure(work: Work): Promise<Starts | Promises> {
  switch (work) {
    case "local":
      return await starts(startLocally);
    case "port":
      return await starts(startWithPort);
    case "ensemble":
      return await starts(startEnsemble);
    case "promises":
      return { hourMs: await hour(), crowdMb: await crowd(), forkUs: await fork() };
  }
}

async function starts(start: () => Promise<number>): Promise<Starts> {
  const firstMs = await start();
  const times: number[] = [];
  for (let i = 0; i < REPEATS; i++) times.push(await start());
  return { firstMs, thenMs: median(times) };
}

async function startLocally(): Promise<number> {
  const before = performance.now();
  await using zk = await testServer();
  const client = await zk.connect();
  await client.create("/first", DATA);
  return performance.now() - before;
}

/** As Curator does it: over a socket. */
async function startWithPort(): Promise<number> {
  const before = performance.now();
  await using zk = await testServer();
  const { connectString } = await zk.listen();
  await using client = await connect(connectString);
  await client.create("/first", DATA);
  return performance.now() - before;
}

/** Three members that find a leader. */
async function startEnsemble(): Promise<number> {
  const before = performance.now();
  await using zk = await testEnsemble({ members: 3 });
  const client = await zk.connect();
  await client.create("/first", DATA);
  return performance.now() - before;
}

async function fork(): Promise<number> {
  await using zk = await testServer({ historyEntriesMax: 1000 });
  const client = await zk.connect();
  await client.create("/many");
  for (let i = 0; i < ZNODES; i++) await client.create(`/many/${i}`, DATA);
  const times: number[] = [];
  for (let i = 0; i < REPEATS; i++) {
    const before = performance.now();
    const other = zk.fork();
    times.push((performance.now() - before) * 1000);
    await other.close();
  }
  return median(times);
}

async function hour(): Promise<number> {
  await using zk = await testServer();
  const client = await zk.connect();
  await client.create("/hour", null, { mode: "persistent_with_ttl", ttlMs: 3_500_000 });
  await client.create("/box", null, { mode: "container" });
  await client.create("/box/item", null, { mode: "ephemeral" });
  const before = performance.now();
  await zk.clock.advance("1h");
  const took = performance.now() - before;
  zk.expectTree({ "/box/item": { owner: client } });
  return took;
}

async function crowd(): Promise<number> {
  const servers = await Promise.all(Array.from({ length: SERVERS }, () => testServer()));
  const clients = await Promise.all(servers.map((zk) => zk.connect()));
  await Promise.all(clients.map((client) => client.create("/mine", DATA)));
  const { rss } = process.memoryUsage();
  await Promise.all(servers.map((zk) => zk.close()));
  return rss / 2 ** 20;
}

// ── Curator's ──

const CURATOR = `
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import org.apache.curator.test.TestingServer;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;

public class CuratorStart {
  static double start() throws Exception {
    long before = System.nanoTime();
    try (TestingServer server = new TestingServer()) {
      CountDownLatch connected = new CountDownLatch(1);
      ZooKeeper zk = new ZooKeeper(server.getConnectString(), 30000, event -> {
        if (event.getState() == KeeperState.SyncConnected) connected.countDown();
      });
      connected.await();
      zk.create("/first", new byte[100], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
      double took = (System.nanoTime() - before) / 1e6;
      zk.close();
      return took;
    }
  }

  public static void main(String[] args) throws Exception {
    double first = start();
    double[] times = new double[Integer.parseInt(args[0])];
    for (int i = 0; i < times.length; i++) times[i] = start();
    Arrays.sort(times);
    System.out.println("{\\"firstMs\\":" + first + ",\\"thenMs\\":" + times[times.length / 2] + "}");
    System.exit(0); // TestingServer leaves threads behind
  }
}
`;
const JARS = ["curator-test", "curator-client", "zookeeper", "guava", "slf4j-api"].map((name) => `/usr/share/java/${name}.jar`);
const CURATOR_REPEATS = 30;

/** A JVM that measures Curator's; or why there is none. */
function compileCurator(folder: string): (() => Starts) | string {
  const absent = JARS.filter((jar) => !existsSync(jar));
  if (absent.length > 0)
    return `Curator's TestingServer: no ${absent.join(", ")} (Debian: apt-get install libcurator-test-java)`;
  const source = join(folder, "CuratorStart.java");
  writeFileSync(source, CURATOR);
  const classpath = JARS.join(":");
  const compiled = spawnSync("javac", ["-cp", classpath, "-d", folder, source], { encoding: "utf8" });
  if (compiled.error !== undefined)
    return "Curator's TestingServer: no javac on this machine (Debian: apt-get install default-jdk)";
  if (compiled.status !== 0) throw new Error(compiled.stderr);
  return () => run("java", ["-cp", `${classpath}:${folder}`, "CuratorStart", `${CURATOR_REPEATS}`]);
}

// ── all of them, in turn ──

async function compare(rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "zookernel-bench-testing-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const curator = compileCurator(folder);
  const apache = whyNot("apache");
  for (const reason of [curator, apache]) if (typeof reason === "string") console.log(`without ${reason}`);
  const all = new Map<string, (Starts | Promises)[]>();
  const add = (name: string, figures: Starts | Promises): void => void all.set(name, [...(all.get(name) ?? []), figures]);
  for (let round = 0; round < rounds; round++) {
    for (const runtime of RUNTIMES.filter((name) => versionOf(name) !== null)) {
      for (const work of ["local", "port", "ensemble", "promises"] as const) add(`${work} ${runtime}`, ours(runtime, work));
    }
    if (typeof curator !== "string") add("curator", curator());
    if (apache === null) add("apache", await apacheStart(folder));
  }
  printStarts(all as ReadonlyMap<string, readonly Starts[]>);
  printPromises(all as ReadonlyMap<string, readonly Promises[]>);
}

function ours(runtime: RuntimeName, work: Work): Starts | Promises {
  const program = programOn(runtime, "bench/testing.ts", "measure", work);
  if (typeof program === "string") throw new Error(program);
  return run(program.command, program.args);
}

function run<Figures>(command: string, args: readonly string[]): Figures {
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  return JSON.parse(stdout) as Figures;
}

/** The process is new each time: there is no second time. */
async function apacheStart(folder: string): Promise<Starts> {
  const server = await startServer("apache", folder);
  await server.stop();
  return { firstMs: server.start.wallMs!, thenMs: server.start.wallMs! };
}

function printStarts(all: ReadonlyMap<string, readonly Starts[]>): void {
  const figures = new Map<string, Starts>();
  for (const [key, name] of [
    ...NAMES,
    ["curator", "Curator's TestingServer, with its port"],
    ["apache", "Apache's server, a process"],
  ] as const) {
    const rounds = all.get(key);
    if (rounds !== undefined)
      figures.set(name, { firstMs: median(rounds.map((one) => one.firstMs)), thenMs: median(rounds.map((one) => one.thenMs)) });
  }
  const best = (field: keyof Starts): number => Math.min(...[...figures.values()].map((one) => one[field]));
  console.log("\nuntil a znode is created            first time         ×     then as a rule         ×");
  for (const [name, { firstMs, thenMs }] of figures)
    console.log(`${name.padEnd(36)}${cell(firstMs, best("firstMs"))}    ${cell(thenMs, best("thenMs"))}`);
}

const NAMES: readonly (readonly [string, string])[] = RUNTIMES.flatMap((runtime) => [
  [`local ${runtime}`, `zookernel ${runtime}`] as const,
  [`port ${runtime}`, `zookernel ${runtime}, with a port`] as const,
  [`ensemble ${runtime}`, `zookernel ${runtime}, three members`] as const,
]);

function cell(ms: number, best: number): string {
  return `${ms.toFixed(2).padStart(8)} ms${`× ${(ms / best).toFixed(1)}`.padStart(10)}`;
}

function printPromises(all: ReadonlyMap<string, readonly Promises[]>): void {
  console.log("\n                    fork of 100,000 znodes   an hour of time   1,000 servers");
  for (const runtime of RUNTIMES) {
    const rounds = all.get(`promises ${runtime}`);
    if (rounds === undefined) continue;
    const of = (field: keyof Promises): number => median(rounds.map((one) => one[field]));
    const columns = [
      `${of("forkUs").toFixed(0)} µs`.padStart(22),
      `${of("hourMs").toFixed(1)} ms`.padStart(18),
      `${of("crowdMb").toFixed(0)} MB`.padStart(16),
    ];
    console.log(`zookernel ${runtime}`.padEnd(20) + columns.join(""));
  }
  console.log("promised                 below 100 µs       below 50 ms    below 200 MB");
  console.log("promised of starts: the first below 2 ms, three members below 100 ms");
}

const [first = "3", work] = process.argv.slice(2);
if (first === "measure") console.log(JSON.stringify(await measure(work as Work)));
else await compare(Number(first));
