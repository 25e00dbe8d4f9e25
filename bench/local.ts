/**
 * The server in this process, without a network: a program that does one kind of work on whatever runtime runs it, and prints the
 * figures as a line of JSON.
 *
 *     local.ts <name of the work> <seconds> <seconds of warm-up>
 *
 * CPU time is that of the whole process, so compilers and garbage collectors are paid for by the work.
 */

import { tcp } from "../adapters/tcp/mod.ts";
import { open, type ZooKeeper } from "../mod.ts";
import { type Metrics, median, percentile } from "./metrics.ts";
import type { LocalWork } from "./workloads.ts";

const DATA = new Uint8Array(1000).fill(0x7a);
const SMALL = DATA.subarray(0, 100);

/** Does the work so many times, one after the other. */
type Loop = (zk: ZooKeeper, count: number) => Promise<void>;

/** Times the clock is not looked at. */
const UNTIMED = 256;

async function main(work: LocalWork, seconds: number, warmUpSeconds: number): Promise<Metrics> {
  switch (work) {
    case "get":
      return rate(getLoop, seconds, warmUpSeconds);
    case "set":
      return rate(setLoop, seconds, warmUpSeconds);
    case "createDelete":
      return rate(createDeleteLoop, seconds, warmUpSeconds, 2);
    case "watch":
      return rate(watchLoop, seconds, warmUpSeconds);
    case "open":
      return opens(seconds, false);
    case "openWithPort":
      return opens(seconds, true);
  }
}

const getLoop: Loop = async (zk, count) => {
  for (let left = count; left > 0; left--) await zk.getData("/data");
};

const setLoop: Loop = async (zk, count) => {
  for (let left = count; left > 0; left--) await zk.setData("/small", SMALL);
};

const createDeleteLoop: Loop = async (zk, count) => {
  for (let left = count; left > 0; left--) {
    await zk.create("/pair", SMALL);
    await zk.delete("/pair");
  }
};

/** A read that watches, and a set that fires the watch: one event each time. */
const watchLoop: Loop = async (zk, count) => {
  let events = 0;
  const watch = (): void => {
    events++;
  };
  for (let left = count; left > 0; left--) {
    await zk.getData("/small", { watch });
    await zk.setData("/small", SMALL);
  }
  if (events !== count) throw new Error(`${count} watches were set, ${events} fired`);
};

async function rate(loop: Loop, seconds: number, warmUpSeconds: number, operationsEach = 1): Promise<Metrics> {
  await using server = await open();
  const zk = await server.connect();
  await zk.create("/data", DATA);
  await zk.create("/small", SMALL);
  const repeat = async (forSeconds: number): Promise<number> => {
    const end = performance.now() + forSeconds * 1000;
    let count = 0;
    for (; performance.now() < end; count += UNTIMED) await loop(zk, UNTIMED);
    return count * operationsEach;
  };
  await repeat(warmUpSeconds);
  const [cpu, before] = [process.cpuUsage(), performance.now()];
  const operations = await repeat(seconds);
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (operations * 1000) / (performance.now() - before), perCpuSecond: (operations * 1e6) / (user + system) };
}

/** From nothing to a node created, again and again; the first time everything is still to be compiled. */
async function opens(seconds: number, withPort: boolean): Promise<Metrics> {
  const end = performance.now() + seconds * 1000;
  const times: number[] = [];
  while (performance.now() < end || times.length < 10) {
    const before = performance.now();
    await using server = await open();
    if (withPort) await server.listen(tcp({ port: 0 }));
    const zk = await server.connect();
    await zk.create("/first", SMALL);
    times.push(performance.now() - before);
  }
  return { firstMs: times[0]!, wallMs: median(times.slice(1)), p99Ms: percentile(times.slice(1), 0.99) };
}

const [work, seconds, warmUpSeconds] = process.argv.slice(2);
const metrics = await main(work as LocalWork, Number(seconds), Number(warmUpSeconds));
console.log(JSON.stringify(metrics));
