/**
 * A server that is killed at random moments while four sessions write, small values and large ones, plain, sequential and ephemeral: after each
 * restart all that was acknowledged is there, no multi is there by half, no number of a sequence came twice, and zxids have not gone back.
 *
 * `ZOOKERNEL_KILL_ROUNDS` says how often.
 */

import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { consoleLogger } from "../../adapters/system.ts";
import { connect } from "../../adapters/tcp/mod.ts";
import type { ZooKeeper } from "../../mod.ts";
import { campaign } from "../support/campaign.ts";
import { freePort, startServer } from "../support/server_process.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { until } from "../support/until.ts";

const ROUNDS = campaign("ZOOKERNEL_KILL_ROUNDS", { quick: 5, all: 10 });
const SESSIONS = 4;
/** Writes that a session has on their way at a time. */
const PIPELINED = 32;
const LOAD_MS_MAX = 250;
const LARGE_BYTES = 1_000_000;
/** One write of so many has a large value. */
const LARGE_SELDOM = 97;
/** Sessions outlive the server that is killed, and their ephemerals do. */
const SESSION_MS = 120_000;

const folder = temporaryFolder("kill");
after(() => rmSync(folder, { recursive: true, force: true }));
const logger = consoleLogger({ level: "silent" });

/** What one session wrote in all rounds, and what it was told. */
class Writer {
  readonly base: string;
  /** The number that the next write has. */
  next = 1;
  /** Highest number whose setData was acknowledged. */
  acknowledgedSet = 0;
  readonly created: string[] = [];
  readonly pairs: string[] = [];
  /** Pairs of which nothing was heard. */
  readonly unknownPairs: string[] = [];
  readonly sequential: string[] = [];
  /** Ephemerals of the round that was the last, whose session lives. */
  ephemerals: string[] = [];
  /** Highest number whose large value was acknowledged. */
  large = 0;
  maxZxid = 0n;
  acknowledged = 0;

  constructor(base: string) {
    this.base = base;
  }

  /** Keeps writes on their way until the server is gone. */
  async write(zk: ZooKeeper): Promise<void> {
    const one = async (): Promise<void> => {
      for (;;) await this.#one(zk, this.next++);
    };
    await Promise.allSettled(Array.from({ length: PIPELINED }, one));
  }

  async #one(zk: ZooKeeper, number: number): Promise<void> {
    const { base } = this;
    if (number % LARGE_SELDOM === 0) {
      await zk.setData(`${base}/large`, largeValue(number));
      if (number > this.large) this.large = number;
    } else if (number % 7 === 0) {
      this.sequential.push(await zk.create(`${base}/s-`, "", { mode: "persistent_sequential" }));
    } else if (number % 11 === 0) {
      await zk.create(`${base}/e${number}`, "", { mode: "ephemeral" });
      this.ephemerals.push(`e${number}`);
    } else if (number % 3 === 0) {
      const { mzxid } = await zk.setData(base, String(number));
      if (number > this.acknowledgedSet) this.acknowledgedSet = number;
      if (mzxid > this.maxZxid) this.maxZxid = mzxid;
    } else if (number % 3 === 1) {
      await zk.create(`${base}/n${number}`, "x".repeat(number % 500));
      this.created.push(`n${number}`);
    } else {
      this.unknownPairs.push(`m${number}`);
      await zk.transaction().create(`${base}/m${number}-a`, "a").create(`${base}/m${number}-b`, "b").commit();
      this.pairs.push(`m${number}`);
    }
    this.acknowledged++;
  }

  async check(zk: ZooKeeper, where: string): Promise<void> {
    const { data } = await zk.getData(this.base);
    const value = Number(Buffer.from(data!).toString());
    assert.ok(
      value >= this.acknowledgedSet,
      `${where}: ${this.base} has ${value} after ${this.acknowledgedSet} was acknowledged`,
    );
    assert.ok(value < this.next, `${where}: ${this.base} has ${value}, which was never written`);
    const { children } = await zk.getChildren(this.base);
    const names = new Set(children);
    for (const name of this.created) assert.ok(names.has(name), `${where}: ${name} was acknowledged and is not there`);
    for (const name of this.pairs) assert.ok(names.has(`${name}-a`), `${where}: ${name} was acknowledged and is not there`);
    assert.equal(new Set(this.sequential).size, this.sequential.length, `${where}: a number of the sequence came twice`);
    for (const path of this.sequential)
      assert.ok(names.has(path.slice(this.base.length + 1)), `${where}: ${path} is not there`);
    for (const name of this.ephemerals) assert.ok(names.has(name), `${where}: ${name} is not there, and its session lives`);
    this.ephemerals = [];
    await this.#checkLarge(zk, where);
    for (const name of this.unknownPairs) {
      assert.equal(names.has(`${name}-a`), names.has(`${name}-b`), `${where}: ${name} is there by half`);
    }
  }

  async #checkLarge(zk: ZooKeeper, where: string): Promise<void> {
    const data = Buffer.from((await zk.getData(`${this.base}/large`)).data!);
    const number = Number(data.toString("latin1", 0, 12));
    assert.ok(number >= this.large, `${where}: the large value is of ${number} after ${this.large} was acknowledged`);
    assert.ok(data.equals(largeValue(number)), `${where}: the large value is not whole`);
  }
}

/** It begins with its number and is full of it. */
function largeValue(number: number): Buffer {
  const value = Buffer.alloc(LARGE_BYTES, number % 251);
  value.write(String(number).padStart(12, "0"), "latin1");
  return value;
}

test(`${ROUNDS} kills lose nothing that was acknowledged`, { timeout: 60_000 + ROUNDS * 6_000 }, async () => {
  const home = join(folder, "home");
  mkdirSync(home);
  const config = {
    clientPort: await freePort(),
    tickTime: 500,
    snapCount: 2000,
    preAllocSize: 256,
    maxClientCnxns: 0,
    maxSessionTimeout: SESSION_MS,
  };
  const writers = Array.from({ length: SESSIONS }, (_, index) => new Writer(`/s${index}`));
  for (let round = 0; round <= ROUNDS; round++) {
    const server = await startServer({ kind: "ours", folder: home, config });
    // Somebody else may have got the port while nobody had it.
    await until(
      () => server.logs().includes("Serving ZooKeeper clients"),
      `the server's own word that it serves:\n${server.logs()}`,
    );
    const where = `round ${round}, after ${server.logs()}`;
    const handles = await Promise.all(writers.map(() => connect(server.address, { sessionTimeoutMs: SESSION_MS, logger })));
    const [zk] = handles as [ZooKeeper];
    if (round === 0)
      for (const { base } of writers) await zk.transaction().create(base, "0").create(`${base}/large`, largeValue(0)).commit();
    const { stat } = await zk.createWithStat(`/round-${round}`);
    for (const { maxZxid } of writers) assert.ok(stat.czxid > maxZxid, `${where}: zxid ${stat.czxid} after ${maxZxid}`);
    for (const writer of writers) await writer.check(zk, where);
    if (round === ROUNDS) {
      await server.stop();
      break;
    }
    const before = writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    const writing = writers.map((writer, index) => writer.write(handles[index]!));
    // Not before something was acknowledged, and at no moment in particular.
    const wait = Math.random() * LOAD_MS_MAX;
    const began = performance.now();
    while (performance.now() - began < wait || writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0) === before) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await server.stop("SIGKILL");
    await Promise.all(handles.map((handle) => handle.close().catch(() => {})));
    await Promise.all(writing);
  }
  const acknowledged = writers.reduce((sum, writer) => sum + writer.acknowledged, 0);
  console.log(`${acknowledged} acknowledged writes over ${ROUNDS} kills`);
});
