/**
 * Many znodes: what the server's memory grows by for each, and how fast they are made.
 *
 * The growth is that of resident memory, garbage of the server's heap included: it is what an operator sees.
 */

import type { Metrics } from "../metrics.ts";
import { cpuSeconds, residentBytes } from "../process_stat.ts";
import { create, patchXid } from "./frames.ts";
import type { Target, ZnodesJob } from "./job.ts";
import { sleep } from "./meter.ts";
import { ensure } from "./prepare.ts";
import { replyError } from "./replies.ts";
import { PARENT_PATH } from "./script.ts";
import { Session } from "./session.ts";

const PER_PARENT = 1000;
const OUTSTANDING = 256;
const SETTLE_SECONDS = 1;
const ZNODES_PATH = `${PARENT_PATH}/znodes`;

export async function runZnodes(job: ZnodesJob, target: Target): Promise<Metrics> {
  const session = await Session.open(target.port);
  await ensure(session, PARENT_PATH, Buffer.alloc(0));
  await ensure(session, ZNODES_PATH, Buffer.alloc(0));
  const memoryBefore = residentBytes(target.pids);
  const cpuBefore = cpuSeconds(target.pids);
  const before = performance.now();
  await createMany(session, job);
  const seconds = (performance.now() - before) / 1000;
  const cpu = cpuSeconds(target.pids) - cpuBefore;
  await sleep(SETTLE_SECONDS);
  const bytesEach = (residentBytes(target.pids) - memoryBefore) / job.znodes;
  await session.close();
  return { bytesEach, perSecond: job.znodes / seconds, cpuUs: (cpu * 1e6) / job.znodes, errors: 0 };
}

function createMany(session: Session, job: ZnodesJob): Promise<void> {
  const data = Buffer.alloc(job.dataBytes, "z");
  const requests = createRequests(job.znodes, data);
  return new Promise((resolve, reject) => {
    let outstanding = 0;
    const sendUpTo = (count: number): void => {
      const batch: Buffer[] = [];
      while (batch.length < count) {
        const next = requests.next();
        if (next.done) break;
        batch.push(next.value);
      }
      outstanding += batch.length;
      if (batch.length > 0) session.write(Buffer.concat(batch));
    };
    session.attach(
      {
        frame(buffer, start) {
          const error = replyError(buffer, start);
          if (error !== 0) reject(new Error(`create was answered with error ${error}`));
          outstanding--;
        },
        readDone() {
          // Refilled in halves, so that requests keep travelling together.
          if (outstanding < OUTSTANDING / 2) sendUpTo(OUTSTANDING - outstanding);
          if (outstanding === 0) resolve();
        },
      },
      reject,
    );
    sendUpTo(OUTSTANDING);
  });
}

function* createRequests(znodes: number, data: Uint8Array): Generator<Buffer, undefined> {
  for (let index = 0; index < znodes; index++) {
    const parent = `${ZNODES_PATH}/${Math.floor(index / PER_PARENT)}`;
    if (index % PER_PARENT === 0) yield numbered(create(parent, Buffer.alloc(0)), index);
    yield numbered(create(`${parent}/znode-${index}`, data), index);
  }
  return undefined;
}

function numbered(frame: Buffer, index: number): Buffer {
  patchXid(frame, 0, index + 1);
  return frame;
}
