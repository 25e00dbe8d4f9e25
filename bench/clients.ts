/**
 * Our client beside npm's node-zookeeper-client, on the same server and in one interleaved run: on Apache ZooKeeper, and on ours, which leaves more of
 * the work to the client to be seen.
 *
 *     node dist/bench/clients.js [rounds] [seconds]
 *
 * Each measurement is a process of its own that keeps so many requests outstanding on one connection; it pays for its answers as a user does: ours
 * with promises, theirs with callbacks. CPU is that of the client's process per operation. Figures are medians over the rounds, ratios (×) are to
 * node-zookeeper-client.
 */

import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { connect } from "../adapters/tcp/mod.ts";
import { zookeeper } from "../test/clients/node_client.ts";
import { median } from "./metrics.ts";
import { programOn, RUNTIMES, type RuntimeName, versionOf } from "./runtimes.ts";
import { type ServerKind, serverName, startServer, whyNot } from "./servers.ts";

type Work = "get" | "set";

interface Subject {
  readonly client: "ours" | "theirs";
  readonly runtime: RuntimeName;
}

interface Figures {
  readonly perSecond: number;
  readonly cpuUs: number;
}

/** A client that is connected, as what one request of it is. Calls back once it is answered. */
interface Driver {
  ask(work: Work, answered: (error: unknown) => void): void;
  close(): Promise<void>;
}

const OUTSTANDING = [1, 16, 256];
const WORKS: readonly Work[] = ["get", "set"];
const DATA = new Uint8Array(1000).fill(0x7a);
const SMALL = DATA.subarray(0, 100);
const WARM_UP_SHARE = 0.5;
/** A JVM measured cold loses by far more. */
const WARM_UP_SECONDS = 5;

// ── a measurement: a process of its own ──

async function measure(
  client: Subject["client"],
  work: Work,
  outstanding: number,
  seconds: number,
  address: string,
): Promise<void> {
  const driver = client === "ours" ? await ours(address) : await theirs(address);
  await keepBusy(driver, work, outstanding, seconds * WARM_UP_SHARE);
  const [cpu, before] = [process.cpuUsage(), performance.now()];
  const operations = await keepBusy(driver, work, outstanding, seconds);
  const { user, system } = process.cpuUsage(cpu);
  const figures: Figures = {
    perSecond: (operations * 1000) / (performance.now() - before),
    cpuUs: (user + system) / operations,
  };
  console.log(JSON.stringify(figures));
  await driver.close();
}

/** Asks again for each answer, until the time is over; how many answers there were. */
function keepBusy(driver: Driver, work: Work, outstanding: number, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  return new Promise((resolve, reject) => {
    let done = 0;
    let left = outstanding;
    let isOver = false;
    const answered = (error: unknown): void => {
      if (error) reject(error);
      done++;
      // The clock costs something, too.
      if (!isOver && done % 16 === 0) isOver = performance.now() >= end;
      if (!isOver) driver.ask(work, answered);
      else if (--left === 0) resolve(done);
    };
    for (let i = 0; i < outstanding; i++) driver.ask(work, answered);
  });
}

async function ours(address: string): Promise<Driver> {
  const zk = await connect(address);
  const data = { get: () => zk.getData("/get"), set: () => zk.setData("/set", SMALL) };
  return {
    ask(work, answered) {
      data[work]().then(() => answered(null), answered);
    },
    close: () => zk.close(),
  };
}

async function theirs(address: string): Promise<Driver> {
  const client = zookeeper.createClient(address);
  const [get, set] = ["getData", "setData"].map((name) => (client[name] as (...args: unknown[]) => void).bind(client));
  const connected = new Promise((resolve) => client.once("connected", resolve));
  client.connect();
  await connected;
  const small = Buffer.from(SMALL);
  return {
    ask(work, answered) {
      if (work === "get") get!("/get", answered);
      else set!("/set", small, answered);
    },
    close: () =>
      new Promise((resolve) => {
        client.once("disconnected", () => resolve());
        client.close();
      }),
  };
}

// ── all of them, in turn ──

async function compare(rounds: number, seconds: number): Promise<void> {
  const subjects: Subject[] = [{ client: "theirs", runtime: "node" }];
  for (const runtime of RUNTIMES) if (versionOf(runtime) !== null) subjects.push({ client: "ours", runtime });
  for (const kind of ["apache", "bun"] as const) {
    const reason = whyNot(kind);
    if (reason === null) await compareOn(kind, subjects, rounds, seconds);
    else console.log(`without ${serverName(kind)}: ${reason}`);
  }
}

async function compareOn(kind: ServerKind, subjects: readonly Subject[], rounds: number, seconds: number): Promise<void> {
  const server = await startServer(kind, tmpdir());
  const address = `127.0.0.1:${server.port}`;
  try {
    const zk = await connect(address);
    await zk.create("/get", DATA);
    await zk.create("/set", SMALL);
    await zk.close();
    run(subjects[0]!, "get", OUTSTANDING[1]!, WARM_UP_SECONDS, address);
    for (const work of WORKS) {
      for (const outstanding of OUTSTANDING) {
        const figures = new Map<Subject, Figures[]>(subjects.map((subject) => [subject, []]));
        for (let round = 0; round < rounds; round++) {
          for (const [subject, all] of figures) all.push(run(subject, work, outstanding, seconds, address));
        }
        print(serverName(kind), work, outstanding, figures);
      }
    }
  } finally {
    await server.stop();
  }
}

function run({ client, runtime }: Subject, work: Work, outstanding: number, seconds: number, address: string): Figures {
  const program = programOn(runtime, "bench/clients.ts", "measure", client, work, `${outstanding}`, `${seconds}`, address);
  if (typeof program === "string") throw new Error(program);
  const { stdout, stderr, status } = spawnSync(program.command, program.args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${client} on ${runtime}: ${stderr}`);
  return JSON.parse(stdout) as Figures;
}

function print(server: string, work: Work, outstanding: number, figures: ReadonlyMap<Subject, readonly Figures[]>): void {
  const what = work === "get" ? "getData, 1,000 bytes" : "setData, 100 bytes";
  console.log(`\n${server}: ${what}, ${outstanding} outstanding`);
  let base: Figures | null = null;
  for (const [{ client, runtime }, all] of figures) {
    const perSecond = median(all.map((one) => one.perSecond));
    const cpuUs = median(all.map((one) => one.cpuUs));
    base ??= { perSecond, cpuUs };
    const name = client === "ours" ? `zookernel ${runtime}` : `node-zookeeper-client ${runtime}`;
    const ratios = `× ${(perSecond / base.perSecond).toFixed(2)}   CPU × ${(cpuUs / base.cpuUs).toFixed(2)}`;
    console.log(
      `${name.padEnd(28)}${Math.round(perSecond).toString().padStart(9)}/s${cpuUs.toFixed(1).padStart(9)} µs   ${ratios}`,
    );
  }
}

const [first = "5", second = "1", work, outstanding, seconds, address] = process.argv.slice(2);
if (first === "measure")
  await measure(second as Subject["client"], work as Work, Number(outstanding), Number(seconds), address!);
else await compare(Number(first), Number(second));
