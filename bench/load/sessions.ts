/**
 * Idle sessions: what the server's memory grows by for each, and what one ping costs it.
 *
 * Pings are sent at a steady pace, each on another connection, so none rides along with another: the cost of a ping is that of a
 * client that is otherwise silent.
 */

import type { Metrics } from "../metrics.ts";
import { residentBytes } from "../process_stat.ts";
import { ping } from "./frames.ts";
import type { SessionsJob, Target } from "./job.ts";
import { Meter, sleep } from "./meter.ts";
import { type FrameSink, replyError } from "./replies.ts";
import { Session } from "./session.ts";

const OPENING_AT_ONCE = 32;
const SETTLE_SECONDS = 1;
const PACE_MS = 5;

/** The server is new, and pings are few: it gets at least so long to warm up, and then to be measured. */
const WARM_UP_SECONDS_MIN = 3;
const SECONDS_MIN = 2;

export async function runSessions(job: SessionsJob, target: Target): Promise<Metrics> {
  const memoryBefore = residentBytes(target.pids);
  const sessions = await openMany(target.port, job.sessions);
  await sleep(SETTLE_SECONDS);
  const memoryAfter = residentBytes(target.pids);
  const warmUpSeconds = Math.max(target.warmUpSeconds, WARM_UP_SECONDS_MIN);
  const meter = new Meter({ ...target, warmUpSeconds, seconds: Math.max(target.seconds, SECONDS_MIN) });
  const stop = pace(sessions, job.pingsPerSecond, meter);
  const metrics = await meter.run();
  stop();
  for (const session of sessions) session.destroy(); // the server ends after this row: nothing is left to expire
  return { ...metrics, bytesEach: (memoryAfter - memoryBefore) / job.sessions };
}

async function openMany(port: number, count: number): Promise<Session[]> {
  const sessions: Session[] = [];
  let toOpen = count;
  const open = async (): Promise<void> => {
    while (toOpen-- > 0) sessions.push(await Session.open(port));
  };
  await Promise.all(Array.from({ length: OPENING_AT_ONCE }, open));
  return sessions;
}

/** Pings one session after the other, `perSecond` in all. Returns a function that ends it. */
function pace(sessions: readonly Session[], perSecond: number, meter: Meter): () => void {
  const sentAt = sessions.map(() => 0);
  sessions.forEach((session, index) => {
    session.attach(
      pong(() => performance.now() - sentAt[index]!, meter),
      meter.broken,
    );
  });
  const frame = ping();
  const start = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - start) / 1000) * perSecond;
    for (; sent < due; sent++) {
      const index = sent % sessions.length;
      sentAt[index] = performance.now();
      sessions[index]!.write(frame);
    }
  }, PACE_MS);
  return () => clearInterval(timer);
}

function pong(elapsedMs: () => number, meter: Meter): FrameSink {
  return {
    frame(buffer, start) {
      const error = replyError(buffer, start);
      if (error !== 0) meter.failed(`a ping was answered with error ${error}`);
      meter.done(elapsedMs());
    },
    readDone() {},
  };
}
