/**
 * The file storage on a disk that loses, tears, fills up, fails and changes bits: whatever happens, a server that starts again has all that was
 * acknowledged and nothing by half, or refuses to start and says where the damage is.
 *
 * `ZOOKERNEL_SEEDS` says how many runs, `ZOOKERNEL_SEED` the first of them.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FileStorage } from "../../adapters/storage/file.ts";
import { StorageError } from "../../adapters/storage/mod.ts";
import { settingsOf } from "../../lib/options/options.ts";
import type { Logger } from "../../lib/ports.ts";
import { openDurable } from "../../lib/server/durable.ts";
import type { Server } from "../../lib/server/server.ts";
import { campaign } from "../support/campaign.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { Random } from "../support/random.ts";
import { SimulatedDisk } from "./disk.ts";

const SEEDS = campaign("ZOOKERNEL_SEEDS", { quick: 100, all: 300 });
const FIRST_SEED = Number(process.env.ZOOKERNEL_SEED ?? 1);
const STARTS = 5;
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

type End = "close" | "kill" | "power" | "failing sync" | "full";
const ENDS: readonly End[] = ["close", "kill", "power", "power", "failing sync", "full"];

/** What the tree holds, path by path; the log of writes that made it; and how many of them were acknowledged. */
class History {
  readonly #random: Random;
  readonly #writes: ((tree: Map<string, string>) => void)[] = [];
  #base = new Map<string, string>();
  #number = 0;
  acknowledged = 0;
  maxZxid = 0n;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Sends the next write; resolves when it is acknowledged or can't be any more. */
  async send(zk: Awaited<ReturnType<Server["connect"]>>): Promise<void> {
    const number = ++this.#number;
    const data = "d".repeat(this.#random.of([0, 3, 60, 700, 3000])) + number;
    const place = this.#writes.length + 1;
    try {
      if (this.#random.next() < 0.4) {
        const path = `/k${number % 4}`;
        this.#writes.push((tree) => tree.set(path, data));
        const { mzxid } = await zk.setData(path, data);
        this.maxZxid = mzxid;
      } else if (this.#random.next() < 0.5) {
        this.#writes.push((tree) => tree.set(`/n${number}`, data));
        await zk.create(`/n${number}`, data);
      } else {
        this.#writes.push((tree) => tree.set(`/a${number}`, data).set(`/b${number}`, "half"));
        await zk.transaction().create(`/a${number}`, data).create(`/b${number}`, "half").commit();
      }
      if (place > this.acknowledged) this.acknowledged = place;
    } catch {
      // Not acknowledged: it may be there or not.
    }
  }

  /** Finds how many of the writes a server has, and goes on from there. */
  check(server: Server): void {
    const there = treeOf(server);
    const tree = new Map(this.#base);
    for (let count = 0; ; count++) {
      if (count >= this.acknowledged && sameTree(tree, there)) return this.startFrom(tree);
      assert.ok(
        count < this.#writes.length,
        `no number of writes from ${this.acknowledged} on makes this tree: ${[...there.keys()]}`,
      );
      this.#writes[count]!(tree);
    }
  }

  startFrom(tree: Map<string, string>): void {
    this.#base = tree;
    this.#writes.length = 0;
    this.acknowledged = 0;
  }
}

function treeOf(server: Server): Map<string, string> {
  const names = server.inspect("/")!.children.filter((name) => name !== "zookeeper");
  return new Map(names.map((name) => [`/${name}`, new TextDecoder().decode(server.inspect(`/${name}`)!.data!)]));
}

function sameTree(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([path, data]) => other.get(path) === data);
}

async function run(seed: number): Promise<void> {
  const random = new Random(seed);
  const disk = new SimulatedDisk(random);
  const history = new History(random);
  const settings = await settingsOf({ snapshots: { everyTxns: random.of([4, 30, 200]) } }, true);
  const loadProcess = (): never => assert.fail("nobody asks");
  const world = { clock: new ManualClock(), logger: quiet, random: () => random.next(), soon: setImmediate, loadProcess };
  const preAllocBytes = random.of([0, 4096, 65_536]);
  const start = (): Promise<Server> => {
    const options = { dataDir: "/sim", preAllocBytes, snapshotsKept: 2, logFileBytesMax: 20_000 };
    return openDurable(new FileStorage(options, disk.mount()), settings, world);
  };

  const first = await start();
  await using zk = await first.connect();
  for (let key = 0; key < 4; key++) await zk.create(`/k${key}`, "0");
  history.startFrom(treeOf(first));
  await first.close();
  for (let round = 0; round < STARTS; round++) {
    const server = await start();
    history.check(server);
    const end = random.of(ENDS);
    await load(server, history, random, disk, end);
    if ((end === "close" || end === "kill") && random.next() < 0.4) await startDamaged(start, history, disk);
  }
  const server = await start();
  history.check(server);
  await server.close();
}

/** Writes until the end that was chosen. */
async function load(server: Server, history: History, random: Random, disk: SimulatedDisk, end: End): Promise<void> {
  const zk = await server.connect();
  if (end === "kill" || end === "power") disk.stopAfter(random.below(120));
  if (end === "failing sync") disk.failSyncAfter(random.below(12));
  if (end === "full") disk.limit(random.below(30_000));
  const sent: Promise<void>[] = [];
  for (let burst = random.below(8); burst >= 0; burst--) {
    for (let write = random.below(12); write >= 0; write--) sent.push(history.send(zk));
    if (random.next() < 0.7) await Promise.race([Promise.all(sent), server.closed]);
  }
  if (end === "close") await server.close();
  disk.restart(end === "power" || (end !== "close" && end !== "kill" && random.next() < 0.5));
  await server.close();
  await Promise.all(sent);
}

/** A changed bit is found out, or is where nobody looks: never is anything else served than was acknowledged. */
async function startDamaged(start: () => Promise<Server>, history: History, disk: SimulatedDisk): Promise<void> {
  const flipBack = disk.flipBit(/^(log|snapshot)\./);
  if (flipBack === null) return;
  try {
    const server = await start();
    history.check(server);
    await server.close();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    assert.match(error.message, /^\/sim\/version-2\/(log|snapshot)\.\S+ at offset \d+: |^\/sim: none of its/);
  }
  disk.restart(false);
  flipBack();
}

test(`${SEEDS} simulated disks lose nothing that was acknowledged`, { timeout: 60_000 + SEEDS * 500 }, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    await run(seed).catch((error: Error) => {
      throw new Error(`seed ${seed} (ZOOKERNEL_SEED=${seed} ZOOKERNEL_SEEDS=1): ${error.message}`, { cause: error });
    });
  }
});
