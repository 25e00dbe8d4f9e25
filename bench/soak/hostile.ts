/**
 * The hostile clients of a soak, a program: all rows at once, each in rounds, and one slow but honest client among them.
 *
 *     node dist/bench/soak/hostile.js PORT TLS_PORT SECONDS [ROW,ROW,…]
 *
 * It says "ready" once the znodes that the rows want are there, begins when its standard input says anything, and prints what it did at the end.
 */

import { once } from "node:events";
import { sleep } from "../load/meter.ts";
import { frames, Target } from "./connections.ts";
import { LARGE, prepare, ROWS, type Row } from "./rows.ts";

/** What the hostile clients did. */
export interface HostileReport {
  /** Rounds by row, and what ended the last one early. */
  readonly rows: Readonly<Record<string, { readonly rounds: number; readonly error: string | null }>>;
  /** How much the slow honest client got of what it asked for, 0 to 1; null if it wasn't asked to come. */
  readonly slowClientShare: number | null;
}

const ROUND_SECONDS_MAX = 20;
const SLOW_READS = 400;
/** Of the soak's time; what is left, and a while after it, is for a server that is busy. */
const SLOW_SHARE_OF_TIME = 0.6;
const SLOW_SECONDS_AFTERWARDS = 20;
const SLOW_CLIENT = "slow_honest_client";

async function main([port = "", tlsPort = "", seconds = "", chosen = ""]: readonly string[]): Promise<void> {
  const ids = chosen.split(",").filter((id) => id !== "");
  const isChosen = (id: string): boolean => ids.length === 0 || ids.includes(id);
  const target = (row: number): Target => new Target(Number(port), Number(tlsPort), Number(seconds), row);
  await prepare(target(0));
  console.log("ready");
  await once(process.stdin, "data");
  const end = performance.now() + Number(seconds) * 1000;
  const rows = ROWS.flatMap((row, index) => (isChosen(row.id) ? [repeat(row, () => target(index + 1), end)] : []));
  const slow = isChosen(SLOW_CLIENT) ? readSlowly(target(ROWS.length + 1), end) : null;
  const report: HostileReport = { rows: Object.fromEntries(await Promise.all(rows)), slowClientShare: await slow };
  console.log(JSON.stringify(report));
  process.exit(0);
}

async function repeat(
  row: Row,
  newTarget: () => Target,
  end: number,
): Promise<[string, { rounds: number; error: string | null }]> {
  let rounds = 0;
  let error: string | null = null;
  while (performance.now() < end) {
    const target = newTarget();
    const secondsMax = Math.min(ROUND_SECONDS_MAX, (end - performance.now()) / 1000);
    await Promise.race([row.round(target), sleep(secondsMax).then(() => Promise.reject(new Error("took too long")))]).then(
      () => {
        error = null;
      },
      (reason) => {
        error = String(reason);
      },
    );
    target.end();
    rounds++;
    await sleep(row.pauseSeconds);
  }
  return [row.id, { rounds, error }];
}

/** Asks for everything at once and takes it late, but takes it. */
async function readSlowly(target: Target, end: number): Promise<number> {
  const socket = await target.session();
  const expected = SLOW_READS * 1_000_000;
  const perSecond = expected / (target.seconds * SLOW_SHARE_OF_TIME);
  const started = performance.now();
  let taken = 0;
  socket.on("data", (bytes) => {
    taken += bytes.length;
    const lateMs = (taken / perSecond) * 1000 - (performance.now() - started);
    if (lateMs < 10) return;
    socket.pause();
    setTimeout(() => socket.resume(), lateMs);
  });
  socket.write(frames(Array.from({ length: SLOW_READS }, () => ({ kind: "getData", path: LARGE, watch: false }) as const)));
  while (performance.now() < end + SLOW_SECONDS_AFTERWARDS * 1000 && taken < expected && !socket.closed) await sleep(0.1);
  target.end();
  return Math.min(1, taken / expected);
}

await main(process.argv.slice(2));
