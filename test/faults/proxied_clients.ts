/**
 * A program: clients behind a proxy that spoils their connections, one after the other by seed. Afterwards everything they asked has been answered,
 * in order, and the server has what the answers say. It must end by itself, since closed clients leave nothing behind.
 *
 *     bun test/faults/proxied_clients.ts <port of a server> <first seed> <number of seeds> [duplicates]
 *
 * It prints a line for each seed that failed, and a summary. With `duplicates` the proxy also does what TCP never does; then nothing is
 * promised but that every request is answered.
 */
import { connect } from "../../adapters/tcp/mod.ts";
import { ZkError, type ZooKeeper } from "../../mod.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { Random } from "../support/random.ts";

const AT_ONCE = 8;
const OPERATIONS = 60;
const SETTLED_WITHIN_MS = 60_000;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** A write of one number, or a read, and how it ended. */
interface Step {
  readonly kind: "set" | "get" | "create" | "exists" | "sync" | "transaction";
  readonly number: number;
  outcome: "pending" | "ok" | "refused" | "lost" | "unsent";
  code: string;
  /** Of the znode, after a write; what was read, after a read. */
  version: number;
  /** Its place among all that were settled. */
  place: number;
}

class Run {
  readonly seed: number;
  readonly steps: Step[] = [];
  readonly random: Random;
  #places = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  async drive(zk: ZooKeeper): Promise<void> {
    for (let done = 0; done < OPERATIONS; ) {
      const burst = Math.min(1 + this.random.below(12), OPERATIONS - done);
      const pending = Array.from({ length: burst }, (_, i) => this.#step(zk, done + i));
      done += burst;
      if (this.random.below(3) > 0) await Promise.all(pending);
    }
    const deadline = performance.now() + SETTLED_WITHIN_MS;
    while (this.steps.some(({ outcome }) => outcome === "pending")) {
      if (performance.now() > deadline) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #step(zk: ZooKeeper, number: number): Promise<void> {
    const kind = this.random.of(["set", "set", "set", "get", "get", "create", "exists", "sync", "transaction"] as const);
    const step: Step = { kind, number, outcome: "pending", code: "", version: -1, place: -1 };
    this.steps.push(step);
    try {
      step.version = await perform(zk, step);
      step.outcome = "ok";
    } catch (error) {
      if (!(error instanceof ZkError)) throw error;
      step.code = error.code;
      step.outcome = error.code !== "ConnectionLoss" ? "refused" : error.applied === "unknown" ? "lost" : "unsent";
    }
    step.place = this.#places++;
  }
}

async function perform(zk: ZooKeeper, { kind, number }: Step): Promise<number> {
  switch (kind) {
    case "set":
      return (await zk.setData("/number", String(number))).version;
    case "get":
      return (await zk.getData("/number", { watch: () => {} })).stat.version;
    case "create":
      return (await zk.createWithStat(`/made-${number}`, String(number))).stat.version;
    case "exists":
      // It is there, unless the path was spoiled.
      return (await zk.exists("/number", { watch: () => {} }))?.version ?? -1;
    case "sync":
      await zk.sync();
      return -1;
    case "transaction":
      return zk
        .transaction()
        .create(`/made-${number}`)
        .check("/number")
        .commit()
        .then(() => -1);
  }
}

/** What is wrong with a run, in words; nothing if all is well. `tree` sees the server without a proxy. */
async function judge({ steps }: Run, tree: ZooKeeper): Promise<string[]> {
  const wrong: string[] = [];
  const say = (text: string, step?: Step): void => void wrong.push(step ? `${text}: ${JSON.stringify(step)}` : text);
  const pending = steps.filter(({ outcome }) => outcome === "pending");
  if (pending.length > 0) say(`${pending.length} requests are without an answer`);
  // The answers of these two pass through more promises than the others'.
  const inOrder = steps.filter(({ kind, outcome }) => kind !== "transaction" && kind !== "sync" && outcome !== "pending");
  for (const [i, step] of inOrder.entries())
    if (i > 0 && step.place < inOrder[i - 1]!.place) say("answered out of order", step);
  let version = 0;
  for (const step of steps) {
    if (step.outcome === "ok" && (step.kind === "set" || step.kind === "get" || step.kind === "exists")) {
      if (step.version < version || (step.kind === "set" && step.version === version))
        say(`version ${version} was seen before`, step);
      version = step.version;
    }
  }
  const sets = steps.filter(({ kind }) => kind === "set");
  const count = (outcome: Step["outcome"]): number => sets.filter((step) => step.outcome === outcome).length;
  const { data, stat } = await tree.getData("/number");
  if (stat.version < count("ok") || stat.version > count("ok") + count("lost")) say(`${stat.version} sets were applied`);
  const last = sets.findLastIndex(({ outcome }) => outcome === "ok");
  const possible = sets.filter(({ outcome }, i) => i === last || (i > last && outcome === "lost")).map(({ number }) => number);
  const found = data === null || data.length === 0 ? null : Number(new TextDecoder().decode(data));
  if (found === null ? last !== -1 : !possible.includes(found)) say(`the last number is ${found}, not one of ${possible}`);
  const made = new Set((await tree.getChildren("/")).children);
  for (const step of steps.filter(({ kind }) => kind === "create" || kind === "transaction")) {
    const isMade = made.has(`made-${step.number}`);
    if (step.outcome === "ok" && !isMade) say("was answered and is not there", step);
    if (step.outcome === "unsent" && isMade) say("was not sent and is there", step);
    if (step.outcome === "refused") say("was refused", step);
  }
  return wrong;
}

async function runSeed(port: number, seed: number, duplicates: boolean): Promise<{ wrong: string[]; spoiled: number }> {
  const chroot = `/seed-${duplicates ? "d" : ""}${seed}-${process.pid}`;
  const options = { sessionTimeoutMs: 4000, logger: SILENT };
  const root = await connect(`127.0.0.1:${port}`, options);
  await root.create(chroot);
  await root.close();
  const tree = await connect(`127.0.0.1:${port}${chroot}`, options);
  await tree.create("/number");
  const run = new Run(seed);
  const faults = { cuts: 4, delays: 15, refusals: 25, duplicates: duplicates ? 3 : 0 };
  const proxy = await FaultProxy.start({ host: "127.0.0.1", port }, run.random, faults);
  const wrong: string[] = [];
  const handles = [tree];
  try {
    const zk = await connect(`127.0.0.1:${proxy.port}${chroot}`, options);
    handles.push(zk);
    await run.drive(zk);
    proxy.heal();
    if (!duplicates) wrong.push(...(await judge(run, tree)));
    else if (run.steps.some(({ outcome }) => outcome === "pending")) wrong.push("requests without an answer");
  } catch (error) {
    // A session whose beginning is said twice may be none: that is an answer, too.
    const isAnswer = duplicates && error instanceof ZkError;
    if (!isAnswer) wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await Promise.all(handles.map((zk) => zk.close()));
    await proxy.stop();
  }
  return { wrong, spoiled: proxy.spoiled };
}

const [port, first, count] = process.argv.slice(2, 5).map(Number) as [number, number, number];
const duplicates = process.argv[5] === "duplicates";
const failures: string[] = [];
let spoiled = 0;
process.on("unhandledRejection", (error) => {
  failures.push(`unhandled: ${error instanceof Error ? error.stack : String(error)}`);
  process.exitCode = 1;
});
const seeds = Array.from({ length: count }, (_, i) => first + i).values();
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (const seed of seeds) {
      const result = await runSeed(port, seed, duplicates);
      spoiled += result.spoiled;
      for (const wrong of result.wrong) failures.push(`seed ${seed}: ${wrong}`);
    }
  }),
);
for (const failure of failures) console.log(failure);
console.log(`${count} seeds, ${spoiled} connections spoiled, ${failures.length} failures`);
if (failures.length > 0) process.exitCode = 1;
