/**
 * Short sessions: connect, open a session, close it, disconnect, again and again, so many at a time.
 *
 * One operation is the whole of it. The latency is that of the whole, too.
 */

import type { Metrics } from "../metrics.ts";
import type { ConnectsJob, Target } from "./job.ts";
import { Meter } from "./meter.ts";
import { Session } from "./session.ts";

export async function runConnects(job: ConnectsJob, target: Target): Promise<Metrics> {
  const meter = new Meter(target);
  let running = true;
  const visit = async (): Promise<void> => {
    while (running) {
      const before = performance.now();
      const session = await Session.open(target.port);
      await session.close();
      meter.done(performance.now() - before);
    }
  };
  const visitors = Array.from({ length: job.concurrent }, visit);
  Promise.all(visitors).catch(meter.broken);
  const metrics = await meter.run();
  running = false;
  await Promise.all(visitors);
  return metrics;
}
