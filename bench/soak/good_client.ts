/**
 * The good client of a soak, a program: it writes and reads in turn, one request at a time, and prints what it saw when its standard input ends.
 *
 *     node dist/bench/soak/good_client.js PORT
 *
 * What it has been told to be written it names at the end, so that it can be looked for after a restart.
 */

import { connect } from "../../adapters/tcp/mod.ts";
import type { ZooKeeper } from "../../mod.ts";
import { Latencies } from "../load/latencies.ts";
import { sleep } from "../load/meter.ts";

/** What the good client saw. */
export interface GoodClientReport {
  readonly operations: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  /** Requests that failed, and the first of the errors. */
  readonly errors: number;
  readonly firstError: string | null;
  /** The last value of {@link VALUE_PATH} that was acknowledged. */
  readonly acknowledgedValue: number;
  /** The znodes below {@link KEPT_PATH} whose creation was acknowledged. */
  readonly acknowledgedNames: readonly string[];
}

export const VALUE_PATH = "/good/value";
export const KEPT_PATH = "/good/kept";

const PAUSE_SECONDS = 0.005;
const CREATE_EVERY = 20;

/** Works until told to stop. */
export async function work(zk: ZooKeeper, isOver: () => boolean): Promise<GoodClientReport> {
  await zk.create("/good");
  await zk.create(VALUE_PATH, "0");
  await zk.create(KEPT_PATH);
  const latencies = new Latencies();
  const names: string[] = [];
  let [operations, errors, acknowledgedValue] = [0, 0, 0];
  let firstError: string | null = null;
  for (let turn = 1; !isOver(); turn++) {
    const before = performance.now();
    try {
      if (turn % CREATE_EVERY === 0) names.push((await zk.create(`${KEPT_PATH}/${turn}`)).slice(KEPT_PATH.length + 1));
      else if (turn % 2 === 0) await zk.getData(VALUE_PATH);
      else {
        await zk.setData(VALUE_PATH, `${turn}`);
        acknowledgedValue = turn;
      }
    } catch (error) {
      errors++;
      firstError ??= String(error);
    }
    latencies.record(performance.now() - before);
    operations++;
    await sleep(PAUSE_SECONDS);
  }
  const [p99Ms, longestMs] = [latencies.percentile(0.99), latencies.longest];
  return { operations, p99Ms, longestMs, errors, firstError, acknowledgedValue, acknowledgedNames: names };
}

if (process.argv[1]?.includes("good_client")) {
  let over = false;
  process.stdin.on("end", () => {
    over = true;
  });
  process.stdin.resume();
  const zk = await connect(`127.0.0.1:${process.argv[2]}`, { sessionTimeoutMs: 30_000 });
  const report = await work(zk, () => over);
  await zk.close();
  console.log(JSON.stringify(report));
}
