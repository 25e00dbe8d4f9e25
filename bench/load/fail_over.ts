/**
 * The leader of an ensemble dies under load: how long until one of the others has done a write.
 *
 * Clients of the other two members write one after the other; once they are cut off they connect again as fast as they can.
 */
import type { Metrics } from "../metrics.ts";
import { setData } from "./frames.ts";
import type { Target } from "./job.ts";
import { sleep } from "./meter.ts";
import { ensure } from "./prepare.ts";
import { PARENT_PATH } from "./script.ts";
import { Session } from "./session.ts";

const AGAIN_SECONDS = 0.002;
const ANSWER_MS_MAX = 1000;
const GIVE_UP_MS = 60_000;
const DATA: Uint8Array = new Uint8Array(100);

export async function runFailOver({ ports, pids, warmUpSeconds, seconds }: Target): Promise<Metrics> {
  const [leaderPort, ...others] = ports;
  const preparing = await Session.open(leaderPort!);
  await ensure(preparing, PARENT_PATH, DATA);
  await preparing.close();
  const state: Killing = { killedAt: null, writtenAt: null };
  const writers = others.map((port) => write(port, state));
  await sleep(warmUpSeconds + seconds);
  process.kill(pids[0]!, "SIGKILL");
  state.killedAt = performance.now();
  await Promise.race(writers);
  return { wallMs: state.writtenAt! - state.killedAt, errors: 0 };
}

interface Killing {
  killedAt: number | null;
  /** The first write that was begun after it, once done. */
  writtenAt: number | null;
}

/** Writes until a write that was begun after the kill is done. */
async function write(port: number, state: Killing): Promise<void> {
  while (state.writtenAt === null) {
    const session = await Session.open(port, ANSWER_MS_MAX).catch(() => null);
    try {
      while (session !== null && state.writtenAt === null) {
        const begunAt = performance.now();
        if (state.killedAt !== null && begunAt - state.killedAt > GIVE_UP_MS) throw new GivenUp("no write in a minute");
        const { error } = await session.call(setData(PARENT_PATH, DATA), ANSWER_MS_MAX);
        if (error !== 0) break;
        if (state.killedAt !== null && begunAt > state.killedAt) state.writtenAt ??= performance.now();
      }
    } catch (error) {
      if (error instanceof GivenUp) throw error;
      // Cut off, or silent: to be tried again.
    }
    session?.destroy();
    await sleep(AGAIN_SECONDS);
  }
}

class GivenUp extends Error {}
